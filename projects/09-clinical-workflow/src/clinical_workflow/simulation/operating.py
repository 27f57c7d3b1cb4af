"""Operating points of the models, read from the committed evidence of the chapters that measured them.

The readmission chapter states sensitivity with its interval where a set share of discharges is flagged, and the points of its ROC curve
without intervals. The simulation takes the shape of the curve from the points and moves the whole of it, on the logit scale, so that it
passes through the sensitivity that a simulated year has drawn from the interval.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carefolio.artefacts import read_json
from carefolio.config import project_home
from carefolio.evidence import Metric, is_synthetic, read_evidence
from carefolio.exceptions import EvidenceError
from clinical_workflow.simulation.inputs import Input, parse_input, to_scale

READMISSION, RETINOPATHY = "02-readmission-pipeline", "08-retinopathy-detection"
MODELS = {"lightgbm": "the readmission model", "lace": "LACE"}
"""Scores of readmission that can raise an alert; the second is the score that hospitals use without machine learning."""
SERVED = "lightgbm"
MEASURED_SHARE = re.compile(rf"all_encounters\.test\.{SERVED}\.sensitivity_at_top_(\d+)_percent")
GROUPS_MEASURED_AT = 0.2
"""Share flagged at which the readmission chapter measures the sensitivity in subgroups."""
DAYS_PER_YEAR = 365.25
Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Curve:
    """Sensitivity by share flagged, from nobody to everybody.

    Attributes
    ----------
    flagged : tuple of float
        Share of all discharges that is flagged, increasing from 0 to 1.
    sensitivity : tuple of float
        Share of coming readmissions among them, not decreasing.
    thresholds : tuple of float
        Risk from which on that share is flagged; 1 for nobody and 0 for everybody.
    """

    flagged: tuple[float, ...]
    sensitivity: tuple[float, ...]
    thresholds: tuple[float, ...]

    def sensitivity_at(self, share: float) -> float:
        """Interpolate sensitivity.

        Parameters
        ----------
        share : float
            Share flagged, in [0, 1].

        Returns
        -------
        float
            Sensitivity.
        """
        return float(np.interp(share, self.flagged, self.sensitivity))

    def share_at(self, threshold: float) -> float:
        """Interpolate the share flagged.

        Parameters
        ----------
        threshold : float
            Risk from which on a discharge is flagged.

        Returns
        -------
        float
            Share of discharges.
        """
        return float(np.interp(-threshold, np.negative(self.thresholds), self.flagged))


@dataclass(frozen=True)
class Group:
    """A subgroup of discharges: what it is of, its name, discharges, readmissions, and the sensitivity of the model in it."""

    attribute: str
    name: str
    rows: int
    events: int
    sensitivity: Input | None


@dataclass(frozen=True)
class OperatingPoints:
    """All that the simulation reads from the two chapters.

    Attributes
    ----------
    inputs : mapping of str to Input
        What has an interval and is drawn, and ``flagged_share``, the share of discharges at or above the risk threshold.
    measured_share : float
        The share nearest to it at which sensitivity was measured with an interval.
    discharges : int
        Stays in the readmission data.
    curves : mapping of str to Curve
        By model.
    groups : tuple of Group
        Subgroups of discharges.
    roc : tuple of three tuples of float
        False positive rate, true positive rate and threshold of the retinopathy model.
    """

    inputs: Mapping[str, Input]
    measured_share: float
    discharges: int
    curves: Mapping[str, Curve]
    groups: tuple[Group, ...]
    roc: tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]


def read_operating_points(risk_threshold: float) -> OperatingPoints:
    """Read the evidence of the readmission and the retinopathy chapter.

    Parameters
    ----------
    risk_threshold : float
        Readmission risk from which on the service makes a card, in (0, 1).

    Returns
    -------
    OperatingPoints
        With sensitivity and prevalence of readmission, and sensitivity and specificity of retinopathy, as measured inputs.

    Raises
    ------
    EvidenceError
        If a file or a metric is missing, has no interval, or comes from made-up data.
    """
    home, eyes = project_home(READMISSION), project_home(RETINOPATHY)
    metrics, eye_metrics = _published(home), _published(eyes)
    kept = _read(home / "reports" / "curves.json", ("flagged", "risk_thresholds", "subgroups"))
    roc = _read(eyes / "reports" / "idrid.json", ("roc",))["roc"]
    curves = {name: read_curve(kept["flagged"][name], kept["risk_thresholds"]) for name in MODELS}
    share = curves[SERVED].share_at(risk_threshold)
    measured = nearest_measured_share(metrics, share)
    return OperatingPoints(
        inputs={"flagged_share": _flagged(share, risk_threshold)} | readmission_inputs(metrics, measured) | retinopathy_inputs(eye_metrics),
        measured_share=measured, discharges=int(_metric(metrics, "all_encounters.flow.step_2.encounters").value), curves=curves,
        groups=tuple(_group(entry) for entry in kept["subgroups"]),
        roc=(tuple(roc["false_positive_rate"]), tuple(roc["true_positive_rate"]), tuple(roc["threshold"])))


def nearest_measured_share(metrics: Mapping[str, Metric], share: float) -> float:
    """Find the share flagged, nearest to a given one, at which the readmission chapter measured sensitivity.

    Parameters
    ----------
    metrics : mapping of str to Metric
        Of the readmission chapter.
    share : float
        Share of discharges.

    Returns
    -------
    float
        Such as 0.1.

    Raises
    ------
    EvidenceError
        If it measured none.
    """
    measured = [int(found[1]) / 100 for name in metrics if (found := MEASURED_SHARE.fullmatch(name))]
    if not measured:
        raise EvidenceError(f"the evidence of {READMISSION} has no sensitivity_at_top_…_percent of {SERVED}; run that chapter again.")
    return min(measured, key=lambda one: abs(one - share))


def _flagged(share: float, risk_threshold: float) -> Input:
    return parse_input("flagged_share", {
        "value": share, "low": min(share, 0.05), "high": max(share, 0.4), "kind": "choice", "unit": "of discharges",
        "label": "Share of discharges that raise an alert",
        "source": f"{READMISSION}, curves.json: share of discharges with a risk of at least {risk_threshold:g}, the service's threshold"})


def readmission_inputs(metrics: Mapping[str, Metric], share: float) -> dict[str, Input]:
    """Take what is known of readmission and of the scores that foretell it.

    Parameters
    ----------
    metrics : mapping of str to Metric
        Of the readmission chapter.
    share : float
        Share flagged at which sensitivity was measured.

    Returns
    -------
    dict of str to Input
        ``readmission_risk`` and ``<model>_sensitivity``.
    """
    percent = f"{100 * share:.0f}"
    found = {"readmission_risk": _measured(metrics, "all_encounters.test.outcome.prevalence", "Readmissions within 30 days, of discharges",
                                           READMISSION)}
    for model in MODELS:
        name = f"all_encounters.test.{model}.sensitivity_at_top_{percent}_percent"
        found[f"{model}_sensitivity"] = _measured(metrics, name, f"Sensitivity of {MODELS[model]}, {percent} % flagged", READMISSION)
    return found


def retinopathy_inputs(metrics: Mapping[str, Metric]) -> dict[str, Input]:
    """Take the operating point of the model that grades photographs.

    Parameters
    ----------
    metrics : mapping of str to Metric
        Of the retinopathy chapter.

    Returns
    -------
    dict of str to Input
        ``model_sensitivity`` and ``model_specificity``.
    """
    return {f"model_{name}": _measured(metrics, f"idrid.test.grader.{name}", f"{name.capitalize()} of the retinopathy model", RETINOPATHY)
            for name in ("sensitivity", "specificity")}


def read_curve(points: list[Mapping[str, float]], thresholds: list[float]) -> Curve:
    """Order the measured points of a score and close the curve at nobody and everybody.

    Parameters
    ----------
    points : list of mapping
        With ``flagged_fraction`` and ``sensitivity``, one a threshold.
    thresholds : list of float
        The thresholds.

    Returns
    -------
    Curve
        Increasing in the share flagged.
    """
    rows = sorted({round(point["flagged_fraction"], 9): (point["sensitivity"], threshold)
                   for point, threshold in zip(points, thresholds, strict=True)}.items())
    inner = [(share, *rest) for share, rest in rows if 0 < share < 1]
    flagged, sensitivity, cuts = zip((0.0, 0.0, 1.0), *inner, (1.0, 1.0, 0.0), strict=True)
    return Curve(flagged, tuple(np.maximum.accumulate(sensitivity).tolist()), cuts)


def moved(curve: Curve, share: float, sensitivity: float, risk: float) -> tuple[Floats, Floats]:
    """Move a curve through a sensitivity and work out what it flags among those who do not come back.

    Parameters
    ----------
    curve : Curve
        As measured.
    share : float
        Share flagged at which the sensitivity holds.
    sensitivity : float
        Sensitivity there, in (0, 1).
    risk : float
        Share of discharges that come back.

    Returns
    -------
    sensitivity : ndarray of shape (n_points,)
        Of each share of ``curve.flagged``.
    false_positive_rate : ndarray of shape (n_points,)
        Such that the two together flag that share: ``share = risk * sensitivity + (1 - risk) * false_positive_rate``.
    """
    by = to_scale(sensitivity, "logit") - to_scale(curve.sensitivity_at(share), "logit")
    shares, inner = np.array(curve.flagged), np.clip(np.array(curve.sensitivity), 1e-12, 1 - 1e-12)
    found = 1 / (1 + np.exp(-(np.log(inner / (1 - inner)) + by)))
    found[[0, -1]] = 0.0, 1.0
    false = np.clip((shares - risk * found) / (1 - risk), 0.0, 1.0)
    return found, np.maximum.accumulate(false)


def _published(home: Path) -> Mapping[str, Metric]:
    evidence = read_evidence(home / "reports" / "evidence.json")
    if is_synthetic(evidence):
        raise EvidenceError(f"{home / 'reports' / 'evidence.json'} comes from made-up data; a simulation stands on measured operating "
                            "points only. Run that chapter on real data or restore its committed reports.")
    return evidence.metrics


def _read(path: Path, keys: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = read_json(path)
    missing = [key for key in keys if key not in found]
    if missing:
        raise EvidenceError(f"{path} has no {missing[0]!r}, which the simulation reads; run that chapter's `report` again.")
    return found


def _metric(metrics: Mapping[str, Metric], name: str) -> Metric:
    if name not in metrics:
        alike = sorted(known for known in metrics if known.rpartition(".")[0] == name.rpartition(".")[0])
        raise EvidenceError(f"the evidence has no metric {name}; it has {', '.join(alike) or 'none of that model'}. Run that chapter "
                            "again, or restore its committed reports.")
    return metrics[name]


def _measured(metrics: Mapping[str, Metric], name: str, label: str, chapter: str) -> Input:
    found = _metric(metrics, name)
    if found.low is None or found.high is None:
        raise EvidenceError(f"metric {name} of {chapter} has no interval, so its uncertainty cannot be drawn; measure it with one.")
    return _probability(name, label, f"Measured: {chapter}, {name}", found.value, found.low, found.high)


def _probability(name: str, label: str, source: str, value: float, low: float, high: float) -> Input:
    return parse_input(name, {"value": value, "low": low, "high": high, "kind": "measured", "scale": "logit", "unit": "probability",
                              "label": label, "source": source})


def _group(entry: Mapping[str, Any]) -> Group:
    found, name = entry["sensitivity"], f"{entry['group']} {entry['value']}"
    known = None if found is None else _probability(name, f"Sensitivity, {name}", f"Measured: {READMISSION}, curves.json, subgroups",
                                                    found["value"], found["low"], found["high"])
    return Group(entry["group"], entry["value"], entry["rows"], entry["events"], known)
