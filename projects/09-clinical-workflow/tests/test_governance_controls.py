"""A hazard whose control test is missing, fails or is skipped is refused; those of the real log exist and pass."""

import subprocess

import pytest

from carefolio.chapters import repository_root
from carefolio.config import load_config
from clinical_workflow.config import PROJECT, WorkflowSettings
from clinical_workflow.governance import controls
from clinical_workflow.governance.check import check_governance
from clinical_workflow.governance.reading import read_governance

PLANTED = """
import pytest

def test_holds():
    pass

def test_fails():
    assert 1 == 2

@pytest.mark.skip(reason="not today")
def test_is_skipped():
    pass

@pytest.fixture
def broken():
    raise RuntimeError

def test_cannot_start(broken):
    pass

@pytest.mark.parametrize("number", [1, 2, 3])
def test_holds_for_most(number):
    assert number != 2

@pytest.mark.parametrize("number", [1, 2])
def test_holds_for_all(number):
    pass

@pytest.mark.xfail
def test_is_expected_to_fail():
    assert False
"""


@pytest.fixture
def planted(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # starts in a second
    (tmp_path / "test_planted.py").write_text(PLANTED)
    (tmp_path / "test_broken.py").write_text("import no_such_module\n\ndef test_there():\n    pass\n")
    return tmp_path


def refused(named, root):
    return {(one.owner, one.test.rpartition("::")[2]): one.why for one in controls.check_controls(named, root=root)}


def test_controls_that_prove_nothing_are_refused_and_the_others_are_not(planted):
    named = {"H01": ["test_planted.py::test_holds", "test_planted.py::test_holds_for_all"],
             "H02": ["test_planted.py::test_is_not_there", "test_planted.py::test_fails"],
             "H03": ["no_such_file.py::test_holds", "test_broken.py::test_there", "test_planted.py::test_is_skipped"],
             "H04": ["test_planted.py::test_cannot_start", "test_planted.py::test_holds_for_most", "test_planted.py::test_holds"],
             "H05": ["test_planted.py::test_is_expected_to_fail"]}
    found = refused(named, planted)
    missing = controls.MISSING
    assert found == {("H02", "test_is_not_there"): missing, ("H02", "test_fails"): "fails", ("H03", "test_holds"): missing,
                     ("H03", "test_there"): missing, ("H03", "test_is_skipped"): "is skipped, so it proves nothing",
                     ("H04", "test_cannot_start"): "cannot be set up", ("H04", "test_holds_for_most"): "fails",
                     ("H05", "test_is_expected_to_fail"): "is skipped, so it proves nothing"}


def test_nothing_is_asked_where_nothing_is_named(tmp_path):
    assert controls.check_controls({"H01": ["no_such.py::test_a"]}, root=tmp_path)[0].test == "no_such.py::test_a"
    assert controls.check_controls({}, root=tmp_path) == []


def test_a_control_that_would_run_this_check_again_is_refused():
    found = controls.check_controls({"H01": ["projects/x/tests/test_governance_controls.py::test_y"]}, root=repository_root())
    assert "name another" in str(found[0])


def test_pytest_that_breaks_off_is_an_error(planted, monkeypatch):
    (planted / "conftest.py").write_text("raise SystemExit(7)\n")
    with pytest.raises(controls.ControlsNotRunError, match="pytest left with"):
        controls.check_controls({"H01": ["test_planted.py::test_holds"]}, root=planted)

    def _slow(*arguments, **options):
        raise subprocess.TimeoutExpired("pytest", 1)

    monkeypatch.setattr(controls.subprocess, "run", _slow)
    with pytest.raises(controls.ControlsNotRunError, match="took longer"):
        controls.check_controls({"H01": ["test_planted.py::test_holds"]}, root=planted)


def test_a_planted_hazard_is_found_among_the_real_ones(planted):
    governance = read_governance()
    bad = governance.hazards[0].model_copy(update={"id": "H99", "controls": (governance.hazards[0].controls[0].model_copy(
        update={"tests": ("test_planted.py::test_fails",)}),)})
    alone = governance.model_copy(update={"hazards": (bad,), "human_factors": ()})
    settings = load_config(WorkflowSettings, PROJECT)
    assert check_governance(alone, settings, root=planted) == ["H99: test_planted.py::test_fails fails"]


@pytest.mark.slow
def test_every_hazards_controls_exist_and_pass():
    assert check_governance(read_governance(), load_config(WorkflowSettings, PROJECT), root=repository_root()) == []
