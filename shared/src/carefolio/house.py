"""The house as a whole: the chapters alike, and the commands in its pages such as a reader can type."""

from pathlib import Path

from carefolio.chapters import read_chapters
from carefolio.claims import Problem
from carefolio.conventions import chapter_problems
from carefolio.documented_commands import known_commands, make_targets, page_problems
from carefolio.repository import documents


def check_house(root: Path) -> list[Problem]:
    """Check files and verbs of every chapter, and the commands in every page.

    Parameters
    ----------
    root : Path
        The repository.

    Returns
    -------
    list of Problem
        Everything found, with file names relative to ``root``; empty if all is well.
    """
    makefile = root / "Makefile"
    targets = make_targets(makefile.read_text(encoding="utf-8")) if makefile.is_file() else set()
    known = known_commands(root)
    problems = [problem for chapter in read_chapters(root) if chapter.home for problem in chapter_problems(chapter)]
    problems += [problem for page in documents(root) for problem in page_problems(page, known, targets)]
    return [problem._replace(file=problem.file.relative_to(root)) for problem in problems]
