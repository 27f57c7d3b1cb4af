import sys
from types import ModuleType

import click
import pytest

from carefolio import conventions
from carefolio.chapters import Chapter
from carefolio.conventions import FILES, PUBLISHED, VERBS, chapter_problems
from carefolio.house import check_house


@pytest.fixture
def group(monkeypatch):
    """The command of an installed chapter that keeps every rule."""
    commands = {verb: click.Command(verb, help="Do it.", params=[click.Option([option]) for option in options])
                for verb, options in VERBS.items()}
    module = ModuleType("demo_package.cli")
    module.main = click.Group(commands=commands)
    monkeypatch.setitem(sys.modules, "demo_package.cli", module)
    monkeypatch.setattr(conventions, "find_spec", lambda name: name)
    return module.main


@pytest.fixture
def chapter(tmp_path):
    """A chapter with every file."""
    for name in FILES:
        path = tmp_path / name.format(package="demo_package")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if path.suffix == "" else path.write_text("")
    return lambda **values: Chapter(**{"folder": "01-demo", "package": "demo_package", "command": "demo", "activity": "A", "question": "Q",
                                       "home": tmp_path, "headline": "a.b.c.d"} | values)


def messages(chapter):
    return [f"{problem.file.name}: {problem.message}" for problem in chapter_problems(chapter)]


def test_a_chapter_that_keeps_the_rules_has_no_problem(group, chapter):
    assert messages(chapter()) == []


def test_a_missing_file_verb_option_help_and_headline_are_found(group, chapter):
    chapter().home.joinpath("src/demo_package/api.py").unlink()
    del group.commands["dashboard"]
    group.commands["train"] = click.Command("train", help="Do it.", params=[click.Option(["--out"])])
    group.commands["serve"].help = ""
    found = messages(chapter(headline=""))
    assert [text.partition(";")[0] for text in found] == [
        "api.py: is missing", "cli.py: 'train' does not know --config, --quick, --seed", "cli.py: 'serve' does not say what it does.",
        "cli.py: does not know 'dashboard'",
        "pyproject.toml: [tool.carefolio] names no headline: the id of the metric that the chapter leads with."]


def test_an_excuse_excuses_and_one_that_is_not_needed_is_found(group, chapter):
    chapter().home.joinpath("src/demo_package/api.py").unlink()
    del group.commands["serve"]
    assert messages(chapter(without={"api.py": "read only", "serve": "no API"})) == []
    found = messages(chapter(without={"api.py": "read only", "serve": "no API", "data": "none", "model.py": "none", "other": "?"}))
    assert [text.partition(",")[0] for text in found] == [
        "model.py: is there", "cli.py: knows 'data'", "pyproject.toml: [tool.carefolio.without] names 'other'"]


def test_a_chapter_in_the_making_has_published_nothing(group, chapter):
    assert len(messages(chapter(in_the_making=True))) == len(PUBLISHED)


def test_a_chapter_that_is_not_installed_is_named(chapter):
    assert messages(chapter()) == ["cli.py: demo_package is not installed, so its verbs cannot be seen; run `make setup`."]


def test_the_house_finds_chapters_and_commands(repository):
    home = repository / "projects" / "01-demo"
    assert check_house(repository) == []
    (home / "src" / "demo_package" / "model.py").write_text("")
    (home / "article.md").write_text("# Article\n\n```console\ncarefolio lst\n```\n")
    assert [(problem.file.as_posix(), problem.line) for problem in check_house(repository)] == [
        ("projects/01-demo/src/demo_package/model.py", 1), ("projects/01-demo/article.md", 4)]
