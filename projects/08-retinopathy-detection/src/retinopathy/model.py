"""The grader as one network: from squares to the probabilities of the steps, to be tuned, exported and explained as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from carefolio.efficientnet_lite import EfficientNetLite0, fold_normalisation, load_efficientnet_lite0
from carefolio.pictures import Pixels
from retinopathy.explanation import POOLED, add_up, field_of, lay_out, lit_share, pool
from retinopathy.heads import DME, DR, REFERABLE_STEP, Heads

Seen = npt.NDArray[np.float32]


class Eye(nn.Module):
    """The network up to the maps that are pooled.

    Parameters
    ----------
    network : EfficientNetLite0
        With its weights.
    stages : sequence of int
        Whose maps are pooled, the first one first. Up to it the network stays as it is; what comes after may be tuned.
    """

    def __init__(self, network: EfficientNetLite0, stages: Sequence[int]) -> None:
        super().__init__()
        self.network, self.stages = network, tuple(stages)

    def begin(self, squares: Tensor) -> tuple[Tensor, Tensor]:
        """Look at squares as far as the first stage that is pooled.

        Parameters
        ----------
        squares : torch.Tensor of uint8, shape (n, side, side, 3)
            Prepared photographs.

        Returns
        -------
        maps : torch.Tensor, shape (n, channels, height, width)
            Of the first stage.
        lit : torch.Tensor, shape (n, 1, height, width)
            Share of each place that shows something.
        """
        pictures = (squares.permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
        maps = self.network.stages(pictures, last=self.stages[0])[-1]
        return maps, nn.functional.avg_pool2d(lit_share(squares), squares.shape[1] // maps.shape[2])

    def go_on(self, maps: Tensor) -> list[Tensor]:
        """Go on from the first stage that is pooled.

        Parameters
        ----------
        maps : torch.Tensor, shape (n, channels, height, width)
            Of the first stage.

        Returns
        -------
        list of torch.Tensor, each of shape (n, channels, height, width)
            One a stage, the first one too.
        """
        first, *others = self.stages
        if not others:
            return [maps]
        later = self.network.later_stages(maps, stage=first, last=max(others))
        return [maps, *(later[stage - first - 1] for stage in others)]

    def pooled(self, maps: Tensor, lit: Tensor) -> Tensor:
        """Go on from the first stage, and pool each stage over what the camera shows.

        Parameters
        ----------
        maps, lit : torch.Tensor
            As `begin` gives them.

        Returns
        -------
        torch.Tensor of float32, shape (n, d)
            Mean, highest value and spread of each channel of the stages.
        """
        return torch.cat([number for one in self.go_on(maps) for number in pool(one, field_of(lit, one))], dim=1)

    def forward(self, squares: Tensor) -> Tensor:
        """Pool what is seen in squares.

        Parameters
        ----------
        squares : torch.Tensor of uint8, shape (n, side, side, 3)
            Prepared photographs.

        Returns
        -------
        torch.Tensor of float32, shape (n, d)
            Mean, highest value and spread of each channel of the stages.
        """
        return self.pooled(*self.begin(squares))


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

    def standard(self, pooled: Tensor) -> Tensor:
        """Standardise pooled numbers as those of train.

        Parameters
        ----------
        pooled : torch.Tensor, shape (n, d)
            Of all stages, in order.

        Returns
        -------
        torch.Tensor, shape (n, d)
            What the heads are asked about.
        """
        return (pooled - self.mean) / self.scale

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
        first, lit = self.eye.begin(squares)
        maps = self.eye.go_on(first)
        fields = [field_of(lit, one) for one in maps]
        pooled = [pool(one, field) for one, field in zip(maps, fields, strict=True)]
        found = torch.sigmoid(self.heads(self.standard(torch.cat([number for stage in pooled for number in stage], dim=1))))
        weights, ends = self.heads.weight[REFERABLE_STEP] / self.scale, list(accumulate(POOLED * one.shape[1] for one in maps))
        own = [weights[start:end].reshape(POOLED, -1) for start, end in pairwise([0, *ends])]
        return never_rising(found), add_up([lay_out(*stage) for stage in zip(maps, fields, pooled, own, strict=True)])


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
    network = fold_normalisation(load_efficientnet_lite0())
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # the fastest order on a processor
    return Eye(network, stages).eval().requires_grad_(requires_grad=False).to(device)


def to_tensor(squares: Sequence[Pixels], model: nn.Module) -> Tensor:
    """Bring squares to where a model is.

    Parameters
    ----------
    squares : sequence of ndarray of uint8, each of shape (side, side, 3)
        Prepared photographs.
    model : torch.nn.Module
        That shall look at them.

    Returns
    -------
    torch.Tensor of uint8, shape (n, side, side, 3)
        On the model's device.
    """
    return torch.from_numpy(np.stack(squares)).to(next(model.parameters()).device)


def never_rising(steps: Tensor) -> Tensor:
    """Keep the probabilities of a scale from rising with its steps.

    Parameters
    ----------
    steps : torch.Tensor, shape (n, 6)
        As the heads give them.

    Returns
    -------
    torch.Tensor, shape (n, 6)
        Each at most the one before it, apart for retinopathy and for oedema.
    """
    return torch.cat([_lowest_so_far(steps[:, part]) for part in (DR, DME)], dim=1)


def _lowest_so_far(steps: Tensor) -> Tensor:
    kept = [steps[:, :1]]
    for place in range(1, steps.shape[1]):
        kept.append(torch.minimum(kept[-1], steps[:, place:place + 1]))
    return torch.cat(kept, dim=1)
