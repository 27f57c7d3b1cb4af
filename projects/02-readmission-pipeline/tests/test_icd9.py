"""Groups and comorbidities of diagnoses, against cases from the published tables."""

import polars as pl
import pytest

from carefolio.datasets.diabetes130_twin import make_diabetes130_twin
from readmission.features import build_features
from readmission.icd9 import CHARLSON_WEIGHTS, GROUPS, category_lookup, category_table, charlson_index, icd9_category, icd9_group

CASES = [
    ("250.83", "250", "diabetes"), ("250", "250", "diabetes"), ("8", "008", "other"), ("38", "038", "other"), ("V45", "V45", "other"),
    ("V57.1", "V57", "other"), ("E888", "E888", "other"), ("785", "785", "circulatory"), ("390", "390", "circulatory"),
    ("459", "459", "circulatory"), ("460", "460", "respiratory"), ("786", "786", "respiratory"), ("787", "787", "digestive"),
    ("788", "788", "genitourinary"), ("789", "789", "other"), ("820", "820", "injury"), ("999", "999", "injury"),
    ("715", "715", "musculoskeletal"), ("139", "139", "other"), ("140", "140", "neoplasms"), ("239", "239", "neoplasms"),
    ("240", "240", "other"), ("365.44", "365", "other"),
]
"""Code, category, and group by table 2 of Strack et al. 2014."""


@pytest.mark.parametrize(("code", "category", "group"), CASES)
def test_category_and_group_by_hand(code: str, category: str, group: str) -> None:
    assert icd9_category(code) == category
    assert icd9_group(category) == group
    assert category_lookup()[category][0] == group


def test_columnar_groups_are_those_of_the_hand_cases_and_null_stays_null() -> None:
    codes = [code for code, _, _ in CASES] + [None]
    frame = make_diabetes130_twin(len(codes), 0).head(len(codes)).with_columns(pl.Series("diag_1", codes, dtype=pl.String))
    found = frame.select("encounter_id", "diag_1").join(build_features(frame), on="encounter_id")
    groups = dict(zip(found["diag_1"], found["diagnosis_group_1"], strict=True))
    assert groups == {code: group for code, _, group in CASES} | {None: None}


def test_every_category_stands_once_and_has_a_known_group() -> None:
    table = category_table()
    assert table["category"].is_unique().all()
    assert set(table["group"]) == set(GROUPS)


CHARLSON_CASES = [
    ("410", "Myocardial infarction"), ("428", "Congestive heart failure"), ("433", "Cerebrovascular disease"), ("290", "Dementia"),
    ("491", "Chronic pulmonary disease"), ("531", "Peptic ulcer disease"), ("571", "Mild liver disease"),
    ("342", "Hemiplegia or paraplegia"), ("585", "Renal disease"), ("162", "Any malignancy"), ("200", "Any malignancy"),
    ("572", "Moderate or severe liver disease"), ("196", "Metastatic solid tumor"),
]


@pytest.mark.parametrize(("category", "condition"), CHARLSON_CASES)
def test_charlson_conditions_of_three_digit_codes(category: str, condition: str) -> None:
    mask = category_lookup()[category][1]
    assert mask == 1 << list(CHARLSON_WEIGHTS).index(condition)
    assert charlson_index(mask) == CHARLSON_WEIGHTS[condition]


@pytest.mark.parametrize("category", ["250", "401", "V45", "E888", "008"])
def test_diabetes_and_unlisted_codes_have_no_charlson_points(category: str) -> None:
    assert category_lookup()[category][1] == 0


def test_a_severe_form_replaces_its_mild_one_and_nothing_else() -> None:
    def index(*categories: str) -> int:
        mask = 0
        for category in categories:
            mask |= category_lookup()[category][1]
        return charlson_index(mask)

    assert index() == 0
    assert index("571", "572") == index("572") == 3
    assert index("162", "196") == index("196") == 6
    assert index("410", "428", "585") == 1 + 1 + 2
    assert index("428", "428", "428") == 1
    assert index("571", "196") == 1 + 6
