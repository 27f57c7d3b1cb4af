"""What the dashboard shows: the record of one run and what each part of it drew, read once; a part that is missing says so."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from carefolio.charts import SeriesStyle
from carefolio.plots import PALETTE
from carefolio.shown_run import ShownRun, read_shown_run
from carefolio.views import offer, show_table, to_csv
from outcomes_analysis.config import PROJECT

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


Results = ShownRun
"""One run: its record and the folder that holds it."""


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
    """
    return read_shown_run(folder, command="outcomes", package=PROJECT, titles=TITLES, keys=KEYS)


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
