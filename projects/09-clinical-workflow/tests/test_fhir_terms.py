"""Codes and units by hand: ICD, SNOMED CT, RxNorm, LOINC, UCUM."""

import pytest

from clinical_workflow.fhir.elements import moment, reference_id
from clinical_workflow.fhir.terms import (
    CPT,
    ICD9,
    ICD10,
    LOINC,
    RXNORM,
    SNOMED,
    UCUM,
    diabetes_drug,
    diagnosis,
    is_diabetes,
    reading,
    saw_retina,
)


def concept(*codings, text=None):
    return {"coding": [{"system": system, "code": code, "display": words} for system, code, words in codings]} | ({"text": text}
                                                                                                                  if text else {})


@pytest.mark.parametrize(("codings", "icd9", "how"), [
    ([(ICD10, "E11.65", "")], "250", "exact"), ([(ICD10, "e11.65", "")], "250", "exact"), ([(SNOMED, "44054006", "")], "250", "exact"),
    ([(ICD9, "428.0", "")], "428.0", "exact"), ([(ICD10, "I50.9", ""), (SNOMED, "44054006", "")], "428", "exact"),
    ([(ICD10, "M23.5", "")], "739", "group"), ([(ICD10, "M23.5", ""), (SNOMED, "38341003", "")], "401", "exact"),
    ([(ICD10, "Q99.9", "")], None, "none"), ([(SNOMED, "1", "")], None, "none"), ([("urn:local", "250", "")], None, "none"),
    ([(ICD10, "nonsense", "")], None, "none"), ([], None, "none")])
def test_a_diagnosis_by_hand(codings, icd9, how):
    found = diagnosis(concept(*codings))
    assert (found.icd9, found.how) == (icd9, how)


@pytest.mark.parametrize("value", [None, 5, "x", [], {}, {"coding": 5}, {"coding": [None, 5, {"system": 1, "code": 2}]}, {"text": 7}])
def test_what_is_no_concept_maps_to_nothing(value):
    assert diagnosis(value).icd9 is None
    assert diabetes_drug(value) is None


def test_diabetes_is_told_from_a_group_of_its_chapter():
    assert is_diabetes(diagnosis(concept((ICD10, "E10.9", ""))))
    assert not is_diabetes(diagnosis(concept((SNOMED, "15777000", "Prediabetes"))))
    assert not is_diabetes(diagnosis(concept((ICD10, "E34.9", ""))))


@pytest.mark.parametrize(("codings", "column", "strength", "by"), [
    ([(RXNORM, "861007", "metformin hydrochloride 500 MG Oral Tablet")], "metformin", 500.0, "code"),
    ([(RXNORM, "9999999", "Glipizide 2.5 MG Oral Tablet")], "glipizide", 2.5, "name"),
    ([(RXNORM, "9999999", "glyburide 5 MG / metformin hydrochloride 500 MG Oral Tablet")], "glyburide-metformin", 5.0, "name"),
    ([(RXNORM, "274783", "insulin glargine 100 UNT/ML")], "insulin", 100.0, "code"),
    ([(RXNORM, "243670", "aspirin 81 MG")], None, None, None), ([("urn:local", "861007", "tablet")], None, None, None)])
def test_a_drug_by_hand(codings, column, strength, by):
    found = diabetes_drug(concept(*codings))
    assert (found and (found.column, found.strength, found.by)) == (column and (column, strength, by))


def measured(code, value, unit, system=UCUM, **more):
    return {"code": concept((LOINC, code, "")), "valueQuantity": {"value": value, "unit": unit, "system": system, "code": unit, **more}}


@pytest.mark.parametrize(("quantity", "code", "value", "unit", "expected"), [
    ("hba1c", "4548-4", 7.2, "%", 7.2), ("hba1c", "59261-8", 53, "mmol/mol", 53 * 0.09148 + 2.152), ("glucose", "2345-7", 180, "mg/dL",
                                                                                                     180),
    ("glucose", "14749-6", 10, "mmol/L", 180.156), ("egfr", "98979-8", 42, "mL/min/{1.73_m2}", 42)])
def test_a_unit_is_read_and_turned(quantity, code, value, unit, expected):
    assert reading(measured(code, value, unit), quantity).value == pytest.approx(expected)


@pytest.mark.parametrize("observation", [
    measured("2345-7", 180, "g/L"), measured("2345-7", 180, "MG/DL"), measured("2345-7", 180, ""), measured("4548-4", 7, "%"),
    measured("2345-7", "180", "mg/dL"), measured("2345-7", True, "mg/dL"), measured("2345-7", 600, "mg/dL", comparator=">"),
    {"code": concept((LOINC, "2345-7", ""))}, {"code": concept((LOINC, "2345-7", "")), "valueQuantity": 5}])
def test_a_unit_that_is_not_listed_is_not_read(observation):
    assert reading(observation, "glucose") is None


def test_a_look_at_the_retina_is_known_by_its_codes():
    assert saw_retina({"code": concept((SNOMED, "134395001", ""))})
    assert saw_retina({"code": concept((CPT, "92250", ""))})
    assert saw_retina({"code": {"text": "Screening"}, "contained": [{"code": concept((LOINC, "71490-7", ""))}]})
    assert not saw_retina({"code": concept((SNOMED, "73761001", "Colonoscopy"))})


@pytest.mark.parametrize(("text", "expected"), [
    ("2026", "2026-01-01T00:00:00+00:00"), ("2026-03", "2026-03-01T00:00:00+00:00"), ("2026-03-04T05:06:07+02:00",
                                                                                      "2026-03-04T03:06:07+00:00"),
    ("2026-03-04T05:06:07Z", "2026-03-04T05:06:07+00:00"), ("2026-13-01", None), ("soon", None), (None, None), (5, None), ("0000", None)])
def test_a_time_by_hand(text, expected):
    found = moment(text)
    assert (found and found.isoformat()) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("Patient/a", "a"), ("urn:uuid:b", "b"), ("https://x.example/fhir/Patient/c/_history/2", "c"), ("#d", None), ("", None), (None, None)])
def test_a_reference_by_hand(text, expected):
    assert reference_id({"reference": text}) == expected
