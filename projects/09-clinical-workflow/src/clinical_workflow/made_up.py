"""Made-up inpatients with diabetes for the mock hospital: the published charts hold not one, and a demonstration needs some.

Nobody here is real, and nothing computed from them is a result. Every resource carries a tag that says so.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from carefolio.datasets.fundus_twin import draw_fundus, encode_jpeg
from clinical_workflow.fhir.terms import ICD10, LOINC, RXNORM, SNOMED, UCUM
from clinical_workflow.fhir.written import SYSTEM, instant

TAG = {"system": f"{SYSTEM}/tags", "code": "made-up", "display": "Made up for a demonstration; nobody real"}
CLASSES = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFIED = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
KINDS = "http://terminology.hl7.org/CodeSystem/observation-category"
GIVEN = {"female": ("Ada", "Berta", "Clara", "Dora", "Edda", "Frida", "Gerda", "Hanna", "Ida", "Johanna", "Karla", "Lotte"),
         "male": ("Anton", "Bruno", "Carl", "David", "Emil", "Felix", "Georg", "Hugo", "Ivan", "Jakob", "Kurt", "Ludwig")}
FAMILY = ("Muster", "Sample", "Example", "Beispiel", "Esempio", "Ejemplo")
REASONS = (("I50.9", "Heart failure, unspecified"), ("J18.9", "Pneumonia, unspecified organism"), ("E11.65",
                                                                                                   "Type 2 diabetes with hyperglycaemia"),
           ("N17.9", "Acute kidney failure, unspecified"), ("L03.90", "Cellulitis, unspecified"), ("M17.11",
                                                                                                   "Osteoarthritis of right knee"))
CHRONIC = (("59621000", "Essential hypertension"), ("709044004", "Chronic kidney disease"), ("13645005",
                                                                                             "Chronic obstructive lung disease"),
           ("49436004", "Atrial fibrillation"), ("53741008", "Coronary heart disease"), ("55822004", "Hyperlipidaemia"))
DRUGS = (("861007", "metformin hydrochloride 500 MG Oral Tablet"), ("310490", "glipizide 5 MG Oral Tablet"),
         ("274783", "insulin glargine 100 UNT/ML Injectable Solution"), ("314076", "lisinopril 10 MG Oral Tablet"),
         ("617318", "atorvastatin 20 MG Oral Tablet"), ("197604", "digoxin 0.125 MG Oral Tablet"))
TESTS = (("2345-7", "Glucose", "mg/dL", 90, 320), ("4548-4", "Hemoglobin A1c", "%", 6, 11), ("2160-0", "Creatinine", "mg/dL", 0.7, 2.6),
         ("2951-2", "Sodium", "mmol/L", 130, 146), ("718-7", "Hemoglobin", "g/dL", 9, 15),
         ("98979-8", "eGFR (CKD-EPI 2021)", "mL/min/{1.73_m2}", 18, 95))

Make = Callable[..., dict[str, Any]]


def make_patients(count: int, *, seed: int, now: datetime) -> list[dict[str, Any]]:
    """Make up charts of inpatients with diabetes.

    Parameters
    ----------
    count : int
        How many.
    seed : int
        Of every random choice.
    now : datetime
        The present; every one of them is in hospital now.

    Returns
    -------
    list of dict
        One transaction bundle a patient, all R4.
    """
    return [make_patient(number, np.random.default_rng([seed, number]), now=now) for number in range(count)]


def make_patient(number: int, rng: np.random.Generator, *, now: datetime) -> dict[str, Any]:
    """Make up one chart.

    Parameters
    ----------
    number : int
        Goes into the ids; even numbers are frail, odd ones are not, so that a demonstration has both.
    rng : numpy.random.Generator
        Source of chance.
    now : datetime
        The present.

    Returns
    -------
    dict
        A transaction bundle.
    """
    frail, patient_id = number % 2 == 0, f"made-up-{number:03d}"
    resources: list[dict[str, Any]] = [_patient(number, patient_id, rng, now, frail)]
    stays = _stays(patient_id, rng, now, frail)
    resources += stays
    resources += _conditions(patient_id, rng, now, frail, stays[-1])
    resources += _orders(patient_id, rng, now, frail, stays[-1])
    for stay in stays:
        resources += _tests(patient_id, rng, stay, now, rounds=int(rng.integers(3, 7)) if frail else 1)
    resources += _procedures(patient_id, rng, stays[-1], frail)
    resources += [_note(patient_id, stays[-1])] + ([_retina(patient_id, now)] if number % 3 == 1 else [])
    resources += [_photograph(patient_id, now, number)] if number % 8 == 2 else []
    return {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"fullUrl": f"{SYSTEM}/{one['resourceType']}/{one['id']}", "resource": {**one, "meta": {"tag": [TAG]}},
         "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}} for one in resources]}


def _patient(number: int, patient_id: str, rng: np.random.Generator, now: datetime, frail: bool) -> dict[str, Any]:
    gender = "female" if number % 4 < 2 else "male"
    years = int(rng.integers(68, 88) if frail else rng.integers(42, 66))
    given = GIVEN[gender][(number // 2) % 12]
    return {"resourceType": "Patient", "id": patient_id, "active": True, "gender": gender, "birthDate": f"{now.year - years}-03-14",
            "name": [{"family": FAMILY[number % len(FAMILY)], "given": [given]}],
            "identifier": [{"system": f"{SYSTEM}/mrn", "value": f"MU{number:06d}"}]}


def _stays(patient_id: str, rng: np.random.Generator, now: datetime, frail: bool) -> list[dict[str, Any]]:
    """Earlier visits and stays, and last the stay that is going on."""
    days_ago = sorted((int(day) for day in rng.choice(np.arange(20, 300), size=4 if frail else 1, replace=False)), reverse=True)
    found = [_stay(patient_id, f"stay-{at}", now - timedelta(days=at), timedelta(days=int(rng.integers(3, 9))), over=True, emergency=True)
             for at in days_ago] if frail else []
    for at in rng.integers(10, 340, size=int(rng.integers(1, 5))):
        found.append(_visit(patient_id, f"visit-{at}", now - timedelta(days=int(at)), "EMER" if frail and at % 2 else "AMB"))
    length = timedelta(days=int(rng.integers(6, 12) if frail else rng.integers(1, 4)))
    return [*{one["id"]: one for one in found}.values(),
            _stay(patient_id, "now", now - length, length, over=False, emergency=frail)]


def _stay(patient_id: str, name: str, start: datetime, length: timedelta, *, over: bool, emergency: bool) -> dict[str, Any]:
    end = {"end": instant(start + length)} if over else {}
    home = {"dischargeDisposition": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/discharge-disposition", "code": "home"}]}}
    return {"resourceType": "Encounter", "id": f"{patient_id}-{name}", "status": "finished" if over else "in-progress",
            "class": {"system": CLASSES, "code": "IMP", "display": "inpatient encounter"},
            "subject": {"reference": f"Patient/{patient_id}"},
            "period": {"start": instant(start), **end},
            "priority": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActPriority", "code": "EM"
                                     if emergency else "EL"}]},
            "serviceType": {"coding": [{"system": SNOMED, "code": "419192003", "display": "Internal medicine"}]},
            "hospitalization": {"admitSource": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/admit-source",
                                                            "code": "emd" if emergency else "gp"}]}, **home}}


def _visit(patient_id: str, name: str, at: datetime, kind: str) -> dict[str, Any]:
    return {"resourceType": "Encounter", "id": f"{patient_id}-{name}", "status": "finished", "class": {"system": CLASSES, "code": kind},
            "subject": {"reference": f"Patient/{patient_id}"}, "period": {"start": instant(at), "end": instant(at + timedelta(hours=2))}}


def _conditions(patient_id: str, rng: np.random.Generator, now: datetime, frail: bool, stay: dict[str, Any]) -> list[dict[str, Any]]:
    def _make(position: int, system: str, code: str, display: str, **more: Any) -> dict[str, Any]:
        return {"resourceType": "Condition", "id": f"{patient_id}-condition-{position}", "subject": {"reference": f"Patient/{patient_id}"},
                "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]},
                "verificationStatus": {"coding": [{"system": VERIFIED, "code": "confirmed"}]},
                "code": {"coding": [{"system": system, "code": code, "display": display}], "text": display}, **more}

    reason = REASONS[int(rng.integers(0, 4))] if frail else REASONS[int(rng.integers(4, 6))]
    here = {"encounter": {"reference": f"Encounter/{stay['id']}"}, "recordedDate": stay["period"]["start"]}
    old = {"recordedDate": instant(now - timedelta(days=1500))}
    chosen = rng.choice(len(CHRONIC), size=5 if frail else 1, replace=False)
    stay["diagnosis"] = [{"condition": {"reference": f"Condition/{patient_id}-condition-0"}, "rank": 1}]
    return [_make(0, ICD10, *reason, **here), _make(1, SNOMED, "44054006", "Diabetes mellitus type 2", **old),
            *(_make(2 + position, SNOMED, *CHRONIC[int(index)], **old) for position, index in enumerate(chosen))]


def _orders(patient_id: str, rng: np.random.Generator, now: datetime, frail: bool, stay: dict[str, Any]) -> list[dict[str, Any]]:
    chosen = DRUGS if frail else (DRUGS[0], *DRUGS[3:5])
    found = []
    for position, (code, display) in enumerate(chosen):
        fresh = frail and position == 2  # insulin was started in this stay
        when = {"encounter": {"reference": f"Encounter/{stay['id']}"}} if fresh else {}
        at = stay["period"]["start"] if fresh else instant(now - timedelta(days=int(rng.integers(200, 700))))
        found.append({"resourceType": "MedicationRequest", "id": f"{patient_id}-order-{position}", "status": "active", "intent": "order",
                      "subject": {"reference": f"Patient/{patient_id}"}, "authoredOn": at, **when,
                      "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": code, "display": display}], "text": display}})
    return found


def _tests(patient_id: str, rng: np.random.Generator, stay: dict[str, Any], now: datetime, *, rounds: int) -> list[dict[str, Any]]:
    if stay["class"]["code"] != "IMP":
        return []
    start = datetime.fromisoformat(stay["period"]["start"])
    return [{"resourceType": "Observation", "id": f"{stay['id']}-test-{round_}-{code}", "status": "final",
             "category": [{"coding": [{"system": KINDS, "code": "laboratory"}]}],
             "code": {"coding": [{"system": LOINC, "code": code, "display": display}], "text": display},
             "subject": {"reference": f"Patient/{patient_id}"}, "encounter": {"reference": f"Encounter/{stay['id']}"},
             "effectiveDateTime": instant(min(start + timedelta(hours=4 + 12 * round_), now)),
             "valueQuantity": {"value": round(float(rng.uniform(low, high)), 1), "unit": unit.replace("{1.73_m2}", "1.73 m²"),
                               "system": UCUM, "code": unit}}
            for round_ in range(rounds) for code, display, unit, low, high in TESTS]


def _procedures(patient_id: str, rng: np.random.Generator, stay: dict[str, Any], frail: bool) -> list[dict[str, Any]]:
    return [{"resourceType": "Procedure", "id": f"{patient_id}-procedure-{position}", "status": "completed",
             "subject": {"reference": f"Patient/{patient_id}"}, "encounter": {"reference": f"Encounter/{stay['id']}"},
             "performedDateTime": stay["period"]["start"],
             "code": {"coding": [{"system": SNOMED, "code": "399208008", "display": "Plain chest X-ray"}], "text": "Plain chest X-ray"}}
            for position in range(int(rng.integers(1, 3)) if frail else 0)]


def _note(patient_id: str, stay: dict[str, Any]) -> dict[str, Any]:
    text = ("CHIEF COMPLAINT: Shortness of breath and swollen legs.\nHISTORY: Type 2 diabetes and hypertension. Denies chest pain.\n"
            "ALLERGIES: Penicillin causes a rash.\nMEDICATIONS: metformin 500 mg twice daily, lisinopril 10 mg daily.\n"
            "ASSESSMENT AND PLAN: Improved with treatment. Recheck potassium in one week. Follow up with the family doctor in 7 days.\n")
    return {"resourceType": "DocumentReference", "id": f"{patient_id}-note", "status": "current", "date": stay["period"]["start"],
            "type": {"coding": [{"system": LOINC, "code": "34117-2", "display": "History and physical note"}], "text": "Admission note"},
            "subject": {"reference": f"Patient/{patient_id}"},
            "content": [{"attachment": {"contentType": "text/plain", "data": base64.b64encode(text.encode()).decode()}}]}


def _retina(patient_id: str, now: datetime) -> dict[str, Any]:
    return {"resourceType": "Procedure", "id": f"{patient_id}-retina", "status": "completed",
            "subject": {"reference": f"Patient/{patient_id}"},
            "performedDateTime": instant(now - timedelta(days=120)),
            "code": {"coding": [{"system": SNOMED, "code": "134395001", "display": "Diabetic retinopathy screening (procedure)"}]}}


def _photograph(patient_id: str, now: datetime, number: int) -> dict[str, Any]:
    """Draw a photograph of the left retina that nobody has graded yet."""
    drawn = encode_jpeg(draw_fundus(np.random.default_rng(number), grade=3, side=640))
    return {"resourceType": "Media", "id": f"{patient_id}-photograph", "status": "completed",
            "subject": {"reference": f"Patient/{patient_id}"}, "createdDateTime": instant(now - timedelta(hours=5)),
            "bodySite": {"coding": [{"system": SNOMED, "code": "7771000", "display": "Left"}]},
            "content": {"contentType": "image/jpeg", "data": base64.b64encode(drawn).decode()}}
