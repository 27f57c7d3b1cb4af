"""A map that shows what was learnt becomes another one when the weights are in disorder; likeness is measured as it says."""

import numpy as np
import pytest
import torch

from retinopathy.config import EvaluationSettings
from retinopathy.features import squares
from retinopathy.sanity import compare_maps, in_disorder, map_of, rank_correlation

from .conftest import PREPARATION

SETTINGS = EvaluationSettings(replicates=20, level=0.95, coverage=0.9, least_sensitivity=0.85, least_specificity=0.825, sizes=())


@pytest.fixture(scope="module")
def prepared(retinas) -> list[np.ndarray]:
    return [squares((content, (0,)), PREPARATION)[0] for content in retinas.values()]


@pytest.mark.parametrize(("what", "moved"), [("heads", (False, False, True)), ("later_stages", (False, True, True)),
                                             ("network", (True, True, True))])
def test_disorder_keeps_the_numbers_and_moves_what_it_says(grader, what, moved):
    other = in_disorder(grader, what, seed=0)
    ends = grader.eye.network.ends
    pairs = ((grader.eye.network.blocks[0], other.eye.network.blocks[0]),
             (grader.eye.network.blocks[ends[2] + 1], other.eye.network.blocks[ends[2] + 1]), (grader.heads, other.heads))
    for (one, two), expected in zip(pairs, moved, strict=True):
        same = all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
        assert same is not expected
        for a, b in zip(one.parameters(), two.parameters(), strict=True):
            torch.testing.assert_close(a.flatten().sort().values, b.flatten().sort().values)


def test_maps_of_a_grader_in_disorder_differ(grader, prepared):
    found = compare_maps(grader, prepared, SETTINGS, seed=0)
    assert set(found) == {f"idrid.test.map.{what}_in_disorder" for what in ("heads", "later_stages", "network")}
    for one in found.values():
        assert -1 <= one.low <= one.value <= one.high < 0.9


def test_likeness_by_hand(grader, prepared):
    own = map_of(grader, prepared[0])
    assert rank_correlation(own, own) == pytest.approx(1)
    assert rank_correlation(own, -own) == pytest.approx(-1)
    assert rank_correlation(own, np.full_like(own, 2.0)) == 0
