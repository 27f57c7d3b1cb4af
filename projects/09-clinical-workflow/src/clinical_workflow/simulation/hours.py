"""Calendar days and working minutes of people who work Monday to Friday from nine o'clock on.

A queue of people with office hours is a queue without hours in working time: what arrives outside them arrives when the next day opens,
and work in hand at closing time goes on the next morning. Day 0 is a Monday; days 5 and 6 of each week are free.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

OPENING = 9 / 24
"""Part of the day at which work begins."""
WEEKDAYS = 5
MINUTES = 24 * 60
Floats = NDArray[np.floating[Any]]


def to_working(days: ArrayLike, minutes_per_day: float) -> Floats:
    """Count the working minutes from the start until given times.

    Parameters
    ----------
    days : array-like of shape (n,)
        Calendar time in days.
    minutes_per_day : float
        Working time of a weekday, at most the 900 minutes from opening to midnight.

    Returns
    -------
    ndarray of shape (n,)
        Working minutes, not decreasing in ``days``.
    """
    days = np.asarray(days, dtype=float)
    week, day = np.divmod(np.floor(days), 7)
    today = np.clip((days - np.floor(days) - OPENING) * MINUTES, 0, minutes_per_day)
    return week * WEEKDAYS * minutes_per_day + np.where(day < WEEKDAYS, day * minutes_per_day + today, WEEKDAYS * minutes_per_day)


def to_calendar(minutes: ArrayLike, minutes_per_day: float) -> Floats:
    """Give the calendar time at which a number of working minutes has passed.

    Parameters
    ----------
    minutes : array-like of shape (n,)
        Working minutes; NaN stays NaN.
    minutes_per_day : float
        Working time of a weekday.

    Returns
    -------
    ndarray of shape (n,)
        Days; the end of a working day is the opening of the next one.
    """
    minutes = np.asarray(minutes, dtype=float)
    weekdays = np.floor(minutes / minutes_per_day)
    week, day = np.divmod(weekdays, WEEKDAYS)
    return week * 7 + day + OPENING + (minutes - weekdays * minutes_per_day) / MINUTES
