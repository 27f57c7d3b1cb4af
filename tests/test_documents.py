"""Every claim, link and command that a reader meets in a document holds; each check is also tried on a planted fault."""

import importlib
import re
import shlex
from pathlib import Path

import click
import pytest

from carefolio import markdown
from carefolio.chapters import read_chapters
from carefolio.repository import check_repository, documents

ROOT = Path(__file__).parents[1]
PAGES = [path for path in documents(ROOT) if path.name in ("README.md", "CONTRIBUTING.md", "article.md")]
OUTSIDE = {"cd", "cp", "curl", "docker", "docker-compose", "export", "git", "kubectl", "ls", "mkdir", "npm", "npx", "pip", "pytest",
           "python", "sha256sum", "source", "uv"}


def make_targets(makefile: str) -> set[str]:
    """List the targets of a Makefile."""
    rules = re.findall(r"^([\w./ -]+):(?!=)", makefile, re.MULTILINE)
    return {target for rule in rules for target in rule.split()} - {".PHONY"}


def commands() -> dict[str, click.Command]:
    """Load the command of the house and of each chapter, by name."""
    packages = {"carefolio": "carefolio"} | {chapter.command: chapter.package for chapter in read_chapters(ROOT) if chapter.home}
    return {name: importlib.import_module(f"{package}.cli").main for name, package in packages.items()}


def line_problems(line: str, known: dict[str, click.Command], targets: set[str]) -> list[str]:
    """Say what in a shell line does not exist: programs, make targets, verbs, options."""
    lexer = shlex.shlex(re.sub(r"\d?[<>]+&?\s*\S+", "", line), posix=True, punctuation_chars="|&;()")
    lexer.whitespace_split, lexer.commenters = True, "#"
    calls: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set("|&;()"):
            calls.append([])
        else:
            calls[-1].append(word)
    return [problem for call in calls for problem in call_problems(call, known, targets)]


def call_problems(words: list[str], known: dict[str, click.Command], targets: set[str]) -> list[str]:
    """Check one program call."""
    while words and re.fullmatch(r"\w+=.*", words[0]):
        words = words[1:]
    if not words:
        return []
    program, arguments = Path(words[0]).name, words[1:]
    if program == "make":
        wanted = [word for word in arguments if "=" not in word and not word.startswith("-")]
        return [f"make has no target {word!r}" for word in wanted if word not in targets]
    if program in known:
        return verb_problems(program, arguments, known[program])
    return [] if program in OUTSIDE else [f"unknown program {program!r}"]


def verb_problems(program: str, arguments: list[str], command: click.Command) -> list[str]:
    """Check verbs and options against click's own tree."""
    while isinstance(command, click.Group) and arguments and not arguments[0].startswith("-"):
        if arguments[0] not in command.commands:
            return [f"{program} has no verb {arguments[0]!r}"]
        command, arguments = command.commands[arguments[0]], arguments[1:]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    used = [word.partition("=")[0] for word in arguments if word.startswith("--") and word != "--"]
    return [f"{program} {command.name} has no option {option}" for option in used if option not in options]


def test_documents_agree_with_the_evidence():
    assert "\n".join(str(problem) for problem in check_repository(ROOT)) == ""


def test_the_house_has_its_pages():
    assert [name for name in ("README.md", "CONTRIBUTING.md", "shared/README.md", "Makefile") if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_in_a_page_exist(page):
    targets = make_targets((ROOT / "Makefile").read_text(encoding="utf-8"))
    known = commands()
    found = [f"{page.name}:{line}: {problem}" for line, text in markdown.shell_lines(page.read_text(encoding="utf-8"))
             for problem in line_problems(text, known, targets)]
    assert found == []


@pytest.mark.parametrize(("line", "found"), [
    ("make demo test", []), ("make deploy", ["make has no target 'deploy'"]), ("make demo JOBS=2", []),
    ("carefolio list && carefolio check --write", []), ("carefolio lst", ["carefolio has no verb 'lst'"]),
    ("carefolio data fetch diabetes130", []), ("carefolio data get", ["carefolio has no verb 'get'"]),
    ("carefolio run --all --quik", ["carefolio run has no option --quik"]),
    ("CAREFOLIO_DATA_DIR=/data .venv/bin/carefolio data verify", []),
    ("readmision run", ["unknown program 'readmision'"]), ("git clone https://example.org/x && cd x", []),
    ("carefolio list > out.txt 2>&1", []),
    ("carefolio list | lss", ["unknown program 'lss'"]), ("carefolio list  # then look", []),
])
def test_a_command_that_does_not_exist_is_found(line, found):
    known = {"carefolio": importlib.import_module("carefolio.cli").main}
    assert line_problems(line, known, {"demo", "test"}) == found


def test_targets_are_read_from_a_makefile():
    assert make_targets(".PHONY: a b\nVAR := x: y\na b: c  ## help\n\techo no: no\nc:\n") == {"a", "b", "c"}
