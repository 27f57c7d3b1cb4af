"""Cards by the specification: their form, their suggestions, and how few of them interrupt."""

import copy
from datetime import timedelta

import pytest
from pydantic import ValidationError

from clinical_workflow.cds.answer import make_card
from clinical_workflow.cds.schemas import Card, Source
from clinical_workflow.cds.services import SERVICES, discovery, one_interruption
from clinical_workflow.fhir.chart import model_of
from clinical_workflow.fhir.terms import LOINC, RXNORM, UCUM

from .hospital_examples import NOW, hook, model_answers, prefetch_of, searchset

INDICATORS = ("info", "warning", "critical")


def check_card(card):
    assert 0 < len(card["summary"]) <= 140
    assert card["indicator"] in INDICATORS
    assert card["source"]["label"]
    assert len(card["uuid"]) == 36
    assert "not a medical device" in card["detail"].lower()
    for suggestion in card["suggestions"]:
        assert suggestion["label"] and len(suggestion["uuid"]) == 36 and card["selectionBehavior"] == "at-most-one"
        for action in suggestion["actions"]:
            assert action["type"] == "create" and action["description"]
            model_of(action["resource"]["resourceType"]).model_validate(action["resource"])
    assert all(reason["code"] and reason["display"] for reason in card["overrideReasons"])


def test_discovery_describes_every_service():
    listed = discovery()["services"]
    assert {(one["id"], one["hook"]) for one in listed} == {
        ("retinopathy-screening", "patient-view"), ("note-summary", "patient-view"), ("readmission-risk", "encounter-discharge"),
        ("metformin-kidney", "order-select")}
    assert all(one["title"] and one["description"] and one["prefetch"]["patient"] == "Patient/{{context.patientId}}" for one in listed)


def test_a_discharge_gives_one_card_with_a_follow_up_to_book(service, charts):
    cards = service.ask("readmission-risk", hook(charts[0])).json()["cards"]
    assert len(cards) == 1
    check_card(cards[0])
    assert "30%" in cards[0]["summary"]
    assert "Hospital stays in the year before: 4" in cards[0]["detail"]
    resources = [action["resource"] for action in cards[0]["suggestions"][0]["actions"]]
    assert [one["resourceType"] for one in resources] == ["RiskAssessment", "ServiceRequest", "Appointment", "Task"]
    assert resources[0]["prediction"][0]["probabilityDecimal"] == 0.3
    assert resources[0]["status"] == "preliminary"


def test_a_low_risk_gives_no_card_and_is_kept(service, charts):
    service.answer_with(model_answers(risk=0.04))
    assert service.ask("readmission-risk", hook(charts[1])).json() == {"cards": []}
    assert service.rows("SELECT risk, cards, note FROM calls") == [(0.04, 0, "asked")]


def test_the_model_is_not_asked_about_whom_it_was_not_made_for(service, charts):
    service.answer_with(lambda request: pytest.fail("the model was asked"))
    body = hook(charts[0])
    body["prefetch"]["conditions"], body["prefetch"]["medications"] = None, None
    assert service.ask("readmission-risk", body).json() == {"cards": []}
    assert service.rows("SELECT note FROM calls") == [("not asked: no diabetes on record",)]


def test_the_screening_gap_is_found_and_closed(service, charts):
    cards = service.ask("retinopathy-screening", hook(charts[0], "patient-view")).json()["cards"]
    check_card(cards[0])
    assert cards[0]["suggestions"][0]["actions"][0]["resource"]["resourceType"] == "ServiceRequest"
    assert service.ask("retinopathy-screening", hook(charts[1], "patient-view")).json() == {"cards": []}, "photographed this year"
    body = hook(charts[0], "patient-view")
    body["prefetch"]["orders"] = searchset([cards[0]["suggestions"][0]["actions"][0]["resource"]])
    assert service.ask("retinopathy-screening", body).json() == {"cards": []}, "ordered already"


def report(days, *, status="preliminary", grade="LA18646-2"):
    return {"resourceType": "DiagnosticReport", "id": "r", "status": status, "code": {"text": "Screening"}, "conclusion": "Grade 3, severe",
            "subject": {"reference": "Patient/made-up-000"}, "issued": (NOW - timedelta(days=days)).isoformat(),
            "contained": [{"resourceType": "Observation", "id": "s", "status": "preliminary", "code": {"coding": [
                {"system": LOINC, "code": "71490-7"}]}, "valueCodeableConcept": {"coding": [{"system": LOINC, "code": grade}]}}]}


@pytest.mark.parametrize(("found", "topics"), [
    (report(5), ["retina-grade"]), (report(5, status="final"), []), (report(5, grade="LA18643-9"), []), (report(500), ["retina-gap"])])
def test_a_grade_that_nobody_has_signed_is_said(service, charts, found, topics):
    body = hook(charts[0], "patient-view")
    body["prefetch"]["reports"] = searchset([found])
    cards = service.ask("retinopathy-screening", body).json()["cards"]
    assert [card["source"]["topic"]["code"] for card in cards] == topics


def test_the_last_note_in_short_marks_what_it_does_not_find(service, charts):
    cards = service.ask("note-summary", hook(charts[0], "patient-view")).json()["cards"]
    check_card(cards[0] | {"selectionBehavior": None})
    assert "- Home on Mars (not found in the note)" in cards[0]["detail"]


def order_call(chart, value, *, unit="mL/min/{1.73_m2}", drug="metformin 500 MG", days=5, chosen="MedicationRequest/x"):
    draft = {"resourceType": "MedicationRequest", "id": "x", "status": "draft", "intent": "order",
             "subject": {"reference": "Patient/made-up-000"},
             "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "0", "display": drug}]}}
    body = hook(chart, "order-select")
    body["context"] |= {"selections": [chosen], "draftOrders": {"resourceType": "Bundle", "type": "collection",
                                                                "entry": [{"resource": draft}]}}
    test = {"resourceType": "Observation", "id": "egfr", "status": "final", "subject": {"reference": "Patient/made-up-000"},
            "code": {"coding": [{"system": LOINC, "code": "98979-8"}]}, "effectiveDateTime": (NOW - timedelta(days=days)).isoformat(),
            "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit}}
    body["prefetch"] = {"patient": prefetch_of(chart)["patient"], "laboratory": searchset([test])}
    return body


@pytest.mark.parametrize(("values", "indicators"), [
    ({"value": 24}, ["critical"]), ({"value": 30}, ["warning"]), ({"value": 44.9}, ["warning"]), ({"value": 45}, []),
    ({"value": 24, "drug": "aspirin 81 MG"}, []), ({"value": 24, "days": 500}, ["info"]), ({"value": 24, "unit": "mL/s"}, ["info"]),
    ({"value": 24, "chosen": "MedicationRequest/y"}, [])])
def test_metformin_against_the_kidneys(service, charts, values, indicators):
    cards = service.ask("metformin-kidney", order_call(charts[0], **values)).json()["cards"]
    assert [card["indicator"] for card in cards] == indicators


def test_at_most_one_card_interrupts():
    cards = [make_card(summary=kind, detail="", indicator=kind, label="L", topic="t") for kind in ("info", "critical", "warning",
                                                                                                   "critical")]
    ranked = one_interruption(cards)
    assert [card.indicator for card in ranked] == ["critical", "warning", "warning", "info"]
    assert ranked[0].uuid == cards[1].uuid


def test_a_long_summary_is_cut_and_a_wrong_card_refused():
    card = make_card(summary="x" * 200, detail="", indicator="info", label="L", topic="t")
    assert len(card.summary) == 140 and card.summary.endswith("…")
    for wrong in ({"summary": "x" * 141}, {"summary": ""}, {"indicator": "hard-stop"}, {"extra": 1}):
        with pytest.raises(ValidationError):
            Card(**({"summary": "s", "indicator": "info", "source": Source(label="L")} | wrong))


def test_every_service_answers_a_chart_with_nothing_in_it(service, charts):
    for name, one in SERVICES.items():
        body = hook(charts[0], one.hook)
        body["prefetch"] = dict.fromkeys(one.prefetch) | {"patient": copy.deepcopy(body["prefetch"]["patient"])}
        if name == "readmission-risk":
            body["prefetch"]["encounters"] = prefetch_of(charts[0])["encounters"]
        assert service.ask(name, body).json() == {"cards": []}
