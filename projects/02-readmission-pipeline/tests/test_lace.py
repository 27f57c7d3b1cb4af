"""Points of the LACE-like score against the table of van Walraven et al. 2010."""

from typing import Any

import polars as pl
import pytest

from readmission.lace import HIGHEST, acute_points, comorbidity_points, emergency_points, lace_score, length_of_stay_points


def points(expression: pl.Expr, column: str, values: list[Any]) -> list[int]:
    dtype = pl.String if column == "admission_type" else pl.Float32
    return pl.DataFrame({column: pl.Series(values, dtype=dtype)}).select(expression.alias("points"))["points"].to_list()


def test_length_of_stay() -> None:
    days = [0, 1, 2, 3, 4, 5, 6, 7, 10, 13, 14, 30]
    assert points(length_of_stay_points(), "los_days", days) == [0, 1, 2, 3, 4, 4, 4, 5, 5, 5, 7, 7]


def test_acute_admission_is_emergency_urgent_or_trauma() -> None:
    codes = ["1", "2", "3", "4", "5", "6", "7", "8", None]
    assert points(acute_points(), "admission_type", codes) == [3, 3, 0, 0, 0, 0, 3, 0, 0]


def test_comorbidity() -> None:
    assert points(comorbidity_points(), "charlson_index", [0, 1, 2, 3, 4, 5, 12]) == [0, 1, 2, 3, 5, 5, 5]


def test_emergency_visits() -> None:
    assert points(emergency_points(), "emergency_visits_1y", [0, 1, 2, 3, 4, 5, 40]) == [0, 1, 2, 3, 4, 4, 4]


@pytest.mark.parametrize(("stay", "expected"), [
    ((14, "1", 4, 4), HIGHEST), ((1, "3", 0, 0), 1), ((5, "2", 3, 1), 4 + 3 + 3 + 1), ((8, "3", 6, 2), 5 + 0 + 5 + 2)])
def test_whole_score(stay: tuple[int, str, int, int], expected: int) -> None:
    names = ("los_days", "admission_type", "charlson_index", "emergency_visits_1y")
    frame = pl.DataFrame({name: [value] for name, value in zip(names, stay, strict=True)})
    assert frame.select(lace_score().alias("lace"))["lace"].to_list() == [expected]
