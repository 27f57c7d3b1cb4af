"""Where a model is computed and in which numbers: a GPU where there is one; bfloat16 where the hardware has instructions for it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

Precision = Literal["auto", "bfloat16", "float32"]


@dataclass(frozen=True)
class Compute:
    """Device and numbers.

    Attributes
    ----------
    device : {"cuda", "cpu"}
        Where.
    precision : {"bfloat16", "float32"}
        Of matrix products; weights stay in float32.
    """

    device: str
    precision: str

    def autocast(self) -> AbstractContextManager[Any]:
        """Give the context in which a model is called.

        Returns
        -------
        context manager
            Autocast to bfloat16, or nothing.
        """
        import torch

        return torch.autocast(self.device, torch.bfloat16) if self.precision == "bfloat16" else nullcontext()


def choose_compute(precision: Precision) -> Compute:
    """Choose device and numbers.

    Parameters
    ----------
    precision : {"auto", "bfloat16", "float32"}
        ``auto``: bfloat16 where the hardware has instructions for it, since it is slower elsewhere.

    Returns
    -------
    Compute
        What to use.
    """
    import torch

    if torch.cuda.is_available():
        fast, device = torch.cuda.is_bf16_supported(), "cuda"
    else:
        fast, device = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported(), "cpu"
    return Compute(device, ("bfloat16" if fast else "float32") if precision == "auto" else precision)
