"""What the dashboard shows: the record and curves of one run, read once, and how their numbers are written."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import streamlit as st

from carefolio.artefacts import read_json
from carefolio.evidence import Evidence, Metric, read_evidence
from carefolio.exceptions import ArtefactError, CarefolioError, EvidenceError
from readmission.names import GROUP_VALUES, MODEL_NAMES

PRIMARY = "all_encounters"
COHORTS = {
    "all_encounters": "All encounters, split by patient",
    "one_encounter": "One stay a patient, hospice kept",
    "later_encounters": "Later encounters, split by time",
}
MODELS = {name: MODEL_NAMES[name] for name in ("lightgbm", "logistic", "lace")}
NBSP = "\u00a0"
GROUPS = {"race": "Race", "sex": "Sex", "age_group": "Age"}
SUBGROUP_METRICS = {"roc_auc": "AUROC", "observed_minus_predicted": "Observed minus predicted", "sensitivity": "Sensitivity in top 20 %"}


@dataclass(frozen=True)
class Results:
    """One run: its record, its curves, the published figures to set beside it, and the folder that holds them."""

    evidence: Evidence
    curves: dict[str, Any]
    references: dict[str, dict[str, str]]
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


def read_file(path: Path) -> bytes:
    """Read a file of the run.

    Parameters
    ----------
    path : Path
        A figure, card or record.

    Returns
    -------
    bytes
        Its content.

    Raises
    ------
    ArtefactError
        If it is missing.
    """
    if not path.is_file():
        raise ArtefactError(f"{path} is missing; write it again with `readmission report` or restore the committed reports.")
    return path.read_bytes()


def with_interval(metric: Metric, *, digits: int = 3) -> str:
    """Write a value with its interval.

    Parameters
    ----------
    metric : Metric
        What to write.
    digits : int, default 3
        Decimals.

    Returns
    -------
    str
        For example ``"0.675 (0.647 to 0.706)"``, which breaks only before the bracket; the value alone where there is no interval.
    """
    if metric.low is None or metric.high is None:
        return f"{metric.value:.{digits}f}"
    return f"{metric.value:.{digits}f} ({metric.low:.{digits}f}{NBSP}to{NBSP}{metric.high:.{digits}f})"


def percent(share: float, *, digits: int = 1) -> str:
    """Write a share.

    Parameters
    ----------
    share : float
        In [0, 1].
    digits : int, default 1
        Decimals.

    Returns
    -------
    str
        For example ``"11.7 %"``.
    """
    return f"{100 * share:.{digits}f}{NBSP}%"


def percent_with_interval(value: float, low: float | None, high: float | None) -> str:
    """Write a share with its interval.

    Parameters
    ----------
    value : float
        In [0, 1].
    low, high : float or None
        Its interval.

    Returns
    -------
    str
        For example ``"21.3 % (18.0 to 24.9)"``.
    """
    return percent(value) if low is None or high is None else f"{percent(value)} ({100 * low:.1f}{NBSP}to{NBSP}{100 * high:.1f})"


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


def show_problem(error: CarefolioError) -> None:
    """Show an expected error as a message.

    Parameters
    ----------
    error : CarefolioError
        What went wrong and what to do.
    """
    st.error(str(error), icon=":material/error:")
