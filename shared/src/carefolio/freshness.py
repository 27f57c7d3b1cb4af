"""How old a chapter's evidence is, and whether its code has changed since."""

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from carefolio.chapters import Chapter
from carefolio.evidence import Evidence


def freshness(chapter: Chapter, evidence: Evidence, *, now: datetime | None = None) -> str:
    """Say when the evidence of a chapter was made, and what has changed since.

    Parameters
    ----------
    chapter : Chapter
        An existing chapter.
    evidence : Evidence
        Its record.
    now : datetime, optional
        With a time zone; the present by default.

    Returns
    -------
    str
        For example ``"made 3 days ago at 7b17f53; its code has not changed since"``.
    """
    days = ((now or datetime.now(UTC)) - datetime.fromisoformat(evidence.created)).total_seconds() / 86_400
    commits = commits_since(evidence.commit, chapter)
    changed = {None: "", 0: "; its code has not changed since"}.get(commits, f"; {commits} commits to its code since")
    return f"made {_age(days)} at {evidence.commit}{changed}"


def _age(days: float) -> str:
    if days < -1 / 24:
        return "in the future (check the clock)"
    whole = int(days)
    return {0: "today", 1: "yesterday"}.get(whole, f"{whole} days ago")


def commits_since(commit: str, chapter: Chapter) -> int | None:
    """Count the commits that changed the source of a chapter after one.

    Parameters
    ----------
    commit : str
        Of the evidence, also ``"unknown"`` or with ``-dirty``.
    chapter : Chapter
        An existing chapter.

    Returns
    -------
    int or None
        None where that cannot be told: no git, a shallow clone, or a commit that was never there.
    """
    if chapter.home is None or shutil.which("git") is None or not commit.isalnum():
        return None
    return _count(chapter.home, commit)


def _count(home: Path, commit: str) -> int | None:
    done = subprocess.run(["git", "-C", str(home), "rev-list", "--count", f"{commit}..HEAD", "--", "src"], capture_output=True, text=True,
                          check=False)
    return int(done.stdout) if done.returncode == 0 else None
