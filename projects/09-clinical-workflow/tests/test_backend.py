"""Screening by night: a waiting photograph is graded once, and the report, where it comes from and who was told are written."""

import asyncio
import base64

import httpx
import pytest

from clinical_workflow.config import ModelsSettings
from clinical_workflow.models.apis import Models
from clinical_workflow.smart.backend import HospitalError, screen

from .hospital_examples import NOW, resources, searchset

ADDRESSES = ModelsSettings(readmission="", retinopathy="http://eye.example", notes="", champion="", timeout_s=1.0)
REPORT = {"resourceType": "DiagnosticReport", "status": "preliminary", "code": {"text": "Screening"}, "issued": "2026-01-01T00:00:00+00:00",
          "contained": [{"resourceType": "Observation", "id": "severity", "status": "preliminary", "code": {"text": "Severity"},
                         "device": {"display": "carefolio retinopathy 0.1.0"}}], "result": [{"reference": "#severity"}],
          "presentedForm": [{"contentType": "image/png", "data": "QQ=="}]}


class Kept:
    """A FHIR server in a dictionary."""

    def __init__(self, found):
        self.found = found

    async def ask(self, method, path, body=None):
        kind = path.partition("?")[0]
        if method == "GET":
            return searchset([one for one in self.found if one["resourceType"] == kind])
        self.found.append({**body, "id": f"new-{len(self.found)}"})
        return self.found[-1]


def photo(**changes):
    content = {"contentType": "image/jpeg", "data": base64.b64encode(b"a photograph").decode()}
    return {"resourceType": "Media", "id": "photo", "status": "completed", "subject": {"reference": "Patient/made-up-000"},
            "bodySite": {"coding": [{"system": "http://snomed.info/sct", "code": "7771000"}]}, "content": content | changes}


def night(server, asked):
    def _grade(request):
        asked.append((request.url.params["eye"], request.headers["content-type"], request.headers["accept"], request.content))
        return httpx.Response(200, json=REPORT)

    models = Models(ADDRESSES, httpx.AsyncClient(transport=httpx.MockTransport(_grade)))
    return asyncio.run(screen(server, models, months=12, now=NOW))


def test_a_waiting_photograph_is_graded_once(charts):
    server, asked = Kept([*resources(charts[0], "Patient", "Condition"), photo()]), []
    first = night(server, asked)
    assert asked == [("left", "image/jpeg", "application/fhir+json", b"a photograph")]
    assert (first.patients, first.gaps, len(first.reports)) == (1, ("made-up-000",), 1)
    report = next(one for one in server.found if one["resourceType"] == "DiagnosticReport")
    assert report["subject"] == report["contained"][0]["subject"] == {"reference": "Patient/made-up-000"}
    assert "presentedForm" not in report
    written = [one["resourceType"] for one in server.found if one["id"].startswith("new-")]
    assert written == ["DiagnosticReport", "Provenance", "Communication", "AuditEvent"]
    assert night(server, asked).reports == ()
    assert len(asked) == 1


@pytest.mark.parametrize("changes", [{"data": "not base64!"}, {"contentType": "text/html"}])
def test_a_photograph_that_cannot_be_read_is_said(charts, changes):
    with pytest.raises(HospitalError):
        night(Kept([*resources(charts[0], "Patient"), photo(**changes)]), [])
