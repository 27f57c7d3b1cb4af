"""Which chapters a change concerns: those whose files changed, those that stand on them, or all."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from carefolio.chapters import Chapter, read_chapters
from carefolio.exceptions import ConfigError

HOUSE_ONLY = re.compile(r"(?:docs|tests|shared/tests|shared/benchmarks)/|(?:shared/)?[^/]+\.md$|LICENSE$|azure-pipelines\.yml$")
"""Paths that no chapter's own tests read; the house's tests and checks run on every change."""


def changed_files(root: Path, base: str) -> list[str] | None:
    """List what differs from the point at which the present commit left ``base``.

    Parameters
    ----------
    root : Path
        The repository.
    base : str
        A commit, or a branch such as ``origin/main``.

    Returns
    -------
    list of str or None
        Paths relative to ``root``; None where ``base`` is empty or not in this clone, as after a forced push.

    Raises
    ------
    ConfigError
        If there is no git.
    """
    git = shutil.which("git")
    if git is None:
        raise ConfigError("git is not on PATH, so changes cannot be told; install it, or leave --base out to take every chapter.")
    if not base or base.startswith("-"):
        return None
    done = subprocess.run([git, "-C", str(root), "diff", "--name-only", "--no-renames", "-z", f"{base}...HEAD"],
                          capture_output=True, text=True, check=False)
    return None if done.returncode else [name for name in done.stdout.split("\0") if name]


def standing_on(chapters: Iterable[Chapter]) -> dict[str, set[str]]:
    """Read from their ``pyproject.toml`` which chapters need which.

    Parameters
    ----------
    chapters : iterable of Chapter
        All of them; those that do not exist are left out.

    Returns
    -------
    dict of str to set of str
        Folder of a chapter to the folders that need it, directly or through others.
    """
    tables = {c.folder: tomllib.loads((c.home / "pyproject.toml").read_text(encoding="utf-8"))["project"] for c in chapters if c.home}
    folders = {table.get("name", ""): folder for folder, table in tables.items()}
    needs = {folder: {folders[name] for name in _requirements(table) if name in folders} for folder, table in tables.items()}
    return {folder: _reached(folder, needs) for folder in needs}


def _requirements(table: Mapping[str, Any]) -> set[str]:
    lists = [table.get("dependencies", []), *table.get("optional-dependencies", {}).values()]
    return {re.split(r"[^\w.-]", requirement, maxsplit=1)[0] for requirements in lists for requirement in requirements}


def _reached(folder: str, needs: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    while more := {other for other, needed in needs.items() if needed & (found | {folder})} - found - {folder}:
        found |= more
    return found


def concerned(root: Path, files: list[str] | None) -> list[Chapter]:
    """Pick the chapters that a change concerns.

    Parameters
    ----------
    root : Path
        The repository.
    files : list of str or None
        Changed paths, as `changed_files` gives them.

    Returns
    -------
    list of Chapter
        Those whose folder holds one of ``files`` and those that stand on them. All that exist where ``files`` is None or holds
        something that every chapter uses, such as the shared library or the pins.
    """
    chapters = [chapter for chapter in read_chapters(root) if chapter.home]
    touched = {file.split("/")[1] for file in files or [] if file.startswith("projects/")}
    if files is None or any(not file.startswith("projects/") and not HOUSE_ONLY.match(file) for file in files):
        return chapters
    dependants = standing_on(chapters)
    wanted = touched.union(*(dependants.get(folder, set()) for folder in touched))
    return [chapter for chapter in chapters if chapter.folder in wanted]
