"""The grader as one network: from squares to the probabilities of the steps, to be exported and explained as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from carefolio.efficientnet_lite import EfficientNetLite0, load_efficientnet_lite0
from carefolio.pictures import Pixels
from retinopathy.explanation import POOLED, add_up, lay_out, pool
from retinopathy.heads import DME, DR, REFERABLE_STEP, Heads

Seen = npt.NDArray[np.float32]
class Eye(nn.Module):
    """The network up to its pooled maps.

    Parameters
    ----------
    network : EfficientNetLite0
        With its weights.
    stages : sequence of int
        Whose maps are pooled.
    """

    def __init__(self, network: EfficientNetLite0, stages: Sequence[int]) -> None:
        super().__init__()
        self.network, self.stages = network, tuple(stages)

    def forward(self, squares: Tensor) -> Tensor:
        """Look at squares.

        Parameters
        ----------
        squares : torch.Tensor of uint8, shape (n, side, side, 3)
            Prepared photographs.

        Returns
        -------
        torch.Tensor of float32, shape (n, d)
            Mean, highest value and spread of each channel of the stages.
        """
        return torch.cat([pooled for maps in self.maps(squares) for pooled in pool(maps)], dim=1)

    def maps(self, squares: Tensor) -> list[Tensor]:
        """Give the maps of the stages.

        Parameters
        ----------
        squares : torch.Tensor of uint8, shape (n, side, side, 3)
            Prepared photographs.

        Returns
        -------
        list of torch.Tensor, each of shape (n, channels, height, width)
            One a stage.
        """
        every = self.network.stages(squares.permute(0, 3, 1, 2).float() / 127.5 - 1)
        return [every[stage] for stage in self.stages]

    def look(self, squares: Sequence[Pixels]) -> Seen:
        """Look at squares without learning from them.

        Parameters
        ----------
        squares : sequence of ndarray of uint8, each of shape (side, side, 3)
            Prepared photographs.

        Returns
        -------
        ndarray of float32, shape (n, d)
            As `forward` gives it.
        """
        device = next(self.parameters()).device
        with torch.inference_mode():
            return cast(Seen, self(torch.from_numpy(np.stack(squares)).to(device)).cpu().numpy())


class Grader(nn.Module):
    """The network with its heads; what standardises is a buffer, so that it is kept and exported with the weights.

    Parameters
    ----------
    eye : Eye
        The network.
    heads : Heads
        Fitted on what it sees.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, eye: Eye, heads: Heads) -> None:
        super().__init__()
        self.eye = eye
        self.register_buffer("mean", torch.tensor(heads.mean, dtype=torch.float32))
        self.register_buffer("scale", torch.tensor(heads.scale, dtype=torch.float32))
        self.heads = nn.Linear(len(heads.mean), len(heads.bias))
        with torch.no_grad():
            self.heads.weight.copy_(torch.tensor(heads.weight.T))
            self.heads.bias.copy_(torch.tensor(heads.bias))

    def forward(self, squares: Tensor) -> tuple[Tensor, Tensor]:
        """Grade squares, and say where the referral comes from.

        Parameters
        ----------
        squares : torch.Tensor of uint8, shape (n, side, side, 3)
            Prepared photographs.

        Returns
        -------
        steps : torch.Tensor of float32, shape (n, 6)
            Probabilities of the steps, as `retinopathy.heads.STEPS` has them.
        relevance : torch.Tensor of float32, shape (n, height, width)
            What each place adds to the logit of a referable grade; the rest of the logit is the same for all photographs.
        """
        maps = self.eye.maps(squares)
        seen = torch.cat([pooled for one in maps for pooled in pool(one)], dim=1)
        found = torch.sigmoid(self.heads((seen - self.mean) / self.scale))
        steps = torch.cat([_never_rising(found[:, part]) for part in (DR, DME)], dim=1)
        weights, ends = self.heads.weight[REFERABLE_STEP] / self.scale, list(accumulate(POOLED * one.shape[1] for one in maps))
        own = [weights[start:end].reshape(POOLED, -1) for start, end in pairwise([0, *ends])]
        return steps, add_up([lay_out(one, weight) for one, weight in zip(maps, own, strict=True)])


def open_eye(stages: Sequence[int], *, device: str = "cpu") -> Eye:
    """Open the packaged network.

    Parameters
    ----------
    stages : sequence of int
        Whose maps are pooled.
    device : str, default "cpu"
        Where it looks.

    Returns
    -------
    Eye
        Frozen.
    """
    eye = Eye(load_efficientnet_lite0(), stages).eval().requires_grad_(requires_grad=False)
    return eye.to(device)


def _never_rising(steps: Tensor) -> Tensor:
    kept = [steps[:, :1]]
    for place in range(1, steps.shape[1]):
        kept.append(torch.minimum(kept[-1], steps[:, place:place + 1]))
    return torch.cat(kept, dim=1)
