"""What speaks for a referral, laid over the photograph in colours."""

import io

import numpy as np
import numpy.typing as npt

from carefolio.pictures import Pixels
from retinopathy.preparation import shows_retina


def overlay(square: Pixels, relevance: npt.NDArray[np.float32], *, strongest: float = 0.75) -> bytes:
    """Colour a square by what each place adds to the referral: red for it, blue against it.

    Parameters
    ----------
    square : ndarray of uint8, shape (side, side, 3)
        As `retinopathy.preparation.cut_out` gives it.
    relevance : ndarray, shape (height, width)
        As the grader gives it.
    strongest : float, default 0.75
        How much of the colour the strongest place gets; what lies outside of the field gets none.

    Returns
    -------
    bytes
        A PNG of the size of the square.
    """
    from PIL import Image

    side, within = len(square), shows_retina(square)
    values = np.asarray(Image.fromarray(relevance.astype(np.float32)).resize((side, side), Image.Resampling.BICUBIC))
    values = np.where(within, values - float(np.median(values[within])) if within.any() else 0.0, 0.0)
    share = np.abs(values) / max(float(np.quantile(np.abs(values), 0.998)), 1e-12)
    opacity = strongest * share.clip(0, 1)[..., None] ** 0.8
    colour = np.where(values[..., None] > 0, np.array([230, 60, 20]), np.array([30, 90, 220]))
    file = io.BytesIO()
    Image.fromarray(((1 - opacity) * square + opacity * colour).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()
