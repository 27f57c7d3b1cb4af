"""Waves of a weekly series: where one starts, peaks and ends, by a rule that is written down and tried at other settings.

The weekly rate is smoothed by a centred moving mean. Peaks are sought on the square-root scale, on which a count's noise is about
even, so that the waves of 2020, of which little was tested, stand beside those of 2022. A peak counts if it stands out (its
prominence) by a share of the country's own largest value, and far enough from a higher one. A wave reaches from its peak to both
sides until the rate falls below a share of the peak, but not beyond the lowest week towards the next wave.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outcomes_analysis.waves.settings import WavesSettings

Series = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Wave:
    """One wave; places are indices of weeks.

    Attributes
    ----------
    start, peak, end : int
        First week, week of the highest smoothed rate, last week.
    peak_rate : float
        Smoothed rate of the peak week, in the unit of the series.
    total : float
        Sum of the unsmoothed series from start to end.
    ongoing : bool
        Whether the wave reaches the last week of the series, so that its end is not known.
    """

    start: int
    peak: int
    end: int
    peak_rate: float
    total: float
    ongoing: bool


def smooth(values: npt.ArrayLike, *, weeks: int) -> Series:
    """Take a centred moving mean; at the ends over the weeks that there are.

    Parameters
    ----------
    values : array-like, shape (..., n_weeks)
        A weekly series.
    weeks : int
        Length of the window; an even number is taken as the next odd one.

    Returns
    -------
    ndarray of float, shape (..., n_weeks)
        The smoothed series.
    """
    array = np.asarray(values, dtype=np.float64)
    half, n = weeks // 2, array.shape[-1]
    total = np.concatenate([np.zeros((*array.shape[:-1], 1)), np.cumsum(array, axis=-1)], axis=-1)
    first, last = np.clip(np.arange(n) - half, 0, None), np.clip(np.arange(n) + half + 1, None, n)
    return (total[..., last] - total[..., first]) / (last - first)


def find_waves(rate: npt.ArrayLike, *, smoothing_weeks: int = 3, prominence: float = 0.1, distance_weeks: int = 6,
               edge_share: float = 0.1, minimum_peak: float = 0.0) -> list[Wave]:
    """Find the waves of one weekly series.

    Parameters
    ----------
    rate : array-like, shape (n_weeks,)
        Weekly rate, none below 0.
    smoothing_weeks : int, default 3
        Window of the moving mean.
    prominence : float, default 0.1
        Least prominence of a peak, as a share of the largest value, both on the square-root scale.
    distance_weeks : int, default 6
        Least distance between peaks.
    edge_share : float, default 0.1
        Share of the peak's rate that the first and last week of a wave reach.
    minimum_peak : float, default 0
        Least smoothed rate of a peak.

    Returns
    -------
    list of Wave
        In order of time; empty for a series without a value above 0.

    Raises
    ------
    ValueError
        If a rate is negative or not a number.
    """
    values = np.asarray(rate, dtype=np.float64)
    if not (values >= 0).all():
        raise ValueError(f"rate must not be negative or empty; got {values[~(values >= 0)][0]} in week "
                         f"{int(np.flatnonzero(~(values >= 0))[0])}. Repair the series first (weekly.repair_cumulative).")
    smoothed = smooth(values, weeks=smoothing_weeks)
    if not smoothed.size or smoothed.max() <= 0:
        return []
    peaks = _peaks(smoothed, prominence, distance_weeks, minimum_peak)
    return [_wave(values, smoothed, peaks, i, edge_share) for i in range(len(peaks))]


def _peaks(smoothed: Series, prominence: float, distance_weeks: int, minimum_peak: float) -> npt.NDArray[np.int64]:
    from scipy.signal import find_peaks

    root = np.sqrt(smoothed)
    padded = np.concatenate([[0.0], root, [0.0]])
    found, _ = find_peaks(padded, prominence=prominence * root.max(), distance=distance_weeks, height=np.sqrt(minimum_peak))
    return np.asarray(found, dtype=np.int64) - 1


def _wave(values: Series, smoothed: Series, peaks: npt.NDArray[np.int64], i: int, edge_share: float) -> Wave:
    peak, last = int(peaks[i]), smoothed.size - 1
    left = int(peaks[i - 1] + np.argmin(smoothed[peaks[i - 1]:peak + 1])) + 1 if i else 0
    right = int(peak + np.argmin(smoothed[peak:peaks[i + 1] + 1])) if i + 1 < peaks.size else last
    low = smoothed < edge_share * smoothed[peak]
    before, after = np.flatnonzero(low[left:peak]), np.flatnonzero(low[peak:right + 1])
    start = left + int(before[-1]) + 1 if before.size else left
    end = peak + int(after[0]) - 1 if after.size else right
    return Wave(start, peak, end, float(smoothed[peak]), float(values[start:end + 1].sum()), ongoing=end == last)


def waves_of(rate: npt.ArrayLike, settings: WavesSettings, *, prominence_factor: float = 1.0) -> list[Wave]:
    """Find the waves of one series under the chapter's settings.

    Parameters
    ----------
    rate : array-like, shape (n_weeks,)
        Weekly cases per 100,000; a series of NaN has no wave.
    settings : WavesSettings
        Rule.
    prominence_factor : float, default 1
        Multiplies the prominence, to see how much the number of waves depends on it.

    Returns
    -------
    list of Wave
        In order of time.
    """
    values = np.asarray(rate, dtype=np.float64)
    if np.isnan(values).all():
        return []
    return find_waves(values, smoothing_weeks=settings.smoothing_weeks, prominence=min(settings.prominence * prominence_factor, 1.0),
                      distance_weeks=settings.distance_weeks, edge_share=settings.edge_share,
                      minimum_peak=settings.minimum_peak_per_100k)
