"""Rows into matrices and tables: rare and unseen categories, absent columns, and what a request must not hold."""

import numpy as np
import polars as pl
import pytest

from carefolio.encoding import fit_categories, row_problem, to_frame, to_matrix


def test_categories_that_are_rare_count_as_not_known():
    frame = pl.DataFrame({"code": ["a"] * 60 + ["b"] * 49 + [None], "x": [1.0] * 110})
    categories = fit_categories(frame, ["code", "x"])
    assert categories == {"code": ["a"]}
    matrix = to_matrix(frame, ["x", "code"], categories)
    assert matrix.dtype == np.float32
    assert matrix[0].tolist() == [1, 0]
    assert np.isnan(matrix[60:, 1]).all()


def test_rare_and_unseen_categories_count_as_not_known():
    frame = pl.DataFrame({"x": [1.0, None], "c": ["a", "b"]})
    categories = fit_categories(pl.DataFrame({"x": [0.0] * 60, "c": ["a"] * 55 + ["b"] * 5}), ["x", "c"])
    assert categories == {"c": ["a"]}
    matrix = to_matrix(frame, ["x", "c"], categories)
    assert matrix[0].tolist() == [1.0, 0.0]
    assert str(matrix[1].tolist()) == "[nan, nan]"
    assert to_frame([{"c": "a"}, {}], ["x", "c"], categories).to_dicts() == [{"x": None, "c": "a"}, {"x": None, "c": None}]


@pytest.mark.parametrize(("row", "problem"), [
    ({"x": 1.0, "c": "a"}, ""), ({"x": None, "c": None}, ""), ({}, ""),
    ({"y": 1.0}, "row 0 has 1 columns that this model does not read; GET /model lists those that it reads."),
    ({"c": 1.0}, "row 0, column c: expected text, got a number; GET /model lists its values."),
    ({"x": "much"}, "row 0, column x: expected a number of at most 1e+09 in size."),
    ({"x": -2e9}, "row 0, column x: expected a number of at most 1e+09 in size.")])
def test_a_row_is_refused_without_a_value_of_it(row, problem):
    assert row_problem([row], ["x", "c"], {"c": ["a"]}, reader="model", route="GET /model") == problem
