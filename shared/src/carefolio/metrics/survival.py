"""Survival curves, and how well a model ranks and predicts times of which some are censored.

Every function takes ``event`` (1 seen, 0 censored) and ``time``. Censoring is undone by inverse-probability weights from the
Kaplan-Meier estimate of the censoring distribution, of the same rows or, through ``censoring``, of others; this takes censoring to
be independent of the outcome. Ties are treated as in scikit-survival.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from carefolio.metrics._kaplan_meier import (
    SurvivalCurve,
    censoring_survival,
    check_survival,
    kaplan_meier,
    restricted_mean_survival,
    survival_at,
    survival_quantile,
)
from carefolio.metrics._validation import FloatArray, as_vector
from carefolio.metrics.discrimination import roc_auc

__all__ = [
    "SurvivalCurve", "brier_score_censored", "censoring_survival", "concordance_of_weights", "harrell_c", "integrated_brier_score",
    "kaplan_meier", "restricted_mean_survival", "survival_at", "survival_quantile", "time_dependent_auc", "uno_c",
]


def harrell_c(
    event: npt.ArrayLike, time: npt.ArrayLike, risk_score: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None
) -> float:
    """Share of comparable pairs in which the one with the higher risk died first; a tied score counts one half.

    A pair is comparable if the earlier time is an event; at the same time, an event is earlier than a censoring.

    Parameters
    ----------
    event : array-like, shape (n,)
        1 where the event was seen, 0 where the row was censored.
    time : array-like, shape (n,)
        Time of either.
    risk_score : array-like, shape (n,)
        Higher for an earlier event.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights; a pair weighs their product.

    Returns
    -------
    float
        In [0, 1], higher is better, 0.5 is chance. It depends on how much is censored: compare on the same rows only.

    Raises
    ------
    ValueError
        If an array is malformed or no pair is comparable.

    References
    ----------
    Harrell FE et al. JAMA 1982;247:2543-2546.
    """
    _, _, weight = check_survival(event, time, sample_weight)
    return float(concordance_of_weights(event, time, {"model": risk_score}, uncensored=False)(weight)[0])


def uno_c(
    event: npt.ArrayLike, time: npt.ArrayLike, risk_score: npt.ArrayLike, *, tau: float | None = None,
    sample_weight: npt.ArrayLike | None = None, censoring: SurvivalCurve | None = None,
) -> float:
    """Concordance up to ``tau``, each pair weighted by ``1 / G(t)^2``, so that it does not depend on censoring.

    Sorting and a Fenwick tree make it O(n log n). Scores are tied only where they are equal.

    Parameters
    ----------
    event : array-like, shape (n,)
        1 where the event was seen, 0 where the row was censored.
    time : array-like, shape (n,)
        Time of either.
    risk_score : array-like, shape (n,)
        Higher for an earlier event.
    tau : float, optional
        Events at or after this time do not count; needed where few are followed longer.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights; a pair weighs their product.
    censoring : SurvivalCurve, optional
        Result of `censoring_survival` for other rows, such as the training part; by default these rows' own.

    Returns
    -------
    float
        In [0, 1], higher is better, 0.5 is chance.

    Raises
    ------
    ValueError
        If an array is malformed, no pair is comparable, or an event that counts has no chance of being uncensored.

    References
    ----------
    Uno H, Cai T, Pencina MJ, D'Agostino RB, Wei LJ. Statistics in Medicine 2011;30:1105-1117.
    """
    _, _, weight = check_survival(event, time, sample_weight)
    return float(concordance_of_weights(event, time, {"model": risk_score}, tau=tau, censoring=censoring)(weight)[0])


def concordance_of_weights(
    event: npt.ArrayLike, time: npt.ArrayLike, risk_scores: Mapping[str, npt.ArrayLike], *, tau: float | None = None,
    censoring: SurvivalCurve | None = None, uncensored: bool = True,
) -> Callable[[FloatArray], FloatArray]:
    """Sort once, and give the function of row weights that ``carefolio.uncertainty.bootstrap_values`` takes.

    Parameters
    ----------
    event : array-like, shape (n,)
        1 where the event was seen, 0 where the row was censored.
    time : array-like, shape (n,)
        Time of either.
    risk_scores : mapping of str to array-like, shape (n,)
        Scores by model, higher for an earlier event.
    tau : float, optional
        Events at or after this time do not count.
    censoring : SurvivalCurve, optional
        Censoring distribution to use instead of the weighted rows' own.
    uncensored : bool, default True
        True for Uno's C, False for Harrell's.

    Returns
    -------
    callable
        Takes row weights, shape (n,), and gives one concordance a model, in the mapping's order.

    Raises
    ------
    ValueError
        If an array is malformed; the function itself raises it if the weights leave no comparable pair.
    """
    from carefolio.metrics import _survival_kernels

    seen, times, _ = check_survival(event, time)
    scores = [_same_rows(score, seen.size, name=f"risk_score of {name}") for name, score in risk_scores.items()]
    order = np.argsort(times, kind="stable")
    seen, times = seen[order], times[order]
    ranks = [np.unique(score, return_inverse=True)[1].astype(np.int32)[order] for score in scores]
    counts = seen if tau is None else seen * (times < tau)

    def _of_weights(weights: FloatArray) -> FloatArray:
        weight = np.ascontiguousarray(np.asarray(weights, dtype=np.float64)[order])
        case = weight * counts
        if uncensored:
            free = survival_at(censoring, times) if censoring else _survival_kernels.censoring_survival(times, seen, weight)
            _check_uncensored(free[case > 0])
            case = np.divide(case, free**2, out=np.zeros_like(case), where=case > 0)
        sums = [_survival_kernels.concordance(times, weight, case, rank, seen) for rank in ranks]
        if any(pairs == 0 for _, pairs in sums):
            raise ValueError("event and time must leave a comparable pair; got no event before a later time. Use more rows or a later tau.")
        return np.array([agree / pairs for agree, pairs in sums])

    return _of_weights


def time_dependent_auc(
    event: npt.ArrayLike, time: npt.ArrayLike, risk_score: npt.ArrayLike, times: npt.ArrayLike, *,
    sample_weight: npt.ArrayLike | None = None, censoring: SurvivalCurve | None = None,
) -> FloatArray:
    """Area under the ROC curve at each time: those dead by then (weighted by ``1 / G``) against those who live longer.

    Parameters
    ----------
    event : array-like, shape (n,)
        1 where the event was seen, 0 where the row was censored.
    time : array-like, shape (n,)
        Time of either.
    risk_score : array-like, shape (n,) or (n, k)
        Higher for an earlier event; with two dimensions one column for each of ``times``.
    times : array-like, shape (k,)
        When.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.
    censoring : SurvivalCurve, optional
        Censoring distribution of other rows; by default these rows' own.

    Returns
    -------
    ndarray, shape (k,)
        In [0, 1], higher is better, 0.5 is chance.

    Raises
    ------
    ValueError
        If an array is malformed, a time has no deaths before it or nobody after it.

    References
    ----------
    Uno H, Cai T, Tian L, Wei LJ. J Am Stat Assoc 2007;102:527-537 (cumulative cases, dynamic controls).
    """
    seen, observed, weight = check_survival(event, time, sample_weight)
    grid = as_vector(times, name="times")
    score = np.asarray(risk_score, dtype=np.float64)
    score = _matrix(score if score.ndim == 2 else np.repeat(score.reshape(-1, 1), grid.size, axis=1), seen.size, grid.size, "risk_score")
    curve = censoring or censoring_survival(seen, observed, sample_weight=weight)
    found = np.empty(grid.size)
    for column, at in enumerate(grid):
        case, control = (observed <= at) & (seen == 1) & (weight > 0), (observed > at) & (weight > 0)
        if not case.any() or not control.any():
            raise ValueError(f"times must have deaths before and patients after each; got {at:g} with {case.sum()} and {control.sum()}. "
                             "Choose times inside the follow-up.")
        free = survival_at(curve, observed[case])
        _check_uncensored(free)
        known = case | control
        factor = weight.copy()
        factor[case] /= free
        found[column] = roc_auc(case[known], score[known, column], sample_weight=factor[known])
    return found


def brier_score_censored(
    event: npt.ArrayLike, time: npt.ArrayLike, survival_probability: npt.ArrayLike, times: npt.ArrayLike, *,
    sample_weight: npt.ArrayLike | None = None, censoring: SurvivalCurve | None = None,
) -> FloatArray:
    """Mean squared distance at each time between the predicted probability of living longer and what happened.

    Rows dead by ``t`` weigh ``1 / G`` at their own time, rows that live longer ``1 / G(t)``, rows censored before ``t`` nothing.

    Parameters
    ----------
    event : array-like, shape (n,)
        1 where the event was seen, 0 where the row was censored.
    time : array-like, shape (n,)
        Time of either.
    survival_probability : array-like, shape (n, k)
        Predicted probability of living beyond each of ``times``.
    times : array-like, shape (k,)
        When; before the end of the follow-up.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.
    censoring : SurvivalCurve, optional
        Censoring distribution of other rows; by default these rows' own.

    Returns
    -------
    ndarray, shape (k,)
        Lower is better; 0.25 is what a constant 0.5 scores.

    Raises
    ------
    ValueError
        If an array is malformed, a probability lies outside [0, 1], or nobody could be seen up to a time.

    References
    ----------
    Graf E, Schmoor C, Sauerbrei W, Schumacher M. Statistics in Medicine 1999;18:2529-2545.
    """
    seen, observed, weight = check_survival(event, time, sample_weight)
    grid = as_vector(times, name="times")
    predicted = _probabilities(survival_probability, seen.size, grid.size)
    curve = censoring or censoring_survival(seen, observed, sample_weight=weight)
    free_at = survival_at(curve, grid)
    died_weight = weight * seen
    relevant = (died_weight > 0) & (observed <= grid.max())
    free = survival_at(curve, observed)
    _check_uncensored(np.append(free_at, free[relevant]))
    died_weight = np.divide(died_weight, free, out=np.zeros_like(weight), where=relevant)
    late = observed[:, None] > grid
    loss = np.where(late, (1 - predicted) ** 2 * (weight[:, None] / free_at), predicted**2 * died_weight[:, None])
    return np.asarray(loss.sum(axis=0) / weight.sum())


def integrated_brier_score(
    event: npt.ArrayLike, time: npt.ArrayLike, survival_probability: npt.ArrayLike, times: npt.ArrayLike, *,
    sample_weight: npt.ArrayLike | None = None, censoring: SurvivalCurve | None = None,
) -> float:
    """Brier score averaged over time: the trapezoidal area over ``times``, divided by their span.

    Parameters
    ----------
    event : array-like, shape (n,)
        1 where the event was seen, 0 where the row was censored.
    time : array-like, shape (n,)
        Time of either.
    survival_probability : array-like, shape (n, k)
        Predicted probability of living beyond each of ``times``.
    times : array-like, shape (k,)
        At least two, ascending.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.
    censoring : SurvivalCurve, optional
        Censoring distribution of other rows; by default these rows' own.

    Returns
    -------
    float
        Lower is better. It depends on the span: compare over the same times only.

    Raises
    ------
    ValueError
        If an array is malformed or the times are fewer than two or not ascending.

    References
    ----------
    Graf E, Schmoor C, Sauerbrei W, Schumacher M. Statistics in Medicine 1999;18:2529-2545.
    """
    grid = as_vector(times, name="times")
    if grid.size < 2 or (np.diff(grid) <= 0).any():
        raise ValueError(f"times must be at least two, ascending; got {grid.size} values. Sort them and remove repeats.")
    score = brier_score_censored(event, time, survival_probability, grid, sample_weight=sample_weight, censoring=censoring)
    return float(np.sum((score[1:] + score[:-1]) / 2 * np.diff(grid)) / (grid[-1] - grid[0]))


def _same_rows(values: npt.ArrayLike, n: int, *, name: str) -> FloatArray:
    array = as_vector(values, name=name)
    if array.size != n:
        raise ValueError(f"{name} must have as many rows as event, {n}; got {array.size}. Select both with the same rows.")
    return array


def _matrix(values: FloatArray, n: int, k: int, name: str) -> FloatArray:
    if values.shape != (n, k):
        raise ValueError(f"{name} must have shape ({n}, {k}), rows by times; got {values.shape}. Pass one column a time.")
    if not np.isfinite(values).all():
        row, column = (int(index[0]) for index in np.nonzero(~np.isfinite(values)))
        raise ValueError(f"{name} must be finite; got {values[row, column]} at row {row}, column {column}. Look at the model's output.")
    return values


def _probabilities(values: npt.ArrayLike, n: int, k: int) -> FloatArray:
    predicted = _matrix(np.asarray(values, dtype=np.float64), n, k, "survival_probability")
    if predicted.min() < 0 or predicted.max() > 1:
        worst = predicted.min() if predicted.min() < 0 else predicted.max()
        raise ValueError(f"survival_probability must lie in [0, 1]; got {worst:.6g}. Pass probabilities of living beyond each time, "
                         "not hazards or risks.")
    return predicted


def _check_uncensored(free: FloatArray) -> None:
    if free.size and free.min() <= 0:
        raise ValueError("time: nobody is followed as long as some of the times that count, so their weight would be infinite; "
                         "expected a positive chance of being uncensored. Use an earlier tau or earlier times.")
