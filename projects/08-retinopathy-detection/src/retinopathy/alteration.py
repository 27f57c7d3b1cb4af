"""A photograph as another camera would have taken it: colour, light, sharpness, angle of view, resolution, and the storing as JPEG.

The train part comes from one camera of one hospital. What differs between cameras is put in on purpose, so that it can mean nothing.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace

import numpy as np

from carefolio.pictures import Pixels
from retinopathy.preparation import Field

GAIN = (0.75, 1.25)
GAMMA = (0.7, 1.4)
SHADE = 0.35
BLUR = 0.004
SHRINK = (0.35, 1.0)
QUALITY = (50, 95)
RADIUS = (0.94, 1.10)
SHIFT = 0.04


@dataclass(frozen=True)
class Alteration:
    """How a photograph is altered.

    Attributes
    ----------
    gains : tuple of float
        Factors of red, green and blue.
    gamma : float
        Power that the share of full light is raised to.
    shade : tuple of float
        Slope of the light across and down, as a share of it.
    blur : float
        Spread of the blur, as a share of the longer side.
    shrink : float
        Resolution, as a share of what it was.
    quality : int
        Of the JPEG that it is stored as.
    radius, shift : float, tuple of float
        Factor of the field's radius, and how far its centre is moved, as shares of the radius.
    mirrored, upside_down : bool
        Whether it is turned over.
    """

    gains: tuple[float, float, float]
    gamma: float
    shade: tuple[float, float]
    blur: float
    shrink: float
    quality: int
    radius: float
    shift: tuple[float, float]
    mirrored: bool
    upside_down: bool


def draw_alteration(rng: np.random.Generator) -> Alteration:
    """Draw one.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    Alteration
        Every kind of difference at once, each by a little or a lot.
    """
    gains = rng.uniform(*GAIN, size=3)
    return Alteration(
        gains=(float(gains[0]), float(gains[1]), float(gains[2])), gamma=float(rng.uniform(*GAMMA)),
        shade=(float(rng.uniform(-SHADE, SHADE)), float(rng.uniform(-SHADE, SHADE))), blur=float(rng.uniform(0, BLUR)),
        shrink=float(rng.uniform(*SHRINK)), quality=int(rng.integers(*QUALITY)), radius=float(rng.uniform(*RADIUS)),
        shift=(float(rng.uniform(-SHIFT, SHIFT)), float(rng.uniform(-SHIFT, SHIFT))), mirrored=bool(rng.random() < 0.5),
        upside_down=bool(rng.random() < 0.5))


def alter(pixels: Pixels, alteration: Alteration) -> Pixels:
    """Alter colour, light, sharpness and resolution of a photograph.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
        Red, green, blue.
    alteration : Alteration
        As `draw_alteration` gives it.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        Of the same size; black stays nearly black.
    """
    from PIL import Image, ImageFilter

    height, width = pixels.shape[:2]
    across, down = np.linspace(-1, 1, width)[None, :, None], np.linspace(-1, 1, height)[:, None, None]
    light = 1 + alteration.shade[0] * across + alteration.shade[1] * down
    lit = (pixels / 255.0 * np.array(alteration.gains) * light).clip(0, 1) ** alteration.gamma
    image = Image.fromarray((lit * 255).round().astype(np.uint8)).filter(ImageFilter.GaussianBlur(alteration.blur * max(height, width)))
    size = (max(16, round(width * alteration.shrink)), max(16, round(height * alteration.shrink)))
    file = io.BytesIO()
    image.resize(size, Image.Resampling.BILINEAR).save(file, "JPEG", quality=alteration.quality)
    with Image.open(file) as stored:
        return np.asarray(stored.resize((width, height), Image.Resampling.BICUBIC))


def alter_field(field: Field, alteration: Alteration) -> Field:
    """Let the field be found a little elsewhere, and larger or smaller.

    Parameters
    ----------
    field : Field
        As it was found.
    alteration : Alteration
        As `draw_alteration` gives it.

    Returns
    -------
    Field
        Moved.
    """
    return replace(field, x=field.x + alteration.shift[0] * field.radius, y=field.y + alteration.shift[1] * field.radius,
                   radius=field.radius * alteration.radius)


def turn_over(square: Pixels, alteration: Alteration) -> Pixels:
    """Turn a square over, as the other eye or the other way up.

    Parameters
    ----------
    square : ndarray of uint8, shape (side, side, 3)
        Prepared.
    alteration : Alteration
        As `draw_alteration` gives it.

    Returns
    -------
    ndarray of uint8, shape (side, side, 3)
        Turned over or not.
    """
    turned = square[:, ::-1] if alteration.mirrored else square
    return np.ascontiguousarray(turned[::-1] if alteration.upside_down else turned)
