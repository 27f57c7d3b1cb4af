"""The commands in a page's fenced blocks, held against the programs that they call: verbs, options and values, without running anything."""

import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import click

from carefolio import markdown
from carefolio.chapters import read_chapters
from carefolio.claims import Problem

OUTSIDE = frozenset({"cd", "cp", "curl", "docker", "docker-compose", "export", "git", "kubectl", "ls", "mkdir", "npm", "npx", "pip",
                     "pytest", "python", "sha256sum", "source", "uv"})
"""Programs that are not of this repository."""


def make_targets(makefile: str) -> set[str]:
    """List the targets of a Makefile.

    Parameters
    ----------
    makefile : str
        Its text.

    Returns
    -------
    set of str
        Names.
    """
    rules = re.findall(r"^([\w./ -]+):(?!=)", makefile, re.MULTILINE)
    return {target for rule in rules for target in rule.split()} - {".PHONY"}


def known_commands(root: Path) -> dict[str, click.Command]:
    """Load the command of the house and of each installed chapter.

    Parameters
    ----------
    root : Path
        The repository.

    Returns
    -------
    dict of str to click.Command
        By the name that a user types.
    """
    packages = {"carefolio": "carefolio"} | {chapter.command: chapter.package for chapter in read_chapters(root) if chapter.home}
    return {name: import_module(f"{package}.cli").main for name, package in packages.items() if find_spec(package)}


def page_problems(page: Path, known: Mapping[str, click.Command], targets: Collection[str]) -> Iterator[Problem]:
    """Check the commands of a page.

    Parameters
    ----------
    page : Path
        A Markdown file.
    known : mapping
        As `known_commands` gives it.
    targets : collection of str
        As `make_targets` gives them.

    Yields
    ------
    Problem
        For every command that would be refused at once.
    """
    for line, text in markdown.shell_lines(page.read_text(encoding="utf-8")):
        for problem in line_problems(text, known, targets):
            yield Problem(page, line, f"{problem}; correct the command.")


def line_problems(line: str, known: Mapping[str, click.Command], targets: Collection[str]) -> list[str]:
    """Say what of a shell line would be refused.

    Parameters
    ----------
    line : str
        With pipes and ``&&`` as in a shell; a comment is left out.
    known : mapping
        As `known_commands` gives it.
    targets : collection of str
        Of make.

    Returns
    -------
    list of str
        Programs, targets, verbs, options and values that do not exist.
    """
    lexer = shlex.shlex(re.sub(r"\d?[<>]+&?\s*\S+", "", line), posix=True, punctuation_chars="|&;()")
    lexer.whitespace_split, lexer.commenters = True, "#"
    calls: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set("|&;()"):
            calls.append([])
        else:
            calls[-1].append(word)
    return [problem for call in calls for problem in _call_problems(call, known, targets)]


def _call_problems(words: list[str], known: Mapping[str, click.Command], targets: Collection[str]) -> list[str]:
    while words and re.fullmatch(r"\w+=.*", words[0]):
        words = words[1:]
    if not words:
        return []
    program, arguments = Path(words[0]).name, words[1:]
    if program == "make":
        wanted = [word for word in arguments if "=" not in word and not word.startswith("-")]
        return [f"make has no target {word!r}" for word in wanted if word not in targets]
    if program in known:
        return _verb_problems(program, arguments, known[program])
    return [] if program in OUTSIDE else [f"unknown program {program!r}"]


def _verb_problems(program: str, arguments: list[str], command: click.Command) -> list[str]:
    while isinstance(command, click.Group) and arguments and not arguments[0].startswith("-"):
        if arguments[0] not in command.commands:
            return [f"{program} has no verb {arguments[0]!r}"]
        program, command, arguments = f"{program} {arguments[0]}", command.commands[arguments[0]], arguments[1:]
    if isinstance(command, click.Group):
        return [] if set(arguments) <= {"--help", "--version"} else [f"{program} takes a verb before {arguments[0]}"]
    return [f"{program}: {problem}" for problem in _refusals(command, list(arguments))]


def _refusals(command: click.Command, arguments: list[str]) -> Iterator[str]:
    """Let click read the arguments as it would, without calling the verb; whether a file is there depends on the reader."""
    if "--help" in arguments:
        return
    try:
        command.make_context(command.name, arguments)
    except click.BadParameter as error:
        if not isinstance(error.param and error.param.type, click.Path | click.File):
            yield error.format_message()
    except click.UsageError as error:
        yield error.format_message()
