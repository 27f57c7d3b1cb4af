"""Fifty writers at once on one tracking server: is anything lost, and how many values a second does it take?

Each writer is a process with a run of its own; it logs metrics a step at a time through the journal that a search uses. Afterwards every
value is read back from the server and compared: on SQLite, on SQLite with the server ended by SIGKILL in the middle and started again,
and on a PostgreSQL that is started for it.
"""

import argparse
import multiprocessing
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from carefolio.config import project_home
from carefolio.evidence import Metric, metric
from carefolio.local_server import free_port
from carefolio.measured import write_measured
from model_registry.names import FOLDER
from model_registry.places import answers
from model_registry.tracking import journal
from model_registry.tracking.delivery import deliver, run_id_of
from model_registry.tracking.postgresql import find_program, run_postgresql
from model_registry.tracking.server import DATABASE_VARIABLE, START_TIMEOUT_S, plan_server

PATIENCE_S = 600
KILL_AFTER, DOWN_S = 3.0, 5.0


@dataclass(frozen=True)
class Kept:
    """What the server holds: values lost, values held twice, runs not finished."""

    lost: int
    double: int
    unfinished: int


def write(address: str, folder: Path, number: int, steps: int, start_at: float) -> None:
    """Log ``steps`` values one by one, delivering each; then deliver until nothing waits."""
    time.sleep(max(0.0, start_at - time.time()))
    run = journal.begin_run(folder / str(number), experiment="writers", name=f"writer {number}", tags={})
    for step in range(steps):
        journal.log_metrics(run, [("value", number + step / 1000, step)])
        deliver(folder / str(number), address)
    journal.end_run(run)
    deadline = time.monotonic() + PATIENCE_S
    while deliver(folder / str(number), address).left and time.monotonic() < deadline:
        time.sleep(1)


def read_back(address: str, folder: Path, writers: int, steps: int) -> Kept:
    """Compare what the server holds with what was written."""
    from mlflow import MlflowClient

    client, lost, double, unfinished = MlflowClient(address), 0, 0, 0
    for number in range(writers):
        (run,) = journal.list_journals(folder / str(number))
        run_id = run_id_of(run)
        history = [] if run_id is None else client.get_metric_history(run_id, "value")
        held = {point.step: point.value for point in history}
        lost += sum(held.get(step) != number + step / 1000 for step in range(steps))
        double += len(history) - len(held)
        unfinished += run_id is None or client.get_run(run_id).info.status != "FINISHED"
    return Kept(lost, double, unfinished)


@contextmanager
def killable_server(folder: Path, port: int, environment: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a server that ends by SIGKILL, with all its processes."""
    plan = plan_server(folder, port=port, workers=2, environment=os.environ | environment)
    process = subprocess.Popen(plan.command, env=os.environ | dict(plan.variables), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               start_new_session=True)
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not answers(plan.address):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the server did not start; its status is {process.poll()}")
            time.sleep(0.1)
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def measure(arguments: argparse.Namespace, place: Path, environment: dict[str, str], *, kill: bool) -> tuple[Kept, float]:
    """Let the writers write; give what was kept, and the seconds from the first value to the last acknowledgement."""
    port, folder = free_port(), place / "journal"
    address, context = f"http://127.0.0.1:{port}", multiprocessing.get_context("fork")
    with ExitStack() as stack:
        first = stack.enter_context(ExitStack())
        first.enter_context(killable_server(place / "server", port, environment))
        start_at = time.time() + 3
        processes = [context.Process(target=write, args=(address, folder, number, arguments.steps, start_at))
                     for number in range(arguments.writers)]
        for process in processes:
            process.start()
        if kill:
            time.sleep(max(0.0, start_at + KILL_AFTER - time.time()))
            first.close()
            time.sleep(DOWN_S)
            stack.enter_context(killable_server(place / "server", port, environment))
        for process in processes:
            process.join()
        elapsed = time.time() - start_at
        return read_back(address, folder, arguments.writers, arguments.steps), elapsed


def describe(kind: str, database: str, kept: Kept, *, writers: int, written: int, elapsed: float) -> dict[str, Metric]:
    """Give the metrics by evidence id."""
    prefix = f"{kind}.{database}.server"
    return {f"{prefix}.lost": metric(float(kept.lost), n=written, higher_is_better=False),
            f"{prefix}.double": metric(float(kept.double), n=written, higher_is_better=False),
            f"{prefix}.unfinished": metric(float(kept.unfinished), n=writers, higher_is_better=False),
            f"{prefix}.parallel": metric(float(writers), n=writers, higher_is_better=None),
            f"{prefix}.values": metric(float(written), n=written, higher_is_better=None),
            f"{prefix}.values_per_second": metric(written / elapsed, n=written, higher_is_better=True)}


def run_case(database: str, arguments: argparse.Namespace, *, kill: bool) -> None:
    """Measure one case, write it down and say it."""
    kind = "outage" if kill else "writers"
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="registry-writers-")))
        environment = {DATABASE_VARIABLE: stack.enter_context(run_postgresql())} if database == "postgresql" else {}
        kept, elapsed = measure(arguments, place, environment, kill=kill)
    written = arguments.writers * arguments.steps
    metrics = describe(kind, database, kept, writers=arguments.writers, written=written, elapsed=elapsed)
    folder = arguments.out or project_home(FOLDER) / "reports" / "measured"
    options = f" --database {database}" + (" --kill" if kill else "")
    write_measured(folder / f"{kind}_{database}.json", metrics, command=f"python benchmarks/parallel_writers.py{options}")
    print(f"{kind}, {database}: {arguments.writers} writers, {written} values in {elapsed:.1f} s "
          f"({written / elapsed:.0f} a second); {kept}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writers", type=int, default=50)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="Only this one; by default all cases that can be had here.")
    parser.add_argument("--kill", action="store_true", help="Kill the server in the middle and start it again.")
    parser.add_argument("--out", type=Path, help="Folder of the results; default the chapter's reports/measured.")
    arguments = parser.parse_args()
    import mlflow  # noqa: F401 - once, before the processes part

    cases = [("sqlite", False), ("sqlite", True), *([("postgresql", False)] if find_program("initdb") else [])]
    if arguments.database or arguments.kill:
        cases = [(arguments.database or "sqlite", arguments.kill)]
    for database, kill in cases:
        run_case(database, arguments, kill=kill)


if __name__ == "__main__":
    main()
