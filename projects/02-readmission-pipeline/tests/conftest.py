"""One small run on the synthetic twin, shared by the chapter's tests: the real verbs, a few seconds."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from readmission.cli import main

SMALL = """
[data]
max_patients = 0
synthetic_patients = 2500
[tuning]
trials = 2
folds = 2
max_rounds = 60
early_stopping_rounds = 10
timeout_s = 20
[evaluation]
replicates = 60
curve_replicates = 50
minimum_positives = 5
shap_rows = 200
leak_splits = 1
[score]
rows = 2000
partitions = 4
"""


@pytest.fixture(scope="session")
def small_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings that run in seconds."""
    path = tmp_path_factory.mktemp("config") / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def invoke(twin_only: dict[str, str | None]) -> Callable[[list[str]], Result]:
    """Call the command as a user would, where only the twin can be had."""
    return lambda arguments: CliRunner().invoke(main, arguments, env=twin_only)


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory, small_config: Path, invoke: Callable[[list[str]], Result]) -> Path:
    """Folder of a whole run on the twin."""
    out = tmp_path_factory.mktemp("run")
    result = invoke(["run", "--config", str(small_config), "--out", str(out)])
    assert result.exit_code == 0, result.output
    return out
