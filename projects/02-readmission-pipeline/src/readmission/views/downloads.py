"""The section with everything to take along: tables as CSV, figures as PNG, the model card, the record."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from carefolio.views import metrics_csv, offer, to_csv
from readmission.views.results import SUBGROUP_METRICS, Results

FIGURE_NAMES = {"cohort_flow.png": "Cohort flow", "models.png": "AUROC of the models", "calibration.png": "Calibration",
                "decision_curve.png": "Decision curve", "subgroups.png": "Subgroups", "importance.png": "Strongest features",
                "leaks.png": "Leakage"}


def show_downloads(results: Results) -> None:
    """Offer the numbers, the figures and the model card.

    Parameters
    ----------
    results : Results
        The run.
    """
    st.subheader("Take it with you")
    with st.container(horizontal=True):
        offer("All metrics (CSV)", metrics_csv(results.evidence), "readmission-metrics.csv", "text/csv")
        offer("Subgroups (CSV)", subgroups_csv(results), "readmission-subgroups.csv", "text/csv")
        _offer_file(results, "Model card (Markdown)", "model_card.md", "text/markdown")
        _offer_file(results, "Whole record (JSON)", "evidence.json", "application/json")
    st.markdown("**Figures (PNG)**")
    columns = st.columns(2)
    for i, figure in enumerate(results.evidence.figures):
        with columns[i % 2].container(border=True):
            st.image(results.file(figure.file), caption=figure.alt, width="stretch", alt=figure.alt)
            name = Path(figure.file).name
            _offer_file(results, FIGURE_NAMES.get(name, Path(name).stem), figure.file, "image/png")


def _offer_file(results: Results, label: str, name: str, mime: str) -> None:
    offer(label, results.file(name), f"readmission-{Path(name).name}", mime)


def subgroups_csv(results: Results) -> bytes:
    """Write the subgroups as CSV.

    Parameters
    ----------
    results : Results
        The run.

    Returns
    -------
    bytes
        One line a subgroup; a metric of a group that is too small is empty.
    """
    def _row(member: Mapping[str, Any]) -> dict[str, Any]:
        bounds = {f"{metric}_{bound}": (member[metric] or {}).get(bound, "")
                  for metric in SUBGROUP_METRICS for bound in ("value", "low", "high")}
        return {name: member[name] for name in ("group", "value", "rows", "events")} | bounds

    return to_csv([_row(member) for member in results.curves["subgroups"]])
