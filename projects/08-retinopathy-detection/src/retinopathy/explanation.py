"""Where in a photograph a grade comes from: the sum that makes up a head's logit, laid out over the places of the maps.

A head is linear in the mean, the highest value and the spread of each channel. A mean is a sum over places, and so are a highest value (of
the places that reach it) and a spread (of squared distances from the mean, over the spread itself). So the logit is a constant and a sum
over places, exactly; nothing is estimated, and no gradient is needed.

What a map shows is only what the head adds up. It is no lesion finder, and a place may count because of what surrounds it.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from carefolio.pictures import Pixels
from retinopathy.preparation import EDGE

POOLED = 3
"""Numbers of each channel: its mean, its highest value and its spread over the map."""


def field_of(maps: Tensor) -> Tensor:
    """Mark the places of a map that lie within the round field: the network answers to its own borders, which show nothing.

    Parameters
    ----------
    maps : torch.Tensor, shape (n, channels, height, width)
        Of one stage.

    Returns
    -------
    torch.Tensor of bool, shape (height, width)
        A disc of `retinopathy.preparation.EDGE` of the half side.
    """
    height, width = maps.shape[2:]
    down, across = ((torch.arange(size, device=maps.device) + 0.5) / size * 2 - 1 for size in (height, width))
    return down[:, None] ** 2 + across[None, :] ** 2 <= EDGE**2


def pool(maps: Tensor) -> list[Tensor]:
    """Give mean, highest value and spread of each channel within the field.

    Parameters
    ----------
    maps : torch.Tensor, shape (n, channels, height, width)
        Of one stage.

    Returns
    -------
    list of torch.Tensor, each of shape (n, channels)
        Three.
    """
    field = field_of(maps)
    places = field.sum()
    mean = (maps * field).sum(dim=(2, 3)) / places
    spread = (((maps - mean[:, :, None, None]) ** 2 * field).sum(dim=(2, 3)) / places).sqrt()
    return [mean, maps.masked_fill(~field, -torch.inf).amax(dim=(2, 3)), spread]


def lay_out(maps: Tensor, weights: Tensor) -> Tensor:
    """Lay out what a stage adds to a logit over the places of its map.

    Parameters
    ----------
    maps : torch.Tensor, shape (n, channels, height, width)
        Of one stage.
    weights : torch.Tensor, shape (3, channels)
        Of mean, highest value and spread in the logit.

    Returns
    -------
    torch.Tensor, shape (n, height, width)
        Sums over places to the weighted sum of the pooled numbers; nothing outside of the field.
    """
    mean, highest, spread = (one[:, :, None, None] for one in pool(maps))
    field = field_of(maps)
    places = field.sum()
    reached = ((maps >= highest) & field).to(maps.dtype)
    of_mean, of_highest = maps * field / places, maps * reached / reached.sum(dim=(2, 3), keepdim=True)
    of_spread = (maps - mean) ** 2 * field / (places * spread.clamp_min(1e-12))
    a, b, c = (weight[None, :, None, None] for weight in weights)
    return (a * of_mean + b * of_highest + c * of_spread).sum(dim=1)


def add_up(layers: Sequence[Tensor]) -> Tensor:
    """Add maps of several sizes, each place of a coarse one spread evenly over those of the finest.

    Parameters
    ----------
    layers : sequence of torch.Tensor, each of shape (n, height, width)
        Of the stages; the sizes are multiples of each other.

    Returns
    -------
    torch.Tensor, shape (n, height, width)
        Of the finest size, with the sum of all.
    """
    finest = max(layer.shape[1] for layer in layers)
    spread = []
    for layer in layers:
        factor = finest // layer.shape[1]
        wide = layer.repeat_interleave(factor, dim=1).repeat_interleave(factor, dim=2)
        spread.append(wide / factor**2)
    return torch.stack(spread).sum(dim=0)


def overlay(square: Pixels, relevance: npt.NDArray[np.float32], *, strongest: float = 0.75) -> bytes:
    """Colour a square by what each place adds to the referral: red for it, blue against it.

    Parameters
    ----------
    square : ndarray of uint8, shape (side, side, 3)
        As `retinopathy.preparation.cut_out` gives it.
    relevance : ndarray, shape (height, width)
        As the grader gives it.
    strongest : float, default 0.75
        How much of the colour the strongest place gets.

    Returns
    -------
    bytes
        A PNG of the size of the square.
    """
    from PIL import Image

    side = len(square)
    smooth = Image.fromarray(relevance.astype(np.float32) - float(np.median(relevance))).resize((side, side), Image.Resampling.BICUBIC)
    values = np.asarray(smooth)
    share = np.abs(values) / max(float(np.quantile(np.abs(values), 0.998)), 1e-12)
    opacity = strongest * share.clip(0, 1)[..., None] ** 0.8
    colour = np.where(values[..., None] > 0, np.array([230, 60, 20]), np.array([30, 90, 220]))
    file = io.BytesIO()
    Image.fromarray(((1 - opacity) * square + opacity * colour).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()
