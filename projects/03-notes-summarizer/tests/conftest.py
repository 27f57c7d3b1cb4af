"""One small run, shared by the chapter's tests: the real verbs and the real local model, on made-up data."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from notes_summarizer.cli import main

SMALL = """
[providers]
timeout_s = 60.0
max_output_tokens = 96
[leaflet.index]
shard_passages = 32
[leaflet.evaluation]
questions = 40
robustness_questions = 20
refusal_questions = 20
leaflets = 10
replicates = 50
[evaluation]
max_sections = 2
max_notes = 1
meter_documents = 5
minimum_header_cases = 1
replicates = 50
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
    """Folder of a whole run of both parts."""
    out = tmp_path_factory.mktemp("run")
    result = invoke(["run", "--config", str(small_config), "--out", str(out)])
    assert result.exit_code == 0, result.output
    return out
