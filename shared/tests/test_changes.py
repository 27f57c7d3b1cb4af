import json
import subprocess

import pytest
from click.testing import CliRunner

from carefolio.changes import changed_files, concerned, standing_on
from carefolio.chapters import read_chapters
from carefolio.cli import main
from carefolio.exceptions import ConfigError


def git(root, *arguments):
    done = subprocess.run(["git", "-C", str(root), "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments],
                          capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def house(repository, track):
    """Chapters 01, 02 that needs 01, and 03 that needs 02 for its tests alone; all committed."""
    text = (repository / "projects" / "01-demo" / "pyproject.toml").read_text()
    for folder, needs in (("02-more", 'dependencies = ["demo>=1"]'), ("03-most", '[project.optional-dependencies]\ntest = ["more[x]"]')):
        (repository / "projects" / folder).mkdir()
        own = text.replace('name = "demo"', f'name = "{folder[3:]}"\n{needs}').replace("demo = ", f"{folder[3:]} = ")
        (repository / "projects" / folder / "pyproject.toml").write_text(own)
    track(repository)
    git(repository, "commit", "--quiet", "--message", "all")
    return repository


def folders(root, files):
    return [chapter.folder for chapter in concerned(root, files)]


def test_a_chapter_brings_those_that_stand_on_it(house):
    assert standing_on(read_chapters(house)) == {"01-demo": {"02-more", "03-most"}, "02-more": {"03-most"}, "03-most": set()}
    assert folders(house, ["projects/02-more/src/x.py"]) == ["02-more", "03-most"]
    assert folders(house, ["projects/03-most/README.md"]) == ["03-most"]


@pytest.mark.parametrize(("files", "expected"), [
    ([], []), (["README.md", "docs/x.png", "tests/test_x.py", "shared/tests/a/b.py", "shared/README.md", "azure-pipelines.yml"], []),
    (["shared/src/carefolio/x.py"], 3), (["constraints.txt"], 3), (["Makefile", "projects/01-demo/a"], 3), (None, 3),
    ([".github/workflows/ci.yml"], 3), (["projects/04-gone/x.py"], []),
])
def test_what_everything_uses_concerns_every_chapter_and_documents_none(house, files, expected):
    assert folders(house, files) == (expected if expected == [] else ["01-demo", "02-more", "03-most"])


def test_changes_are_those_since_the_branch_left(house):
    git(house, "branch", "--force", "base")
    (house / "projects" / "03-most" / "new file.py").write_text("x")
    git(house, "add", "--all")
    git(house, "commit", "--quiet", "--message", "change")
    assert changed_files(house, "base") == ["projects/03-most/new file.py"]
    assert changed_files(house, "HEAD") == []


@pytest.mark.parametrize("base", ["", "0" * 40, "nowhere", "--output=x"])
def test_where_there_is_nothing_to_compare_with_every_chapter_is_named(house, base):
    assert changed_files(house, base) is None


def test_without_git_there_is_one_clear_error(house, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match="git is not on PATH"):
        changed_files(house, "HEAD")


def test_the_command_prints_the_matrix_alone_on_its_standard_output(house, monkeypatch):
    monkeypatch.setenv("CAREFOLIO_HOME", str(house))
    result = CliRunner().invoke(main, ["changed", "--base", "nowhere"])
    assert [row["folder"] for row in json.loads(result.stdout)] == ["01-demo", "02-more", "03-most"]
    assert json.loads(result.stdout)[0]["command"] == "demo"
    assert "nowhere is not in this clone: every chapter" in result.stderr
