"""EfficientNet-Lite0 in PyTorch, with the weights that come in a package: what the photographs of the portfolio are looked at with.

Layers stand in the order of the published weights, so that these are taken over one by one. Borders are padded as TensorFlow does it,
which for an even side puts the odd pixel at the end; sides must therefore be multiples of 32.

References: Tan M, Le Q. EfficientNet: rethinking model scaling for convolutional neural networks. ICML 2019; the Lite form leaves out
squeeze-and-excitation and cuts activations at 6.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from carefolio.exceptions import ArtefactError
from carefolio.packaged_models import EFFICIENTNET_LITE0

STRIDE = 32
"""Pixels of a side of the picture for one of the deepest map."""
N_CLASSES = 1000


class Stage(NamedTuple):
    """Blocks of one width."""

    kernel: int
    stride: int
    expansion: int
    channels: int
    repeats: int


STAGES = (Stage(3, 1, 1, 16, 1), Stage(3, 2, 6, 24, 2), Stage(5, 2, 6, 40, 2), Stage(3, 2, 6, 80, 3), Stage(5, 1, 6, 112, 3),
          Stage(5, 2, 6, 192, 4), Stage(3, 1, 6, 320, 1))
"""The seven stages; each but the first doubles or keeps the reduction of the one before: 2, 4, 8, 16, 16, 32 and 32."""


class EfficientNetLite0(nn.Module):
    """The network of 4.7 million parameters.

    Pictures are float tensors of shape (n, 3, height, width) in [-1, 1], red, green, blue, with sides that are multiples of 32.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Convolution(3, 32, kernel=3, stride=2)
        channels, blocks, self.ends = 32, list[nn.Module](), list[int]()
        for stage in STAGES:
            for repeat in range(stage.repeats):
                blocks.append(_Block(channels, stage, stride=stage.stride if repeat == 0 else 1))
                channels = stage.channels
            self.ends.append(len(blocks) - 1)
        self.blocks = nn.ModuleList(blocks)
        self.head = _Convolution(channels, 1280)
        self.classes = nn.Linear(1280, N_CLASSES)

    def stages(self, pictures: Tensor, *, last: int = len(STAGES) - 1) -> list[Tensor]:
        """Give the map at the end of each stage.

        Parameters
        ----------
        pictures : torch.Tensor of float, shape (n, 3, height, width)
            In [-1, 1].
        last : int, default 6
            Stage after which nothing is computed.

        Returns
        -------
        list of torch.Tensor, each of shape (n, channels, height / reduction, width / reduction)
            ``last + 1``, as `STAGES` has them.
        """
        return self._walk(self.stem(pictures), 0, self.ends[last])

    def later_stages(self, maps: Tensor, *, stage: int, last: int = len(STAGES) - 1) -> list[Tensor]:
        """Go on from the map of a stage.

        Parameters
        ----------
        maps : torch.Tensor of float, shape (n, channels, height, width)
            As `stages` gives it for ``stage``.
        stage : int
            Counted from 0.
        last : int, default 6
            Stage after which nothing is computed.

        Returns
        -------
        list of torch.Tensor
            Of the stages after it.
        """
        return self._walk(maps, self.ends[stage] + 1, self.ends[last])

    def _walk(self, maps: Tensor, first: int, last: int) -> list[Tensor]:
        kept = []
        for place in range(first, last + 1):
            maps = self.blocks[place](maps)
            if place in self.ends:
                kept.append(maps)
        return kept

    def forward(self, pictures: Tensor) -> Tensor:
        """Classify pictures as ImageNet does.

        Parameters
        ----------
        pictures : torch.Tensor of float, shape (n, 3, height, width)
            In [-1, 1].

        Returns
        -------
        torch.Tensor, shape (n, 1000)
            Logits.
        """
        return cast(Tensor, self.classes(self.head(self.stages(pictures)[-1]).mean(dim=(2, 3))))


def load_efficientnet_lite0() -> EfficientNetLite0:
    """Build the network with the weights of its package, checked byte by byte before they are read.

    Returns
    -------
    EfficientNetLite0
        Ready to be asked, on the processor.

    Raises
    ------
    ArtefactError
        If the package is missing, or holds other bytes.
    """
    path = EFFICIENTNET_LITE0.find() / EFFICIENTNET_LITE0.weights
    published: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    model = EfficientNetLite0()
    own = model.state_dict()
    if [value.shape for value in own.values()] != [value.shape for value in published.values()]:
        raise ArtefactError(f"{path} must hold {len(own)} tensors of {EFFICIENTNET_LITE0.name}; got {len(published)} or other shapes. Run "
                            f"`{EFFICIENTNET_LITE0.install}`.")
    model.load_state_dict(dict(zip(own, published.values(), strict=True)))
    return model.eval()


def fold_normalisation(model: EfficientNetLite0) -> EfficientNetLite0:
    """Put each normalisation into the convolution before it, which gives the same numbers in about half of the time.

    Parameters
    ----------
    model : EfficientNetLite0
        In evaluation mode; it is changed.

    Returns
    -------
    EfficientNetLite0
        The same one. Its weights can be trained further; running means no longer exist.
    """
    for part in model.modules():
        if isinstance(part, _Convolution):
            part.fold()
    return model


class _Convolution(nn.Module):
    """A convolution without bias, its normalisation, and the activation."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int = 1, stride: int = 1, groups: int = 1, active: bool = True) -> None:
        super().__init__()
        before, odd = divmod(kernel - stride, 2)
        self.pad = nn.ZeroPad2d((before, before + 1) * 2) if odd else nn.Identity()  # an even border costs no copy of its own
        self.weights = nn.Conv2d(inputs, outputs, kernel, stride, padding=0 if odd else before, groups=groups, bias=False)
        self.normalised: nn.Module = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01)
        self.activation = nn.ReLU6(inplace=True) if active else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        return cast(Tensor, self.activation(self.normalised(self.weights(self.pad(maps)))))

    def fold(self) -> None:
        if isinstance(self.normalised, nn.BatchNorm2d):
            trained = self.weights.weight.requires_grad
            self.weights = nn.utils.fuse_conv_bn_eval(self.weights, self.normalised).requires_grad_(trained)  # its bias too
            self.normalised = nn.Identity()


class _Block(nn.Module):
    """Widen, look around within each channel, narrow; the input is added where the form stays."""

    def __init__(self, inputs: int, stage: Stage, *, stride: int) -> None:
        super().__init__()
        inner = inputs * stage.expansion
        self.widen = _Convolution(inputs, inner) if stage.expansion > 1 else nn.Identity()
        self.look = _Convolution(inner, inner, kernel=stage.kernel, stride=stride, groups=inner)
        self.narrow = _Convolution(inner, stage.channels, active=False)
        self.keeps_form = stride == 1 and inputs == stage.channels

    def forward(self, maps: Tensor) -> Tensor:
        found = self.narrow(self.look(self.widen(maps)))
        return cast(Tensor, maps + found if self.keeps_form else found)
