"""The field is found whatever the camera, and the light is evened without touching what is seen."""

import numpy as np
import pytest

from carefolio.datasets.fundus_twin import draw_fundus
from carefolio.pictures import reduced
from retinopathy.preparation import EVEN, NoFieldError, cut_out, even_light, field_mask, find_field, prepare

SIDE = 160


@pytest.fixture(scope="module")
def retina() -> np.ndarray:
    return draw_fundus(np.random.default_rng(0), grade=3, dme_risk=2, side=400)


def on_black(pixels: np.ndarray, *, top: int = 0, left: int = 0, height: int, width: int) -> np.ndarray:
    """Lay a picture on a larger black one; what reaches beyond is cut off."""
    canvas = np.zeros((height, width, 3), np.uint8)
    rows, columns = slice(max(0, top), min(height, top + len(pixels))), slice(max(0, left), min(width, left + pixels.shape[1]))
    canvas[rows, columns] = pixels[rows.start - top:rows.stop - top, columns.start - left:columns.stop - left]
    return canvas


@pytest.mark.parametrize(("top", "left", "height", "width"), [
    (0, 0, 400, 400), (50, 200, 500, 900), (-40, 100, 320, 600), (-60, 20, 280, 440)], ids=["full", "moved", "cut off", "cut off more"])
def test_the_field_is_found_wherever_it_lies(retina, top, left, height, width):
    field = find_field(on_black(retina, top=top, left=left, height=height, width=width))
    assert field.x == pytest.approx(left + 200, abs=5)
    assert field.y == pytest.approx(top + 200, abs=5)
    assert field.radius == pytest.approx(0.94 * 200, abs=6)


@pytest.mark.parametrize("gain", [0.35, 0.6, 1.3])
def test_the_field_is_found_in_any_light(retina, gain):
    changed = (retina * gain).clip(0, 255).astype(np.uint8)
    assert find_field(changed).radius == pytest.approx(find_field(retina).radius, abs=4)


def test_a_picture_without_dark_corners_is_taken_as_a_whole():
    field = find_field(np.full((300, 400, 3), 120, np.uint8))
    assert (field.x, field.y, field.radius) == (200, 150, 250)


@pytest.mark.parametrize("picture", [
    np.zeros((200, 200, 3), np.uint8), np.full((200, 200, 3), 9, np.uint8),
    np.tile(np.repeat([0, 255], 20).astype(np.uint8)[:, None, None], (5, 200, 3)),
    np.pad(np.full((180, 40, 3), 200, np.uint8), ((10, 10), (80, 80), (0, 0))),
], ids=["black", "nearly black", "stripes", "a bar"])
def test_what_shows_no_disc_is_refused(picture):
    with pytest.raises(NoFieldError, match="round field of a retina"):
        find_field(picture)


def test_the_same_eye_in_another_frame_gives_the_same_square(retina):
    plain, moved = (prepare(one, side=SIDE).astype(float) for one in (retina, on_black(retina, top=70, left=333, height=520, width=1000)))
    inside = field_mask(SIDE)
    assert np.corrcoef(plain[inside].ravel(), moved[inside].ravel())[0, 1] > 0.9


def test_a_larger_photograph_of_the_same_eye_gives_nearly_the_same_square(retina):
    plain, smaller = (prepare(one, side=SIDE).astype(float) for one in (retina, reduced(retina, longest_side=330)))
    inside = field_mask(SIDE)
    assert np.corrcoef(plain[inside].ravel(), smaller[inside].ravel())[0, 1] > 0.8


def test_light_is_evened_and_the_outside_is_grey(retina):
    across = np.linspace(0.6, 1.2, 400)[None, :, None]
    shaded = (retina * across).clip(0, 255).astype(np.uint8)
    square = prepare(shaded, side=SIDE)
    assert (square[~field_mask(SIDE)] == EVEN).all()
    left, right = square[:, 30:70][field_mask(SIDE)[:, 30:70]], square[:, 90:130][field_mask(SIDE)[:, 90:130]]
    assert abs(left.mean() - right.mean()) < 4


def test_a_cut_off_field_leaves_no_bright_border(retina):
    picture = on_black(retina, top=-40, left=100, height=320, width=600)
    square = even_light(cut_out(picture, find_field(picture), side=SIDE))
    rows = np.abs(square.astype(float) - EVEN).mean(axis=(1, 2))
    assert rows[:8].max() == 0, "above the picture there is nothing to see"
