"""The exported network says what its parts say."""

import numpy as np
import pytest
import torch

from retinopathy.explanation import POOLED
from retinopathy.heads import DME, DR, Heads, ask_heads
from retinopathy.model import Eye, Grader, open_eye
from retinopathy.seeing import look

STAGES = (1, 3)
CHANNELS = 24 + 80


@pytest.fixture(scope="module")
def eye() -> Eye:
    return open_eye(STAGES)


@pytest.fixture(scope="module")
def squares() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (64, 64, 3), dtype=np.uint8) for _ in range(3)]


def test_what_is_seen_is_mean_highest_and_spread_of_each_channel_within_the_field(eye, squares):
    seen = look(eye, squares)[0]
    assert seen.shape == (3, POOLED * CHANNELS)
    with torch.inference_mode():
        maps = eye.network.stages(torch.from_numpy(squares[0])[None].permute(0, 3, 1, 2).float() / 127.5 - 1)[1][0].numpy()
    grid = (np.arange(16) + 0.5) / 8 - 1
    within = maps[:, grid[:, None] ** 2 + grid[None, :] ** 2 <= 0.97**2]
    np.testing.assert_allclose(seen[0, :24], within.mean(axis=1), atol=1e-4)
    np.testing.assert_allclose(seen[0, 24:48], within.max(axis=1), atol=1e-4)
    np.testing.assert_allclose(seen[0, 48:72], within.std(axis=1), atol=1e-4)


def test_a_square_is_seen_alike_alone_and_among_others(eye, squares):
    np.testing.assert_allclose(look(eye, squares[1:2])[0][0], look(eye, squares)[0][1], atol=1e-4)


def test_the_grader_gives_what_its_heads_give(eye, squares):
    rng = np.random.default_rng(1)
    seen = look(eye, squares)[0]
    heads = Heads(mean=seen.mean(axis=0).astype(float), scale=np.full(seen.shape[1], 0.5), weight=rng.normal(0, 0.05, (seen.shape[1], 6)),
                  bias=rng.normal(0, 1, 6))
    with torch.inference_mode():
        steps = Grader(eye, heads)(torch.from_numpy(np.stack(squares)))[0].numpy()
    np.testing.assert_allclose(steps, ask_heads(heads, seen), atol=2e-4)
    assert (np.diff(steps[:, DR], axis=1) <= 0).all()
    assert (np.diff(steps[:, DME], axis=1) <= 0).all()


def test_the_network_is_frozen(eye):
    assert not eye.training
    assert not any(one.requires_grad for one in eye.parameters())
