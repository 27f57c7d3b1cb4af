"""A SMART backend service: screening by night. It gets its own token, looks who lacks a photograph of the retina, has waiting ones graded,
and writes what it found, with where it comes from and who was told.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from carefolio.exceptions import CarefolioError
from clinical_workflow.cds.screening import due
from clinical_workflow.fhir.chart import Chart, contained_resources, read_resources
from clinical_workflow.fhir.elements import codes, reference_id, table
from clinical_workflow.fhir.terms import SNOMED
from clinical_workflow.fhir.written import audit_event, communication, provenance, retina_report
from clinical_workflow.models.apis import Models
from clinical_workflow.smart.assertions import TYPE, client_assertion

CLIENT_ID = "screening-service"
SCOPES = ("system/Patient.rs", "system/Condition.rs", "system/MedicationRequest.rs", "system/Procedure.rs", "system/DiagnosticReport.crs",
          "system/Media.rs", "system/Provenance.c", "system/Communication.c", "system/AuditEvent.c")
CHART_TYPES = ("Condition", "MedicationRequest", "Procedure", "DiagnosticReport")
EYES = {"7771000": "left", "24028007": "right"}
PHOTO_TYPES = ("image/jpeg", "image/png")


class HospitalError(CarefolioError):
    """The hospital's servers do not answer as they should."""

    exit_code = 18


@dataclass(frozen=True)
class Screened:
    """What a night gave: patients looked at, those with a gap, and references to the reports that were written."""

    patients: int
    gaps: tuple[str, ...]
    reports: tuple[str, ...]


@dataclass(frozen=True)
class Access:
    """A FHIR server and a token for it."""

    client: httpx.AsyncClient
    server: str
    token: str

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask the FHIR server.

        Parameters
        ----------
        method : str
            HTTP method.
        path : str
            Below its address.
        body : dict, optional
            A resource.

        Returns
        -------
        dict
            What it answers.

        Raises
        ------
        HospitalError
            If it refuses, or breaks off.
        """
        status, content = await _send(self.client, method, f"{self.server}/{path}", headers={"Authorization": f"Bearer {self.token}"},
                                      json=body)
        if status not in (200, 201):
            raise HospitalError(f"the FHIR server answered {status} to {method} {path.partition('?')[0]}; check the scopes.")
        return content


async def _send(client: httpx.AsyncClient, method: str, url: str, **sent: Any) -> tuple[int, dict[str, Any]]:
    """Send a request, and give the status and the object of the answer; the object of a refusal is not read."""
    try:
        answer = await client.request(method, url, **sent)
        content = answer.json() if answer.is_success else {}
    except (httpx.HTTPError, ValueError) as error:
        raise HospitalError(f"{url.partition('?')[0]} gave no whole answer to {method} ({type(error).__name__}); see that the hospital "
                            "runs and give the same command again: what is done is not done twice.") from None
    if not isinstance(content, dict):
        raise HospitalError(f"{url.partition('?')[0]} answered {method} with something else than an object.")
    return answer.status_code, content


async def open_access(client: httpx.AsyncClient, server: str, key: Any) -> Access:
    """Get a token as a backend service does.

    Parameters
    ----------
    client : httpx.AsyncClient
        Sends the requests.
    server : str
        Address of the FHIR server.
    key : joserfc key
        The service's private key.

    Returns
    -------
    Access
        With the token.

    Raises
    ------
    HospitalError
        If the hospital gives none.
    """
    _, described = await _send(client, "GET", f"{server}/.well-known/smart-configuration")
    url = described.get("token_endpoint")
    if not isinstance(url, str):
        raise HospitalError(f"{server} does not say where it gives tokens; is it a SMART server?")
    status, answer = await _send(client, "POST", url, data={
        "grant_type": "client_credentials", "scope": " ".join(SCOPES), "client_assertion_type": TYPE,
        "client_assertion": client_assertion(CLIENT_ID, key, token_url=url, now=time.time())})
    if status != 200 or not isinstance(answer.get("access_token"), str):
        raise HospitalError(f"the hospital gave no token (status {status}); is the service's key registered there?")
    return Access(client, server, answer["access_token"])


async def screen(access: Access, models: Models, *, months: int, now: datetime | None = None) -> Screened:
    """Go through all charts.

    Parameters
    ----------
    access : Access
        Token and server.
    models : Models
        Asked for the grade of photographs that wait.
    months : int
        Longest time between photographs.
    now : datetime, optional
        The present.

    Returns
    -------
    Screened
        What was found and written.
    """
    now = now or datetime.now(UTC)
    patients = contained_resources(await access.ask("GET", "Patient?_count=1000"))
    by_patient = await _charts(access, patients)
    reports = []
    for photo in contained_resources(await access.ask("GET", "Media?_count=1000&status=completed")):
        patient = reference_id(photo.get("subject"))
        if patient in by_patient and not _is_graded(by_patient[patient], photo):
            reports.append(await _grade(access, models, photo, patient, now))
    gaps = tuple(patient for patient, chart in by_patient.items() if due(chart, now=now, months=months))
    await access.ask("POST", "AuditEvent", audit_event(action="E", what=f"screening: {len(patients)} charts, {len(gaps)} gaps", person=None,
                                                       entities=reports, at=now))
    return Screened(len(patients), gaps, tuple(reports))


async def _charts(access: Access, patients: Sequence[dict[str, Any]]) -> dict[str, Chart]:
    found: dict[str, list[dict[str, Any]]] = {str(one["id"]): [one] for one in patients}
    for kind in CHART_TYPES:
        for one in contained_resources(await access.ask("GET", f"{kind}?_count=1000")):
            found.get(str(reference_id(one.get("subject"))), []).append(one)
    return {patient: read_resources(own, patient_id=patient) for patient, own in found.items()}


def _is_graded(chart: Chart, photo: dict[str, Any]) -> bool:
    return any(reference_id(media.get("link")) == photo["id"] for report in chart.of("DiagnosticReport") for media in report.get("media",
                                                                                                                                 []))


async def _grade(access: Access, models: Models, photo: dict[str, Any], patient: str, now: datetime) -> str:
    """Have one photograph graded, and write report, provenance and message."""
    content = table(photo.get("content"))
    kind = str(content.get("contentType"))
    try:
        data = base64.b64decode(str(content.get("data")), validate=True)
    except binascii.Error:
        raise HospitalError("a photograph in the chart is not base64; correct the Media resource.") from None
    if kind not in PHOTO_TYPES:
        raise HospitalError(f"a photograph in the chart is of type {kind[:40]}, expected {' or '.join(PHOTO_TYPES)}.")
    eye = next((EYES[code.code] for code in codes(photo.get("bodySite")) if code.system == SNOMED and code.code in EYES), None)
    answer = await models.grade(data, kind, eye=eye)
    report = retina_report(answer | {"media": [{"link": {"reference": f"Media/{photo['id']}"}}]}, patient_id=patient)
    kept = await access.ask("POST", "DiagnosticReport", report)
    reference = f"DiagnosticReport/{kept['id']}"
    await access.ask("POST", "Provenance", provenance(targets=[reference], at=now,
                                                      software=str(report["contained"][0]["device"]["display"])))
    await access.ask("POST", "Communication", communication(
        patient_id=patient, at=now, about=[reference], recipient="Eye clinic",
        text="A photograph of the retina was graded by software; the "
                                                                                    "report waits for a person."))
    return reference
