"""A chapter that `carefolio new` makes keeps the conventions and runs at once: tried in a copy of the repository."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDER, PACKAGE, COMMAND = "10-sepsis-alerts", "sepsis_alerts", "sepsis-alerts"
MODULES = ("config", "data", "features", "model", "evaluate", "report", "pipeline", "api", "dashboard")
CALL = "import importlib, sys; importlib.import_module(sys.argv.pop(1)).main()"

pytestmark = pytest.mark.slow


def python(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a copy of the repository, with its own packages and no published data."""
    sources = [str(root / "shared" / "src"), *map(str, sorted(root.glob("projects/*/src")))]
    dropped = ("CAREFOLIO_DATA_DIR", "CAREFOLIO_HOME", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER")
    env = {name: value for name, value in os.environ.items() if name not in dropped}
    env |= {"PYTHONPATH": os.pathsep.join(sources), "CAREFOLIO_OFFLINE": "1", "CAREFOLIO_CACHE_DIR": str(root / "outputs" / "cache"),
            "MPLBACKEND": "Agg"}
    return subprocess.run([sys.executable, *arguments], cwd=root, env=env, capture_output=True, text=True, timeout=600, check=False)


def run_pytest(root: Path, *arguments: str) -> None:
    """Run tests in the copy: some are chosen, and all of them pass."""
    done = python(root, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "skipped" not in done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with a tenth chapter."""
    root = tmp_path_factory.mktemp("copy")
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            capture_output=True, text=True, check=True).stdout.split("\0")
    for name in set(listed):
        if name and (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
    made = python(root, "-c", CALL, "carefolio.cli", "new", COMMAND, "--question", "Who will have sepsis?")
    assert made.returncode == 0, made.stderr
    assert (root / "projects" / FOLDER / "pyproject.toml").is_file()
    return root


def test_the_new_chapter_keeps_every_convention(copy: Path) -> None:
    run_pytest(copy, "tests/test_conventions.py", "-k", f"{FOLDER} or {PACKAGE} or import_each_other or chapters_and_sources")


def test_its_page_holds_and_the_house_still_agrees(copy: Path) -> None:
    run_pytest(copy, "tests/test_documents.py", "-k", "agree_with_the_evidence or chapters_are_alike")


def test_an_image_can_be_made_of_it(copy: Path) -> None:
    run_pytest(copy, "tests/test_containers.py", "-k", "every_chapter_with_an_api")


@pytest.mark.parametrize("tool", [
    ("ruff", "check", "--no-cache", f"projects/{FOLDER}", "pyproject.toml"),
    ("mypy", "--no-incremental", f"projects/{FOLDER}/src"),
    ("numpydoc", "lint", "--config", ".", *(f"projects/{FOLDER}/src/{PACKAGE}/{name}.py" for name in MODULES)),
], ids=lambda tool: tool[0])
def test_its_code_passes_the_tools(tool: tuple[str, ...], copy: Path) -> None:
    done = python(copy, "-m", *tool)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_its_own_tests_pass(copy: Path) -> None:
    run_pytest(copy, f"projects/{FOLDER}")


def test_its_quick_run_leaves_evidence_that_is_marked_synthetic(copy: Path) -> None:
    done = python(copy, "-c", CALL, f"{PACKAGE}.cli", "run", "--quick")
    assert done.returncode == 0, done.stderr
    assert "SYNTHETIC DATA" in done.stderr
    reports = copy / "outputs" / PACKAGE / "quick" / "reports"
    evidence = json.loads((reports / "evidence.json").read_text(encoding="utf-8"))
    assert [record["origin"] for record in evidence["data"]] == ["synthetic"]
    assert evidence["metrics"]["stays.test.logistic.roc_auc"]["level"] == 0.95
    assert "Made on synthetic data" in (reports / "model_card.md").read_text(encoding="utf-8")
    assert not (copy / "projects" / FOLDER / "reports").exists(), "nothing of a quick run is published"
