"""Folders of runs, their durations, and what a run hands over to the repository."""

from pathlib import Path

import pytest

from carefolio.artefacts import read_json, write_text
from carefolio.evidence import DataRecord, Evidence, environment, utc_now
from carefolio.runs import may_be_published, measured_metrics, publish, run_folder, timed_step


def record_of(*origins: str) -> Evidence:
    """Evidence of a run that read data sets of these origins."""
    data = [DataRecord(name=f"data{i}", origin=origin, sha256="0" * 64, rows=1) for i, origin in enumerate(origins)]
    return Evidence(schema=1, project="some_project", commit="0" * 40, command="some run", created=utc_now(), seed=0, config={}, data=data,
                    split=None, environment=environment([]), durations_s={}, metrics={}, figures=[], artefacts=[])


def test_a_run_keeps_its_files_below_outputs_unless_told_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "projects" / "01-some").mkdir(parents=True)
    monkeypatch.setenv("CAREFOLIO_HOME", str(tmp_path))
    assert run_folder("01-some", "some", None, quick=True) == tmp_path / "outputs" / "some" / "quick"
    assert run_folder("01-some", "some", None, quick=False) == tmp_path / "outputs" / "some" / "full"
    assert run_folder("01-some", "some", tmp_path / "else", quick=True) == tmp_path / "else"


def test_steps_keep_their_seconds_and_a_failed_one_leaves_none(tmp_path: Path) -> None:
    with timed_step("first step", tmp_path):
        pass
    with pytest.raises(KeyError), timed_step("second", tmp_path):
        raise KeyError("planted")
    assert list(read_json(tmp_path / "durations.json")) == ["first_step"]


@pytest.mark.parametrize(("origins", "allowed"), [(("mirror", "package"), True), (("mirror", "synthetic"), False), (("file",), False)])
def test_only_runs_on_published_data_may_be_published(origins: tuple[str, ...], allowed: bool) -> None:
    assert may_be_published(record_of(*origins)) is allowed


def test_publishing_copies_reports_and_artefacts_and_nothing_else(tmp_path: Path) -> None:
    for name in ("reports/evidence.json", "reports/figures/a.png", "artefacts/m.txt", "tables/rows.txt"):
        write_text(tmp_path / "run" / name, name)
    publish(tmp_path / "run", tmp_path / "home")
    copied = sorted(path.relative_to(tmp_path / "home").as_posix() for path in (tmp_path / "home").rglob("*") if path.is_file())
    assert copied == ["artefacts/m.txt", "reports/evidence.json", "reports/figures/a.png"]


def test_nothing_is_measured_outside_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREFOLIO_HOME", str(tmp_path))
    assert measured_metrics("01-some") == {}
