"""Fifty writers at once on one tracking server: is anything lost, and how many entries a second does it take?

Each writer is a process with a run of its own; it logs metrics a step at a time through the journal that a search uses. Afterwards every
value is read back from the server and compared. ``MLFLOW_BACKEND_STORE_URI=postgresql://…`` measures PostgreSQL.
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from pathlib import Path

from carefolio.config import project_home
from carefolio.evidence import metric
from carefolio.measured import write_measured
from model_registry.names import FOLDER
from model_registry.tracking import journal
from model_registry.tracking.delivery import deliver, run_id_of
from model_registry.tracking.server import DATABASE_VARIABLE, run_tracking_server


def write(address: str, folder: Path, number: int, steps: int, start_at: float) -> None:
    """Log ``steps`` values one by one, delivering each."""
    time.sleep(max(0.0, start_at - time.time()))
    run = journal.begin_run(folder / str(number), experiment="writers", name=f"writer {number}", tags={})
    for step in range(steps):
        journal.log_metrics(run, [("value", number + step / 1000, step)])
        deliver(folder / str(number), address)
    journal.end_run(run)
    deadline = time.monotonic() + 300
    while deliver(folder / str(number), address).left and time.monotonic() < deadline:
        time.sleep(1)


def lost_values(address: str, folder: Path, writers: int, steps: int) -> int:
    """Count the values that the server does not hold exactly as they were written."""
    from mlflow import MlflowClient

    client, lost = MlflowClient(address), 0
    for number in range(writers):
        (run,) = journal.list_journals(folder / str(number))
        run_id = run_id_of(run)
        held = {} if run_id is None else {point.step: point.value for point in client.get_metric_history(run_id, "value")}
        lost += sum(held.get(step) != number + step / 1000 for step in range(steps))
    return lost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writers", type=int, default=50)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--out", type=Path, help="Where the result goes; default the chapter's reports/measured.")
    arguments = parser.parse_args()
    import mlflow  # noqa: F401 - once, before the processes part

    database = "postgresql" if os.environ.get(DATABASE_VARIABLE, "").startswith("postgresql") else "sqlite"
    context = multiprocessing.get_context("fork")
    with (tempfile.TemporaryDirectory(prefix="registry-writers-") as place,
          run_tracking_server(Path(place) / "server", workers=2) as address):
        folder, start_at = Path(place) / "journal", time.time() + 3
        processes = [context.Process(target=write, args=(address, folder, number, arguments.steps, start_at))
                     for number in range(arguments.writers)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        elapsed = time.time() - start_at
        lost = lost_values(address, folder, arguments.writers, arguments.steps)
    written = arguments.writers * arguments.steps
    prefix = f"writers.{database}.server"
    metrics = {f"{prefix}.lost": metric(float(lost), n=written, higher_is_better=False),
               f"{prefix}.parallel": metric(float(arguments.writers), n=arguments.writers, higher_is_better=None),
               f"{prefix}.values_per_second": metric(written / elapsed, n=written, higher_is_better=True)}
    path = arguments.out or project_home(FOLDER) / "reports" / "measured" / f"writers_{database}.json"
    write_measured(path, metrics, command="python benchmarks/parallel_writers.py")
    print(f"{database}: {arguments.writers} writers, {written} values in {elapsed:.1f} s ({written / elapsed:.0f} a second), {lost} lost")


if __name__ == "__main__":
    main()
