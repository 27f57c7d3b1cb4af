"""The map of a referral sums to its logit, and is another one when the weights are others."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from retinopathy.explanation import add_up, lay_out, overlay, pool
from retinopathy.heads import REFERABLE_STEP, Heads
from retinopathy.model import Eye, Grader, open_eye

STAGES = (1, 3, 5)


@pytest.fixture(scope="module")
def eye() -> Eye:
    return open_eye(STAGES)


@pytest.fixture(scope="module")
def squares() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8))


def drawn_heads(width: int, *, seed: int) -> Heads:
    rng = np.random.default_rng(seed)
    return Heads(mean=rng.normal(0, 1, width), scale=rng.uniform(0.5, 2, width), weight=rng.normal(0, 0.01, (width, 6)),
                 bias=rng.normal(0, 1, 6))


def test_a_map_sums_to_the_weighted_pooled_numbers():
    rng = torch.Generator().manual_seed(0)
    maps, weights = torch.randn(3, 5, 4, 6, generator=rng), torch.randn(3, 5, generator=rng)
    expected = sum((one * weight).sum(dim=1) for one, weight in zip(pool(maps), weights, strict=True))
    torch.testing.assert_close(lay_out(maps, weights).sum(dim=(1, 2)), expected)


def test_a_highest_value_that_is_reached_twice_is_shared():
    maps = torch.tensor([[[[2.0, 0.0], [2.0, 1.0]]]])
    weights = torch.tensor([[0.0], [1.0], [0.0]])
    assert lay_out(maps, weights)[0].tolist() == [[1.0, 0.0], [1.0, 0.0]]


def test_nothing_outside_of_the_field_counts():
    maps = torch.zeros(1, 1, 8, 8)
    maps[0, 0, 0, 0] = 100.0  # a corner
    maps[0, 0, 4, 4] = 1.0
    assert pool(maps)[1].item() == 1.0
    assert lay_out(maps, torch.ones(3, 1))[0, 0, 0] == 0


def test_a_flat_map_divides_by_nothing():
    assert torch.isfinite(lay_out(torch.ones(1, 2, 3, 3), torch.ones(3, 2))).all()


def test_coarse_maps_are_spread_over_fine_ones():
    found = add_up([torch.tensor([[[4.0]]]), torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])])
    assert found[0].tolist() == [[2.0, 3.0], [4.0, 5.0]]


def test_the_relevance_and_a_constant_make_up_the_logit(eye, squares):
    heads = drawn_heads(3 * (24 + 80 + 192), seed=0)
    with torch.inference_mode():
        seen = eye(squares).numpy()
        _, relevance = Grader(eye, heads)(squares)
    logits = (seen - heads.mean) / heads.scale @ heads.weight[:, REFERABLE_STEP]
    constant = -(heads.mean / heads.scale) @ heads.weight[:, REFERABLE_STEP]
    assert relevance.shape == (2, 16, 16)
    np.testing.assert_allclose(relevance.sum(dim=(1, 2)).numpy() + constant, logits, atol=1e-3)


def test_other_weights_give_another_map(eye, squares):
    with torch.inference_mode():
        first, other = (Grader(eye, drawn_heads(3 * (24 + 80 + 192), seed=seed))(squares)[1][0].numpy().ravel() for seed in (0, 1))
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.6


def test_the_overlay_is_red_where_it_speaks_for_referral_and_blue_where_against():
    relevance = np.zeros((8, 8), np.float32)
    relevance[1, 1], relevance[6, 6] = 3.0, -3.0
    with Image.open(io.BytesIO(overlay(np.full((64, 64, 3), 100, np.uint8), relevance))) as image:
        shown = np.asarray(image).astype(int)
    assert shown.shape == (64, 64, 3)
    assert shown[12, 12, 0] > 150 > 80 > shown[12, 12, 2]
    assert shown[52, 52, 2] > 150 > 80 > shown[52, 52, 0]
    assert np.abs(shown[30:34, 2:6] - 100).max() < 15
