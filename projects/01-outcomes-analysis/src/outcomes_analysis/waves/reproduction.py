"""Growth rate and instantaneous reproduction number of weekly counts, with intervals that allow for more noise than Poisson.

Growth is the slope of a log-linear quasi-Poisson model over three weeks. For three equally spaced counts its maximum has a closed
form, so all countries and weeks are one expression.

The reproduction number is that of Cori et al. (Am J Epidemiol 2013;178:1505-12): new counts over the earlier counts weighted by the
generation time, with a Gamma prior. It is taken by date of report, which trails infection by one to two weeks. Counts are in the
hundreds of thousands, so the plain Gamma posterior is absurdly narrow: it knows the noise of counting and not that of reporting. The
posterior is therefore tempered: shape and rate are divided by a quasi-Poisson dispersion estimated from the weeks around, which keeps
its mean and widens its variance by that factor. What stays unstated: error in the generation time, changes in who is tested,
infections brought in from abroad.

The package epyestim (0.1, 2020) implements the same posterior one country at a time and has had no release since. The posterior here
takes all countries at once and is tested against that package's numbers.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from outcomes_analysis.waves.settings import WavesSettings
from outcomes_analysis.waves.wave_detection import smooth

Array = npt.NDArray[np.float64]
MAX_GENERATION_DAYS = 30


@dataclass(frozen=True)
class Band:
    """An estimate for each week with its interval; NaN where the counts are too few.

    Attributes
    ----------
    value, low, high : ndarray of float, shape (..., n_weeks)
        Estimate and limits.
    """

    value: Array
    low: Array
    high: Array


def _three_weeks(weekly: Array) -> tuple[Array, Array, Array, Array]:
    """Give the three counts around each inner week and the weekly growth factor that fits them best."""
    before, now, after = weekly[..., :-2], weekly[..., 1:-1], weekly[..., 2:]
    total = before + now + after
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = (after - before) / total
        factor = (slope + np.sqrt(4 - 3 * slope**2)) / (2 * (1 - slope))
    return before, now, after, factor


def _expected(factor: Array) -> tuple[Array, Array, Array]:
    whole = 1 / factor + 1 + factor
    return 1 / factor / whole, 1 / whole, factor / whole


def missed_reports(weekly: npt.ArrayLike, *, share: float = 0.25, minimum: int = 50) -> npt.NDArray[np.bool_]:
    """Find weeks in which reports were missed, and made up for later: a hole between two weeks of which both hold far more.

    Parameters
    ----------
    weekly : array-like, shape (..., n_weeks)
        Counts.
    share : float, default 0.25
        A hole holds less than this share of the smaller of its neighbours.
    minimum : int, default 50
        Least count of the smaller neighbour.

    Returns
    -------
    ndarray of bool, shape (..., n_weeks)
        True for the hole.
    """
    counts = np.asarray(weekly, dtype=np.float64)
    neighbours = np.minimum(counts[..., :-2], counts[..., 2:])
    found = np.zeros(counts.shape, dtype=bool)
    found[..., 1:-1] = (counts[..., 1:-1] < share * neighbours) & (neighbours >= minimum)
    return found


def local_dispersion(weekly: npt.ArrayLike, *, weeks: int = 13, left_out: npt.ArrayLike | None = None) -> Array:
    """Estimate how much more the weekly counts vary around a local log-linear trend than Poisson counts would.

    Parameters
    ----------
    weekly : array-like, shape (..., n_weeks)
        Counts, at least three weeks.
    weeks : int, default 13
        Window of the mean.
    left_out : array-like of bool, shape (..., n_weeks), optional
        Weeks that no fit may hold, such as those of `missed_reports`.

    Returns
    -------
    ndarray of float, shape (..., n_weeks)
        Mean over the window of Pearson's chi-square (1 degree of freedom) of three-week fits, at least 1. Curvature, as at a peak, counts
        as noise: intervals there are wide rather than narrow.
    """
    counts = np.asarray(weekly, dtype=np.float64)
    before, now, after, factor = _three_weeks(counts)
    total = before + now + after
    with np.errstate(divide="ignore", invalid="ignore"):
        fitted = [total * share for share in _expected(factor)]
        squares = sum((seen - mean) ** 2 / mean for seen, mean in zip((before, now, after), fitted, strict=True))
    out = np.zeros(counts.shape, dtype=bool) if left_out is None else np.asarray(left_out)
    usable = np.isfinite(squares) & ~(out[..., :-2] | out[..., 1:-1] | out[..., 2:])
    padding = [(0, 0)] * (counts.ndim - 1) + [(1, 1)]
    sums, numbers = (smooth(np.pad(part, padding), weeks=weeks) for part in (np.where(usable, squares, 0.0), usable.astype(np.float64)))
    return np.maximum(np.divide(sums, numbers, out=np.ones_like(sums), where=numbers > 1e-9), 1.0)


def growth_rate(weekly: npt.ArrayLike, dispersion: npt.ArrayLike, *, level: float = 0.95, minimum: int = 20,
                dispersion_weeks: int = 13) -> Band:
    """Estimate the weekly growth rate by a log-linear quasi-Poisson fit to each week and its two neighbours.

    Parameters
    ----------
    weekly : array-like, shape (..., n_weeks)
        Counts.
    dispersion : array-like, shape (..., n_weeks)
        Result of `local_dispersion`.
    level : float, default 0.95
        Confidence level.
    minimum : int, default 20
        Least count of each of the three weeks.
    dispersion_weeks : int, default 13
        Weeks behind the dispersion; the interval uses Student's t with two degrees of freedom fewer.

    Returns
    -------
    Band
        Growth rate per week: 0 is steady, log(2) doubles in a week. The first and last week have none.
    """
    from scipy.stats import t

    counts = np.asarray(weekly, dtype=np.float64)
    before, now, after, factor = _three_weeks(counts)
    total = before + now + after
    with np.errstate(divide="ignore", invalid="ignore"):
        first, _, last = _expected(factor)
        error = np.sqrt(np.asarray(dispersion)[..., 1:-1] / (total * (first + last - (last - first) ** 2)))
        rate = np.where(np.minimum(np.minimum(before, now), after) >= minimum, np.log(factor), np.nan)
    half = t.ppf((1 + level) / 2, dispersion_weeks - 2) * error
    padding = [(0, 0)] * (counts.ndim - 1) + [(1, 1)]
    return Band(*(np.pad(part, padding, constant_values=np.nan) for part in (rate, rate - half, rate + half)))


def doubling_weeks(rate: npt.ArrayLike) -> Array:
    """Turn a growth rate into a doubling time.

    Parameters
    ----------
    rate : array-like
        Growth rate per week.

    Returns
    -------
    ndarray of float
        Weeks to double; negative values are weeks to halve, infinite at 0.
    """
    with np.errstate(divide="ignore"):
        return np.log(2) / np.asarray(rate, dtype=np.float64)


def generation_time(mean_days: float, sd_days: float, *, max_days: int = MAX_GENERATION_DAYS) -> Array:
    """Cut a Gamma distribution of the generation time into whole days.

    Parameters
    ----------
    mean_days, sd_days : float
        Mean and standard deviation, above 0.
    max_days : int, default 30
        Longest generation time kept.

    Returns
    -------
    ndarray of float, shape (max_days,)
        Probability of 1, 2, ... days; day k holds k - 1/2 to k + 1/2, day 1 also what is shorter.

    Raises
    ------
    ValueError
        If the mean or the standard deviation is not above 0.
    """
    from scipy.stats import gamma

    if mean_days <= 0 or sd_days <= 0:
        raise ValueError(f"mean_days and sd_days must be above 0; got {mean_days} and {sd_days}. Pass days.")
    edges = np.r_[0.0, np.arange(1, max_days + 1) + 0.5]
    mass = np.diff(gamma.cdf(edges, a=(mean_days / sd_days) ** 2, scale=sd_days**2 / mean_days))
    return np.asarray(mass / mass.sum(), dtype=np.float64)


def spread_over_days(weekly: npt.ArrayLike) -> Array:
    """Spread weekly counts smoothly over days, keeping every week's sum.

    The cumulative count at the ends of weeks is interpolated by a monotone cubic (Fritsch and Carlson 1980), so no day is negative.

    Parameters
    ----------
    weekly : array-like, shape (..., n_weeks)
        Counts, at least one week.

    Returns
    -------
    ndarray of float, shape (..., 7 * n_weeks)
        Counts a day.
    """
    from scipy.interpolate import PchipInterpolator

    counts = np.asarray(weekly, dtype=np.float64)
    cumulative = np.concatenate([np.zeros((*counts.shape[:-1], 1)), np.cumsum(counts, axis=-1)], axis=-1)
    n_weeks = counts.shape[-1]
    curve = PchipInterpolator(7.0 * np.arange(n_weeks + 1), cumulative, axis=-1)
    return np.clip(np.diff(curve(np.arange(7 * n_weeks + 1)), axis=-1), 0, None)


def reproduction_number(daily: npt.ArrayLike, generation: npt.ArrayLike, *, dispersion: npt.ArrayLike | float = 1.0, window_days: int = 7,
                        prior_shape: float = 1.0, prior_scale: float = 5.0, level: float = 0.95) -> Band:
    """Estimate the instantaneous reproduction number over consecutive windows (Cori et al. 2013).

    Parameters
    ----------
    daily : array-like, shape (..., n_days)
        New counts a day; ``n_days`` is a multiple of ``window_days``.
    generation : array-like, shape (n,)
        Probability of a generation time of 1, 2, ... n days.
    dispersion : array-like, shape (..., n_days / window_days), or float, default 1
        Factor on the posterior variance; 1 gives the posterior of Cori et al.
    window_days : int, default 7
        Length of the windows, which do not overlap.
    prior_shape, prior_scale : float
        Gamma prior of the reproduction number; 1 and 5 have mean and standard deviation 5.
    level : float, default 0.95
        Credible level.

    Returns
    -------
    Band
        Posterior mean and equal-tailed interval for each window, shape (..., n_days / window_days).
    """
    from scipy.signal import fftconvolve
    from scipy.special import gammaincinv

    counts, weights = np.asarray(daily, dtype=np.float64), np.r_[0.0, np.asarray(generation, dtype=np.float64)]
    kernel = weights.reshape(*[1] * (counts.ndim - 1), -1)
    pressure = np.clip(fftconvolve(counts, kernel, axes=-1)[..., :counts.shape[-1]], 0, None)
    shape = (*counts.shape[:-1], -1, window_days)
    new, expected = counts.reshape(shape).sum(-1), pressure.reshape(shape).sum(-1)
    factor = np.asarray(dispersion, dtype=np.float64)
    a, scale = (prior_shape + new) / factor, factor / (1 / prior_scale + expected)
    return Band(a * scale, gammaincinv(a, (1 - level) / 2) * scale, gammaincinv(a, (1 + level) / 2) * scale)


def dynamics(weekly: npt.ArrayLike, settings: WavesSettings, *, short_generation: bool = False) -> dict[str, Any]:
    """Estimate growth and reproduction number of all series under the chapter's settings.

    Parameters
    ----------
    weekly : array-like, shape (..., n_weeks)
        Repaired weekly cases.
    settings : WavesSettings
        Generation time, prior, thresholds and level.
    short_generation : bool, default False
        Take the generation time of Omicron instead.

    Returns
    -------
    dict
        ``dispersion`` and ``missed`` (ndarray), ``growth`` (Band) and ``reproduction`` (Band). Both bands are NaN where the counts are too
        few, and where reports were missed in the week or in one that the estimate rests on.
    """
    counts = np.asarray(weekly, dtype=np.float64)
    missed = missed_reports(counts, share=settings.missed_share, minimum=settings.minimum_weekly_cases)
    dispersion = local_dispersion(counts, weeks=settings.dispersion_weeks, left_out=missed)
    growth = growth_rate(counts, dispersion, level=settings.level, minimum=settings.minimum_weekly_cases,
                         dispersion_weeks=settings.dispersion_weeks)
    moments = ((settings.short_generation_time_mean_days, settings.short_generation_time_sd_days) if short_generation
               else (settings.generation_time_mean_days, settings.generation_time_sd_days))
    band = reproduction_number(spread_over_days(counts), generation_time(*moments), dispersion=dispersion,
                               prior_shape=settings.prior_shape, prior_scale=settings.prior_scale, level=settings.level)
    before, earlier, after = (_shifted(missed, step) for step in (1, 2, -1))
    enough = (counts >= settings.minimum_weekly_cases) & ~missed & ~before & ~earlier
    enough &= np.concatenate([np.zeros_like(enough[..., :1]), counts[..., :-1] >= settings.minimum_weekly_cases], axis=-1)
    return {"dispersion": dispersion, "missed": missed, "growth": _blank(growth, missed | before | earlier | after),
            "reproduction": _blank(band, ~enough)}


def _shifted(flags: npt.NDArray[np.bool_], step: int) -> npt.NDArray[np.bool_]:
    moved = np.zeros_like(flags)
    if step > 0:
        moved[..., step:] = flags[..., :-step]
    else:
        moved[..., :step] = flags[..., -step:]
    return moved


def _blank(band: Band, where: npt.NDArray[np.bool_]) -> Band:
    return Band(*(np.where(where, np.nan, part) for part in (band.value, band.low, band.high)))
