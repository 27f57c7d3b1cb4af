"""Photographs that nobody could grade are told apart, with the reason."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from carefolio.datasets.fundus_twin import draw_fundus
from retinopathy.preparation import cut_out, find_field
from retinopathy.quality import judge_quality, measure

BOUNDS = {"brightness": (40.0, 220.0), "contrast": (4.0, 80.0), "sharpness": (0.04, 1.0), "redness": (0.4, 0.85), "clipped": (0.0, 0.3)}


@pytest.fixture(scope="module")
def square() -> np.ndarray:
    picture = draw_fundus(np.random.default_rng(1), grade=2, side=400)
    return cut_out(picture, find_field(picture), side=320)


def blurred(square: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(square).filter(ImageFilter.GaussianBlur(14)))


def test_a_clear_photograph_is_gradable(square):
    found = judge_quality(square, BOUNDS)
    assert found.gradable, found


@pytest.mark.parametrize(("spoil", "reason"), [
    (lambda one: (one * 0.15).astype(np.uint8), "too dark"), (blurred, "not sharp"), (lambda one: one[..., ::-1], "colour of a retina"),
    (lambda one: (one * 3.0).clip(0, 255).astype(np.uint8), "washed out"),
    (lambda one: (0.05 * one + 130 * (one.max(axis=2, keepdims=True) > 20)).astype(np.uint8), "too little contrast")],
    ids=["dark", "blurred", "blue", "washed out", "flat"])
def test_a_spoilt_one_is_not_and_the_reason_is_said(square, spoil, reason):
    found = judge_quality(spoil(square), BOUNDS)
    assert not found.gradable
    assert reason in " ".join(found.reasons)


def test_measures_do_not_depend_on_the_resolution(square):
    smaller = np.asarray(Image.fromarray(square).resize((256, 256), Image.Resampling.BOX))
    for name, value in measure(square).items():
        assert measure(smaller)[name] == pytest.approx(value, rel=0.15, abs=0.02), name


def test_blackness_has_measures_too():
    found = measure(np.zeros((64, 64, 3), np.uint8))
    assert found == {"brightness": 0.0, "contrast": 0.0, "sharpness": 0.0, "redness": 0.0, "clipped": 1.0}
