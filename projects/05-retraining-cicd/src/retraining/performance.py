"""How a model does on judging patients, alone or beside another on the same patients; intervals draw patients."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from carefolio.metrics.calibration import calibration_intercept, calibration_slope
from carefolio.metrics.decision_curve import net_benefit
from carefolio.metrics.discrimination import roc_auc
from carefolio.uncertainty import Interval, bootstrap_values
from retraining.data import PATIENT
from retraining.features import TARGET
from retraining.protocol import Subgroups

Floats = NDArray[np.float64]
HIGHER_IS_BETTER = {"roc_auc": True, "calibration_intercept": False, "calibration_slope": False, "worst_subgroup_roc_auc": True,
                    "net_benefit": True, "drift": False, "latency_p95_ms": False, "size_mb": False}
"""Of each gate; calibration is judged by its distance from 0 and 1."""


@dataclass(frozen=True)
class Judging:
    """Rows that judge: outcome, patient, the groups that are audited, and how the intervals are drawn."""

    y: NDArray[np.int8]
    patients: NDArray[Any]
    groups: Mapping[str, NDArray[Any]]
    risk_threshold: float
    replicates: int
    level: float
    seed: int

    def intervals(self, function: Callable[[Floats], list[float]]) -> list[Interval]:
        """Bootstrap several numbers at once.

        Parameters
        ----------
        function : callable
            Takes row weights.

        Returns
        -------
        list of Interval
            One for each number.
        """
        with threadpool_limits(1, user_api="blas"):  # on so few rows, threads that wait for each other take ten times as long
            return bootstrap_values(function, groups=self.patients, n_replicates=self.replicates, level=self.level, random_state=self.seed)


def judging(rows: pl.DataFrame, subgroups: Subgroups, *, risk_threshold: float, replicates: int, level: float, seed: int) -> Judging:
    """Take what judges from rows; groups with too few returns are left out.

    Parameters
    ----------
    rows : polars.DataFrame
        Labelled rows of patients who judge.
    subgroups : Subgroups
        Columns, and the fewest returns.
    risk_threshold : float
        Of the net benefit.
    replicates : int
        Of the bootstrap.
    level : float
        Of the intervals.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Judging
        Arrays.
    """
    y = rows[TARGET].to_numpy()
    groups = {}
    for column in subgroups.columns:
        labels = rows[column].to_numpy()
        for label in sorted(set(labels)):
            mask = labels == label
            if subgroups.minimum_returns <= int(y[mask].sum()) < int(mask.sum()):
                groups[f"{column}: {label}"] = mask
    return Judging(y, rows[PATIENT].to_numpy(), groups, risk_threshold, replicates, level, seed)


def measures(judges: Judging, risk: Floats, weights: Floats) -> list[float]:
    """Compute what the gates and the report look at, for one model.

    Parameters
    ----------
    judges : Judging
        Rows.
    risk : ndarray of shape (n,)
        Its predictions.
    weights : ndarray of shape (n,)
        Of the rows.

    Returns
    -------
    list of float
        AUROC, calibration intercept and slope as they are, AUROC of the worst-served subgroup, net benefit.
    """
    y = judges.y
    return [roc_auc(y, risk, sample_weight=weights), calibration_intercept(y, risk, sample_weight=weights),
            calibration_slope(y, risk, sample_weight=weights), worst_subgroup(judges, risk, weights),
            net_benefit(y, risk, risk_threshold=judges.risk_threshold, sample_weight=weights)]


def worst_subgroup(judges: Judging, risk: Floats, weights: Floats) -> float:
    """Find the AUROC of the subgroup that is served worst.

    Parameters
    ----------
    judges : Judging
        Rows and groups.
    risk : ndarray of shape (n,)
        Predictions.
    weights : ndarray of shape (n,)
        Of the rows.

    Returns
    -------
    float
        The lowest; that of all rows where no group is large enough.
    """
    values = subgroup_aurocs(judges, risk, weights)
    return min(values.values()) if values else roc_auc(judges.y, risk, sample_weight=weights)


def subgroup_aurocs(judges: Judging, risk: Floats, weights: Floats) -> dict[str, float]:
    """Compute the AUROC of every subgroup that is large enough.

    Parameters
    ----------
    judges : Judging
        Rows and groups.
    risk : ndarray of shape (n,)
        Predictions.
    weights : ndarray of shape (n,)
        Of the rows.

    Returns
    -------
    dict of str to float
        By group.
    """
    return {name: roc_auc(judges.y[mask], risk[mask], sample_weight=weights[mask]) for name, mask in judges.groups.items()}


def describe_performance(judges: Judging, risk: Floats) -> dict[str, dict[str, Any]]:
    """Measure one model.

    Parameters
    ----------
    judges : Judging
        Rows.
    risk : ndarray of shape (n,)
        Its predictions.

    Returns
    -------
    dict of str to dict
        ``roc_auc``, ``calibration_intercept``, ``calibration_slope``, ``worst_subgroup_roc_auc``, ``net_benefit``; each an interval.
    """
    found = judges.intervals(lambda weights: measures(judges, risk, weights))
    names = ("roc_auc", "calibration_intercept", "calibration_slope", "worst_subgroup_roc_auc", "net_benefit")
    return {name: asdict(interval) for name, interval in zip(names, found, strict=True)}


def distances(values: list[float]) -> list[float]:
    """Turn calibration into its distance from what is perfect, as the gates judge it.

    Parameters
    ----------
    values : list of float
        Result of `measures`.

    Returns
    -------
    list of float
        The same with intercept and slope as distances from 0 and 1.
    """
    auroc, intercept, slope, worst, benefit = values
    return [auroc, abs(intercept), abs(slope - 1), worst, benefit]


def compare(judges: Judging, challenger: Floats, champion: Floats) -> dict[str, dict[str, Interval]]:
    """Measure two models on the same patients.

    Parameters
    ----------
    judges : Judging
        Rows.
    challenger, champion : ndarray of shape (n,)
        Their predictions.

    Returns
    -------
    dict of str to dict
        By gate: ``challenger``, ``champion`` and ``difference`` (the first less the second), all from the same draws of patients.
    """
    def _all(weights: Floats) -> list[float]:
        first = distances(measures(judges, challenger, weights))
        second = distances(measures(judges, champion, weights))
        return [*first, *second, *(a - b for a, b in zip(first, second, strict=True))]

    found = judges.intervals(_all)
    names = ("roc_auc", "calibration_intercept", "calibration_slope", "worst_subgroup_roc_auc", "net_benefit")
    return {name: dict(zip(("challenger", "champion", "difference"), found[place::len(names)], strict=True))
            for place, name in enumerate(names)}
