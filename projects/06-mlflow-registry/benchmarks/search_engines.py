"""One process against one a core: the same search on all rows, by ``--engine local`` and ``--engine dask``. Is it faster, and the same?"""

import argparse
import tempfile
from pathlib import Path
from subprocess import run

from carefolio.artefacts import read_json
from carefolio.command import command_line
from carefolio.config import project_home
from carefolio.evidence import metric
from carefolio.measured import write_measured
from model_registry.names import EXPERIMENTS, FOLDER
from model_registry.reproduce import judge
from model_registry.tuning import ENGINES


def search(engine: str, out: Path, arguments: argparse.Namespace) -> float:
    """Run a search by the command; give the seconds of the search alone."""
    options = ["--quick"] if arguments.quick else []
    command = command_line("model_registry", "search", arguments.experiment, "--engine", engine, "--workers", str(arguments.workers),
                           "--trials", str(arguments.trials), "--tracking-uri", "none", "--out", str(out), *options)
    run(command, check=True)
    return float(read_json(out / "durations.json")[f"search_{arguments.experiment}"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiment", choices=EXPERIMENTS, default="readmission")
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="Fewer patients and rounds.")
    parser.add_argument("--out", type=Path, help="Where the result goes; default the chapter's reports/measured.")
    arguments = parser.parse_args()
    name = arguments.experiment
    with tempfile.TemporaryDirectory(prefix="registry-engines-") as place:
        folders = {engine: Path(place) / engine for engine in ENGINES}
        seconds = {engine: search(engine, folder, arguments) for engine, folder in folders.items()}
        found = judge(*(read_json(folder / "result" / f"{name}.json") for folder in folders.values()))
        rows = read_json(folders["local"] / "data" / f"{name}.json")["split"]["parts"]["train"]
    metrics = {f"{name}.engine.{engine}.seconds": metric(value, n=rows, higher_is_better=False) for engine, value in seconds.items()}
    both = f"{name}.engine.local_against_dask"
    metrics |= {f"{both}.speed_ratio": metric(seconds["local"] / seconds["dask"], n=rows, higher_is_better=True),
                f"{both}.largest_difference": metric(found.largest, n=found.compared, higher_is_better=False),
                f"{both}.differences": metric(float(len(found.differences)), n=found.compared, higher_is_better=False),
                f"{name}.engine.dask.workers": metric(float(arguments.workers), n=arguments.workers, higher_is_better=None),
                f"{name}.engine.both.trials": metric(float(arguments.trials), n=arguments.trials, higher_is_better=None)}
    path = arguments.out or project_home(FOLDER) / "reports" / "measured" / f"engines_{name}.json"
    write_measured(path, metrics, command=f"python benchmarks/search_engines.py --experiment {name} --trials {arguments.trials}")
    print(f"{name}: {seconds}, {len(found.differences)} differences in {found.compared} values, largest {found.largest:.1e}")


if __name__ == "__main__":
    main()
