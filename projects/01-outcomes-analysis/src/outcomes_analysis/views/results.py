"""What the dashboard shows: the record of one run and what each part of it drew, read once; a part that is missing says so."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from carefolio.artefacts import read_json
from carefolio.charts import SeriesStyle
from carefolio.evidence import Evidence, Metric, read_evidence
from carefolio.exceptions import ArtefactError, EvidenceError
from carefolio.plots import PALETTE
from carefolio.views import offer, read_file, show_table, to_csv

TITLES = {"survival": "Survival", "waves": "COVID-19", "forecast": "Influenza"}
"""Parts of a run, and the section that shows each."""
KEYS = {
    "survival": ("auroc", "calibration", "cohort", "cox", "kaplan_meier", "missingness", "net_benefit", "net_benefit_band", "realignment",
                 "risk_thresholds", "search", "subgroups", "table_one"),
    "waves": ("countries", "corrections", "coverage", "dumps", "examples", "generation_time_days", "notes", "short_generation", "weeks",
              "world"),
    "forecast": ("models", "seasons", "by_season", "by_horizon", "by_week", "by_location", "calibration", "weights"),
}
"""What ``reports/<part>.json`` must hold."""
GREY = SeriesStyle(PALETTE["grey"], (1, 3))


@dataclass(frozen=True)
class Results:
    """One run: its record and the folder that holds it."""

    evidence: Evidence
    folder: Path

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
            raise EvidenceError(f"{self.folder / 'reports' / 'evidence.json'} has no metric {name}; run `outcomes run` again.")
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
        return read_file(self.folder / "reports" / name, command="outcomes report")

    def part(self, name: str) -> dict[str, Any]:
        """Read what a part drew, again only when its file has changed.

        Parameters
        ----------
        name : str
            One of `TITLES`.

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
        if not path.is_file():
            raise ArtefactError(f"This run holds no results for {TITLES[name]}: {path} is missing. Make them with `outcomes run --part "
                                f"{name}`, or restore the committed reports. The other sections work without them.")
        return _read_part(path, name, path.stat().st_mtime_ns)


def read_results(folder: Path) -> Results:
    """Read a run, again only when its record has changed.

    Parameters
    ----------
    folder : Path
        Holds ``reports``.

    Returns
    -------
    Results
        The record.

    Raises
    ------
    ArtefactError
        If there is no run in the folder; the message names the commands that make one.
    """
    path = folder / "reports" / "evidence.json"
    if not path.is_file():
        raise ArtefactError(f"There are no results in {folder / 'reports'}. Make them with `outcomes run --quick` (about a minute) and "
                            f"open them with `outcomes dashboard --out outputs/outcomes_analysis/quick`, or restore the committed reports.")
    return Results(_read_evidence(path, path.stat().st_mtime_ns), folder)


@st.cache_resource(show_spinner=False, max_entries=4)
def _read_evidence(path: Path, changed: int) -> Evidence:
    return read_evidence(path)


@st.cache_resource(show_spinner=False, max_entries=12)
def _read_part(path: Path, name: str, changed: int) -> dict[str, Any]:
    found: dict[str, Any] = read_json(path)
    missing = [key for key in KEYS[name] if key not in found]
    if missing:
        raise ArtefactError(f"{path} has no {missing[0]!r}; another version wrote it. Write it again with `outcomes run --part {name}`, or "
                            "restore the committed reports.")
    return found


def choose_view(views: Mapping[str, Callable[[Results], None]], results: Results, *, key: str) -> None:
    """Let the reader choose what a section shows, and show it.

    Parameters
    ----------
    views : mapping of str to callable
        Names to what draws them; the first is the default.
    results : Results
        The run.
    key : str
        Key of the choice, also in the page's address.
    """
    chosen = st.pills("Show", list(views), default=next(iter(views)), required=True, key=key, bind="query-params",
                      persist_state="session")
    views[chosen or next(iter(views))](results)


def listed(rows: Sequence[Mapping[str, Any]], name: str, *, raw: Sequence[Mapping[str, Any]] | None = None) -> None:
    """Show a table with a button that gives it as CSV.

    Parameters
    ----------
    rows : sequence of mapping
        As they are to be read.
    name : str
        Name of the file without its ending, unique on the page.
    raw : sequence of mapping, optional
        Plain numbers for the file; default the rows as shown.
    """
    show_table(rows)
    offer_csv(raw if raw is not None else rows, name)


def offer_csv(rows: Sequence[Mapping[str, Any]], name: str) -> None:
    """Offer rows as CSV.

    Parameters
    ----------
    rows : sequence of mapping
        At least one.
    name : str
        Name of the file without its ending, unique on the page.
    """
    offer("Table (CSV)", to_csv(rows), f"outcomes-{name}.csv", "text/csv")


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write the intervals of a row as plain columns.

    Parameters
    ----------
    row : mapping
        Values; an interval is a mapping with ``value``, ``low`` and ``high``.

    Returns
    -------
    dict
        With ``<name>``, ``<name>_low`` and ``<name>_high``.
    """
    found: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            found |= {name if part == "value" else f"{name}_{part}": number for part, number in value.items()}
        else:
            found[name] = value
    return found


def columns_to_rows(columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Turn lists by column into rows.

    Parameters
    ----------
    columns : mapping of str to sequence
        All of the same length.

    Returns
    -------
    list of dict
        One a row.
    """
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
