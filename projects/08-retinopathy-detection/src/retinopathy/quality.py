"""Whether a photograph can be graded at all: enough light, not washed out, sharp, and of the colour of a retina.

Each measure is taken on the square that `retinopathy.preparation.cut_out` gives, within the field. The bounds come from photographs that
people could grade, with room; they decide what goes to a person before any network is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from carefolio.pictures import Pixels
from retinopathy.preparation import field_mask

MEASURE_SIDE = 256
"""Pixels of a side at which measures are taken, so that they do not depend on the camera's resolution."""
REASONS = {"brightness": "too dark or too bright", "contrast": "too little contrast", "sharpness": "not sharp",
           "redness": "not of the colour of a retina", "clipped": "washed out or too dark in large parts"}
"""What a measure outside of its bounds means."""


@dataclass(frozen=True)
class Quality:
    """How good a photograph is.

    Attributes
    ----------
    measures : dict of str to float
        By name, as `measure` gives them.
    reasons : tuple of str
        Why it cannot be graded; empty if it can.
    """

    measures: dict[str, float]
    reasons: tuple[str, ...]

    @property
    def gradable(self) -> bool:
        """Say whether it may be graded.

        Returns
        -------
        bool
            True if no measure lies outside of its bounds.
        """
        return not self.reasons


def measure(square: Pixels) -> dict[str, float]:
    """Measure light, contrast, sharpness and colour within the field.

    Parameters
    ----------
    square : ndarray of uint8, shape (side, side, 3)
        As `retinopathy.preparation.cut_out` gives it.

    Returns
    -------
    dict of str to float
        ``brightness`` (mean of green and red, 0 to 255), ``contrast`` (spread of green), ``sharpness`` (mean slope of green over its
        spread), ``redness`` (share of red in all light), ``clipped`` (share of pixels at either end).
    """
    from PIL import Image

    small = np.asarray(Image.fromarray(square).resize((MEASURE_SIDE, MEASURE_SIDE), Image.Resampling.BOX), dtype=np.float32)
    inside = field_mask(MEASURE_SIDE) & (small.max(axis=2) > 0)
    if not inside.any():
        return {"brightness": 0.0, "contrast": 0.0, "sharpness": 0.0, "redness": 0.0, "clipped": 1.0}
    red, green, blue = (small[..., place] for place in range(3))
    slope = np.hypot(*np.gradient(green))
    spread = float(green[inside].std())
    light = (red + green + blue)[inside]
    bright = small.max(axis=2)[inside]
    return {"brightness": float((red + green)[inside].mean() / 2), "contrast": spread,
            "sharpness": float(slope[_within(inside)].mean() / max(spread, 1.0)),
            "redness": float((red[inside] / np.maximum(light, 1)).mean()),
            "clipped": float(((bright >= 254) | (bright <= 8)).mean())}


def judge_quality(square: Pixels, bounds: Mapping[str, tuple[float, float]]) -> Quality:
    """Hold the measures against their bounds.

    Parameters
    ----------
    square : ndarray of uint8, shape (side, side, 3)
        As `retinopathy.preparation.cut_out` gives it.
    bounds : mapping of str to (float, float)
        Lowest and highest value of each measure that is asked for.

    Returns
    -------
    Quality
        With a reason for each measure outside.
    """
    measures = measure(square)
    outside = [name for name, (low, high) in bounds.items() if not low <= measures[name] <= high]
    return Quality(measures, tuple(REASONS[name] for name in outside))


def _within(inside: np.ndarray) -> np.ndarray:
    """Leave out the edge of the field, whose slope is the border's."""
    side = len(inside)
    down, across = np.ogrid[0:side, 0:side]
    return np.asarray(inside & ((across - side / 2) ** 2 + (down - side / 2) ** 2 < (0.9 * side / 2) ** 2))
