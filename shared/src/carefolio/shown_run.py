"""What a dashboard shows: the record of one run and what each part of it drew, read again only when a file has changed."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from carefolio.artefacts import read_json
from carefolio.dashboard import page, provenance_footer
from carefolio.evidence import Evidence, Metric, read_evidence
from carefolio.exceptions import ArtefactError, CarefolioError, EvidenceError
from carefolio.views import read_file, show_problem, show_sections


@dataclass(frozen=True)
class ShownRun:
    """One run: its record, the folder that holds it, the command that makes one, and by part its title and what its file holds."""

    evidence: Evidence
    folder: Path
    command: str
    titles: Mapping[str, str]
    keys: Mapping[str, Collection[str]]

    def metric(self, name: str) -> Metric:
        """Look up a metric.

        Parameters
        ----------
        name : str
            Its id.

        Returns
        -------
        Metric
            Value and interval.

        Raises
        ------
        EvidenceError
            If the run did not record it.
        """
        if name not in self.evidence.metrics:
            raise EvidenceError(f"{self.folder / 'reports' / 'evidence.json'} has no metric {name}; run `{self.command} run` again.")
        return self.evidence.metrics[name]

    def file(self, name: str) -> bytes:
        """Read a file of the reports.

        Parameters
        ----------
        name : str
            Relative to the folder of the reports.

        Returns
        -------
        bytes
            Its content.

        Raises
        ------
        ArtefactError
            If it is missing.
        """
        return read_file(self.folder / "reports" / name, command=f"{self.command} report")

    def part(self, name: str) -> dict[str, Any]:
        """Read what a part drew.

        Parameters
        ----------
        name : str
            Name of the part; its file is ``reports/<name>.json``.

        Returns
        -------
        dict
            As the part's ``evaluate`` describes it; not to be altered.

        Raises
        ------
        ArtefactError
            If the run left the part out, or its file is missing, broken or of another version.
        """
        path = self.folder / "reports" / f"{name}.json"
        again = f"`{self.command} run --part {name}`"
        if not path.is_file():
            raise ArtefactError(f"This run holds no results for {self.titles[name]}: {path} is missing. Make them with {again}, or "
                                "restore the committed reports. The other sections work without them.")
        found = _read_part(path, path.stat().st_mtime_ns)
        missing = [key for key in self.keys[name] if key not in found]
        if missing:
            raise ArtefactError(f"{path} has no {missing[0]!r}; another version wrote it. Write it again with {again}, or restore the "
                                "committed reports.")
        return found


RunT = TypeVar("RunT")


@dataclass(frozen=True)
class Head:
    """What stands above a dashboard: its title, the symbol of its browser tab, and the chapter's question."""

    title: str
    icon: str
    question: str

    def draw(self, evidence: Evidence | None) -> None:
        """Draw it; nothing may be drawn before.

        Parameters
        ----------
        evidence : Evidence or None
            Record of the run that is shown.
        """
        page(self.title, self.icon, self.question, evidence=evidence)


def show_run(head: Head, sections: Mapping[str, Callable[[Any], None]], read: Callable[[], Any]) -> None:
    """Draw a dashboard that shows a run and is nothing without one.

    Parameters
    ----------
    head : Head
        Of the page.
    sections : mapping of str to callable
        Titles to what draws them; each is given the run.
    read : callable
        Reads the run, an object with ``evidence``; a ``CarefolioError`` is shown in its place.
    """
    try:
        run = read()
    except CarefolioError as error:
        head.draw(None)
        show_problem(error)
        return
    head.draw(run.evidence)
    show_sections(sections, run)
    provenance_footer(run.evidence)


def show_live(head: Head, sections: Mapping[str, Callable[[Path], None]], read: Callable[[Path], Any], home: Path, *,
              prepare: Callable[[], Any] | None = None) -> None:
    """Draw a dashboard of which parts work without a run.

    Parameters
    ----------
    head : Head
        Of the page.
    sections : mapping of str to callable
        Titles to what draws them; each is given ``home`` and reads what it needs.
    read : callable
        Reads a run, an object with ``evidence``, from the folder that holds ``reports``.
    home : Path
        That folder.
    prepare : callable, optional
        Called between the head and the sections.
    """
    run = run_or_none(read, home)
    head.draw(run.evidence if run else None)
    if prepare:
        prepare()
    show_sections(sections, home)
    if run:
        provenance_footer(run.evidence)


def read_shown_run(folder: Path, *, command: str, package: str, titles: Mapping[str, str] | None = None,
                   keys: Mapping[str, Collection[str]] | None = None) -> ShownRun:
    """Read a run.

    Parameters
    ----------
    folder : Path
        Holds ``reports``.
    command : str
        The chapter's command.
    package : str
        Its package, which names its folder below ``outputs``.
    titles, keys : mapping, optional
        By part: what the page calls it, and what ``reports/<part>.json`` must hold.

    Returns
    -------
    ShownRun
        The record.

    Raises
    ------
    ArtefactError
        If there is no run in the folder; the message names the commands that make one.
    """
    path = folder / "reports" / "evidence.json"
    if not path.is_file():
        raise ArtefactError(f"There are no results in {folder / 'reports'}. Make them with `{command} run --quick` (about a minute) and "
                            f"open them with `{command} dashboard --out outputs/{package}/quick`, or restore the committed reports.")
    return ShownRun(_read_evidence(path, path.stat().st_mtime_ns), folder, command, titles or {}, keys or {})


def run_or_none(read: Callable[[Path], RunT], home: Path) -> RunT | None:
    """Read a run if there is one that can be read; a section that needs it says what is wrong with it.

    Parameters
    ----------
    read : callable
        Reads a run from the folder that holds ``reports``.
    home : Path
        That folder.

    Returns
    -------
    object or None
        What ``read`` gives; None where it raises a ``CarefolioError``.
    """
    try:
        return read(home)
    except CarefolioError:
        return None


@st.cache_resource(show_spinner=False, max_entries=4)
def _read_evidence(path: Path, changed: int) -> Evidence:
    return read_evidence(path)


@st.cache_resource(show_spinner=False, max_entries=12)
def _read_part(path: Path, changed: int) -> dict[str, Any]:
    found: dict[str, Any] = read_json(path)
    return found


def choose_view(views: Mapping[str, Callable[[RunT], None]], run: RunT, *, key: str) -> None:
    """Let the reader choose what a section shows, and show it.

    Parameters
    ----------
    views : mapping of str to callable
        Names to what draws them; the first is the default.
    run : object
        What the views draw, usually a `ShownRun`.
    key : str
        Key of the choice, also in the page's address.
    """
    first = next(iter(views))
    chosen = st.pills("Show", list(views), default=first, required=True, key=key, bind="query-params", persist_state="session")
    views[chosen or first](run)
