"""The section with everything to take along: tables as CSV, figures as PNG, the model card, the record."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from carefolio.exceptions import ArtefactError
from carefolio.views import metrics_csv, offer, to_csv
from outcomes_analysis.views.results import TITLES, Results, columns_to_rows, flat

Rows = list[dict[str, Any]]


def _kaplan_meier(curves: dict[str, Any]) -> Rows:
    found = curves["kaplan_meier"]
    return [{"group": name} | row for name, summary in (found["groups"] | {"all": found["all"]}).items()
            for row in columns_to_rows(summary["curve"])]


def _flat(rows: Rows) -> Rows:
    return [flat(row) for row in rows]


def _countries(curves: dict[str, Any]) -> Rows:
    names = ("cases_per_100k", "deaths_per_100k", "r", "r_low", "r_high", "growth", "growth_half_width")
    return [{"country": country, "week_ending": week} | {name: entry[name][i] for name in names}
            for country, entry in curves["countries"].items() for i, week in enumerate(curves["weeks"])]


TABLES: dict[str, dict[str, tuple[str, Callable[[dict[str, Any]], Rows]]]] = {
    "survival": {"survival-curves": ("Survival curves", _kaplan_meier),
                 "survival-table-one": ("Table one", lambda curves: curves["table_one"]),
                 "survival-missing": ("Missing values", lambda curves: curves["missingness"]),
                 "survival-subgroups": ("Subgroups", lambda curves: _flat(curves["subgroups"])),
                 "survival-defect": ("Data defect", lambda curves: curves["realignment"]["check"])},
    "waves": {"covid19-weekly": ("Weekly series, compared countries", _countries),
              "covid19-world": ("World, a row a country", lambda curves: columns_to_rows(curves["world"])),
              "covid19-waves": ("Waves, compared countries", lambda curves: _flat(
                  [{"country": country} | wave for country, entry in curves["countries"].items() for wave in entry["waves"]])),
              "covid19-corrections": ("Largest corrections", lambda curves: columns_to_rows(curves["corrections"])),
              "covid19-dumps": ("Largest dumps", lambda curves: columns_to_rows(curves["dumps"]))},
    "forecast": {"influenza-seasons": ("Scores by season", lambda curves: _flat(curves["by_season"])),
                 "influenza-horizons": ("Scores by horizon", lambda curves: _flat(curves["by_horizon"])),
                 "influenza-states": ("Scores by state", lambda curves: _flat(curves["by_location"])),
                 "influenza-weeks": ("Scores by week", lambda curves: _flat(curves["by_week"]))},
}
"""Part to file name, words on the button, and rows."""


def show_downloads(results: Results) -> None:
    """Offer the numbers, the figures and the model card.

    Parameters
    ----------
    results : Results
        The run.
    """
    st.subheader("Take it with you")
    with st.container(horizontal=True):
        offer("All metrics (CSV)", metrics_csv(results.evidence), "outcomes-metrics.csv", "text/csv")
        offer("Whole record (JSON)", results.file("evidence.json"), "outcomes-evidence.json", "application/json")
        if (results.folder / "reports" / "model_card.md").is_file():
            offer("Model card (Markdown)", results.file("model_card.md"), "outcomes-model_card.md", "text/markdown")
    for part, tables in TABLES.items():
        st.markdown(f"**{TITLES[part]}: tables (CSV)**")
        try:
            curves = results.part(part)
        except ArtefactError as error:
            st.warning(str(error), icon=":material/visibility_off:")
            continue
        with st.container(horizontal=True):
            for name, (label, rows) in tables.items():
                if found := rows(curves):
                    offer(label, to_csv(found), f"outcomes-{name}.csv", "text/csv")
    _figures(results)


def _figures(results: Results) -> None:
    st.markdown("**Figures (PNG)**")
    columns = st.columns(2)
    for i, figure in enumerate(results.evidence.figures):
        name = Path(figure.file).stem
        with columns[i % 2].container(border=True):
            content = results.file(figure.file)
            st.image(content, caption=figure.alt, width="stretch", alt=figure.alt)
            offer(name.replace("_", " ").capitalize(), content, f"outcomes-{name}.png", "image/png")
