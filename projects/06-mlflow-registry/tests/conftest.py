"""A real tracking server on loopback over a real SQLite database, and two small searches recorded on it."""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from model_registry.cli import main
from model_registry.tracking.server import run_tracking_server

SMALL = """
[data]
synthetic_patients = 2500
survival_patients = 900
[search]
trials = 4
batch = 2
folds = 2
max_rounds = 40
early_stopping_rounds = 10
[survival]
times_days = [30, 180, 365]
[evaluation]
replicates = 50
minimum_positives = 5
"""


@dataclass(frozen=True)
class Recorded:
    """A search on the server: its folder, and the ids of its runs."""

    out: Path
    address: str

    def run_id(self, name: str = "readmission") -> str:
        journal = json.loads((self.out / "train" / f"{name}.json").read_text())["journal"]
        return json.loads((self.out / "journal" / journal / "state.json").read_text())["run_id"]


@pytest.fixture(scope="session")
def small_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings that run in seconds."""
    path = tmp_path_factory.mktemp("config") / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def invoke(twin_only: dict[str, str | None]) -> Callable[..., Result]:
    """Call the command as a user would, where only the twin can be had; a failure shows what was printed."""
    def call(*arguments: str, exit_code: int = 0) -> Result:
        result = CliRunner().invoke(main, list(map(str, arguments)), env=twin_only | {"MLFLOW_TRACKING_URI": None, "COLUMNS": "200"})
        assert result.exit_code == exit_code, result.output
        return result

    return call


@pytest.fixture(scope="session")
def server_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the server's database and artefacts."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="session")
def address(server_folder: Path) -> Iterator[str]:
    """Address of a running tracking server."""
    with run_tracking_server(server_folder, workers=2) as address:
        yield address


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory, small_config: Path, invoke: Callable[..., Result], address: str) -> Recorded:
    """Both experiments searched and recorded."""
    out = tmp_path_factory.mktemp("first")
    invoke("search", "--config", small_config, "--out", out, "--tracking-uri", address)
    return Recorded(out, address)


@pytest.fixture(scope="session")
def second_run(tmp_path_factory: pytest.TempPathFactory, small_config: Path, invoke: Callable[..., Result], address: str) -> Recorded:
    """The readmission experiment with another seed."""
    out = tmp_path_factory.mktemp("second")
    invoke("search", "readmission", "--seed", "1", "--config", small_config, "--out", out, "--tracking-uri", address)
    return Recorded(out, address)


@pytest.fixture
def database(server_folder: Path) -> Iterator[sqlite3.Connection]:
    """The server's own database, to see what really stands in it."""
    with closing(sqlite3.connect(f"file:{server_folder / 'mlflow.db'}?mode=ro", uri=True)) as connection:
        yield connection


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children take one thread each, so that the suite does not ask for the cores twice."""
    monkeypatch.setitem(os.environ, "OMP_NUM_THREADS", "1")
