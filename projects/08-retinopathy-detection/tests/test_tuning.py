"""A tuning that was stopped ends as if it had not been; it learns, averages and mixes as it says."""

from pathlib import Path

import numpy as np
import pytest
import torch

from retinopathy.config import TuningSettings
from retinopathy.heads import Heads, step_loss
from retinopathy.model import Grader, open_eye
from retinopathy.seeing import look
from retinopathy.tuning import Averaged, Beginnings, ask_tuned, mix, share_of_rate, tune

SETTINGS = TuningSettings(epochs=3, batch=4, rate=1e-3, head_rate=1e-2, decay=0.01, warm_up=0.2, dropout=0.1, mixing=0.2, averaging=0.8)
ROWS = np.arange(12)
GRADES, RISKS = np.tile([0, 4], 6), np.tile([0, 2], 6)


@pytest.fixture(scope="module")
def seen() -> Beginnings:
    """What the first stages see in twelve squares, of which every second is striped."""
    rng, squares = np.random.default_rng(0), []
    for grade in GRADES:
        square = rng.integers(100, 150, (64, 64, 3), dtype=np.uint8)
        if grade:
            square[::8] = 250
        squares.append(square)
    _, maps, lit = look(open_eye((2, 3)), squares)
    return Beginnings(maps[:, None], lit[:, None])


def new_grader() -> Grader:
    width = 3 * (40 + 80)
    rng = np.random.default_rng(1)
    return Grader(open_eye((2, 3)), Heads(np.zeros(width), np.ones(width), rng.normal(0, 0.01, (width, 6)), np.zeros(6)))


def tuned(seen: Beginnings, folder: Path, settings: TuningSettings = SETTINGS, *, seed: int = 0) -> Grader:
    grader = new_grader()
    tune(grader, seen, GRADES, RISKS, ROWS, settings, folder, seed=seed, advance=lambda done, total: None)
    return grader


def test_it_learns_and_leaves_the_first_stages_as_they_are(seen, tmp_path):
    before, after = new_grader(), tuned(seen, tmp_path)
    losses = [step_loss(ask_tuned(one, seen, ROWS), GRADES, RISKS) for one in (before, after)]
    assert losses[1] < 0.7 * losses[0]
    ends = after.eye.network.ends
    changed = [not all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
               for one, two in zip(before.eye.network.blocks, after.eye.network.blocks, strict=True)]
    assert not any(changed[:ends[2] + 1])
    assert all(changed[ends[2] + 1:ends[3] + 1])
    assert not any(changed[ends[3] + 1:]), "a stage that is not asked is not trained"
    assert not any(one.requires_grad for one in after.parameters())


class StoppedError(Exception):
    """The power was cut."""


def test_a_tuning_that_was_stopped_ends_as_if_it_had_not_been(seen, tmp_path):
    def stop_after_one(done: int, total: int) -> None:
        if done == 1:
            raise StoppedError

    with pytest.raises(StoppedError):
        tune(new_grader(), seen, GRADES, RISKS, ROWS, SETTINGS, tmp_path / "stopped", seed=0, advance=stop_after_one)
    told: list[int] = []
    resumed = new_grader()
    tune(resumed, seen, GRADES, RISKS, ROWS, SETTINGS, tmp_path / "stopped", seed=0, advance=lambda done, total: told.append(done))
    assert told == [1, 2, 3], "the first epoch is not repeated"
    np.testing.assert_allclose(ask_tuned(resumed, seen, ROWS), ask_tuned(tuned(seen, tmp_path / "whole"), seen, ROWS), atol=1e-5)


def test_another_seed_does_not_go_on_from_this_one(seen, tmp_path):
    first, other = tuned(seen, tmp_path, seed=0), tuned(seen, tmp_path, seed=1)
    assert not np.allclose(ask_tuned(first, seen, ROWS), ask_tuned(other, seen, ROWS))


def test_without_epochs_the_heads_stay_as_they_are(seen, tmp_path):
    none = SETTINGS.model_copy(update={"epochs": 0})
    np.testing.assert_allclose(ask_tuned(tuned(seen, tmp_path, none), seen, ROWS), ask_tuned(new_grader(), seen, ROWS), atol=1e-6)


def test_the_rate_rises_and_falls():
    shares = [share_of_rate(done, 0.2) for done in np.linspace(0, 1, 21)]
    assert 0 < shares[0] < 0.2
    assert max(shares) == pytest.approx(1, abs=0.01)
    assert shares[-1] == pytest.approx(0, abs=1e-9)
    assert shares == sorted(shares[:5]) + sorted(shares[5:], reverse=True)


def test_the_average_follows_the_weights_and_is_what_remains():
    grader = new_grader()
    grader.heads.requires_grad_(requires_grad=True)
    averaged = Averaged(grader)
    with torch.no_grad():
        grader.heads.bias.fill_(1.0)
    for _ in range(3):
        averaged.take_in(0.5)
    averaged.settle()
    expected = 0.0
    for step in (1, 2, 3):
        stays = min(0.5, step / (9 + step))
        expected = stays * expected + 1 - stays
    assert grader.heads.bias[0].item() == pytest.approx(expected)


def test_mixing_keeps_sums_and_takes_answers_along():
    maps, lit, answers = torch.arange(8.0).reshape(4, 2), torch.ones(4, 1), torch.eye(4)
    (mixed, _), wanted = mix((maps, lit), answers, 0.5, np.random.default_rng(3))
    torch.testing.assert_close(wanted.sum(dim=0), torch.ones(4))
    torch.testing.assert_close(wanted @ maps, mixed)
    assert not torch.equal(mixed, maps)
    assert mix((maps, lit), answers, 0, np.random.default_rng(3))[0][0] is maps
