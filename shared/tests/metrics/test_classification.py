import numpy as np
import polars as pl
import pytest
from sklearn import metrics as reference

from carefolio.metrics import calibration, classification
from carefolio.uncertainty import bootstrap_values

Y = ["no", "no", "yes", "maybe", "yes", "no"]
PRED = ["no", "yes", "yes", "no", "yes", "no"]
LABELS = ["maybe", "no", "yes"]
PROB = np.array([[0.1, 0.8, 0.1], [0.0, 0.4, 0.6], [0.2, 0.1, 0.7], [0.3, 0.5, 0.2], [0.0, 0.0, 1.0], [0.2, 0.6, 0.2]])
OF_ANSWERS = {
    "accuracy": classification.accuracy,
    "macro_f1": classification.macro_f1,
    "f1_by_label": lambda y, pred, **options: list(classification.f1_by_label(y, pred, **options).values()),
    "confusion_counts": lambda y, pred, **options: classification.confusion_counts(y, pred, labels=sorted({*LABELS, *pred}), **options),
}
OF_PROBABILITIES = ["multiclass_log_loss", "multiclass_brier_score", "top_label_calibration_error", "top_label_reliability"]


@pytest.fixture
def sample():
    """Four hundred rows of five labels with probabilities on a coarse grid, so that confidences tie."""
    generator = np.random.default_rng(5)
    labels = ["b", "d", "a", "e", "c"]
    prob = np.round(generator.dirichlet(np.ones(5), size=400) * 20) + 1
    prob /= prob.sum(axis=1, keepdims=True)
    y = np.array(labels)[[generator.choice(5, p=row) for row in prob]]
    return y, np.array(labels)[prob.argmax(axis=1)], prob, labels, generator.integers(0, 4, size=400)


def score(name, y, prob, labels, weight=None):
    found = getattr(classification, name)(y, prob, labels=labels, sample_weight=weight)
    return [found.mean_predicted, found.observed, found.count, found.low, found.high] if name == "top_label_reliability" else found


def test_accuracy_by_hand():
    assert classification.accuracy(Y, PRED) == pytest.approx(4 / 6)
    assert classification.correct_of_each(Y, PRED).tolist() == [1, 0, 1, 0, 1, 1]


def test_confusion_by_hand_has_true_labels_in_rows():
    assert classification.confusion_counts(Y, PRED, labels=LABELS).tolist() == [[0, 1, 0], [0, 2, 1], [0, 0, 2]]


def test_f1_by_hand_counts_a_label_never_predicted_as_zero():
    assert classification.f1_by_label(Y, PRED) == pytest.approx({"maybe": 0, "no": 4 / 6, "yes": 4 / 5})
    assert classification.macro_f1(Y, PRED) == pytest.approx((4 / 6 + 4 / 5) / 3)
    assert classification.macro_f1(Y, PRED, labels=["no", "yes"]) == pytest.approx((4 / 6 + 4 / 5) / 2)


def test_a_label_that_is_only_predicted_is_not_averaged_over():
    assert classification.f1_by_label([1, 1, 2], [1, 3, 2]) == pytest.approx({1: 2 / 3, 2: 1})
    assert classification.macro_f1([1, 1, 2], [1, 3, 2]) == pytest.approx(5 / 6)
    assert reference.f1_score([1, 1, 2], [1, 3, 2], average="macro") == pytest.approx(5 / 9)


def test_losses_by_hand():
    y, prob = ["b", "a"], [[0.2, 0.8], [0.4, 0.6]]
    assert classification.multiclass_log_loss(y, prob, labels=["a", "b"]) == pytest.approx(-(np.log(0.8) + np.log(0.4)) / 2)
    assert classification.multiclass_brier_score(y, prob, labels=["a", "b"]) == pytest.approx((0.08 + 0.72) / 2)


def test_top_label_calibration_by_hand():
    """Confidences 0.5, 0.6 and 0.6 with one right of three, then 0.7, 0.8 and 1 with three right of three."""
    wanted = (abs(1.7 / 3 - 1 / 3) + abs(2.5 / 3 - 1)) / 2
    assert classification.top_label_calibration_error(Y, PROB, labels=LABELS, n_bins=2) == pytest.approx(wanted)
    points = classification.top_label_reliability(Y, PROB, labels=LABELS, n_bins=2)
    assert points.mean_predicted == pytest.approx([1.7 / 3, 2.5 / 3])
    assert points.observed == pytest.approx([1 / 3, 1])
    assert points.count.tolist() == [3, 3]
    assert np.all((points.low < points.observed) & (points.observed <= points.high))


@pytest.mark.parametrize("weighted", [False, True])
def test_answers_agree_with_scikit_learn(sample, weighted):
    y, pred, _, labels, weight = sample
    weight = weight if weighted else None
    assert classification.accuracy(y, pred, sample_weight=weight) == pytest.approx(reference.accuracy_score(y, pred, sample_weight=weight))
    assert classification.macro_f1(y, pred, sample_weight=weight) == pytest.approx(
        reference.f1_score(y, pred, average="macro", sample_weight=weight))
    assert list(classification.f1_by_label(y, pred, labels=labels, sample_weight=weight).values()) == pytest.approx(
        reference.f1_score(y, pred, average=None, labels=labels, sample_weight=weight))
    np.testing.assert_allclose(classification.confusion_counts(y, pred, labels=labels, sample_weight=weight),
                               reference.confusion_matrix(y, pred, labels=labels, sample_weight=weight))


@pytest.mark.parametrize("weighted", [False, True])
def test_losses_agree_with_scikit_learn_which_sorts_the_columns(sample, weighted):
    y, _, prob, labels, weight = sample
    weight = weight if weighted else None
    ordered = prob[:, np.argsort(labels)]
    assert classification.multiclass_log_loss(y, prob, labels=labels, sample_weight=weight) == pytest.approx(
        reference.log_loss(y, ordered, labels=sorted(labels), sample_weight=weight), abs=1e-12)
    assert classification.multiclass_brier_score(y, prob, labels=labels, sample_weight=weight) == pytest.approx(
        reference.brier_score_loss(y, ordered, labels=sorted(labels), sample_weight=weight), abs=1e-12)


def test_a_certain_error_has_a_finite_loss_equal_to_scikit_learn():
    y, prob = ["a", "b", "c"], np.eye(3)[[1, 1, 2]]
    assert classification.multiclass_log_loss(y, prob, labels=["a", "b", "c"]) == pytest.approx(reference.log_loss(y, prob), rel=1e-12)


def test_top_label_calibration_is_the_binary_one_of_being_right(sample):
    y, pred, prob, labels, weight = sample
    right, confidence = y == pred, prob.max(axis=1)
    options = {"n_bins": 6, "sample_weight": weight}
    assert classification.top_label_calibration_error(y, prob, labels=labels, **options) == pytest.approx(
        calibration.expected_calibration_error(right, confidence, **options))
    ours = classification.top_label_reliability(y, prob, labels=labels, level=0.9, **options)
    theirs = calibration.calibration_curve(right, confidence, level=0.9, **options)
    for name in ("mean_predicted", "observed", "count", "low", "high"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name))


def test_two_labels_give_the_binary_scores():
    y, prob = np.array([0, 1, 1, 0]), np.array([0.2, 0.9, 0.4, 0.3])
    both = np.column_stack([1 - prob, prob])
    assert classification.multiclass_brier_score(y, both, labels=[0, 1]) == pytest.approx(2 * calibration.brier_score(y, prob))


def test_a_model_that_is_always_right_has_a_calibration_error():
    assert classification.top_label_calibration_error(["a", "b"], [[0.9, 0.1], [0.1, 0.9]], labels=["a", "b"]) == pytest.approx(0.1)


@pytest.mark.parametrize("name", OF_ANSWERS)
def test_answers_do_not_depend_on_the_order_and_a_weight_is_a_repeated_row(sample, name):
    y, pred, _, _, weight = sample
    function, order = OF_ANSWERS[name], np.random.default_rng(1).permutation(y.size)
    np.testing.assert_allclose(function(y[order], pred[order], sample_weight=weight[order]), function(y, pred, sample_weight=weight))
    np.testing.assert_allclose(function(np.repeat(y, weight), np.repeat(pred, weight)), function(y, pred, sample_weight=weight))


@pytest.mark.parametrize("name", OF_PROBABILITIES)
def test_probability_scores_do_not_depend_on_the_order_and_a_weight_is_a_repeated_row(sample, name):
    y, _, prob, labels, weight = sample
    wanted, order = score(name, y, prob, labels, weight), np.random.default_rng(1).permutation(y.size)
    np.testing.assert_allclose(score(name, y[order], prob[order], labels, weight[order]), wanted)
    np.testing.assert_allclose(score(name, np.repeat(y, weight), np.repeat(prob, weight, axis=0), labels), wanted)


@pytest.mark.parametrize("renamed", [{"maybe": 7, "no": 3, "yes": 5}, {"maybe": "z", "no": "y", "yes": "x"}])
def test_scores_do_not_change_when_labels_are_renamed(renamed):
    y, pred, labels = ([renamed[label] for label in values] for values in (Y, PRED, LABELS))
    assert classification.accuracy(y, pred) == classification.accuracy(Y, PRED)
    assert classification.macro_f1(y, pred) == pytest.approx(classification.macro_f1(Y, PRED))
    assert classification.confusion_counts(y, pred, labels=labels).tolist() == classification.confusion_counts(
        Y, PRED, labels=LABELS).tolist()
    for name in OF_PROBABILITIES:
        np.testing.assert_allclose(score(name, y, PROB, labels), score(name, Y, PROB, LABELS))


@pytest.mark.parametrize("name", OF_PROBABILITIES)
def test_columns_may_stand_in_any_order(sample, name):
    y, _, prob, labels, _ = sample
    order = np.argsort(labels)
    distinct = np.sort(prob, axis=1)[:, -1] > np.sort(prob, axis=1)[:, -2]
    y, prob = y[distinct], prob[distinct]
    np.testing.assert_allclose(score(name, y, prob[:, order], sorted(labels)), score(name, y, prob, labels))


@pytest.mark.parametrize("convert", [list, np.array, pl.Series, lambda values: np.array(values, dtype=object)])
def test_labels_of_any_container_are_read(convert):
    assert classification.macro_f1(convert(Y), convert(PRED), labels=convert(LABELS)) == pytest.approx((4 / 6 + 4 / 5) / 3)
    assert classification.accuracy(convert([1, 2, 2]), np.array([1, 2, 3])) == pytest.approx(2 / 3)


def test_accuracy_by_weights_times_correct_bootstraps_alike():
    generator = np.random.default_rng(2)
    y, pred, groups = generator.integers(0, 3, 60), generator.integers(0, 3, 60), np.repeat(np.arange(20), 3)
    correct = classification.correct_of_each(y, pred)
    fast = bootstrap_values(lambda weight: [weight @ correct / weight.sum()], groups=groups, n_replicates=50)
    plain = bootstrap_values(lambda weight: [classification.accuracy(y, pred, sample_weight=weight)], groups=groups, n_replicates=50)
    assert (fast[0].value, fast[0].low, fast[0].high) == pytest.approx((plain[0].value, plain[0].low, plain[0].high))


def test_a_replicate_without_a_label_is_averaged_over_the_others():
    assert classification.macro_f1(["a", "b", "b"], ["a", "b", "a"], sample_weight=[0, 1, 1]) == pytest.approx(2 / 3)
    assert classification.f1_by_label(["a", "b"], ["a", "b"], labels=["a", "b"], sample_weight=[0, 1]) == {"a": 0, "b": 1}


@pytest.mark.parametrize(("y", "pred", "said"), [
    (Y, PRED[:4], "y_pred must have as many rows as y_true, 6; got 4"),
    ([], [], r"y_true must be 1-D with at least one row; got shape \(0,\)"),
    (["a", None], ["a", "b"], "y_true must have comparable labels, none missing"),
    (["a", "b"], ["a", float("nan")], "y_pred must have comparable labels, none missing"),
    ([1.0, float("nan")], [1, 2], "y_true must have a label in every row; got nan"),
    ([["a"], ["b"]], ["a", "b"], r"y_true must be 1-D with at least one row; got shape \(2, 1\)"),
    (["a", "b"], [0, 1], "y_true and y_pred must hold labels of one kind; got 'a' and 0. Turn both into text"),
])
def test_bad_answers_are_refused(y, pred, said):
    for function in (classification.accuracy, classification.macro_f1, classification.f1_by_label, classification.correct_of_each):
        with pytest.raises(ValueError, match=said):
            function(y, pred)


@pytest.mark.parametrize(("pred", "labels", "said"), [
    (PRED, ["no", "yes"], "y_true must hold labels in labels only; got 'maybe' at row 3, where labels begins"),
    ([*PRED[:5], "perhaps"], LABELS, "y_pred must hold labels in labels only; got 'perhaps' at row 5"),
    (PRED[:5], LABELS, "y_pred must have as many rows as y_true, 6; got 5"),
    (PRED, [*LABELS, "no"], "labels must hold at least one label, each once; got"),
    (PRED, [], r"labels must hold at least one label, each once; got \[\]"),
    (PRED, "yes", "labels must hold at least one label, each once; got 'yes'"),
])
def test_a_confusion_needs_every_label_once(pred, labels, said):
    with pytest.raises(ValueError, match=said):
        classification.confusion_counts(Y, pred, labels=labels)


def test_an_f1_is_not_made_up_for_a_label_without_rows():
    with pytest.raises(ValueError, match="labels must occur in y_true or y_pred; got 'Yes', which does not"):
        classification.macro_f1(Y, PRED, labels=["no", "Yes"])


@pytest.mark.parametrize(("y", "prob", "labels", "said"), [
    (Y, PROB[:5], LABELS, r"probabilities must have shape \(n_rows, n_labels\) = \(6, 3\); got \(5, 3\)"),
    (Y, PROB[:, :2], LABELS, r"= \(6, 3\); got \(6, 2\)"),
    (Y, PROB[:, 0], LABELS, r"= \(6, 3\); got \(6,\)"),
    (Y, PROB * 0.9, LABELS, "probabilities must sum to 1 in every row; got 0.9 at row 0. Pass the softmax"),
    (Y, PROB * 3 - 2 / 3, LABELS, r"probabilities must lie in \[0, 1\]; got min -0.666667 at row 1, column 0. Pass probabilities, not"),
    (Y, np.where(PROB == 0.7, np.nan, PROB), LABELS, "probabilities must be finite; got nan at row 2, column 2"),
    (Y, [["a", "b", "c"]] * 6, LABELS, "probabilities must hold numbers only"),
    (["no"] * 5 + ["never"], PROB, LABELS, "y_true must hold labels in labels only; got 'never' at row 5"),
    ([], [], LABELS, "y_true must be 1-D with at least one row"),
])
def test_bad_probabilities_are_refused(y, prob, labels, said):
    for name in OF_PROBABILITIES:
        with pytest.raises(ValueError, match=said):
            score(name, y, prob, labels)


@pytest.mark.parametrize(("weight", "said"), [([1, 1], "sample_weight must have as many rows as y_true, 6; got 2"),
                                              ([1, 1, -1, 1, 1, 1], "sample_weight must not be negative; got -1 at row 2"),
                                              ([0] * 6, "sample_weight must have a positive sum")])
def test_bad_weights_are_refused(weight, said):
    for function in OF_ANSWERS.values():
        with pytest.raises(ValueError, match=said):
            function(Y, PRED, sample_weight=weight)
    for name in OF_PROBABILITIES:
        with pytest.raises(ValueError, match=said):
            score(name, Y, PROB, LABELS, weight)


@pytest.mark.parametrize("name", ["top_label_calibration_error", "top_label_reliability"])
def test_no_bins_are_refused(name):
    with pytest.raises(ValueError, match="n_bins must be at least 1; got 0"):
        getattr(classification, name)(Y, PROB, labels=LABELS, n_bins=0)


def test_a_level_in_per_cent_is_refused():
    with pytest.raises(ValueError, match=r"level must lie in \(0, 1\); got 95"):
        classification.top_label_reliability(Y, PROB, labels=LABELS, level=95)


def test_probabilities_in_single_precision_are_accepted(sample):
    y, _, prob, labels, _ = sample
    assert classification.multiclass_log_loss(y, prob.astype(np.float32), labels=labels) == pytest.approx(
        classification.multiclass_log_loss(y, prob, labels=labels), rel=1e-6)
