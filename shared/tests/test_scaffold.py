"""A new chapter is whole or not there: names that do not fit are refused, the tool settings stay as they were but for its name."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from carefolio import scaffold
from carefolio.chapters import Chapter, read_chapters, repository_root, select
from carefolio.cli import main
from carefolio.exceptions import ConfigError
from carefolio.scaffold import list_package, new_chapter, next_steps, plan_chapter, render_chapter

SETTINGS = '''# Tool settings.
[tool.coverage.run]
source_pkgs = [
    "carefolio", "demo_package",
]
branch = true  # kept

[tool.importlinter]
root_packages = [
    "carefolio", "demo_package",
]
[[tool.importlinter.contracts]]
source_modules = ["carefolio"]
forbidden_modules = [
    "demo_package",
]
[[tool.importlinter.contracts]]
source_modules = [
    "demo_package",
]
forbidden_modules = ["mlflow"]
'''


@pytest.fixture
def house(repository: Path) -> Path:
    """A repository with one chapter and tool settings that name it."""
    (repository / "pyproject.toml").write_text(SETTINGS, encoding="utf-8")
    return repository


@pytest.fixture
def real_settings() -> str:
    """The tool settings of this repository."""
    return (repository_root() / "pyproject.toml").read_text(encoding="utf-8")


def content(folder: Path) -> dict[str, bytes | None]:
    """Read everything below a folder, hidden files too."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def package_lists(text: str) -> list[list[str]]:
    """Take the four lists that name every chapter, and check that they are valid TOML."""
    tool = tomllib.loads(text)["tool"]
    first, second = tool["importlinter"]["contracts"]
    return [tool["coverage"]["run"]["source_pkgs"], tool["importlinter"]["root_packages"], first["forbidden_modules"],
            second["source_modules"]]


def test_a_chapter_is_made_and_found(house: Path) -> None:
    before = content(house)
    made = new_chapter(house, "sepsis-alerts", question="Who will have sepsis?", activity="Alerts")
    found = select(read_chapters(house), ["10"])[0]
    assert (found.folder, found.package, found.command) == ("10-sepsis-alerts", "sepsis_alerts", "sepsis-alerts")
    assert (found.question, found.activity, found.in_the_making) == ("Who will have sepsis?", "Alerts", True)
    assert made.home == found.home == house / "projects" / "10-sepsis-alerts"
    after = content(house)
    changed = {path for path in before if after[path] != before[path]}
    assert changed == {"pyproject.toml"}
    assert {path.split("/")[1] for path in set(after) - set(before)} == {"10-sepsis-alerts"}
    assert package_lists((house / "pyproject.toml").read_text()) == [
        ["carefolio", "demo_package", "sepsis_alerts"], ["carefolio", "demo_package", "sepsis_alerts"],
        ["demo_package", "sepsis_alerts"], ["demo_package", "sepsis_alerts"]]


@pytest.mark.parametrize(("name", "message"), [
    ("Sepsis", "lower-case words"), ("sepsis_alerts", "lower-case words"), ("sepsis--alerts", "lower-case words"),
    ("-sepsis", "lower-case words"), ("sepsis-", "lower-case words"), ("9-lives", "lower-case words"), ("", "lower-case words"),
    ("../sepsis", "lower-case words"), ("sepsis alerts", "lower-case words"), ("a" * 31, "at most 30"),
    ("demo", "taken by 01-demo"), ("demo-package", "taken by 01-demo"), ("readmission", "taken by 02-readmission-pipeline"),
    ("readmission-pipeline", "taken by 02"), ("textclass", "taken by 04"), ("class", "keyword"), ("match", "keyword"),
    ("queue", "installed"), ("numpy", "installed"), ("carefolio", "installed"), ("ls", "program"), ("begun", "exists"),
])
def test_a_name_that_does_not_fit_is_refused_and_nothing_written(name: str, message: str, house: Path) -> None:
    (house / "projects" / "11-begun").mkdir()
    before = content(house)
    with pytest.raises(ConfigError, match=re.escape(message)):
        new_chapter(house, name)
    assert content(house) == before


@pytest.mark.parametrize(("option", "text", "message"), [
    ("question", 'Who is "ill"?', "takes no '\"'"), ("question", "Who?\nWhen?", "one line"), ("question", "w" * 101, "at most 100"),
    ("question", "Does it reach 0.8?", "'0.8'"), ("activity", "a" * 61, "at most 60"), ("activity", "A\\B", "takes no"),
    ("activity", "Hide {ev:x .3f}", "takes no '{'"), ("activity", "@@package@@", "takes no '@'"), ("activity", "  ", "one line"),
])
def test_a_text_that_would_break_code_or_documents_is_refused(option: str, text: str, message: str, house: Path) -> None:
    before = content(house)
    with pytest.raises(ConfigError, match=re.escape(message)):
        new_chapter(house, "sepsis-alerts", **{option: text})
    assert content(house) == before


def test_the_lowest_free_number_is_taken_and_gives_the_ports(house: Path) -> None:
    (house / "projects" / "10-begun").mkdir()
    chapter = plan_chapter(house, "sepsis-alerts")
    assert chapter.folder == "11-sepsis-alerts"
    cli = render_chapter(chapter)["src/sepsis_alerts/cli.py"]
    assert "serve_options(port=8011)" in cli
    assert "port=8511" in cli


def test_a_full_house_takes_no_more(house: Path) -> None:
    for number in range(10, 100):
        (house / "projects" / f"{number}-x").mkdir()
    with pytest.raises(ConfigError, match="no two-digit number left"):
        plan_chapter(house, "sepsis-alerts")


@pytest.mark.parametrize("package", ["sepsis_alerts", "alerts", "zoster"])
def test_the_lists_are_extended_sorted_and_the_rest_is_kept(package: str, real_settings: str) -> None:
    known = package_lists(real_settings)[3]
    changed = list_package(real_settings, package, known)
    assert package_lists(changed) == [sorted([*names, package]) for names in package_lists(real_settings)]
    assert max(map(len, changed.splitlines())) <= max(160, *map(len, real_settings.splitlines()))
    lists = re.compile(r"^\w+ = \[\n    \"[^\]]*\]$", re.MULTILINE)
    assert lists.sub("", changed) == lists.sub("", real_settings), "comments, order and form of all else"


def test_a_list_is_written_as_it_stands(real_settings: str) -> None:
    known = package_lists(real_settings)[3]
    assert list_package(real_settings, known[0], known) == real_settings


@pytest.mark.parametrize("spoilt", [
    SETTINGS.replace('    "carefolio", "demo_package",\n', '    "carefolio",  # the library\n    "demo_package",\n', 1),
    SETTINGS.replace('source_modules = [\n    "demo_package",\n]', 'source_modules = ["other"]'), "", "[tool]\n",
])
def test_settings_that_do_not_name_the_chapters_are_refused(spoilt: str, house: Path) -> None:
    (house / "pyproject.toml").write_text(spoilt, encoding="utf-8")
    before = content(house)
    with pytest.raises(ConfigError, match="must have 4 lists"):
        new_chapter(house, "sepsis-alerts")
    assert content(house) == before


def test_missing_settings_are_named(repository: Path) -> None:
    with pytest.raises(ConfigError, match=r"pyproject\.toml is missing"):
        new_chapter(repository, "sepsis-alerts")


def test_a_folder_that_appears_meanwhile_is_left_alone(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def render_late(chapter: Chapter) -> dict[str, str]:
        (house / "projects" / chapter.folder).mkdir()
        (house / "projects" / chapter.folder / "mine.txt").write_text("mine")
        return {"README.md": "theirs"}

    monkeypatch.setattr(scaffold, "render_chapter", render_late)
    with pytest.raises(ConfigError, match="exists; nothing was written"):
        new_chapter(house, "sepsis-alerts")
    assert content(house / "projects" / "10-sepsis-alerts") == {"mine.txt": b"mine"}
    assert (house / "pyproject.toml").read_text() == SETTINGS
    assert sorted(path.name for path in (house / "projects").iterdir()) == ["01-demo", "10-sepsis-alerts"]


@pytest.mark.parametrize("file", ["pyproject.toml", "cli.py"])
def test_a_failure_half_way_leaves_nothing(file: str, house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, write = content(house), scaffold.write_text

    def fail(path: Path, text: str) -> Path:
        if path.name == file and (file != "pyproject.toml" or path.parent == house):
            raise OSError("no space left on device")
        return write(path, text)

    monkeypatch.setattr(scaffold, "write_text", fail)
    with pytest.raises(OSError, match="no space"):
        new_chapter(house, "sepsis-alerts")
    assert content(house) == before


@pytest.mark.parametrize("name", ["sepsis-alerts", "alerts", "covid-19", "b" * 30])
def test_the_files_are_filled_valid_and_pass_the_linter(name: str, house: Path, real_settings: str) -> None:
    chapter = new_chapter(house, name, question="q" * 99 + "?", activity="a" * 60)
    for path, text in ((path, path.read_text(encoding="utf-8")) for path in chapter.home.rglob("*") if path.is_file()):
        assert "@@" not in text
        if path.suffix == ".toml":
            assert tomllib.loads(text) or path.name == "references.toml"
        if path.suffix == ".py":
            assert ast.get_docstring(ast.parse(text))
    shutil.copytree(repository_root() / "shared" / "src" / "carefolio", house / "shared" / "src" / "carefolio")
    (house / "pyproject.toml").write_text(real_settings, encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "ruff", "check", "--no-cache", f"projects/{chapter.folder}"], cwd=house,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_command_says_what_was_made_and_what_is_next(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREFOLIO_HOME", str(house))
    result = CliRunner().invoke(main, ["new", "sepsis-alerts", "--question", "Who will have sepsis?"])
    assert result.exit_code == 0, result.output
    assert "made projects/10-sepsis-alerts" in result.output
    assert "sepsis-alerts run --quick" in result.output
    again = CliRunner().invoke(main, ["new", "sepsis-alerts"])
    assert again.exit_code == ConfigError.exit_code
    assert "taken by 10-sepsis-alerts" in again.output


def test_the_next_steps_name_files_that_were_made(house: Path) -> None:
    chapter = new_chapter(house, "sepsis-alerts")
    named = re.findall(r"[\w/]+\.(?:py|toml|md)\b", next_steps(chapter).partition("replace, in")[2])
    made = {path.name for path in chapter.home.rglob("*")}
    assert {name.rpartition("/")[2] for name in named} - made == {"catalog.toml", "article.md"}
