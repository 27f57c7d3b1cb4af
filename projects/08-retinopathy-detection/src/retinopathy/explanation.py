"""Where in a photograph a grade comes from: the sum that makes up a head's logit, laid out over the places of the maps.

A head is linear in the mean, the highest value and the spread of each channel. A mean is a sum over places, and so are a highest value (of
the places that reach it) and a spread (of squared distances from the mean, over the spread itself). So the logit is a constant and a sum
over places, exactly; nothing is estimated, and no gradient is needed.

What a map shows is only what the head adds up. It is no lesion finder, and a place may count because of what surrounds it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from retinopathy.preparation import EDGE, EVEN

POOLED = 3
"""Numbers of each channel: its mean, its highest value and its spread over the map."""
TINY = 1e-12
"""Added to a squared spread, so that a flat map divides by nothing."""


def lit_share(squares: Tensor) -> Tensor:
    """Mark the pixels that show something: what lies outside of the field is of one grey.

    Parameters
    ----------
    squares : torch.Tensor of uint8, shape (n, side, side, 3)
        Prepared photographs.

    Returns
    -------
    torch.Tensor of float32, shape (n, 1, side, side)
        1 or 0; averaged over blocks of pixels it says how much of a block is lit.
    """
    return (squares.float() - EVEN).abs().amax(dim=3)[:, None].clamp(max=1.0)


def field_of(lit: Tensor, maps: Tensor) -> Tensor:
    """Mark the places of a map that show the retina: a network answers to borders and to bands where the camera shows nothing.

    Parameters
    ----------
    lit : torch.Tensor of float, shape (n, 1, side, side)
        Share of each block of pixels that is lit; ``side`` is a multiple of the map's.
    maps : torch.Tensor, shape (n, channels, height, width)
        Of one stage.

    Returns
    -------
    torch.Tensor of bool, shape (n, 1, height, width)
        Lit by half at least, and within a disc of `retinopathy.preparation.EDGE` of the half side; the disc where nothing is lit.
    """
    height, width = maps.shape[2:]
    down, across = ((torch.arange(size, device=maps.device) + 0.5) / size * 2 - 1 for size in (height, width))
    disc = (down[:, None] ** 2 + across[None, :] ** 2 <= EDGE**2)[None, None]
    field = (nn.functional.avg_pool2d(lit, lit.shape[-1] // width) >= 0.5) & disc
    return field | (disc & ~field.flatten(1).any(dim=1)[:, None, None, None])


def pool(maps: Tensor, field: Tensor) -> list[Tensor]:
    """Give mean, highest value and spread of each channel within the field.

    Parameters
    ----------
    maps : torch.Tensor, shape (n, channels, height, width)
        Of one stage.
    field : torch.Tensor of bool, shape (n, 1, height, width)
        As `field_of` gives it.

    Returns
    -------
    list of torch.Tensor, each of shape (n, channels)
        Three.
    """
    places = field.sum(dim=(2, 3))
    mean = (maps * field).sum(dim=(2, 3)) / places
    spread = (((maps - mean[:, :, None, None]) ** 2 * field).sum(dim=(2, 3)) / places + TINY).sqrt()
    return [mean, maps.masked_fill(~field, -torch.inf).amax(dim=(2, 3)), spread]


def lay_out(maps: Tensor, field: Tensor, pooled: Sequence[Tensor], weights: Tensor) -> Tensor:
    """Lay out what a stage adds to a logit over the places of its map.

    Parameters
    ----------
    maps : torch.Tensor, shape (n, channels, height, width)
        Of one stage.
    field : torch.Tensor of bool, shape (n, 1, height, width)
        As `field_of` gives it.
    pooled : sequence of torch.Tensor, each of shape (n, channels)
        As `pool` gives them.
    weights : torch.Tensor, shape (3, channels)
        Of mean, highest value and spread in the logit.

    Returns
    -------
    torch.Tensor, shape (n, height, width)
        Sums over places to the weighted sum of the pooled numbers; nothing outside of the field.
    """
    mean, highest, spread = (one[:, :, None, None] for one in pooled)
    places = field.sum(dim=(2, 3), keepdim=True)
    reached = ((maps >= highest) & field).to(maps.dtype)
    of_mean, of_highest = maps * field / places, maps * reached / reached.sum(dim=(2, 3), keepdim=True)
    of_spread = ((maps - mean) ** 2 + TINY) * field / (places * spread)
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
