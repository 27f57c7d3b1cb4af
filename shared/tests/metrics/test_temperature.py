import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from carefolio.metrics.classification import multiclass_log_loss
from carefolio.metrics.temperature import apply_temperature, fit_temperature

LABELS = ["c", "a", "b"]


@pytest.fixture
def sample():
    """Three hundred rows whose logits are three times too large."""
    generator = np.random.default_rng(4)
    logits = generator.normal(size=(300, 3))
    y = np.array(LABELS)[[generator.choice(3, p=row) for row in softmax(logits, axis=1)]]
    return 3 * logits, y, generator.integers(0, 4, size=300)


def test_temperature_by_hand():
    """Three of four are right where logits of 0 and log(9) promise nine of ten: 9 ** (1 / T) = 3, T = 2."""
    logits = np.tile([np.log(9), 0.0], (4, 1))
    assert fit_temperature(logits, ["a", "a", "a", "b"], labels=["a", "b"]) == pytest.approx(2, abs=1e-5)
    assert apply_temperature([[0.9, 0.1], [0.5, 0.5]], 2) == pytest.approx(np.array([[0.75, 0.25], [0.5, 0.5]]))


def test_temperature_equals_a_logistic_regression_of_one_coefficient():
    """With two labels the inverse temperature is the slope on the difference of the logits, without an intercept."""
    generator = np.random.default_rng(8)
    logits = 2 * generator.normal(size=(400, 2))
    y = (generator.random(400) < softmax(logits / 2, axis=1)[:, 1]).astype(int)
    slope = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10, solver="newton-cholesky").fit(logits[:, 1:] - logits[:, :1], y)
    assert fit_temperature(logits, y, labels=[0, 1]) == pytest.approx(1 / slope.coef_[0, 0], rel=1e-5)


def test_the_temperature_has_the_lowest_log_loss_by_scikit_learn(sample):
    logits, y, _ = sample
    found, order = fit_temperature(logits, y, labels=LABELS), np.argsort(LABELS)
    loss = {factor: log_loss(y, softmax(logits / (found * factor), axis=1)[:, order]) for factor in (0.99, 1.0, 1.01)}
    assert min(loss, key=loss.__getitem__) == 1.0
    assert found == pytest.approx(3, rel=0.25)


def test_logits_and_log_probabilities_give_the_same_temperature(sample):
    logits, y, _ = sample
    found = fit_temperature(logits, y, labels=LABELS)
    assert fit_temperature(log_softmax(logits, axis=1), y, labels=LABELS) == pytest.approx(found, rel=1e-6)
    np.testing.assert_allclose(apply_temperature(softmax(logits, axis=1), found), softmax(logits / found, axis=1), atol=1e-12)


def test_fitted_again_the_temperature_is_one_and_the_answers_stay(sample):
    logits, y, _ = sample
    before = softmax(logits, axis=1)
    after = apply_temperature(before, fit_temperature(logits, y, labels=LABELS))
    assert fit_temperature(np.log(after), y, labels=LABELS) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(np.argsort(after), np.argsort(before))
    assert multiclass_log_loss(y, after, labels=LABELS) < multiclass_log_loss(y, before, labels=LABELS)
    np.testing.assert_allclose(apply_temperature(before, 1), before)


def test_order_and_labels_do_not_matter_and_a_weight_is_a_repeated_row(sample):
    logits, y, weight = sample
    found = fit_temperature(logits, y, labels=LABELS, sample_weight=weight)
    order, columns = np.random.default_rng(1).permutation(y.size), [2, 0, 1]
    assert fit_temperature(logits[order], y[order], labels=LABELS, sample_weight=weight[order]) == pytest.approx(found, rel=1e-6)
    assert fit_temperature(np.repeat(logits, weight, axis=0), np.repeat(y, weight), labels=LABELS) == pytest.approx(found, rel=1e-6)
    assert fit_temperature(logits[:, columns], y, labels=[LABELS[column] for column in columns], sample_weight=weight) == pytest.approx(
        found, rel=1e-6)


def test_the_temperature_stays_within_its_bounds():
    assert fit_temperature([[1.0, 0.0], [0.0, 1.0]], ["a", "b"], labels=["a", "b"]) == pytest.approx(0.05, rel=0.05)
    assert fit_temperature([[5.0, 0.0], [0.0, 5.0]], ["b", "a"], labels=["a", "b"]) == pytest.approx(20, rel=0.05)


def test_certain_answers_stay_certain():
    assert apply_temperature([[1.0, 0.0], [0.0, 1.0]], 3).tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("temperature", [0, -1, float("nan"), float("inf")])
def test_a_temperature_must_be_positive(temperature):
    with pytest.raises(ValueError, match="temperature must be a positive number; got"):
        apply_temperature([[0.5, 0.5]], temperature)


@pytest.mark.parametrize(("prob", "said"), [
    ([[0.5, 0.6]], "probabilities must sum to 1 in every row; got 1.1 at row 0"),
    ([[0.5, float("nan")]], "probabilities must be finite; got nan at row 0, column 1"),
    ([[2.0, -1.0]], r"probabilities must lie in \[0, 1\]; got min -1 at row 0, column 1"),
    ([0.5, 0.5], r"probabilities must have shape \(n_rows, n_labels\), none empty; got \(2,\)"),
    (np.empty((0, 2)), r"none empty; got \(0, 2\)"),
])
def test_bad_probabilities_are_refused(prob, said):
    with pytest.raises(ValueError, match=said):
        apply_temperature(prob, 2)


@pytest.mark.parametrize(("logits", "y", "said"), [
    ([[0.0, -np.inf], [1.0, 2.0]], ["a", "b"], "logits must be finite; got -inf at row 0, column 1. Look at the model's output; clip a"),
    ([[0.0, 1.0]], ["a", "b"], r"logits must have shape \(n_rows, n_labels\) = \(2, 2\); got \(1, 2\)"),
    ([[0.0, 1.0]], ["z"], "y_true must hold labels in labels only; got 'z' at row 0"),
    (np.empty((0, 2)), [], "y_true must be 1-D with at least one row"),
])
def test_bad_logits_are_refused(logits, y, said):
    with pytest.raises(ValueError, match=said):
        fit_temperature(logits, y, labels=["a", "b"])
