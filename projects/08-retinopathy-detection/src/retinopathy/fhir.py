"""The answer to a photograph as a FHIR R4 DiagnosticReport: preliminary, until a person has looked at it.

The observation of the grade is contained in the report, so that one resource says all. Its codes are those of LOINC for the severity of
diabetic retinopathy of an eye and its answers (LL2117-1); they name the scale of the grade, and a text names the method, which is none of a
person.

References: https://hl7.org/fhir/R4/diagnosticreport.html; https://loinc.org/LL2117-1
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any, Literal

from carefolio.datasets.idrid import GRADES
from retinopathy.schemas import GradeResponse

MEDIA_TYPE = "application/fhir+json"
Side = Literal["left", "right"]
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
SEVERITY: dict[Side, tuple[str, str]] = {
    "left": ("71490-7", "Left eye Diabetic retinopathy severity level by Ophthalmoscopy"),
    "right": ("71491-5", "Right eye Diabetic retinopathy severity level by Ophthalmoscopy")}
ANSWERS = ("LA18643-9", "LA18644-7", "LA18645-4", "LA18646-2", "LA18648-8")
"""Of LOINC's list LL2117-1, for grades 0 to 4."""
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
OBSERVATION = "severity"
"""Id of the contained observation."""


def diagnostic_report(answer: GradeResponse, *, eye: Side | None, issued: datetime) -> dict[str, Any]:
    """Put an answer into a report.

    Parameters
    ----------
    answer : GradeResponse
        What the API says about the photograph.
    eye : {"left", "right"}, optional
        Which eye was photographed; a photograph alone does not say so.
    issued : datetime
        When, with a time zone.

    Returns
    -------
    dict
        A DiagnosticReport of FHIR R4 that names no patient: who stores it adds ``subject``.
    """
    text = "Diabetic retinopathy screening of a fundus photograph by software"
    report: dict[str, Any] = {
        "resourceType": "DiagnosticReport", "status": "preliminary", "code": {"text": text},
        "issued": issued.astimezone(UTC).isoformat(timespec="seconds"), "contained": [_observation(answer, eye)],
        "result": [{"reference": f"#{OBSERVATION}"}], "conclusion": _conclusion(answer)}
    if answer.overlay:
        size = len(base64.b64decode(answer.overlay))
        report["presentedForm"] = [{"contentType": "image/png", "data": answer.overlay, "size": size, "title":
                                    "What speaks for a referral (red) and against it (blue)"}]
    return report


def _observation(answer: GradeResponse, eye: Side | None) -> dict[str, Any]:
    name = "Diabetic retinopathy severity level" if eye is None else SEVERITY[eye][1]
    coding = {} if eye is None else {"coding": [{"system": LOINC, "code": SEVERITY[eye][0], "display": name}]}
    model = answer.model
    made: dict[str, Any] = {
        "resourceType": "Observation", "id": OBSERVATION, "status": "preliminary", "code": coding | {"text": name},
        "category": [{"coding": [{"system": CATEGORY, "code": "imaging", "display": "Imaging"}]}],
        "method": {"text": "Graded by software on a fundus photograph; research and education, not a medical device"},
        "device": {"display": f"carefolio retinopathy {model.version}, SHA-256 {model.sha256}"}}
    if eye is not None:
        made["bodySite"] = {"text": f"{eye} eye"}
    if answer.grade is None:
        return made | {"dataAbsentReason": {"coding": [{"system": ABSENT, "code": "not-performed", "display": "Not Performed"}]}}
    made["valueCodeableConcept"] = {"coding": [{"system": LOINC, "code": ANSWERS[answer.grade]}], "text": GRADES[answer.grade]}
    made["component"] = [_share("Probability of a referable grade (2 and more)", answer.referable),
                         _share("Probability of the highest risk of macular oedema", answer.dme)]
    return made | ({"note": [{"text": reason} for reason in answer.reasons]} if answer.reasons else {})


def _share(text: str, value: float | None) -> dict[str, Any]:
    return {"code": {"text": text}, "valueQuantity": {"value": round(value or 0.0, 4), "unit": "1", "system": UCUM, "code": "1"}}


def _conclusion(answer: GradeResponse) -> str:
    if answer.grade is None:
        return f"Not graded, a person has to look: {'; '.join(answer.reasons)}. {answer.disclaimer}"
    advice = "referral to an eye doctor" if answer.referred else "no referral"
    unsure = f" A person has to look: {'; '.join(answer.reasons)}." if answer.abstained else ""
    return f"Grade {answer.grade}, {GRADES[answer.grade]}; the threshold says {advice}.{unsure} {answer.disclaimer}"
