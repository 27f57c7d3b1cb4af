"""What a run changed in the committed evidence, in Markdown: for the pull request that brings it, and for whoever has to approve it."""

import shutil
import subprocess
from pathlib import Path

from pydantic import ValidationError

from carefolio.chapters import Chapter
from carefolio.evidence import Evidence, Metric, read_evidence
from carefolio.exceptions import ConfigError, EvidenceError


def evidence_diff(root: Path, chapters: list[Chapter], *, base: str = "HEAD") -> str:
    """Compare the evidence that lies in the folder with that of a commit.

    Parameters
    ----------
    root : Path
        The repository.
    chapters : list of Chapter
        Existing chapters.
    base : str, default "HEAD"
        The commit.

    Returns
    -------
    str
        Markdown: for each chapter with changed metrics a table of before, after and direction.

    Raises
    ------
    ConfigError
        If ``base`` is no commit of this repository.
    EvidenceError
        If a record is damaged.
    """
    parts = [part for chapter in chapters if chapter.home and (part := _chapter_diff(root, chapter, base))]
    return "\n\n".join(parts or [f"No metric differs from {base}."]) + "\n"


def _chapter_diff(root: Path, chapter: Chapter, base: str) -> str:
    path = Path("projects") / chapter.folder / "reports" / "evidence.json"
    after = read_evidence(root / path).metrics if (root / path).is_file() else {}
    before = _committed(root, path, base)
    rows = [f"| `{name}` | {shown(before.get(name))} | {shown(after.get(name))} | {_direction(before.get(name), after.get(name))} |"
            for name in sorted(before | after) if before.get(name) != after.get(name)]
    if not rows:
        return ""
    return "\n".join([f"### {chapter.folder}", "", f"| metric | {base} | this run | |", "|---|---|---|---|", *rows])


def _committed(root: Path, path: Path, base: str) -> dict[str, Metric]:
    git = shutil.which("git")
    if git is None:
        raise ConfigError("git is not on PATH, so nothing can be compared with a commit; install it.")
    if base.startswith("-") or subprocess.run([git, "-C", str(root), "rev-parse", "--verify", "--quiet", f"{base}^{{commit}}"],
                                              capture_output=True, check=False).returncode:
        raise ConfigError(f"{base!r} is no commit of {root}; name one, such as HEAD or origin/main.")
    done = subprocess.run([git, "-C", str(root), "show", f"{base}:{path.as_posix()}"], capture_output=True, check=False)
    if done.returncode:
        return {}
    try:
        return Evidence.model_validate_json(done.stdout).metrics
    except ValidationError as error:
        raise EvidenceError(f"{path} in {base} is not a run record ({error.error_count()} faults).") from None


def shown(metric: Metric | None) -> str:
    """Write a metric with its interval and size.

    Parameters
    ----------
    metric : Metric or None
        None where there is none.

    Returns
    -------
    str
        For example ``"0.684 (95% CI 0.672 to 0.696), n = 21,766"``; empty for None.
    """
    if metric is None:
        return ""
    bounds = (metric.low, metric.high, metric.level)
    interval = "" if None in bounds else f" ({metric.level:.0%} CI {_number(metric.low)} to {_number(metric.high)})"
    return f"{_number(metric.value)}{interval}, n = {metric.n:,}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def _direction(before: Metric | None, after: Metric | None) -> str:
    if before is None or after is None:
        return "new" if before is None else "gone"
    if after.higher_is_better is None or before.value == after.value:
        return ""
    return "better" if (after.value > before.value) == after.higher_is_better else "worse"
