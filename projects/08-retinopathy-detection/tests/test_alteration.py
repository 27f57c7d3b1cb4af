"""Alterations change what differs between cameras and leave the eye."""

from dataclasses import replace

import numpy as np
import pytest

from carefolio.datasets.fundus_twin import draw_fundus
from retinopathy.alteration import Alteration, alter, alter_field, draw_alteration, turn_over
from retinopathy.preparation import Field, field_mask, find_field, prepare

NONE = Alteration(gains=(1.0, 1.0, 1.0), gamma=1.0, shade=(0.0, 0.0), blur=0.0, shrink=1.0, quality=95, radius=1.0, shift=(0.0, 0.0),
                  mirrored=False, upside_down=False)


@pytest.fixture(scope="module")
def retina() -> np.ndarray:
    return draw_fundus(np.random.default_rng(3), grade=3, side=320)


def test_the_same_draw_gives_the_same_alteration_and_no_two_are_alike():
    first, again, other = (draw_alteration(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_nothing_to_alter_leaves_the_picture_but_for_the_jpeg(retina):
    assert np.abs(alter(retina, NONE).astype(int) - retina).mean() < 3


def test_an_altered_photograph_keeps_its_size_its_field_and_its_black(retina):
    for seed in range(5):
        altered = alter(retina, draw_alteration(np.random.default_rng(seed)))
        assert altered.shape == retina.shape
        assert altered[:6, :6].max() < 20
        assert find_field(altered).radius == pytest.approx(find_field(retina).radius, rel=0.06)


def test_colour_is_altered_a_lot_and_the_prepared_square_little(retina):
    changed = alter(retina, replace(NONE, gains=(0.8, 1.2, 1.1), gamma=1.2))
    inside = field_mask(192)
    plain, altered = (prepare(one, side=192).astype(float)[inside].ravel() for one in (retina, changed))
    assert np.abs(changed.astype(int) - retina)[100:220, 100:220].mean() > 10
    assert np.corrcoef(plain, altered)[0, 1] > 0.8


def test_the_field_is_moved_by_shares_of_its_radius():
    moved = alter_field(Field(100, 80, 50), replace(NONE, radius=1.1, shift=(0.04, -0.02)))
    assert (moved.x, moved.y, moved.radius) == pytest.approx((102, 79, 55))


def test_squares_are_turned_over():
    square = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert np.array_equal(turn_over(square, NONE), square)
    assert np.array_equal(turn_over(square, replace(NONE, mirrored=True)), square[:, ::-1])
    assert np.array_equal(turn_over(square, replace(NONE, mirrored=True, upside_down=True)), square[::-1, ::-1])
