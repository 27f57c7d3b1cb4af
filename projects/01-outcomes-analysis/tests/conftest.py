"""One small run, shared by the chapter's tests: the real verbs, real patients (they come in a package), twins for the rest."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from outcomes_analysis.cli import main

SMALL = """
[survival]
max_patients = 700
folds = 2
workers = 1
cox_penalties = [100.0]
forest_trees = 10
forest_leaf_sizes = [10]
boosting_trees = 10
discrete_rounds = 30
discrete_leaves = [8]
early_stopping_rounds = 10
replicates = 60
curve_replicates = 50
[waves]
comparison_countries = ["US", "Germany", "India", "Brazil", "Korea, South"]
replicates = 50
[forecast]
warm_up_every_weeks = 12
max_reference_dates = 6
neighbours = 40
replicates = 50
[forecast.boosting]
levels = [0.1, 0.5, 0.9]
rounds = 10
learning_rate = 0.2
"""


@pytest.fixture(scope="session")
def small_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings that run in seconds."""
    path = tmp_path_factory.mktemp("config") / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def invoke(twin_only: dict[str, str | None]) -> Callable[[list[str]], Result]:
    """Call the command as a user would, where only twins can be had."""
    return lambda arguments: CliRunner().invoke(main, arguments, env=twin_only)


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory, small_config: Path, invoke: Callable[[list[str]], Result]) -> Path:
    """Folder of a whole run of all three parts."""
    out = tmp_path_factory.mktemp("run")
    result = invoke(["run", "--config", str(small_config), "--out", str(out)])
    assert result.exit_code == 0, result.output
    return out
