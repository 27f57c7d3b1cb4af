import numpy as np
import polars as pl
import pytest

from carefolio.metrics._validation import check_binary, group_codes
from carefolio.metrics.calibration import brier_score
from carefolio.metrics.discrimination import roc_auc

Y = [0, 1, 0, 1]
P = [0.1, 0.9, 0.4, 0.3]


@pytest.mark.parametrize(("y_true", "y_prob", "weight", "message"), [
    (Y, [0.1, 0.2, 3.2, 0.4], None, r"y_prob must lie in \[0, 1\]; got max 3.2 at row 2. Pass probabilities, not logits."),
    (Y, [0.1, -0.5, 0.2, 0.4], None, r"y_prob must lie in \[0, 1\]; got min -0.5 at row 1."),
    (Y, [0.1, 0.2, 0.3, float("nan")], None, "y_prob must be finite; got nan at row 3. Drop or fill"),
    (Y, [0.1, 0.2, float("inf"), 0.3], None, "y_prob must be finite; got inf at row 2"),
    (Y, P[:3], None, "y_prob must have as many rows as y_true, 4; got 3."),
    (Y, [[0.1, 0.9]] * 4, None, r"y_prob must be 1-D; got shape \(4, 2\). Pass one column, such as y_prob\[:, 1\]."),
    (Y, ["a", "b", "c", "d"], None, "y_prob must hold numbers only"),
    ([0, 2, 0, 1], P, None, "y_true must hold 0 and 1 only; got 2 at row 1. Encode the event as 1."),
    ([0, None, 0, 1], P, None, "y_true must be finite; got nan at row 1"),
    ([1, 1, 1, 1], P, None, "y_true must hold both classes; got only 1 in 4 rows"),
    ([], [], None, "y_true must hold at least one row; got none"),
    (Y, P, [1, 0, 1, 0], "y_true must hold both classes; got only 0 in 2 rows of positive weight"),
    (Y, P, [1, -2, 1, 1], "sample_weight must not be negative; got -2 at row 1. Use 0"),
    (Y, P, [0, 0, 0, 0], "sample_weight must have a positive sum; got 0 over 4 rows"),
    (Y, P, [1, 1], "sample_weight must have as many rows as y_true, 4; got 2"),
])
def test_bad_arrays_are_refused_with_the_row_and_the_next_step(y_true, y_prob, weight, message):
    with pytest.raises(ValueError, match=message):
        brier_score(y_true, y_prob, sample_weight=weight)


def test_rank_metrics_take_any_finite_score_and_call_it_so():
    assert roc_auc(Y, [-7.0, 12.0, 0.0, 3.5]) == 1.0
    with pytest.raises(ValueError, match="y_score must be finite; got nan at row 0"):
        roc_auc(Y, [np.nan, 1, 2, 3])


def test_rows_of_weight_zero_are_left_out():
    y, score, weight = check_binary(Y, P, [1, 2, 0, 0])
    assert y.tolist() == [0, 1] and score.tolist() == [0.1, 0.9] and weight.tolist() == [1, 2]


@pytest.mark.parametrize("convert", [list, np.asarray, pl.Series, lambda values: np.asarray(values, dtype=np.float32)])
def test_lists_and_columns_of_any_number_type_are_accepted(convert):
    assert roc_auc(convert([False, True, False, True]), convert([0.1, 0.9, 0.4, 0.3])) == pytest.approx(0.75)


@pytest.mark.parametrize("labels", [["b", "a", "b"], np.array(["b", "a", "b"]), np.array([7, 3, 7]), pl.Series(["b", "a", "b"]),
                                    np.array(["2020-02-01", "2020-01-01", "2020-02-01"], dtype="datetime64[D]")])
def test_groups_are_numbered_in_the_order_of_their_labels(labels):
    codes, names = group_codes(labels)
    assert codes.tolist() == [1, 0, 1]
    assert len(names) == 2 and names[0] < names[1]


@pytest.mark.parametrize(("labels", "message"), [
    (["a", None, "b"], "groups must have comparable labels, none missing"),
    ([None, None], "groups must have a label in every row; got None"),
    ([1.0, float("nan")], "groups must have a label in every row; got nan"),
    ([["a"], ["b"]], r"groups must be 1-D with at least one row; got shape \(2, 1\)"),
])
def test_missing_group_labels_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        group_codes(labels)


def test_groups_of_another_length_are_refused():
    with pytest.raises(ValueError, match="groups must have as many rows as y_true, 4; got 2"):
        group_codes([1, 2], 4)
