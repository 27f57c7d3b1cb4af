"""Every claim, link and command that a reader meets in a document holds; the checks are tried on planted faults in shared/tests."""

import subprocess
from pathlib import Path

import pytest

from carefolio.command import command_line
from carefolio.house import check_house
from carefolio.repository import check_repository

ROOT = Path(__file__).parents[1]
LOOKING = ["carefolio list", "carefolio data list", "carefolio data verify", "carefolio changed", "carefolio check", "scaling plan"]
"""Documented commands that only look, and take seconds; the others are run by the tests of their chapters."""


def test_documents_agree_with_the_evidence():
    assert "\n".join(str(problem) for problem in check_repository(ROOT)) == ""


def test_chapters_are_alike_and_commands_in_pages_exist():
    assert "\n".join(str(problem) for problem in check_house(ROOT)) == ""


@pytest.mark.parametrize("line", LOOKING)
def test_a_documented_command_that_only_looks_runs(line):
    command, *arguments = line.split()
    package = {"carefolio": "carefolio", "scaling": "container_scaling"}[command]
    done = subprocess.run(command_line(package, *arguments), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_house_has_its_pages():
    assert [name for name in ("README.md", "CONTRIBUTING.md", "shared/README.md", "Makefile") if not (ROOT / name).is_file()] == []
