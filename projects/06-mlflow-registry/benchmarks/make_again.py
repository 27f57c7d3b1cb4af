"""Make the last ``registry run`` again from what it recorded, both searches, and keep the largest difference of any metric."""

import argparse
import time
from pathlib import Path

from carefolio.config import project_home
from carefolio.evidence import metric
from carefolio.measured import write_measured
from model_registry.names import EXPERIMENTS, FOLDER
from model_registry.places import address_for, last_run
from model_registry.reproduce import reproduce_run
from model_registry.tables import show_reproduction
from model_registry.tracking.delivery import run_id_of
from model_registry.train import JOURNAL, load_result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, help="Folder of the run; default the last one.")
    parser.add_argument("--run-recorded-source", action="store_true", help="As `registry reproduce` takes it.")
    parser.add_argument("--out", type=Path, help="Where the result goes; default the chapter's reports/measured.")
    arguments = parser.parse_args()
    out, metrics = arguments.run or last_run(), {}
    for name in EXPERIMENTS:
        run_id, started = run_id_of(out / JOURNAL / load_result(out, name)["journal"]), time.monotonic()
        found = reproduce_run(address_for(None, out), str(run_id), run_recorded_source=arguments.run_recorded_source, say=print)
        show_reproduction(found)
        prefix = f"{name}.made_again.search"
        metrics |= {f"{prefix}.largest_difference": metric(found.largest, n=found.compared, higher_is_better=False),
                    f"{prefix}.compared": metric(float(found.compared), n=found.compared, higher_is_better=None),
                    f"{prefix}.differences": metric(float(len(found.differences)), n=found.compared, higher_is_better=False),
                    f"{prefix}.seconds": metric(time.monotonic() - started, n=1, higher_is_better=False)}
    path = arguments.out or project_home(FOLDER) / "reports" / "measured" / "made_again.json"
    write_measured(path, metrics, command="python benchmarks/make_again.py")


if __name__ == "__main__":
    main()
