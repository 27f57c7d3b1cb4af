"""Lagged case fatality ratio: deaths of a week over the cases of ``lag`` weeks before, with an interval that weeks decide.

It is not an infection fatality ratio. Its denominator is who was tested and reported, which changed more over the pandemic than the
disease did: few infections were confirmed in spring 2020, and few again once home tests replaced laboratories. It compares neither
countries nor waves without their testing.

Deaths of neighbouring weeks vary together and far more than a binomial with cases as trials allows; with counts in the millions
the binomial interval is absurdly narrow. Here whole blocks of consecutive weeks are drawn with replacement, circularly (Politis and
Romano 1992), and the ratio of sums is taken anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from carefolio.uncertainty import Interval
from outcomes_analysis.waves.settings import WavesSettings
from outcomes_analysis.waves.wave_detection import Wave, smooth

Series = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Lag:
    """Weeks from reported cases to reported deaths.

    Attributes
    ----------
    weeks : int
        The lag with the highest correlation, or the default.
    correlations : list of float
        Correlation at lags 0, 1, 2, ...
    estimated : bool
        False if no correlation was high enough, so that the default is used.
    """

    weeks: int
    correlations: list[float]
    estimated: bool


def estimate_lag(cases: npt.ArrayLike, deaths: npt.ArrayLike, *, max_lag: int = 6, default: int = 2, minimum_correlation: float = 0.3,
                 smoothing_weeks: int = 3) -> Lag:
    """Estimate the lag from cases to deaths by the cross-correlation of their weekly growth.

    Growth (the difference of logarithms of the smoothed series) is correlated rather than the counts, because the share of cases that
    end in death changed between waves.

    Parameters
    ----------
    cases, deaths : array-like, shape (n_weeks,)
        Weekly counts.
    max_lag : int, default 6
        Largest lag tried, in weeks.
    default : int, default 2
        Lag to use where it cannot be estimated.
    minimum_correlation : float, default 0.3
        Least correlation that counts as an estimate.
    smoothing_weeks : int, default 3
        Window of the moving mean.

    Returns
    -------
    Lag
        The lag and the correlation at each lag; one that is undefined is 0.
    """
    case_growth, death_growth = (np.diff(np.log1p(smooth(values, weeks=smoothing_weeks))) for values in (cases, deaths))
    used = case_growth.size - max_lag
    if used < 3:
        return Lag(default, [0.0] * (max_lag + 1), estimated=False)
    found = [_correlation(case_growth[max_lag - lag:case_growth.size - lag], death_growth[max_lag:]) for lag in range(max_lag + 1)]
    best = int(np.argmax(found))
    return Lag(best, found, True) if found[best] >= minimum_correlation else Lag(default, found, False)


def _correlation(a: Series, b: Series) -> float:
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else 0.0


def block_sums(series: npt.ArrayLike, *, block_weeks: int, replicates: int, seed: int) -> Series:
    """Draw circular blocks of weeks with replacement, as many weeks as there are, and add each series up over them.

    Parameters
    ----------
    series : array-like, shape (n_series, n_weeks)
        Weekly numbers; all series are drawn together.
    block_weeks : int
        Length of a block, cut to a third of the series so that there are at least three.
    replicates : int
        Number of replicates.
    seed : int
        Seed.

    Returns
    -------
    ndarray of float, shape (n_series, replicates)
        Sums; the last block is cut so that each is over ``n_weeks`` weeks.
    """
    values = np.asarray(series, dtype=np.float64)
    n_weeks = values.shape[1]
    length = max(1, min(block_weeks, n_weeks // 3))
    blocks = -(-n_weeks // length)
    starts = np.random.default_rng(seed).integers(0, n_weeks, size=(replicates, blocks))
    running = np.concatenate([np.zeros((len(values), 1)), np.cumsum(np.concatenate([values, values], axis=1), axis=1)], axis=1)
    whole, rest = (running[:, size:size + n_weeks] - running[:, :n_weeks] for size in (length, n_weeks - (blocks - 1) * length))
    return np.asarray(whole[:, starts[:, :-1]].sum(axis=2) + rest[:, starts[:, -1]], dtype=np.float64)


def lagged_fatality(cases: npt.ArrayLike, deaths: npt.ArrayLike, *, lag: int, block_weeks: int = 13, replicates: int = 2000,
                    level: float = 0.95, seed: int = 0) -> Interval | None:
    """Divide deaths by the cases of ``lag`` weeks before.

    Parameters
    ----------
    cases, deaths : array-like, shape (n_weeks,)
        Weekly counts; the last ``lag`` weeks of cases and the first ``lag`` weeks of deaths are not used.
    lag : int
        Weeks from cases to deaths, at least 0.
    block_weeks : int, default 13
        Length of the blocks of the bootstrap.
    replicates : int, default 2000
        Number of replicates.
    level : float, default 0.95
        Confidence level.
    seed : int, default 0
        Seed.

    Returns
    -------
    Interval or None
        Deaths per case, in [0, 1] unless deaths were counted without their cases; ``n`` is the number of cases, ``n_groups`` of weeks.
        None without cases, or with fewer than 3 weeks, or where a replicate drew no case.

    Raises
    ------
    ValueError
        If the series differ in length or the lag is negative.
    """
    x, y = np.asarray(cases, dtype=np.float64), np.asarray(deaths, dtype=np.float64)
    if x.shape != y.shape or lag < 0:
        raise ValueError(f"cases and deaths must have one length and lag be at least 0; got {x.shape}, {y.shape} and {lag}. "
                         "Pass the same weeks of both.")
    x, y = x[:x.size - lag], y[lag:]
    if x.size < 3 or x.sum() <= 0:
        return None
    sums = block_sums([x, y], block_weeks=block_weeks, replicates=replicates, seed=seed)
    if not (sums[0] > 0).all():
        return None
    low, high = np.quantile(sums[1] / sums[0], [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(y.sum() / x.sum()), float(low), float(high), level, int(x.sum()), x.size)


def fatality_of(cases: npt.ArrayLike, deaths: npt.ArrayLike, waves: Sequence[Wave], settings: WavesSettings, *,
                seed: int) -> dict[str, Any]:
    """Estimate a country's lag and its fatality ratio overall, by wave, and at fixed lags.

    Parameters
    ----------
    cases, deaths : array-like, shape (n_weeks,)
        Weekly counts.
    waves : sequence of Wave
        Waves of the cases.
    settings : WavesSettings
        Lags, blocks, replicates and level.
    seed : int
        Seed.

    Returns
    -------
    dict
        ``lag`` (Lag), ``overall`` (Interval or None), ``by_lag`` (by weeks) and ``by_wave`` (list, in order of the waves; a wave whose
        deaths are not all in yet is None).
    """
    x, y = np.asarray(cases), np.asarray(deaths)
    lag = estimate_lag(x, y, max_lag=settings.max_lag_weeks, default=settings.default_lag_weeks,
                       minimum_correlation=settings.minimum_correlation, smoothing_weeks=settings.smoothing_weeks)
    common: dict[str, Any] = {"replicates": settings.replicates, "level": settings.level, "seed": seed}
    by_wave = [lagged_fatality(x[wave.start:wave.end + 1 + lag.weeks], y[wave.start:wave.end + 1 + lag.weeks], lag=lag.weeks,
                               block_weeks=settings.wave_block_weeks, **common)
               if wave.end + lag.weeks < x.size else None for wave in waves]
    at = {weeks: lagged_fatality(x, y, lag=weeks, block_weeks=settings.block_weeks, **common)
          for weeks in sorted({lag.weeks, *settings.fixed_lag_weeks})}
    return {"lag": lag, "overall": at[lag.weeks], "by_lag": {weeks: at[weeks] for weeks in settings.fixed_lag_weeks}, "by_wave": by_wave}
