"""What all chapters have in common: their files, verbs and options; read by ``carefolio check`` and by the tests."""

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import click

from carefolio.chapters import Chapter
from carefolio.claims import Problem

PUBLISHED = ("article.md", "reports/evidence.json", "reports/model_card.md", "reports/figures")
"""What a chapter in the making does not have yet."""
MODULES = ("__init__.py", "config.py", "data.py", "features.py", "model.py", "evaluate.py", "report.py", "api.py", "dashboard.py", "cli.py",
           "config.toml", "quick.toml")
FILES = ("README.md", "pyproject.toml", "tests", *PUBLISHED, *(f"src/{{package}}/{name}" for name in MODULES))
COMMON = frozenset({"--config", "--quick", "--seed", "--out"})
VERBS = dict.fromkeys(("data", "train", "evaluate", "report", "run"), COMMON) | {
    "serve": frozenset({"--host", "--port", "--no-auth"}), "dashboard": frozenset({"--port", "--out"})}
"""Verb -> options that it knows at least."""


def chapter_problems(chapter: Chapter) -> Iterator[Problem]:
    """Hold a chapter against what all have in common.

    Parameters
    ----------
    chapter : Chapter
        An existing chapter.

    Yields
    ------
    Problem
        A file, verb or option that is missing, or an exception from the rule (``[tool.carefolio.without]``) that is not needed.
    """
    home = chapter.home or Path(chapter.folder)
    yield from _file_problems(chapter, home)
    yield from _verb_problems(chapter, home)
    known = {Path(name).name for name in FILES} | set(VERBS)
    for name in sorted(set(chapter.without) - known):
        yield Problem(home / "pyproject.toml", 1, f"[tool.carefolio.without] names {name!r}, which no chapter has to have.")
    if not chapter.headline:
        yield Problem(home / "pyproject.toml", 1, "[tool.carefolio] names no headline: the id of the metric that the chapter leads with.")


def _file_problems(chapter: Chapter, home: Path) -> Iterator[Problem]:
    for name in FILES:
        path = home / name.format(package=chapter.package)
        excused = path.name in chapter.without or (chapter.in_the_making and name in PUBLISHED)
        if not path.exists() and not excused:
            yield Problem(path, 1, "is missing; every chapter has it. Write it, or give the reason in [tool.carefolio.without].")
        elif path.exists() and excused:
            yield Problem(path, 1, "is there, though the chapter's pyproject.toml excuses it; take the excuse out.")


def _verb_problems(chapter: Chapter, home: Path) -> Iterator[Problem]:
    file = home / "src" / chapter.package / "cli.py"
    if find_spec(chapter.package) is None:
        if set(VERBS) - set(chapter.without):
            yield Problem(file, 1, f"{chapter.package} is not installed, so its verbs cannot be seen; run `make setup`.")
        return
    group = import_module(f"{chapter.package}.cli").main
    known = group.commands if isinstance(group, click.Group) else {}
    for verb, options in VERBS.items():
        if verb in chapter.without:
            if verb in known:
                yield Problem(file, 1, f"knows {verb!r}, though the chapter's pyproject.toml excuses it; take the excuse out.")
        elif verb not in known:
            yield Problem(file, 1, f"does not know {verb!r}; every chapter's command does.")
        else:
            yield from _option_problems(file, known[verb], verb, options)


def _option_problems(file: Path, command: click.Command, verb: str, options: frozenset[str]) -> Iterator[Problem]:
    missing = sorted(options - {option for parameter in command.params for option in parameter.opts})
    if missing:
        yield Problem(file, 1, f"{verb!r} does not know {', '.join(missing)}; every chapter's does.")
    if not command.get_short_help_str():
        yield Problem(file, 1, f"{verb!r} does not say what it does.")
