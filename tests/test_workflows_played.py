"""Every script of ci.yml, nightly.yml and retrain.yml is executed, in the jobs and under the conditions in which GitHub would."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from carefolio.datasets.catalog import read_catalog
from carefolio.testing import real_data_available, requires_command

from .workflow_player import PLAYING, REPOSITORY, ROOT, Play, Stage, git, make_stage
from .workflow_services import Services, serve

pytestmark = [pytest.mark.slow, requires_command("git"), requires_command("make"), requires_command("jq")]
CHAPTER, COMMAND = "01-outcomes-analysis", "outcomes"
"""A chapter on which no other stands."""
WORKFLOWS = ROOT / ".github" / "workflows"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python of its own, as a runner has one, so that what a played job installs does not land in the environment of the tests."""
    folder = tmp_path_factory.mktemp("python")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    return folder / "bin" / "python"


@pytest.fixture
def stage(tmp_path: Path, python: Path) -> Stage:
    """A fresh clone."""
    return make_stage(tmp_path, python)


@pytest.fixture
def services(stage: Stage) -> Iterator[Services]:
    """GitHub's interface on loopback, to which the clone's `gh` talks."""
    with serve() as served:
        stage.variables["PLAYED_API"] = served.address
        yield served


def push(stage: Stage, **options: str) -> Play:
    """Play CI on the last commit, with few tests and one Python."""
    stage.variables["PYTEST_ADDOPTS"] = "--ignore-glob=*/tests/*test_[!cw]*.py -k 'test_chapters or test_waves_weekly' -m 'not slow'"
    return stage.play("ci.yml", "push", {"before": stage.git("rev-parse", "HEAD~1")}, timeout_s=900,
                      matrix={"python-version": "3.11"}, **options)


def test_ci_tests_the_house_and_the_chapter_that_changed(stage):
    stage.change(f"projects/{CHAPTER}/README.md", "\n## ", "\n\n## ")
    played = push(stage)
    assert played.status == 0, played.said()
    assert played.missing(WORKFLOWS / "ci.yml") == []
    assert played.missing(WORKFLOWS / "chapter.yml") == []
    assert played.missing(ROOT / ".github/actions/setup/action.yml") == []
    assert CHAPTER in played.summary
    assert "passed, 0 failed" in played.summary
    assert sorted(path.name for path in (stage.played / "artifacts").iterdir()) == [f"{CHAPTER}-python-3.11", "house-python-3.11"]
    assert len(list((stage.played / "artifacts").glob("*/**/tests.xml"))) == 2


def test_a_change_of_documents_alone_starts_no_chapter(stage):
    stage.change("CONTRIBUTING.md", "\n## ", "\n\n## ")
    played = push(stage, job="changes")
    assert played.status == 0, played.said()
    assert "Tested beside the house: []" in played.summary


@pytest.mark.parametrize(("path", "old", "new", "step"), [
    (".github/workflows/ci.yml", "carefolio changed --base", "carefolio chanced --base", "chapters=$(carefolio changed"),
    (".github/actions/setup/action.yml", "--requirement .github/requirements.txt", "--requirement .github/requirement.txt", ""),
])
def test_a_broken_script_is_found(stage, path, old, new, step):
    stage.change(path, old, new)
    played = push(stage, job="changes" if path.endswith("ci.yml") else "house")
    assert played.status != 0
    assert any(name.startswith(step.replace("changed", "chanced")) for name in played.failed())


def test_a_play_inside_a_play_is_an_error(stage, monkeypatch):
    monkeypatch.setenv(PLAYING, "1")
    with pytest.raises(AssertionError, match="a play inside a play"):
        push(stage)


@pytest.mark.skipif(not all(real_data_available(name) for name in read_catalog()), reason="not every published file is on this machine")
def test_nightly_fetches_the_published_files_and_runs_in_full(stage):
    played = stage.play("nightly.yml", "workflow_dispatch", {"inputs": {"chapters": COMMAND, "quick": "true"}}, job="full", timeout_s=900)
    assert played.status == 0, played.said()
    assert played.missing(WORKFLOWS / "nightly.yml") == []
    assert "No metric differs from HEAD." in played.summary
    assert list((stage.played / "artifacts" / "full-run").glob("**/full-run.diff"))


@pytest.mark.skipif(not Path(sys.prefix, "bin", "retraining").exists(), reason="chapter 05 is not installed")
@requires_command("gh")
def test_retrain_takes_a_batch_through_the_protocol_waits_for_a_person_and_opens_a_pull_request(stage, services):
    services.approvals = [{"state": "approved", "user": {"login": "dr-example"}}]
    secret = {"GITHUB_TOKEN": "made-up-token"}
    played = stage.play("retrain.yml", "workflow_dispatch", {"inputs": {"options": "--quick"}}, secret=secret)
    assert played.status == 0, played.said()
    assert played.missing(WORKFLOWS / "retrain.yml") == []
    (pull,) = services.pulls
    assert pull["base"] == "main"
    assert "dr-example" in pull["body"]
    assert services.started == [{"workflow": "ci.yml", "ref": pull["head"]}]
    changed = git(stage.origin, "diff", "--name-only", "main", pull["head"]).split()
    assert "projects/05-retraining-cicd/operation/journal.jsonl" in changed
    assert all(name.startswith("projects/05-retraining-cicd/operation/") for name in changed)

    services.keep_artifact("retraining-state", stage.played / "artifacts" / "retraining-state")
    again = stage.play("retrain.yml", "workflow_dispatch", {"inputs": {"options": "--quick"}}, secret=secret)
    assert again.status == 0, again.said()
    outcome = json.loads((stage.played / "artifacts" / "cycle" / "outcome.json").read_text())
    assert outcome["batch"] > 1
    assert len(services.pulls) == 2, "the second batch has a pull request of its own"
    with zipfile.ZipFile(services.archives["retraining-state"]) as archive:
        assert "state/journal.jsonl" in archive.namelist()


@requires_command("gh")
@pytest.mark.parametrize(("approvals", "status", "printed"), [
    ([{"state": "approved", "user": {"login": "first"}}, {"state": "approved", "user": {"login": "dr-example"}}], 0, "dr-example\n"),
    ([{"state": "rejected", "user": {"login": "dr-example"}}], 1, ""),
    ([], 1, ""),
])
def test_nobody_approves_in_nobodys_name(stage, services, approvals, status, printed):
    services.approvals = approvals
    variables = {**stage.environment(), "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_RUN_ID": "1", "GH_TOKEN": "made-up-token"}
    command = ["bash", ".github/scripts/approver.sh"]
    done = subprocess.run(command, cwd=stage.clone, env=variables, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (status, printed)
