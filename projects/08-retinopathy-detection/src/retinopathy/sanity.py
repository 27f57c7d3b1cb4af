"""Whether the map of a referral shows what was learnt: it must become another one when the weights are put in disorder.

Reference: Adebayo J, Gilmer J, Muelly M, Goodfellow I, Hardt M, Kim B. Sanity checks for saliency maps. NeurIPS 2018.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from carefolio.evidence import Metric, metric
from carefolio.pictures import Pixels
from carefolio.uncertainty import bootstrap_values
from retinopathy.config import EvaluationSettings
from retinopathy.model import Grader

PHOTOGRAPHS = 24
"""That the maps are compared on, at the most."""


def in_disorder(grader: Grader, what: str, *, seed: int) -> Grader:
    """Put weights in disorder: each layer keeps its numbers and loses their places.

    Parameters
    ----------
    grader : Grader
        Stays as it is.
    what : {"heads", "later_stages", "network"}
        The heads; the stages that were tuned, and the heads; or all.
    seed : int
        Of the order.

    Returns
    -------
    Grader
        Another one.
    """
    other, generator = copy.deepcopy(grader), torch.Generator().manual_seed(seed)
    network, first = other.eye.network, other.eye.stages[0]
    parts: dict[str, list[nn.Module]] = {"heads": [other.heads], "network": [other],
                                         "later_stages": [*network.blocks[network.ends[first] + 1:], other.heads]}
    with torch.no_grad():
        for weight in (one for part in parts[what] for one in part.parameters()):
            weight.copy_(weight.flatten()[torch.randperm(weight.numel(), generator=generator)].reshape(weight.shape))
    return other


def map_of(grader: Grader, square: Pixels) -> npt.NDArray[np.float32]:
    """Give what each place adds to the referral.

    Parameters
    ----------
    grader : Grader
        That is asked.
    square : ndarray of uint8, shape (side, side, 3)
        A prepared photograph.

    Returns
    -------
    ndarray of float32, shape (height, width)
        As `Grader.forward` gives it.
    """
    with torch.inference_mode():
        found: npt.NDArray[np.float32] = grader(torch.from_numpy(square[None]))[1][0].numpy()
    return found


def compare_maps(grader: Grader, prepared: Sequence[Pixels], settings: EvaluationSettings, *, seed: int) -> dict[str, Metric]:
    """Compare the maps of a grader with those of the same one in disorder.

    Parameters
    ----------
    grader : Grader
        Trained.
    prepared : sequence of ndarray of uint8, each of shape (side, side, 3)
        Photographs; `PHOTOGRAPHS` of them are taken.
    settings : EvaluationSettings
        Replicates and level.
    seed : int
        Of disorder and bootstrap.

    Returns
    -------
    dict of str to Metric
        ``idrid.test.map.<what>_in_disorder``: mean rank correlation of the places of a map; near 1 the map would show the photograph alone.
    """
    chosen = prepared[::max(1, len(prepared) // PHOTOGRAPHS)][:PHOTOGRAPHS]
    whole = [map_of(grader, one) for one in chosen]
    found = {}
    for what in ("heads", "later_stages", "network"):
        other = in_disorder(grader, what, seed=seed)
        likeness = np.array([rank_correlation(one, map_of(other, square)) for one, square in zip(whole, chosen, strict=True)])
        (interval,) = bootstrap_values(_mean_of(likeness), groups=np.arange(len(likeness)), n_replicates=settings.replicates,
                                       level=settings.level, random_state=seed)
        found[f"idrid.test.map.{what}_in_disorder"] = metric(interval, higher_is_better=None)
    return found


def _mean_of(values: npt.NDArray[np.float64]) -> Callable[[npt.NDArray[np.float64]], list[float]]:
    return lambda weights: [float(weights @ values / weights.sum())]


def rank_correlation(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    """Compare two maps where either shows something.

    Parameters
    ----------
    one, other : ndarray, shape (height, width)
        Maps.

    Returns
    -------
    float
        Spearman's, -1 to 1; 0 where one is flat.
    """
    from scipy.stats import spearmanr

    shown = (one != 0) | (other != 0)
    if np.ptp(one[shown]) == 0 or np.ptp(other[shown]) == 0:
        return 0.0
    return float(spearmanr(one[shown], other[shown]).statistic)
