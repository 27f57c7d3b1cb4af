"""What the dashboard shows: the record and curves of one run, read once, and how their numbers are written."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import streamlit as st

from carefolio.artefacts import read_json
from carefolio.charts import SeriesStyle
from carefolio.evidence import Evidence, Metric, read_evidence
from carefolio.exceptions import ArtefactError, EvidenceError
from carefolio.plots import PALETTE
from carefolio.views import read_file
from readmission.names import GROUP_VALUES, MODEL_NAMES

PRIMARY = "all_encounters"
COHORTS = {
    "all_encounters": "All encounters, split by patient",
    "one_encounter": "One stay a patient, hospice kept",
    "later_encounters": "Later encounters, split by time",
}
MODELS = {name: MODEL_NAMES[name] for name in ("lightgbm", "logistic", "lace")}
STYLES = {"LightGBM": SeriesStyle(PALETTE["blue"]), "logistic regression": SeriesStyle(PALETTE["orange"], (8, 3), "square"),
          "LACE-like score": SeriesStyle(PALETTE["green"], (3, 2), "triangle-up")}
GROUPS = {"race": "Race", "sex": "Sex", "age_group": "Age"}
SUBGROUP_METRICS = {"roc_auc": "AUROC", "observed_minus_predicted": "Observed minus predicted", "sensitivity": "Sensitivity in top 20 %"}


@dataclass(frozen=True)
class Results:
    """One run: its record, its curves, the published figures to set beside it, and the folder that holds them."""

    evidence: Evidence
    curves: dict[str, Any]
    references: dict[str, dict[str, str]]
    folder: Path

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
        return read_file(self.folder / "reports" / name, command="readmission report")

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
            raise EvidenceError(f"{self.folder / 'reports' / 'evidence.json'} has no metric {name}; run `readmission run` again.")
        return self.evidence.metrics[name]


def read_results(folder: Path) -> Results:
    """Read a run, again only when its record has changed.

    Parameters
    ----------
    folder : Path
        Holds ``reports`` and ``artefacts``.

    Returns
    -------
    Results
        Record, curves and references.

    Raises
    ------
    ArtefactError
        If there is no run in the folder; the message names the commands that make one.
    """
    path = folder / "reports" / "evidence.json"
    if not path.is_file():
        raise ArtefactError(f"There are no results in {folder / 'reports'}. Make them with `readmission run --quick` (about a minute) and "
                            "open them with `readmission dashboard --out outputs/readmission/quick`, or restore the committed reports.")
    return _read(folder, path.stat().st_mtime_ns)


@st.cache_data(show_spinner=False)
def _read(folder: Path, changed: int) -> Results:
    references = tomllib.loads(files("readmission").joinpath("references.toml").read_text(encoding="utf-8"))
    return Results(read_evidence(folder / "reports" / "evidence.json"), read_json(folder / "reports" / "curves.json"), references, folder)


def group_value(value: str) -> str:
    """Name a member of a subgroup.

    Parameters
    ----------
    value : str
        As in the data.

    Returns
    -------
    str
        For example ``"African American"``.
    """
    name = GROUP_VALUES.get(value, value.replace("_", " "))
    return name[:1].upper() + name[1:]
