"""Put the physiology of SUPPORT's second phase back beside the patients it belongs to.

In the published table the columns in `DISPLACED` are out of step with all others for most patients of phase II: the values of
a patient stand up to about ninety rows further down. Within those columns everything fits (creatinine with urea), across them
nothing does (bilirubin with cirrhosis). It can be undone without looking at any outcome: the SUPPORT physiology score ``sps``,
which stands beside the right patient, is nearly a function of these columns. A regression learns that function in phase I, where
rows are in step, and dynamic programming finds, for phase II, the non-decreasing displacement under which the score that the
physiology implies agrees best with the score that was recorded.

Reference for the alignment: Needleman SB, Wunsch CD. J Mol Biol 1970;48:443-453. For the study and its score: Knaus WA et al.
Ann Intern Med 1995;122:191-203 (phase I 4301 patients; SUPPORT has 9105 in all).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from carefolio.exceptions import SchemaError

SCORE = "num_sps"
DISPLACED = ("num_meanbp", "num_wblc", "num_hrt", "num_resp", "num_temp", "num_pafi", "num_alb", "num_bili", "num_crea", "num_sod",
             "num_ph", "num_glucose", "num_bun", "num_urine")
"""Columns that are out of step, in the order of the file."""
SCORED = tuple(name for name in DISPLACED if name not in ("num_glucose", "num_bun", "num_urine"))
PHASE_WINDOW = 21
MAX_LAG = 150
MATCH_SD = 2.5
CHANCE_SD = 14.0
MISFIT = 0.07
JUMP_COST = 8.0
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Realignment:
    """What the realignment did.

    Attributes
    ----------
    source_row : ndarray of int, shape (n,)
        Row of the published table from which each patient's physiology is taken; -1 where it fell off the end of the table.
    phase_two : ndarray of bool, shape (n,)
        Rows of phase II.
    moved, lost : int
        Patients whose physiology came from another row, and whose physiology is not in the table.
    jumps : int
        Number of places at which the displacement grows.
    correlation_published, correlation_realigned : float
        Correlation, over phase II, of the recorded score with the one that the physiology in the same row implies.
    """

    source_row: npt.NDArray[np.int64]
    phase_two: npt.NDArray[np.bool_]
    moved: int
    lost: int
    jumps: int
    correlation_published: float
    correlation_realigned: float


def find_phase_two(frame: pl.DataFrame) -> npt.NDArray[np.bool_]:
    """Tell the phases apart: blood urea nitrogen was recorded in phase II only, and the table comes in blocks of one phase.

    Parameters
    ----------
    frame : polars.DataFrame
        SUPPORT2 in the order of the published table.

    Returns
    -------
    ndarray of bool, shape (n,)
        True for phase II: more than half of the rows around this one have a value.
    """
    recorded = frame["num_bun"].is_not_null().to_numpy().astype(float)
    half = PHASE_WINDOW // 2
    share = np.convolve(np.pad(recorded, half, mode="reflect"), np.full(PHASE_WINDOW, 1 / PHASE_WINDOW), "valid")
    return np.asarray(share > 0.5)


def best_lags(recorded: npt.ArrayLike, implied: npt.ArrayLike, *, max_lag: int = MAX_LAG) -> npt.NDArray[np.int64]:
    """Find the non-decreasing displacement that makes two series agree best.

    A pair is judged by the log likelihood ratio of a close match (a few per cent of misfits allowed) against two unrelated
    patients; each place at which the displacement grows costs `JUMP_COST`.

    Parameters
    ----------
    recorded : array-like, shape (n,)
        Score in the rows that are in place.
    implied : array-like, shape (n,)
        Score that the displaced rows imply, in points like ``recorded``.
    max_lag : int
        Largest displacement in rows.

    Returns
    -------
    ndarray of int, shape (n,)
        ``implied[i + lag[i]]`` belongs to ``recorded[i]``; positions past the end have no partner.
    """
    score, other = np.asarray(recorded, dtype=float), np.asarray(implied, dtype=float)
    n, lags = score.size, np.arange(max_lag + 1)
    total, back = -JUMP_COST * (lags > 0.0), np.zeros((n, lags.size), dtype=np.int16)
    for i in range(n):
        best = np.maximum.accumulate(total)
        first = np.maximum.accumulate(np.where(total == best, lags, 0))
        before = np.concatenate([[-np.inf], best[:-1]]) - JUMP_COST
        stay = total >= before
        back[i] = np.where(stay, lags, np.concatenate([[0], first[:-1]]))
        total = np.where(stay, total, before) + _agreement(score[i], other[i : i + lags.size], lags.size)
    found = np.empty(n, dtype=np.int64)
    lag = int(total.argmax())
    for i in range(n - 1, -1, -1):
        found[i] = lag
        lag = int(back[i, lag])
    return found


def _agreement(score: float, candidates: Floats, size: int) -> Floats:
    distance = score - candidates
    match = np.exp(-0.5 * (distance / MATCH_SD) ** 2) / MATCH_SD
    chance = np.exp(-0.5 * (distance / CHANCE_SD) ** 2) / CHANCE_SD
    ratio = np.zeros(size)
    ratio[: candidates.size] = np.log((1 - MISFIT) * match / np.maximum(chance, 1e-300) + MISFIT)
    return ratio


def implied_score(frame: pl.DataFrame, phase_two: npt.NDArray[np.bool_], *, seed: int) -> Floats:
    """Predict the physiology score from the physiology in the same row, as learnt in phase I.

    Parameters
    ----------
    frame : polars.DataFrame
        SUPPORT2.
    phase_two : ndarray of bool, shape (n,)
        Rows that are not learnt from.
    seed : int
        Seed of the regression.

    Returns
    -------
    ndarray, shape (n,)
        Score in points.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    X, score = frame.select(SCORED).to_numpy(), frame[SCORE].to_numpy()
    learn = ~phase_two & np.isfinite(score)
    model = HistGradientBoostingRegressor(max_iter=300, learning_rate=0.08, random_state=seed)
    with threadpool_limits(1):  # threads that wait for each other on a busy machine take ten times as long
        return np.asarray(model.fit(X[learn], score[learn]).predict(X))


def realign(frame: pl.DataFrame, *, seed: int) -> tuple[pl.DataFrame, Realignment]:
    """Move the displaced columns back; where a patient's values are not in the table, leave them missing.

    Parameters
    ----------
    frame : polars.DataFrame
        SUPPORT2 in the order of the published table, all rows.
    seed : int
        Seed of the regression behind the implied score.

    Returns
    -------
    frame : polars.DataFrame
        The same rows and columns.
    realignment : Realignment
        What was done, and how well score and physiology agree before and after.

    Raises
    ------
    SchemaError
        If the rows are not in the published order, or a phase has too few rows to learn from or to align.
    """
    if not frame["pid"].is_sorted():
        raise SchemaError("support2: rows must come in the published order, ascending pid; they do not. "
                          "Realign the table before sorting or sampling it.")
    phase_two = find_phase_two(frame)
    if min(phase_two.sum(), (~phase_two).sum()) < 10 * PHASE_WINDOW:
        raise SchemaError(f"support2: {phase_two.sum()} rows of phase II and {(~phase_two).sum()} of phase I are too few to realign; "
                          f"expected at least {10 * PHASE_WINDOW} of each. Realign the whole table before sampling it.")
    implied = implied_score(frame, phase_two, seed=seed)
    rows = np.flatnonzero(phase_two)
    recorded = frame[SCORE].fill_null(frame[SCORE].median()).to_numpy()
    lags = best_lags(recorded[rows], implied[rows])
    source = np.arange(frame.height)
    place = np.arange(rows.size) + lags
    found = place < rows.size
    source[rows] = np.where(found, rows[np.minimum(place, rows.size - 1)], -1)
    index = pl.Series([None if row < 0 else int(row) for row in source], dtype=pl.UInt32)
    moved = frame.with_columns(frame[name].gather(index) for name in DISPLACED)
    kept = rows[found]
    return moved, Realignment(
        source, phase_two, int((source[kept] != kept).sum()), int((~found).sum()), int((np.diff(lags) > 0).sum()),
        float(np.corrcoef(recorded[rows], implied[rows])[0, 1]), float(np.corrcoef(recorded[kept], implied[source[kept]])[0, 1]))
