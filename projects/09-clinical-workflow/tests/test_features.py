"""One stay by hand, in the columns of the readmission API, and whether the model may be asked about it at all."""

import copy
from datetime import UTC, datetime, timedelta

import pytest

from clinical_workflow.features import build_stay
from clinical_workflow.fhir.chart import read_resources
from clinical_workflow.fhir.terms import ICD10, LOINC, RXNORM, UCUM

END = datetime(2026, 6, 10, 12, tzinfo=UTC)
START = END - timedelta(days=4)
STAY = {"resourceType": "Encounter", "id": "stay", "status": "finished", "subject": {"reference": "Patient/p"},
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "period": {"start": START.isoformat(), "end": END.isoformat()},
        "priority": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActPriority", "code": "EM"}]},
        "hospitalization": {"admitSource": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/admit-source", "code": "emd"}]},
                            "dischargeDisposition": {"coding": [{"system": "http://www.nubc.org/patient-discharge", "code": "06"}]}}}
PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1950-06-11"}


def condition(number, code, **more):
    return {"resourceType": "Condition", "id": f"c{number}", "subject": {"reference": "Patient/p"}, "recordedDate": "2020-01-01",
            "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
            "code": {"coding": [{"system": ICD10, "code": code}]}, **more}


def order(number, code, words, at, **more):
    return {"resourceType": "MedicationRequest", "id": f"m{number}", "status": "active", "intent": "order", "authoredOn": at,
            "subject": {"reference": "Patient/p"},
            "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": code, "display": words}]},
            **more}


def laboratory(number, code, value, unit):
    return {"resourceType": "Observation", "id": f"o{number}", "status": "final", "subject": {"reference": "Patient/p"},
            "encounter": {"reference": "Encounter/stay"}, "code": {"coding": [{"system": LOINC, "code": code}]},
            "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}],
            "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit}}


def earlier(number, days, length=3, kind="IMP", **more):
    start = START - timedelta(days=days)
    return {**copy.deepcopy(STAY), "id": f"e{number}", "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                                                                 "code": kind},
            "period": {"start": start.isoformat(), "end": (start + timedelta(days=length)).isoformat()}, **more}


def stay_of(*more, patient=PATIENT, encounter=STAY):
    chart = read_resources([patient, encounter, *more])
    assert chart.flaw_counts().keys() <= {"dangling-reference"}
    return build_stay(chart, encounter, now=END)


def test_a_stay_by_hand():
    stay = stay_of(condition(0, "I50.9", encounter={"reference": "Encounter/stay"}), condition(1, "E11.9"), condition(2, "N18.3"),
                   order(0, "861007", "metformin 500 MG", "2025-01-01"), order(1, "310490", "glipizide 5 MG", "2025-01-01",
                                                                               status="stopped"),
                   order(2, "310488", "glipizide 10 MG", START.isoformat(), encounter={"reference": "Encounter/stay"}),
                   laboratory(0, "4548-4", 7.4, "%"), laboratory(1, "2345-7", 310, "mg/dL"), laboratory(2, "718-7", 12, "g/dL"))
    columns = stay.request["encounter"]
    assert columns == {
        "gender": "Female", "age": "[70-80)", "admission_type_id": 1, "admission_source_id": 7, "discharge_disposition_id": 6,
        "medical_specialty": None, "time_in_hospital": 4, "num_lab_procedures": 3, "num_procedures": 0, "number_outpatient": 0,
        "number_emergency": 0, "number_inpatient": 0, "diag_1": "428", "diag_2": "250", "diag_3": "585", "number_diagnoses": 3,
        "A1Cresult": ">7", "max_glu_serum": ">300", "metformin": "Steady", "glipizide": "Up", "num_medications": 2, "change": "Ch",
        "diabetesMed": "Yes"}
    assert stay.applies
    assert stay.assumed == ("medical_specialty",)


def test_earlier_stays_and_whether_the_patient_came_back():
    stay = stay_of(condition(0, "E11.9"), earlier(0, 200), earlier(1, 150), earlier(2, 20, length=5), earlier(3, 60, kind="EMER"),
                   earlier(4, 30, kind="AMB"), earlier(5, 500), earlier(6, 100, status="cancelled"))
    past = stay.request["earlier_encounters"]
    assert [one["returned_within_30_days"] for one in past] == [False, False, False, True]
    assert [stay.request["encounter"][f"number_{kind}"] for kind in ("inpatient", "emergency", "outpatient")] == [4, 1, 1]


@pytest.mark.parametrize(("patient", "encounter", "more", "reason"), [
    ({}, {}, [], "no diabetes on record"), ({}, {}, [order(0, "861007", "metformin 500 MG", "2025-01-01")], "no diabetes on record"),
    ({"birthDate": None}, {}, [condition(0, "E11.9")], "age not known"), ({"deceasedBoolean": True}, {}, [condition(0, "E11.9")],
                                                                          "the patient died"),
    ({}, {"class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EMER"}}, [condition(0, "E11.9")],
     "not a hospital stay"),
    ({}, {"hospitalization": {"dischargeDisposition": {"coding": [{"system": "http://www.nubc.org/patient-discharge", "code": "20"}]}}},
     [condition(0, "E11.9")], "the patient died"),
    ({}, {"hospitalization": {"dischargeDisposition": {"coding": [{"system": "http://www.nubc.org/patient-discharge", "code": "50"}]}}},
     [condition(0, "E11.9")], "discharged to hospice"),
    ({}, {"period": {"end": END.isoformat()}}, [condition(0, "E11.9")], "start of the stay not known")])
def test_whom_the_model_is_not_for(patient, encounter, more, reason):
    changed = {name: value for name, value in (PATIENT | patient).items() if value is not None}
    assert reason in stay_of(*more, patient=changed, encounter=STAY | encounter).reasons_not


def test_insulin_alone_says_diabetes():
    assert stay_of(order(0, "274783", "insulin glargine 100 UNT/ML", "2025-01-01")).applies


def test_a_stay_of_which_little_is_known_says_so():
    bare = {name: value for name, value in STAY.items() if name not in ("priority", "hospitalization")}
    stay = stay_of(condition(0, "Q99.9"), encounter=bare, patient={"resourceType": "Patient", "id": "p"})
    assert set(stay.assumed) == {"gender", "age", "admission_type_id", "admission_source_id", "discharge_disposition_id",
                                 "medical_specialty",
                                 "diag_1"}


def test_a_long_stay_is_cut_and_said():
    stay = stay_of(condition(0, "E11.9"), encounter=STAY | {"period": {"start": "2026-01-01", "end": END.isoformat()}})
    assert stay.request["encounter"]["time_in_hospital"] == 14
    assert "time_in_hospital" in stay.assumed
