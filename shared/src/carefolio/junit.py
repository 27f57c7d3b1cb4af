"""What the last run of the tests in this checkout found, chapter by chapter, as pytest's JUnit file has it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carefolio.exceptions import ArtefactError

FILE = Path("outputs") / "tests.xml"
"""Where ``make test`` writes it, below the repository."""
HOUSE = "house"
"""Tests that belong to no chapter."""


@dataclass
class Tally:
    """How many tests of one part passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        """Put it in words, what is zero left out except the passed."""
        return ", ".join([f"{self.passed:,} passed", *(f"{count:,} {name}" for name, count in (
            ("failed", self.failed), ("skipped", self.skipped)) if count)])


@dataclass(frozen=True)
class TestRun:
    """One run of the tests: when it began, at which commit, and a tally for each chapter's folder and for the house."""

    __test__ = False

    when: str
    commit: str
    tallies: Mapping[str, Tally]

    @property
    def total(self) -> Tally:
        """Add up all parts.

        Returns
        -------
        Tally
            Of the whole run.
        """
        parts = list(self.tallies.values())
        return Tally(sum(part.passed for part in parts), sum(part.failed for part in parts), sum(part.skipped for part in parts))


def read_cases(junit: Path) -> Any:
    """Parse a JUnit file.

    Parameters
    ----------
    junit : Path
        As ``pytest --junitxml`` writes it.

    Returns
    -------
    xml.etree.ElementTree.Element
        Its root.

    Raises
    ------
    ArtefactError
        If the file is missing, not JUnit, or holds no test.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml.ElementTree import parse

    try:
        root = parse(junit).getroot()
    except (OSError, ParseError) as error:
        raise ArtefactError(f"{junit} is not a JUnit file ({error}); run pytest with --junitxml={junit}.") from None
    if next(root.iter("testcase"), None) is None:
        raise ArtefactError(f"{junit} holds no test; a run without tests is not a passing one. Check what pytest was given.")
    return root


def outcome(case: Any) -> str:
    """Say how a test ended.

    Parameters
    ----------
    case : xml.etree.ElementTree.Element
        A ``testcase``.

    Returns
    -------
    str
        ``"passed"``, ``"failed"`` or ``"skipped"``.
    """
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "skipped" if case.find("skipped") is not None else "passed"


def read_test_run(junit: Path) -> TestRun:
    """Read a JUnit file and tell its tests apart by chapter.

    Parameters
    ----------
    junit : Path
        As ``pytest --junitxml`` writes it, run at the top of the repository.

    Returns
    -------
    TestRun
        Its ``commit`` is the name of the suite, which ``make test`` sets.

    Raises
    ------
    ArtefactError
        If the file is missing, not JUnit, or holds no test.
    """
    root = read_cases(junit)
    tallies: dict[str, Tally] = {}
    for case in root.iter("testcase"):
        tally = tallies.setdefault(_part(case.get("classname", "")), Tally())
        result = outcome(case)
        setattr(tally, result, getattr(tally, result) + 1)
    suite = next(root.iter("testsuite"))
    return TestRun(suite.get("timestamp", "")[:16].replace("T", " "), suite.get("name", ""), tallies)


def _part(classname: str) -> str:
    parts = classname.split(".")
    return parts[1] if parts[0] == "projects" and len(parts) > 1 else HOUSE

