"""What a dashboard shows: the record of one run and what each part of it drew, read again only when a file has changed."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from carefolio.artefacts import read_json
from carefolio.evidence import Evidence, Metric, read_evidence
from carefolio.exceptions import ArtefactError, CarefolioError, EvidenceError
from carefolio.views import read_file


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
