"""The verbs of a chapter call its pipeline with its settings, in order, and know what may be published."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
from click.testing import CliRunner

from carefolio.artefacts import write_json
from carefolio.command import Group
from carefolio.stages import dashboard_verb, stage_verbs

Calls = list[tuple[Any, ...]]
ABOUT = {"train": "Learn.", "evaluate": "Judge."}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """A chapter ``sample_chapter`` that writes down what it is asked."""
    seen: Calls = []
    pipeline = ModuleType("sample_chapter.pipeline")
    for name in ("data_stage", "train_stage", "evaluate_stage", "report_stage"):
        setattr(pipeline, name, lambda settings, out, name=name, **options: seen.append((name, settings, out, options)))
    monkeypatch.setitem(sys.modules, "sample_chapter", ModuleType("sample_chapter"))
    monkeypatch.setitem(sys.modules, "sample_chapter.pipeline", pipeline)
    return seen


def group(folder: Path, **options: Any) -> click.Group:
    def open_run(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> tuple[str, Path]:
        return f"quick={quick} seed={seed}", out or folder
    main = Group("sample")
    for verb in stage_verbs("sample_chapter", "sample", open_run, about=ABOUT, **options):
        main.add_command(verb)
    return main


def invoke(main: click.Group, *arguments: str, exit_code: int = 0) -> str:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == exit_code, result.output
    return result.output


def test_the_verbs_stand_in_the_order_of_use_and_say_what_they_do(tmp_path):
    main = group(tmp_path)
    assert list(main.commands) == ["data", "train", "evaluate", "report", "run"]
    shown = invoke(main, "--help")
    assert all(text in shown for text in ("Load and check the data sets.", "Learn.", "Judge.", "All four stages in order."))


@pytest.mark.parametrize("verb", ["data", "train", "evaluate"])
def test_a_stage_gets_settings_and_folder(verb, calls, tmp_path):
    invoke(group(tmp_path), verb, "--quick", "--seed", "3")
    assert calls == [(f"{verb}_stage", "quick=True seed=3", tmp_path, {})]


@pytest.mark.parametrize(("arguments", "publishes"), [([], True), (["--quick"], False), (["--out", "elsewhere"], False)])
@pytest.mark.parametrize("verb", ["report", "run"])
def test_only_a_full_run_in_the_usual_folder_may_be_published(verb, arguments, publishes, calls, tmp_path):
    invoke(group(tmp_path), verb, *arguments)
    name, _, _, options = calls[-1]
    assert (name, options["to_repository"]) == ("report_stage", publishes)
    assert options["command"] == f"sample {verb}" + (" --quick" if verb == "run" and "--quick" in arguments else "")


def test_a_run_is_the_four_stages_in_order(calls, tmp_path):
    shown = invoke(group(tmp_path), "run")
    assert [call[0] for call in calls] == ["data_stage", "train_stage", "evaluate_stage", "report_stage"]
    assert str(tmp_path / "reports") in shown


def test_parts_are_handed_on_and_one_left_out_is_an_error_at_the_end(calls, tmp_path):
    main = group(tmp_path, parts=("eyes", "ears"), part="organ")
    write_json(tmp_path / "data" / "data.json", {"parts": ["eyes"], "problems": {}})
    invoke(main, "run", "--organ", "eyes")
    assert calls[0] == ("data_stage", "quick=False seed=None", tmp_path, {"parts": ("eyes",)})
    write_json(tmp_path / "data" / "data.json", {"parts": ["eyes"], "problems": {"ears": "no file"}})
    assert "ears was left out: no file" in invoke(main, "run", exit_code=4)
    assert calls[-1][0] == "report_stage", "the other part was reported"
    assert "is not one of 'eyes', 'ears'" in invoke(main, "data", "--organ", "nose", exit_code=2)


def test_the_dashboard_is_shown_a_run_or_the_committed_results(monkeypatch, tmp_path):
    seen: Calls = []
    monkeypatch.setattr("carefolio.stages.run_dashboard", lambda package, **options: seen.append((package, options)))
    verb = dashboard_verb("sample_chapter", port=8599, about="Look around.")
    assert CliRunner().invoke(verb, []).exit_code == CliRunner().invoke(verb, ["--out", str(tmp_path), "--port", "9000"]).exit_code == 0
    assert seen == [("sample_chapter", {"port": 8599, "arguments": []}),
                    ("sample_chapter", {"port": 9000, "arguments": [str(tmp_path.resolve())]})]
    assert verb.get_short_help_str() == "Look around."
