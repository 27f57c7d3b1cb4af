"""The section with everything to take along: tables as CSV, figures as PNG, the model card, the record."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from readmission.views.results import SUBGROUP_METRICS, Results, read_file

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
    reports = results.folder / "reports"
    with st.container(horizontal=True):
        _offer("All metrics (CSV)", metrics_csv(results), "readmission-metrics.csv", "text/csv")
        _offer("Subgroups (CSV)", subgroups_csv(results), "readmission-subgroups.csv", "text/csv")
        _offer_file("Model card (Markdown)", reports / "model_card.md", "text/markdown")
        _offer_file("Whole record (JSON)", reports / "evidence.json", "application/json")
    st.markdown("**Figures (PNG)**")
    columns = st.columns(2)
    for i, figure in enumerate(results.evidence.figures):
        path = reports / figure.file
        with columns[i % 2].container(border=True):
            st.image(read_file(path), caption=figure.alt, width="stretch", alt=figure.alt)
            _offer_file(FIGURE_NAMES.get(path.name, path.stem), path, "image/png")


def _offer(label: str, content: bytes, file_name: str, mime: str) -> None:
    st.download_button(label, content, file_name=file_name, mime=mime, key=file_name, icon=":material/download:", on_click="ignore")


def _offer_file(label: str, path: Path, mime: str) -> None:
    _offer(label, read_file(path), f"readmission-{path.name}", mime)


def metrics_csv(results: Results) -> bytes:
    """Write all metrics as CSV.

    Parameters
    ----------
    results : Results
        The run.

    Returns
    -------
    bytes
        One line a metric: id, value, interval, level, n, direction.
    """
    return _csv([{"id": name} | metric.model_dump() for name, metric in results.evidence.metrics.items()])


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

    return _csv([_row(member) for member in results.curves["subgroups"]])


def _csv(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")
