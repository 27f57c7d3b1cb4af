"""Pictures from anybody to plain pixels: JPEG, PNG, TIFF and DICOM, with a bound on everything before it is decoded.

What a file is, its first bytes say; its name and the type that a client declares are not asked. The header is read first, and a picture
with more pixels than `PictureLimits` allows is refused before memory is taken for it. Whatever had to be changed to get eight bits of
red, green and blue is said in `Picture.notes`.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from carefolio.exceptions import DamagedPictureError, PictureTooLargeError, UnsupportedPictureError

if TYPE_CHECKING:
    from PIL import Image

Pixels = npt.NDArray[np.uint8]
KINDS = "JPEG, PNG, TIFF or DICOM"
"""What is read, in words."""
_PILLOW_FORMATS = ("JPEG", "PNG", "TIFF")
_DICOM_MARK = slice(128, 132)
_PLAIN_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")
_NOTES = {"1": "black and white widened to colour", "L": "grey widened to colour", "CMYK": "CMYK turned into RGB"}


@dataclass(frozen=True)
class PictureLimits:
    """What is read at the most.

    Attributes
    ----------
    max_bytes : int
        Of the file.
    max_pixels : int
        Width times height; a camera of the eye gives 12 million. Decoding takes up to six bytes a pixel.
    max_side, min_side : int
        Of width and height, in pixels.
    """

    max_bytes: int = 32_000_000
    max_pixels: int = 30_000_000
    max_side: int = 10_000
    min_side: int = 16


DEFAULT_LIMITS = PictureLimits()


@dataclass(frozen=True)
class Picture:
    """A picture that was read.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
        Red, green, blue.
    kind : str
        ``"JPEG"``, ``"PNG"``, ``"TIFF"`` or ``"DICOM"``.
    notes : tuple of str
        What was changed on the way, for people to read; empty if nothing was.
    """

    pixels: Pixels
    kind: str
    notes: tuple[str, ...]


def read_picture(content: bytes, *, limits: PictureLimits = DEFAULT_LIMITS) -> Picture:
    """Read a picture of any of the four kinds.

    Parameters
    ----------
    content : bytes
        The whole file.
    limits : PictureLimits, optional
        What is read at the most.

    Returns
    -------
    Picture
        Upright (orientation of EXIF applied), without transparency.

    Raises
    ------
    PictureTooLargeError
        If the file, or the picture that its header promises, is larger than the limits.
    UnsupportedPictureError
        If it is of another kind, has several frames, or holds numbers that are no colours.
    DamagedPictureError
        If it is empty, truncated or altered.
    """
    if not content:
        raise DamagedPictureError(f"the picture must be a {KINDS} file; got an empty one.")
    if len(content) > limits.max_bytes:
        raise PictureTooLargeError(f"the picture must have at most {limits.max_bytes:,} bytes; got {len(content):,}. Save it as JPEG, or "
                                   "with fewer pixels.")
    if content[_DICOM_MARK] == b"DICM":
        from carefolio.pictures_dicom import read_dicom

        return read_dicom(content, limits=limits)
    with open_image(content) as image:
        check_size(image.width, image.height, limits)
        pixels, notes = to_rgb(image)
        return Picture(pixels, "JPEG" if image.format == "MPO" else str(image.format), notes)


def open_image(content: bytes, *, formats: tuple[str, ...] = _PILLOW_FORMATS) -> Image.Image:
    """Open a file by its first bytes and read its header; no pixel is decoded.

    Parameters
    ----------
    content : bytes
        JPEG, PNG or TIFF.
    formats : tuple of str, optional
        Pillow's names of the kinds that are read.

    Returns
    -------
    PIL.Image.Image
        Of one frame.

    Raises
    ------
    UnsupportedPictureError
        If it is of another kind, or has several frames.
    DamagedPictureError
        If the header cannot be read.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the size is checked by `check_size`, with limits that are lower
            image = Image.open(io.BytesIO(content), formats=formats)
        frames = getattr(image, "n_frames", 1)
    except UnidentifiedImageError:
        raise UnsupportedPictureError(f"the file must be a {KINDS} picture; its first bytes are {content[:4].hex(' ')}. Export it as "
                                      "PNG or JPEG.") from None
    except Image.DecompressionBombError:
        raise PictureTooLargeError("the picture has far more pixels than are read; save it smaller.") from None
    except Exception as error:  # noqa: BLE001 (a decoder given hostile bytes may raise anything)
        raise _damaged(error) from None
    if frames > 1 and image.format != "MPO":  # cameras add a preview to a JPEG as a second frame
        image.close()
        raise UnsupportedPictureError(f"the picture must have one frame; got {frames}. Export the one that is to be read.")
    return image


def check_size(width: int, height: int, limits: PictureLimits) -> None:
    """Refuse a picture by the size that its header promises.

    Parameters
    ----------
    width, height : int
        In pixels.
    limits : PictureLimits
        What is read at the most, and at least.

    Raises
    ------
    PictureTooLargeError
        If a side or the number of pixels is too large.
    UnsupportedPictureError
        If a side is too small to show anything.
    """
    if max(width, height) > limits.max_side or width * height > limits.max_pixels:
        raise PictureTooLargeError(f"the picture must have at most {limits.max_pixels:,} pixels and {limits.max_side:,} a side; got "
                                   f"{width:,} x {height:,}. Save it smaller.")
    if min(width, height) < limits.min_side:
        raise UnsupportedPictureError(f"the picture must have at least {limits.min_side} pixels a side; got {width} x {height}.")


def to_rgb(image: Image.Image) -> tuple[Pixels, tuple[str, ...]]:
    """Decode a picture into eight bits of red, green and blue.

    Parameters
    ----------
    image : PIL.Image.Image
        As `open_image` gives it, its size checked.

    Returns
    -------
    pixels : ndarray of uint8, shape (height, width, 3)
        Upright.
    notes : tuple of str
        What was changed.

    Raises
    ------
    UnsupportedPictureError
        If the numbers are no colours of 8 or 16 bits.
    DamagedPictureError
        If the pixels cannot be decoded.
    """
    from PIL import ExifTags, ImageOps

    notes = [_NOTES[image.mode]] if image.mode in _NOTES else []
    try:
        image.load()
        if image.getexif().get(ExifTags.Base.Orientation, 1) not in (0, 1):
            notes.append("turned as its orientation asks")
        pixels, changes = _in_eight_bits(ImageOps.exif_transpose(image))
    except UnsupportedPictureError:
        raise
    except Exception as error:  # noqa: BLE001 (a decoder given hostile bytes may raise anything)
        raise _damaged(error) from None
    return pixels, (*notes, *changes)


def reduced(pixels: Pixels, *, longest_side: int) -> Pixels:
    """Reduce a picture (Lanczos) until its longer side has so many pixels; a smaller one stays as it is.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
        Red, green, blue.
    longest_side : int
        In pixels.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        Smaller or the same.
    """
    from PIL import Image

    height, width = pixels.shape[:2]
    scale = longest_side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def _in_eight_bits(image: Any) -> tuple[Pixels, list[str]]:
    from PIL import Image

    if image.mode.startswith("I;16"):
        high = np.round(np.asarray(image) * np.float32(255 / 65535)).astype(np.uint8)
        return np.repeat(high[..., None], 3, axis=2), ["16 bits reduced to 8", "grey widened to colour"]
    if image.mode not in _PLAIN_MODES:
        raise UnsupportedPictureError(f"the picture must hold colours of 8 or 16 bits; got the mode {image.mode!r}. Export it as PNG.")
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        whole = Image.new("RGBA", image.size, (0, 0, 0, 255))
        whole.alpha_composite(image.convert("RGBA"))
        return np.asarray(whole.convert("RGB")), ["transparency laid on black"]
    return np.asarray(image.convert("RGB")), []


def _damaged(error: Exception) -> DamagedPictureError:
    said = " ".join(str(error).split())[:120] or type(error).__name__
    return DamagedPictureError(f"the picture is damaged or incomplete ({said}). Send the whole file again.")
