"""Drawn photographs of the retina: a disc with a few vessels, and spots by grade. For tests and for machines without data.

The drawings resemble a photograph in form alone: round field on black, bright optic disc, dark fovea, red spots and yellow ones. What a
model learns from them says nothing of patients.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import polars as pl

Pixels = npt.NDArray[np.uint8]
RED_SPOTS = (0, 4, 16, 40, 40)
"""Dark red spots, by grade."""
IDRID_ROWS = {"train": 60, "test": 30}
RETINAMNIST_ROWS = {"train": 100, "valid": 20, "test": 40}
_GRADE_SHARES = (0.33, 0.08, 0.33, 0.16, 0.10)


def draw_fundus(rng: np.random.Generator, *, grade: int, dme_risk: int = 0, side: int = 512) -> Pixels:
    """Draw a retina.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where everything lies, and its colour.
    grade : int
        0 to 4: no spots, a few, many, very many, and new vessels at the optic disc.
    dme_risk : int, default 0
        0 to 2: no yellow spots, some far from the fovea, some at it.
    side : int, default 512
        Pixels of a side.

    Returns
    -------
    ndarray of uint8, shape (side, side, 3)
        Red, green, blue; black outside of a round field of 94 % of the width.
    """
    from PIL import Image, ImageDraw, ImageFilter

    colour = tuple(int(value) for value in np.array([190, 95, 45]) * rng.uniform(0.7, 1.15, 3))
    image = Image.new("RGB", (side, side), colour)
    pen = ImageDraw.Draw(image)
    eye = rng.choice((-1, 1))
    disc, fovea = (0.5 + eye * 0.24, 0.5 + rng.uniform(-0.03, 0.03)), (0.5 - eye * 0.05, 0.52)
    _dot(pen, fovea, 0.07, side, tuple(int(0.72 * value) for value in colour))
    _draw_vessels(pen, rng, disc, side, colour)
    _dot(pen, disc, 0.065, side, (240, 205, 140))
    image = image.filter(ImageFilter.GaussianBlur(side / 200))
    pen = ImageDraw.Draw(image)
    for _ in range(RED_SPOTS[grade]):
        _dot(pen, _place(rng, 0.4), rng.uniform(0.004, 0.010 + 0.004 * (grade > 1)), side, (110, 25, 15))
    for _ in range(25 if dme_risk else 0):
        centre = fovea if dme_risk == 2 else (0.5, 0.8)
        _dot(pen, (centre[0] + rng.normal(0, 0.03), centre[1] + rng.normal(0, 0.03)), rng.uniform(0.004, 0.009), side, (245, 225, 110))
    if grade == 4:
        _draw_vessels(pen, rng, disc, side, colour, count=14, reach=0.14)
    return _in_round_field(np.asarray(image.filter(ImageFilter.GaussianBlur(side / 500)), dtype=np.float64), rng)


def encode_jpeg(pixels: Pixels, *, quality: int = 92) -> bytes:
    """Write a picture as a JPEG.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
        Red, green, blue.
    quality : int, default 92
        Of the JPEG.

    Returns
    -------
    bytes
        The file.
    """
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return file.getvalue()


def make_idrid_twin(random_state: int) -> pl.DataFrame:
    """Draw photographs in the form of IDRiD.

    Parameters
    ----------
    random_state : int
        Seed.

    Returns
    -------
    polars.DataFrame
        As ``carefolio.datasets.idrid.load_idrid`` gives it.
    """
    import polars as pl

    rng = np.random.default_rng(random_state)
    rows = []
    for part, count in IDRID_ROWS.items():
        for number in range(1, count + 1):
            grade = number % 5 if number <= 10 else int(rng.choice(5, p=_GRADE_SHARES))
            risk = int(rng.integers(0, 3)) if grade >= 2 else 0
            drawn = draw_fundus(rng, grade=grade, dme_risk=risk)
            rows.append((part, f"TWIN_{number:03d}", grade, risk, encode_jpeg(drawn)))
    types = {"part": pl.Enum(["train", "test"]), "name": pl.String(), "dr_grade": pl.Int8(), "dme_risk": pl.Int8(), "image": pl.Binary()}
    return pl.DataFrame(rows, schema=types, orient="row")


def make_retinamnist_twin(random_state: int) -> pl.DataFrame:
    """Draw pictures in the form of RetinaMNIST.

    Parameters
    ----------
    random_state : int
        Seed.

    Returns
    -------
    polars.DataFrame
        As ``carefolio.datasets.retinamnist.load_retinamnist`` gives it.
    """
    import polars as pl
    from PIL import Image

    rng = np.random.default_rng(random_state)
    rows = []
    for part, count in RETINAMNIST_ROWS.items():
        for number in range(count):
            grade = number % 5
            small = Image.fromarray(draw_fundus(rng, grade=grade, side=112)).resize((28, 28), Image.Resampling.BOX)
            rows.append((part, grade, np.asarray(small).tobytes()))
    types = {"part": pl.Enum(list(RETINAMNIST_ROWS)), "dr_grade": pl.Int8(), "image": pl.Binary()}
    return pl.DataFrame(rows, schema=types, orient="row")


def _place(rng: np.random.Generator, reach: float) -> tuple[float, float]:
    angle, far = rng.uniform(0, 2 * np.pi), reach * np.sqrt(rng.uniform())
    return 0.5 + far * np.cos(angle), 0.5 + far * np.sin(angle)


def _dot(pen: object, centre: tuple[float, float], radius: float, side: int, colour: tuple[int, ...]) -> None:
    x, y, r = centre[0] * side, centre[1] * side, max(0.5, radius * side)
    pen.ellipse((x - r, y - r, x + r, y + r), fill=colour)  # type: ignore[attr-defined]


def _draw_vessels(pen: object, rng: np.random.Generator, disc: tuple[float, float], side: int, colour: tuple[int, ...], *, count: int = 8,
                  reach: float = 0.8) -> None:
    """Draw bent lines away from the optic disc."""
    dark = tuple(int(0.6 * value) for value in colour)
    for number in range(count):
        angle, bend = 2 * np.pi * number / count + rng.uniform(-0.3, 0.3), rng.uniform(-1.2, 1.2)
        steps = np.linspace(0, 1, 24)
        line = [(side * (disc[0] + reach * t * np.cos(angle + bend * t)), side * (disc[1] + reach * t * np.sin(angle + bend * t)))
                for t in steps]
        pen.line(line, fill=dark, width=max(1, round(side * rng.uniform(0.004, 0.012))))  # type: ignore[attr-defined]


def _in_round_field(pixels: npt.NDArray[np.float64], rng: np.random.Generator) -> Pixels:
    """Light it unevenly, add the camera's noise, and blacken what lies outside of the field."""
    side = len(pixels)
    grid = (np.arange(side) + 0.5) / side * 2 - 1
    across, down = grid[None, :], grid[:, None]
    light = 1 + rng.uniform(-0.25, 0.25) * across + rng.uniform(-0.25, 0.25) * down - 0.25 * (across**2 + down**2)
    lit = pixels * light[..., None] + rng.normal(0, 2.5, pixels.shape)
    return np.where((across**2 + down**2 < 0.94**2)[..., None], lit, 0).clip(0, 255).astype(np.uint8)
