"""The grader as an API: ``POST /grade`` takes a photograph as it is, as an upload of a form, or in base64 within JSON.

Who asks for ``application/fhir+json`` gets a DiagnosticReport of FHIR R4 instead of the API's own answer.

A photograph takes tenths of a second and runs in a thread, off the event loop. It is read with bounds, kept nowhere, and repeated in no
error and no log.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse

from carefolio.command import DISCLAIMER
from carefolio.exceptions import ArtefactError, PictureTooLargeError, UnsuitablePictureError, UnsupportedPictureError
from carefolio.serving import ServingSettings
from carefolio.serving import create_app as create_guarded_app
from retinopathy.artefacts import chosen_precision, find_grader
from retinopathy.fhir import MEDIA_TYPE, Side, diagnostic_report
from retinopathy.predictor import RetinaPredictor
from retinopathy.schemas import EXAMPLES, PHOTO_TYPES, GradeRequest, GradeResponse, describe_answer, describe_grader

DISTRIBUTION = "carefolio-retinopathy"
BODY_LIMIT_BYTES = 16 * 1024 * 1024
DESCRIPTION = ("Grades of diabetic retinopathy for photographs of the retina, learnt from one public data set of one camera. " + DISCLAIMER)
REQUEST: dict[str, Any] = {"requestBody": {"required": True, "content": {
    "application/json": {"schema": GradeRequest.model_json_schema()},
    "multipart/form-data": {"schema": {"type": "object", "required": ["photo"], "properties": {
        "photo": {"type": "string", "format": "binary"}, "explain": {"type": "string", "enum": ["true", "false"]}}}},
    **{kind: {"schema": {"type": "string", "format": "binary"}} for kind in PHOTO_TYPES}}}}


@dataclass(frozen=True)
class Sent:
    """A photograph that was sent, and whether the overlay is wanted."""

    content: bytes
    explain: bool


def create_app() -> FastAPI:
    """Build the API with the grader of ``$CAREFOLIO_ARTEFACTS``, else of the last full run, the committed one, or the last quick run.

    Returns
    -------
    FastAPI
        Settings come from the environment (see `carefolio.serving.settings`); a body may have 16 MiB unless that says otherwise.

    Raises
    ------
    ArtefactError
        If there is no grader: a server without one does not start.
    ConfigError
        If the settings do not fit.
    """
    settings = ServingSettings.from_environment({"CAREFOLIO_BODY_LIMIT_BYTES": str(BODY_LIMIT_BYTES), **os.environ})
    folder, opened = find_grader(), list[RetinaPredictor]()
    card = folder.parent / "reports" / "model_card.md"
    return create_guarded_app(title="Retinopathy grader", version=version(DISTRIBUTION), description=DESCRIPTION,
                              routers=[_build_router(opened)], ready=partial(check_open, opened), settings=settings,
                              model_card=card if card.is_file() else None, examples=EXAMPLES,
                              resources=partial(open_grader, folder=folder, opened=opened))


@asynccontextmanager
async def open_grader(app: FastAPI, *, folder: Path, opened: list[RetinaPredictor]) -> AsyncIterator[None]:
    """Hold the grader open while the app serves.

    Parameters
    ----------
    app : FastAPI
        Given by the app factory.
    folder : Path
        Of the grader.
    opened : list of RetinaPredictor
        Receives it.

    Yields
    ------
    None
        The app serves in the block.
    """
    opened.append(RetinaPredictor.open(folder, precision=chosen_precision()))
    yield
    opened.clear()


def check_open(opened: list[RetinaPredictor]) -> None:
    """Check that a grader is open.

    Parameters
    ----------
    opened : list of RetinaPredictor
        As `open_grader` fills it.

    Raises
    ------
    ArtefactError
        If there is none.
    """
    if not opened:
        raise ArtefactError("no grader is open; start the server again.")


async def read_sent(request: Request) -> Sent:
    """Take the photograph out of a request, however it was sent.

    Parameters
    ----------
    request : Request
        With a body that the middleware has bounded.

    Returns
    -------
    Sent
        The bytes of the photograph.

    Raises
    ------
    HTTPException
        415 for another type of body, 422 for a form without a photograph.
    RequestValidationError
        For JSON of another form.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in PHOTO_TYPES:
        return Sent(await request.body(), request.query_params.get("explain") == "true")
    if kind == "application/json":
        try:
            read = GradeRequest.model_validate_json(await request.body())
        except ValidationError as error:
            raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in error.errors()]) from None
        return Sent(read.photo, read.explain)
    if kind == "multipart/form-data":
        return await _read_form(request)
    raise HTTPException(415, f"Send the photograph as {', '.join(PHOTO_TYPES)}, as `photo` of multipart/form-data, or in base64 within "
                             "application/json.")


async def _read_form(request: Request) -> Sent:
    async with request.form(max_files=1, max_fields=1) as form:
        photo = form.get("photo")
        if not isinstance(photo, UploadFile):
            raise HTTPException(422, "The form must hold a file named `photo`.")
        return Sent(await photo.read(), form.get("explain") == "true")


def grade_sent(predictor: RetinaPredictor, sent: Sent) -> GradeResponse:
    """Grade a photograph that was sent.

    Parameters
    ----------
    predictor : RetinaPredictor
        The open grader.
    sent : Sent
        The photograph.

    Returns
    -------
    GradeResponse
        In the form of the API.

    Raises
    ------
    HTTPException
        413, 415 or 422 for a file that cannot be read as a picture.
    """
    try:
        graded = predictor.grade(sent.content)
    except UnsuitablePictureError as error:
        raise HTTPException(_status_of(error), str(error)) from None
    model = describe_grader(predictor.record, sha256=predictor.sha256, version=version(DISTRIBUTION))
    return describe_answer(graded, model, explain=sent.explain)


def _build_router(opened: list[RetinaPredictor]) -> APIRouter:
    router = APIRouter(tags=["grader"])

    @router.post("/grade", summary="Grade of one photograph", openapi_extra=REQUEST, response_model=GradeResponse,
                 responses={200: {"content": {MEDIA_TYPE: {"schema": {"type": "object", "required": ["resourceType"]}}}}})
    def grade(sent: Annotated[Sent, Depends(read_sent)], accept: Annotated[str, Header()] = "", eye: Annotated[Side | None, Query(
            description=f"Which eye was photographed; for `Accept: {MEDIA_TYPE}`, which gives a DiagnosticReport")] = None,
              explain: Annotated[Literal["true", "false"], Query(description="Also give the overlay")] = "false") -> Any:
        answer = grade_sent(opened[0], replace(sent, explain=sent.explain or explain == "true"))
        if MEDIA_TYPE in accept:
            return JSONResponse(diagnostic_report(answer, eye=eye, issued=datetime.now(UTC)), media_type=MEDIA_TYPE)
        return answer

    return router


def _status_of(error: UnsuitablePictureError) -> int:
    if isinstance(error, PictureTooLargeError):
        return 413
    return 415 if isinstance(error, UnsupportedPictureError) else 422
