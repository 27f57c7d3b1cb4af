"""From a photograph of any camera to a square of fixed size: the round field found, cut out, and its light evened.

Cameras differ in colour, light, angle of view and border. The field is fitted as a circle to its own edge, so that a square always shows
the same part of the eye; evening the light takes away what a lamp or a lens adds.

Reference: Graham B. Kaggle diabetic retinopathy detection competition report, 2015 (local average colour taken away).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from carefolio.exceptions import CarefolioError
from carefolio.pictures import Pixels, reduced

FloatPixels = npt.NDArray[np.float32]
SEARCH_SIDE = 256
"""Longest side, in pixels, at which the field is looked for."""
DARK = 12
"""A pixel whose brightest colour is below this is outside of the field, if the picture has dark corners at all."""
LEAST_RADIUS = 0.2
"""Of the shorter side; a smaller field is none."""
EDGE = 0.97
"""Share of the radius that is kept: the edge itself is lens and shadow."""
EVEN = 128
"""Value of a pixel that is as bright as its surroundings, and of all outside of the field."""


class NoFieldError(CarefolioError):
    """A picture shows no round field, and so is no photograph of the retina."""

    exit_code = 15


@dataclass(frozen=True)
class Field:
    """The round field of a photograph.

    Attributes
    ----------
    x, y : float
        Centre, in pixels from the left upper corner.
    radius : float
        In pixels; the circle may be cut off by the picture's borders.
    """

    x: float
    y: float
    radius: float


def find_field(pixels: Pixels) -> Field:
    """Fit a circle to the edge of the bright field.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
        Red, green, blue.

    Returns
    -------
    Field
        Where nothing is dark, the circle around the whole picture.

    Raises
    ------
    NoFieldError
        If the picture is dark, or what is bright is no disc.
    """
    small = reduced(pixels, longest_side=SEARCH_SIDE)
    scale = max(pixels.shape[:2]) / max(small.shape[:2])
    bright = small.max(axis=2) > _threshold(small)
    if bright.mean() < 0.05:
        raise NoFieldError("the picture must show the bright round field of a retina; it is dark. Send a photograph of the fundus.")
    if bright.mean() > 0.985:
        return whole_picture(pixels)
    x, y, radius = _fit_circle(*_edge(bright))
    inside = _inside(bright.shape, x, y, radius)
    agreement = (bright & inside).sum() / max(1, (bright | inside).sum())
    if radius < LEAST_RADIUS * min(bright.shape) or agreement < 0.85:
        raise NoFieldError("the picture must show the bright round field of a retina; what is bright agrees with a disc to "
                           f"{agreement:.0%} only. Send a photograph of the fundus.")
    return Field((x + 0.5) * scale, (y + 0.5) * scale, radius * scale)


def whole_picture(pixels: Pixels) -> Field:
    """Give the circle around a whole picture.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
        Red, green, blue.

    Returns
    -------
    Field
        Through the four corners.
    """
    height, width = pixels.shape[:2]
    return Field(width / 2, height / 2, float(np.hypot(width, height)) / 2)


def cut_out(pixels: Pixels, field: Field, *, side: int) -> Pixels:
    """Cut out the square around the field; what lies outside of the picture is black.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
        Red, green, blue.
    field : Field
        As `find_field` gives it.
    side : int
        Pixels of a side of the square.

    Returns
    -------
    ndarray of uint8, shape (side, side, 3)
        Reduced by averaging, or enlarged between pixels.
    """
    from PIL import Image

    left, top = field.x - field.radius, field.y - field.radius
    image = Image.fromarray(pixels)
    window = (round(left), round(top), round(left + 2 * field.radius), round(top + 2 * field.radius))
    larger = image.crop(window)  # black where it reaches beyond the picture
    method = Image.Resampling.BOX if larger.width >= 2 * side else Image.Resampling.BICUBIC
    return np.asarray(larger.resize((side, side), method))


def even_light(square: Pixels, *, strength: float = 4.0) -> Pixels:
    """Take away the light of the surroundings, and grey what lies outside of the field.

    Parameters
    ----------
    square : ndarray of uint8, shape (side, side, 3)
        As `cut_out` gives it.
    strength : float, default 4.0
        By how much what is left is made stronger.

    Returns
    -------
    ndarray of uint8, shape (side, side, 3)
        128 where a pixel is as bright as what is around it.
    """
    side = len(square)
    inside = shows_retina(square)
    weight = inside.astype(np.float32)[..., None]
    values = square.astype(np.float32) * weight
    sigma = side / 60
    around = _blur(values, sigma) / np.maximum(_blur(weight, sigma), 1e-3)
    evened = np.where(inside[..., None], EVEN + strength * (values - around), EVEN)
    return np.asarray(evened.clip(0, 255), dtype=np.uint8)


def shows_retina(square: Pixels) -> npt.NDArray[np.bool_]:
    """Mark what the camera shows within the field, which is often cut off above and below; dark spots belong to it.

    Parameters
    ----------
    square : ndarray of uint8, shape (side, side, 3)
        As `cut_out` gives it.

    Returns
    -------
    ndarray of bool, shape (side, side)
        Without the outermost pixels.
    """
    from scipy.ndimage import binary_erosion, binary_fill_holes

    bright = binary_fill_holes(square.max(axis=2) > _threshold(square))
    lit = binary_erosion(bright, iterations=max(1, len(square) // 100))
    return np.asarray(field_mask(len(square)) & lit)


def field_mask(side: int) -> npt.NDArray[np.bool_]:
    """Mark what lies within the field of a square.

    Parameters
    ----------
    side : int
        Pixels of a side.

    Returns
    -------
    ndarray of bool, shape (side, side)
        A disc of `EDGE` of the half side.
    """
    return _inside((side, side), (side - 1) / 2, (side - 1) / 2, EDGE * side / 2)


def prepare(pixels: Pixels, *, side: int) -> Pixels:
    """Find the field, cut it out and even its light.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
        A photograph.
    side : int
        Pixels of a side of the square.

    Returns
    -------
    ndarray of uint8, shape (side, side, 3)
        What the network looks at.

    Raises
    ------
    NoFieldError
        If the picture shows no round field.
    """
    return even_light(cut_out(pixels, find_field(pixels), side=side))


def _threshold(small: Pixels) -> float:
    """Lie between dark and bright: a share of what the brighter pixels have, and never below `DARK`."""
    return max(DARK, 0.15 * float(np.percentile(small.max(axis=2), 90)))


def _edge(bright: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give the outermost bright pixels of each row and column that do not lie at the picture's own border."""
    height, width = bright.shape
    points: list[tuple[float, float]] = []
    for y in np.flatnonzero(bright.any(axis=1)):
        places = np.flatnonzero(bright[y])
        points += [(float(x), float(y)) for x in (places[0] - 0.5, places[-1] + 0.5) if 1 <= x <= width - 2]
    for x in np.flatnonzero(bright.any(axis=0)):
        places = np.flatnonzero(bright[:, x])
        points += [(float(x), float(y)) for y in (places[0] - 0.5, places[-1] + 0.5) if 1 <= y <= height - 2]
    if len(points) < 20:
        raise NoFieldError("the picture must show the bright round field of a retina; no edge of one is seen. Send a photograph of the "
                           "fundus.")
    found = np.array(points)
    return found[:, 0], found[:, 1]


def _fit_circle(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """Fit a circle by least squares (Kasa 1976), three times, each time without the points that lie farthest off."""
    kept = np.ones(len(x), dtype=bool)
    for _ in range(4):
        system = np.stack([x[kept], y[kept], np.ones(kept.sum())], axis=1)
        a, b, c = np.linalg.lstsq(system, x[kept] ** 2 + y[kept] ** 2, rcond=None)[0]
        middle_x, middle_y = a / 2, b / 2
        radius = float(np.sqrt(max(0.0, c + middle_x**2 + middle_y**2)))
        off = np.abs(np.hypot(x - middle_x, y - middle_y) - radius)
        kept = off <= max(1.0, float(np.quantile(off, 0.8)))
    return float(middle_x), float(middle_y), radius


def _inside(shape: tuple[int, int], x: float, y: float, radius: float) -> npt.NDArray[np.bool_]:
    down, across = np.ogrid[0:shape[0], 0:shape[1]]
    return np.asarray((across - x) ** 2 + (down - y) ** 2 <= radius**2)


def _blur(values: FloatPixels, sigma: float) -> FloatPixels:
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(values, sigma=(sigma, sigma, 0), truncate=3.0, mode="constant"), dtype=np.float32)
