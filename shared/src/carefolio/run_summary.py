"""A run in Markdown, for the summary page of a CI job: tests, and each chapter's metrics, committed and of this run."""

from collections import Counter
from pathlib import Path

from carefolio.chapters import Chapter
from carefolio.command import DISCLAIMER
from carefolio.evidence import Evidence, is_synthetic, read_evidence
from carefolio.evidence_diff import shown
from carefolio.junit import outcome, read_cases
from carefolio.runs import run_folder


def summarise(chapters: list[Chapter], junit: Path | None = None) -> str:
    """Put a run on one page.

    Parameters
    ----------
    chapters : list of Chapter
        Existing chapters.
    junit : Path, optional
        JUnit file of the tests, as ``pytest --junitxml`` writes it.

    Returns
    -------
    str
        Markdown.

    Raises
    ------
    ArtefactError
        If ``junit`` is missing or not such a file.
    EvidenceError
        If a chapter's evidence is damaged.
    """
    parts = [tests_section(junit)] if junit else []
    return "\n\n".join([*parts, *(chapter_section(chapter) for chapter in chapters), DISCLAIMER]) + "\n"


def tests_section(junit: Path) -> str:
    """Say how many tests passed, which failed, and which were skipped and why.

    Parameters
    ----------
    junit : Path
        JUnit file.

    Returns
    -------
    str
        Markdown.

    Raises
    ------
    ArtefactError
        If the file is missing, not JUnit, or holds no test.
    """
    cases = list(read_cases(junit).iter("testcase"))
    failed = [f"`{case.get('classname')}::{case.get('name')}`" for case in cases if outcome(case) == "failed"]
    reasons = Counter(_plain(skip.get("message", "no reason given")) for case in cases for skip in case.iter("skipped"))
    seconds = sum(float(case.get("time", 0)) for case in cases)
    skipped = reasons.total()
    lines = [f"**Tests:** {len(cases) - len(failed) - skipped} passed, {len(failed)} failed, {skipped} skipped, {seconds:.0f} s"]
    lines += [f"- failed: {name}" for name in failed]
    return "\n".join(lines + [f"- skipped {count}: {reason}" for reason, count in sorted(reasons.items())])


def chapter_section(chapter: Chapter) -> str:
    """Show a chapter's metrics: the committed ones, and beside them those of a quick or full run in ``outputs``.

    Parameters
    ----------
    chapter : Chapter
        An existing chapter.

    Returns
    -------
    str
        Markdown: the question, the leading metric, and all others folded.
    """
    home = chapter.home or Path("projects") / chapter.folder
    runs = {"committed": home / "reports"}
    runs |= {f"this run, {form}": run_folder(chapter.folder, chapter.package, None, quick=form == "quick") / "reports"
             for form in ("quick", "full")}
    found = {name: read_evidence(folder / "evidence.json") for name, folder in runs.items() if (folder / "evidence.json").is_file()}
    title = f"### {chapter.folder}\n\n{chapter.question}"
    if not found:
        return f"{title}\n\nNo evidence yet."
    titles = [f"{name} ({_data(evidence)})" for name, evidence in found.items()]
    names = sorted({name for evidence in found.values() for name in evidence.metrics} - {chapter.headline})
    others = _table(titles, names, list(found.values()))
    return (f"{title}\n\n{_table(titles, [chapter.headline], list(found.values()))}\n\n"
            f"<details><summary>{len(names)} further metrics</summary>\n\n{others}\n\n</details>")


def _data(evidence: Evidence) -> str:
    origins = ", ".join(sorted({record.origin for record in evidence.data})) or "no data"
    return "synthetic data: no result" if is_synthetic(evidence) else f"data: {origins}"


def _table(titles: list[str], names: list[str], columns: list[Evidence]) -> str:
    head = [f"| metric | {' | '.join(titles)} |", "|---" * (len(titles) + 1) + "|"]
    rows = [f"| `{name}` | {' | '.join(shown(evidence.metrics.get(name)) for evidence in columns)} |" for name in names]
    return "\n".join(head + rows)


def _plain(text: str) -> str:
    return " ".join(text.replace("|", "/").replace("<", "&lt;").split())
