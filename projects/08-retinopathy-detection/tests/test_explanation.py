"""The map of a referral sums to its logit, and is another one when the weights are others."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from retinopathy.explanation import add_up, field_of, lay_out, lit_share, pool
from retinopathy.heads import REFERABLE_STEP, Heads
from retinopathy.model import Eye, Grader, open_eye
from retinopathy.overlay import overlay
from retinopathy.preparation import EVEN

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


def whole(maps: torch.Tensor) -> torch.Tensor:
    """Mark every place that the disc holds."""
    return field_of(torch.ones(len(maps), 1, *maps.shape[2:]), maps)


def laid_out(maps: torch.Tensor, weights: torch.Tensor, field: torch.Tensor) -> torch.Tensor:
    return lay_out(maps, field, pool(maps, field), weights)


def test_a_map_sums_to_the_weighted_pooled_numbers():
    rng = torch.Generator().manual_seed(0)
    maps, weights = torch.randn(3, 5, 4, 6, generator=rng), torch.randn(3, 5, generator=rng)
    field = torch.rand(3, 1, 4, 6, generator=rng) > 0.3
    expected = sum((one * weight).sum(dim=1) for one, weight in zip(pool(maps, field), weights, strict=True))
    torch.testing.assert_close(laid_out(maps, weights, field).sum(dim=(1, 2)), expected)


def test_a_highest_value_that_is_reached_twice_is_shared():
    maps = torch.tensor([[[[2.0, 0.0], [2.0, 1.0]]]])
    weights = torch.tensor([[0.0], [1.0], [0.0]])
    assert laid_out(maps, weights, whole(maps))[0].tolist() == [[1.0, 0.0], [1.0, 0.0]]


def test_nothing_outside_of_the_field_counts():
    maps = torch.zeros(1, 1, 8, 8)
    maps[0, 0, 0, 0] = 100.0  # a corner
    maps[0, 0, 4, 4] = 1.0
    field = whole(maps)
    assert pool(maps, field)[1].item() == 1.0
    assert laid_out(maps, torch.ones(3, 1), field)[0, 0, 0] == 0


def test_a_band_that_the_camera_does_not_show_counts_for_nothing():
    squares = torch.full((2, 64, 64, 3), EVEN, dtype=torch.uint8)
    squares[0, 16:, :, 1] = 90  # a band above shows nothing; the second square shows nothing at all
    maps = torch.ones(2, 1, 8, 8)
    maps[:, :, :2] = 50.0
    field = field_of(lit_share(squares), maps)
    assert not field[0, 0, :2].any()
    assert pool(maps, field)[0][0].item() == pytest.approx(1.0)
    assert torch.equal(field[1], whole(maps)[1]), "where nothing is lit the disc stands in, and nothing is divided by none"


def test_a_flat_map_divides_by_nothing():
    maps = torch.ones(1, 2, 3, 3)
    assert torch.isfinite(laid_out(maps, torch.ones(3, 2), whole(maps))).all()


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
