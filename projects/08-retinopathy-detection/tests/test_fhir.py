"""The report is valid FHIR R4, says what the answer says, and leaves the last word to a person."""

from datetime import UTC, datetime
from typing import Any

import pytest
from fhir.resources.R4B.diagnosticreport import DiagnosticReport
from fhir.resources.R4B.observation import Observation

from retinopathy.fhir import ANSWERS, diagnostic_report
from retinopathy.predictor import Graded, RetinaPredictor
from retinopathy.schemas import GradeResponse, describe_answer, describe_grader

ISSUED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def predictor(exported) -> RetinaPredictor:
    return RetinaPredictor.open(exported)


def answer(predictor: RetinaPredictor, graded: Graded, *, explain: bool = False) -> GradeResponse:
    return describe_answer(graded, describe_grader(predictor.record, sha256=predictor.sha256, version="1.0"), explain=explain)


def checked(report: dict[str, Any]) -> dict[str, Any]:
    """Read a report with a library that knows the standard, and give its observation."""
    DiagnosticReport.model_validate(report)
    (observation,) = report["contained"]
    Observation.model_validate(observation)
    assert report["result"] == [{"reference": f"#{observation['id']}"}]
    return dict(observation)


@pytest.mark.parametrize("grade", range(5))
def test_a_graded_photograph_gives_a_coded_severity(predictor, retinas, grade):
    graded = predictor.grade(retinas[grade])
    report = diagnostic_report(answer(predictor, graded), eye="left", issued=ISSUED)
    observation = checked(report)
    assert report["status"] == observation["status"] == "preliminary"
    assert report["issued"] == "2026-01-02T03:04:05+00:00"
    assert observation["code"]["coding"][0]["code"] == "71490-7"
    assert observation["valueCodeableConcept"]["coding"][0]["code"] == ANSWERS[graded.grade]
    shares = [one["valueQuantity"]["value"] for one in observation["component"]]
    assert shares == pytest.approx([graded.referable, graded.dme], abs=1e-4)
    assert "not a medical device" in report["conclusion"].lower()


def test_a_photograph_that_is_not_graded_gives_no_value_and_says_why(predictor):
    report = diagnostic_report(answer(predictor, Graded(gradable=False, reasons=("too dark",))), eye="right", issued=ISSUED)
    observation = checked(report)
    assert "valueCodeableConcept" not in observation
    assert observation["dataAbsentReason"]["coding"][0]["code"] == "not-performed"
    assert observation["code"]["coding"][0]["code"] == "71491-5"
    assert "too dark" in report["conclusion"]


def test_without_an_eye_there_is_no_code_and_with_an_overlay_there_is_a_picture(predictor, retinas):
    graded = predictor.grade(retinas[3])
    report = diagnostic_report(answer(predictor, graded, explain=True), eye=None, issued=ISSUED)
    observation = checked(report)
    assert "coding" not in observation["code"]
    assert "bodySite" not in observation
    assert report["presentedForm"][0]["contentType"] == "image/png"


def test_no_patient_is_named(predictor, retinas):
    assert "subject" not in diagnostic_report(answer(predictor, predictor.grade(retinas[0])), eye=None, issued=ISSUED)
