"""The way of a model, on the run that ``registry run`` has made: a first champion, a challenger, and a service that follows the alias.

The first champion is a search of one trial: the model that the library comes with. The challenger is the run's own. Both are judged on the
same held-out patients; then a real server answers clients without pause while the alias goes back and forth between them.
"""

import argparse
import json
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import run

from carefolio.artefacts import read_json
from carefolio.command import command_line
from carefolio.config import load_config, project_home
from carefolio.evidence import Metric, metric
from carefolio.local_server import ask_server, free_port, run_server
from carefolio.measured import write_measured
from model_registry.api import FOLDER_VARIABLE, POLL_VARIABLE
from model_registry.config import RegistrySettings
from model_registry.names import EXPERIMENTS, FOLDER, PRIMARY, PROJECT, RANKED_BY
from model_registry.paired import compare_versions
from model_registry.places import address_for, last_run
from model_registry.tracking import aliases
from model_registry.tracking.delivery import run_id_of
from model_registry.train import JOURNAL, load_result

POLL_S, BETWEEN_S = 0.5, 1.0


@dataclass
class Asked:
    """What clients were told: answers by version and value, failures, and seconds from a change of the alias to the first answer of it."""

    answers: set[tuple[str, float]] = field(default_factory=set)
    requests: int = 0
    failures: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)


def run_of(out: Path, name: str) -> str:
    """Give the id of the search that a folder holds."""
    return str(run_id_of(out / JOURNAL / load_result(out, name)["journal"]))


def result_of(out: Path, name: str) -> Metric:
    """Give the primary metric of the search that a folder holds, with its interval."""
    return Metric(**read_json(out / "evaluate" / "metrics.json")[PRIMARY[name]])


def make_two_versions(out: Path, address: str, name: str, *, quick: bool, place: Path) -> list[aliases.Version]:
    """Search once with the library's own settings, make that the champion, and register the run as challenger."""
    first = place / "first" / name
    options = ["--quick"] if quick else []
    search = command_line("model_registry", "search", name, "--trials", "1", "--out", str(first), "--tracking-uri", address, *options)
    run(search, check=True)
    champion = aliases.register(address, name, run_of(first, name))
    aliases.promote(address, name, champion.version, force=True)
    return [champion, aliases.register(address, name, run_of(out, name))]


def ask(url: str, body: bytes, stop: threading.Event, told: Asked, lock: threading.Lock) -> None:
    """Ask without pause until told to stop."""
    while not stop.is_set():
        try:
            answer = json.loads(ask_server(f"{url}/predict", body))
            with lock:
                told.requests += 1
                told.answers.add((answer["model"]["version"], answer["answers"][0]["risk"]))
        except OSError as error:
            with lock:
                told.requests += 1
                told.failures.append(repr(error))


def follow(address: str, versions: list[aliases.Version], place: Path, *, clients: int, changes: int) -> tuple[Asked, int]:
    """Serve, ask and change the alias; count the answers that are not those of the version that they name."""
    name, port, told, stop, lock = versions[0].name, free_port(), Asked(), threading.Event(), threading.Lock()
    loaded = {version.version: aliases.download(address, version, place / version.version) for version in versions}
    example = loaded[versions[0].version].example
    risks = {(number, model.answer([example])[0]) for number, model in loaded.items()}
    command = command_line("model_registry", "serve", "--name", name, "--port", str(port), "--no-auth", "--tracking-uri", address)
    env = {FOLDER_VARIABLE: str(place / "served"), POLL_VARIABLE: str(POLL_S), "CAREFOLIO_REQUESTS_PER_MINUTE": "100000000"}
    with run_server(command, ready_url=f"http://127.0.0.1:{port}/health/ready", env=env, timeout_s=120) as url:
        body = json.dumps({"rows": [example]}).encode()
        threads = [threading.Thread(target=ask, args=(url, body, stop, told, lock)) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for change in range(changes):
            wanted = versions[change % 2].version
            aliases.promote(address, name, wanted, force=True)
            started = time.monotonic()
            while json.loads(ask_server(f"{url}/champion"))["model"]["version"] != wanted and time.monotonic() - started < 60:
                time.sleep(0.02)
            told.waits.append(time.monotonic() - started)
            time.sleep(BETWEEN_S)
        stop.set()
        for thread in threads:
            thread.join()
    return told, len(told.answers - risks)


def describe(told: Asked, wrong: int, *, clients: int) -> dict[str, Metric]:
    """Give the metrics of the service by evidence id."""
    prefix, n = "serving.alias_changes.readmission", told.requests
    return {f"{prefix}.requests": metric(float(n), n=n, higher_is_better=None),
            f"{prefix}.failed": metric(float(len(told.failures)), n=n, higher_is_better=False),
            f"{prefix}.wrong_version": metric(float(wrong), n=n, higher_is_better=False),
            f"{prefix}.changes": metric(float(len(told.waits)), n=len(told.waits), higher_is_better=None),
            f"{prefix}.clients": metric(float(clients), n=clients, higher_is_better=None),
            f"{prefix}.longest_wait_s": metric(max(told.waits), n=len(told.waits), higher_is_better=False)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, help="Folder of the run; default the last one.")
    parser.add_argument("--quick", action="store_true", help="The run was made with --quick.")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--changes", type=int, default=20, help="Even, so that the run's own model is champion in the end.")
    parser.add_argument("--out", type=Path, help="Where the result goes; default the chapter's reports/measured.")
    arguments = parser.parse_args()
    out, settings = arguments.run or last_run(), load_config(RegistrySettings, PROJECT, quick=arguments.quick)
    address, metrics = address_for(None, out), {}
    with tempfile.TemporaryDirectory(prefix="registry-versions-") as folder:
        versions = {name: make_two_versions(out, address, name, quick=arguments.quick, place=Path(folder)) for name in EXPERIMENTS}
        for name, (champion, challenger) in versions.items():
            lead = compare_versions(address, name, challenger.version, champion.version, out, settings)
            metrics |= {f"{name}.test.challenger_minus_champion.{RANKED_BY[name]}": lead,
                        f"{name}.test.champion.{RANKED_BY[name]}": result_of(Path(folder) / "first" / name, name)}
        told, wrong = follow(address, versions["readmission"], Path(folder), clients=arguments.clients, changes=arguments.changes)
        aliases.promote(address, "survival", versions["survival"][1].version, force=True)
    metrics |= describe(told, wrong, clients=arguments.clients)
    path = arguments.out or project_home(FOLDER) / "reports" / "measured" / "champion.json"
    write_measured(path, metrics, command="python benchmarks/change_champion.py")
    print("\n".join(f"{key}: {value.value:.4g}" for key, value in metrics.items()), *told.failures[:3], sep="\n")


if __name__ == "__main__":
    main()
