"""Scores of grades: by hand, against scikit-learn, and under permutation and doubled rows."""

import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from carefolio.metrics.ordinal import mean_absolute_error, quadratic_weighted_kappa

RNG = np.random.default_rng(0)
TRUE, PREDICTED = RNG.integers(0, 5, 200), RNG.integers(0, 5, 200)


def test_kappa_by_hand():
    # costs: observed (0 + 1 + 0 + 4) = 5; expected from margins {0: 2, 1: 1, 2: 1} and {0: 2, 1: 1, 2: 1}
    true, predicted = [0, 0, 1, 2], [0, 1, 2, 0]
    expected = (2 * 1 * 1 + 2 * 1 * 4 + 1 * 2 * 1 + 1 * 1 * 1 + 1 * 2 * 4 + 1 * 1 * 1) / 4
    assert quadratic_weighted_kappa(true, predicted, n_grades=3) == pytest.approx(1 - (1 + 1 + 4) / expected)


def test_kappa_is_that_of_scikit_learn():
    theirs = cohen_kappa_score(TRUE, PREDICTED, weights="quadratic", labels=range(5))
    assert quadratic_weighted_kappa(TRUE, PREDICTED, n_grades=5) == pytest.approx(theirs)
    weight = RNG.integers(0, 3, 200)
    theirs = cohen_kappa_score(TRUE, PREDICTED, weights="quadratic", labels=range(5), sample_weight=weight)
    assert quadratic_weighted_kappa(TRUE, PREDICTED, n_grades=5, sample_weight=weight) == pytest.approx(theirs)


@pytest.mark.parametrize("score", [quadratic_weighted_kappa, mean_absolute_error])
def test_order_does_not_matter_and_a_weight_of_two_is_two_rows(score):
    order = RNG.permutation(200)
    assert score(TRUE[order], PREDICTED[order], n_grades=5) == pytest.approx(score(TRUE, PREDICTED, n_grades=5))
    weight = RNG.integers(0, 3, 200)
    doubled = np.repeat(np.arange(200), weight)
    assert score(TRUE, PREDICTED, n_grades=5, sample_weight=weight) == pytest.approx(score(TRUE[doubled], PREDICTED[doubled], n_grades=5))


def test_the_ends():
    assert quadratic_weighted_kappa([0, 4], [0, 4], n_grades=5) == 1
    assert quadratic_weighted_kappa([0, 4], [4, 0], n_grades=5) == -1
    assert math.isnan(quadratic_weighted_kappa([2, 2], [2, 2], n_grades=5))
    assert mean_absolute_error([0, 4, 2], [1, 2, 2], n_grades=5) == 1


@pytest.mark.parametrize(("true", "predicted", "n_grades", "words"), [
    ([0, 5], [0, 1], 5, "y_true must lie in 0 to 4; got 5 at row 1"), ([0, 1], [0, -1], 5, "y_pred must lie in 0 to 4; got -1 at row 1"),
    ([0.5, 1], [0, 1], 5, "y_true must be a vector of whole numbers"), ([], [], 5, "at least one"), ([0], [0, 1], 5, "same length"),
    ([0], [0], 1, "n_grades must be at least 2"),
])
def test_malformed_grades_are_refused(true, predicted, n_grades, words):
    with pytest.raises(ValueError, match=words):
        quadratic_weighted_kappa(true, predicted, n_grades=n_grades)
