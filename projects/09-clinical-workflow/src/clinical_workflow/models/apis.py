"""Asks the other chapters' APIs: readmission risk with its reasons, a note's summary, the grade of a photograph of the retina.

Each chapter stays what it is; nothing of it is imported. A service that does not answer in time makes the call fail, and says so: a card
that is missing because of a fault must not look like a patient without risk.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from carefolio.exceptions import CarefolioError
from clinical_workflow.config import ModelsSettings

KEYS = {name: f"CLINICAL_WORKFLOW_{name.upper()}_KEY" for name in ("readmission", "retinopathy", "notes", "champion")}
"""Variables that hold the API keys."""
SECTIONS = ("problems", "medications", "allergies", "results", "plan", "follow_up")
"""Lists of a summary, in the order in which they are shown."""


class ModelUnavailableError(CarefolioError):
    """A model's service does not answer, or not as agreed."""

    exit_code = 17


@dataclass(frozen=True)
class Risk:
    """A readmission risk, its strongest reasons in words, and the model that gave it."""

    risk: float
    reasons: tuple[str, ...]
    model: str


@dataclass(frozen=True)
class Models:
    """The addresses, and one client for all of them."""

    settings: ModelsSettings
    client: httpx.AsyncClient

    async def readmission(self, request: Mapping[str, Any], *, reasons_from: float, reasons_shown: int) -> Risk:
        """Ask for the risk of a stay.

        Parameters
        ----------
        request : mapping
            As the readmission API takes it.
        reasons_from : float
            Risk from which the reasons are asked for too.
        reasons_shown : int
            How many.

        Returns
        -------
        Risk
            With no reasons below ``reasons_from``.
        """
        if self.settings.champion:
            return await self._champion(request, reasons_shown)
        answer = await self._post("readmission", "/predict", request)
        risk, served = float(answer["risk"]), answer["model"]
        model = f"readmission {served['version']}, SHA-256 {served['sha256']}"
        if risk < reasons_from:
            return Risk(risk, (), model)
        explained = await self._post("readmission", "/explain", request)
        return Risk(risk, strongest(explained["reasons"], reasons_shown), model)

    async def _champion(self, request: Mapping[str, Any], reasons_shown: int) -> Risk:
        """Take the features from the readmission API, and the risk from the model that the registry calls champion."""
        explained = await self._post("readmission", "/explain", request)
        row = {reason["feature"]: reason["value"] for reason in explained["reasons"]}
        answer = await self._post("champion", "/predict", {"rows": [row]})
        served = answer["model"]
        model = f"{served['name']} version {served['version']} (alias champion), run {served['run_id']}, SHA-256 {served['sha256']}"
        return Risk(float(answer["answers"][0]["risk"]), strongest(explained["reasons"], reasons_shown), model)

    async def summary(self, note: str) -> str:
        """Ask for the summary of a note, made by rules.

        Parameters
        ----------
        note : str
            The note.

        Returns
        -------
        str
            Its sections in Markdown.
        """
        answer = await self._post("notes", "/summarize", {"note": note, "provider": "extractive"})
        return render_summary(answer)

    async def grade(self, photo: bytes, content_type: str, *, eye: str | None = None) -> dict[str, Any]:
        """Ask for the grade of a photograph of the retina.

        Parameters
        ----------
        photo : bytes
            The file.
        content_type : str
            ``image/jpeg`` or ``image/png``.
        eye : {"left", "right"}, optional
            Which eye.

        Returns
        -------
        dict
            A DiagnosticReport without a subject.
        """
        headers = {"Content-Type": content_type, "Accept": "application/fhir+json"}
        return await self._send("retinopathy", "/grade", content=photo, headers=headers, params={"eye": eye} if eye else {})

    async def _post(self, name: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return await self._send(name, path, json=dict(body))

    async def _send(self, name: str, path: str, *, headers: Mapping[str, str] | None = None, **sent: Any) -> dict[str, Any]:
        address = getattr(self.settings, name)
        key = os.environ.get(KEYS[name])
        try:
            answer = await self.client.post(f"{address}{path}", timeout=self.settings.timeout_s,
                                            headers={**(headers or {}), **({"X-API-Key": key} if key else {})}, **sent)
            if answer.status_code != 200:
                raise ModelUnavailableError(f"the {name} service answered {answer.status_code} to {path}; see its log.")
            content = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ModelUnavailableError(f"the {name} service does not answer ({type(error).__name__}); start it, or correct its "
                                        "address.") from None
        if not isinstance(content, dict):
            raise ModelUnavailableError(f"the {name} service answered {path} with something else than an object.")
        return content


def strongest(reasons: list[dict[str, Any]], shown: int) -> tuple[str, ...]:
    """Pick what raises a risk most.

    Parameters
    ----------
    reasons : list of dict
        As the readmission API gives them, strongest first.
    shown : int
        How many.

    Returns
    -------
    tuple of str
        Label and value of each.
    """
    raising = [one for one in reasons if one["log_odds"] > 0]
    return tuple(one["label"] + ("" if one["value"] is None else f": {_shown(one['value'])}") for one in raising[:shown])


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)[:60]


def render_summary(answer: Mapping[str, Any]) -> str:
    """Write a summary as Markdown.

    Parameters
    ----------
    answer : mapping
        As the notes API gives it.

    Returns
    -------
    str
        One line a statement under the heading of its list, those without support in the note marked; empty where it found nothing.
    """
    summary, lines = answer["summary"], []
    for name in SECTIONS:
        found = [f"- {one['text']}{'' if one.get('supported', True) else ' (not found in the note)'}" for one in summary[name]]
        lines += [f"**{name.replace('_', ' ').capitalize()}**", *found] if found else []
    return "\n".join(lines)
