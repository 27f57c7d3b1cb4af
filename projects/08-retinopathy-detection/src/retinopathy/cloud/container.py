"""The program of the image: ``train`` and ``serve``, as SageMaker starts it; Azure Machine Learning and Vertex AI start the same.

``serve`` (or no argument) answers ``GET /ping`` and ``POST /invocations`` on port 8080, and where ``AIP_HTTP_PORT``,
``AIP_HEALTH_ROUTE`` and ``AIP_PREDICT_ROUTE`` of Vertex AI say, in the numbers of ``RETINOPATHY_PRECISION``. A photograph comes as it
is, as an upload, or in base64 within JSON (see `retinopathy.api`); several come as Vertex AI sends them:
``{"instances": [{"b64": …}]}`` gives ``{"predictions": […]}``.
``train`` stands in `retinopathy.cloud.training`.

Contracts: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html,
https://cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import click
from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from starlette.requests import Request

from carefolio.command import Group
from carefolio.deploy.bundle import SUMS_NAME, bundle_content
from carefolio.deploy.container import INVOCATIONS, PING, build_ping, container_settings, model_folder, run_container
from carefolio.exceptions import ConfigError
from carefolio.serving import create_app as create_guarded_app
from retinopathy.api import BODY_LIMIT_BYTES, DESCRIPTION, DISTRIBUTION, REQUEST, Sent, check_open, grade_sent, open_grader, read_sent
from retinopathy.cloud.storage import fetch_model
from retinopathy.cloud.training import find_places, find_root, run_training
from retinopathy.predictor import MODEL_FILES, RECORD_FILE, RetinaPredictor
from retinopathy.schemas import EXAMPLES, GradeResponse, decode_photo

SEALED = (*MODEL_FILES.values(), RECORD_FILE)
MOST_INSTANCES = 32
PORT_VARIABLES = ("AIP_HTTP_PORT", "SAGEMAKER_BIND_TO_PORT")


class Instance(BaseModel):
    """A photograph as Vertex AI sends it."""

    model_config = ConfigDict(extra="forbid")

    b64: Annotated[bytes, BeforeValidator(decode_photo)] = Field(min_length=1, description="JPEG, PNG, TIFF or DICOM, in base64")


class Parameters(BaseModel):
    """What holds for all photographs of a request."""

    model_config = ConfigDict(extra="forbid")

    explain: bool = Field(default=False, strict=True, description="Also give the overlays")


class Instances(BaseModel):
    """Photographs as Vertex AI sends them."""

    model_config = ConfigDict(extra="forbid")

    instances: list[Instance] = Field(min_length=1, max_length=MOST_INSTANCES)
    parameters: Parameters = Parameters()


class Predictions(BaseModel):
    """Answers as Vertex AI passes them on, in the order of the photographs."""

    predictions: list[GradeResponse]


@dataclass(frozen=True)
class Question:
    """Photographs that were sent, and whether they came as instances."""

    sent: tuple[Sent, ...]
    instances: bool


async def read_question(request: Request) -> Question:
    """Take the photographs out of a request, however they were sent.

    Parameters
    ----------
    request : Request
        With a body that the middleware has bounded.

    Returns
    -------
    Question
        One photograph, or several instances.

    Raises
    ------
    HTTPException
        415 for another type of body, 422 for a form without a photograph.
    RequestValidationError
        For JSON of another form.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" or b'"instances"' not in await request.body():
        return Question((await read_sent(request),), instances=False)
    try:
        read = Instances.model_validate_json(await request.body())
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in error.errors()]) from None
    return Question(tuple(Sent(one.b64, read.parameters.explain) for one in read.instances), instances=True)


def create_app() -> FastAPI:
    """Build the container's API with the grader that the platform has mounted or names.

    Returns
    -------
    FastAPI
        Further settings come from the environment (see `carefolio.serving.settings`).

    Raises
    ------
    ArtefactError
        If the grader is missing: a container without one does not start.
    ConfigError
        If the settings do not fit.
    """
    settings = container_settings(os.environ, body_limit_bytes=BODY_LIMIT_BYTES)
    folder, opened = find_model(os.environ), list[RetinaPredictor]()
    pings, invocations = (find_routes(os.environ, *pair) for pair in ((PING, "AIP_HEALTH_ROUTE"), (INVOCATIONS, "AIP_PREDICT_ROUTE")))
    check = partial(check_open, opened)
    return create_guarded_app(title="Retinopathy grader", version=version(DISTRIBUTION), description=DESCRIPTION,
                              routers=[build_ping(check, pings), _build_router(opened, invocations)], ready=check, settings=settings,
                              examples={INVOCATIONS: EXAMPLES["/grade"]}, open_paths=(*pings, *invocations),
                              resources=partial(open_grader, folder=folder, opened=opened))


def find_model(environment: Mapping[str, str]) -> Path:
    """Find the grader that the platform has mounted, or fetch the one that it names.

    Parameters
    ----------
    environment : mapping of str to str
        Variables of the process.

    Returns
    -------
    Path
        A folder.

    Raises
    ------
    ArtefactError
        If there is none, or more than one.
    """
    uri = environment.get("AIP_STORAGE_URI", "")
    if uri.startswith("gs://"):
        return fetch_model(uri, [name for name in bundle_content(SEALED) if name != SUMS_NAME], environment=environment)
    return model_folder(environment, manifest=RECORD_FILE, mount=str(find_root(environment) / "model"))


def find_routes(environment: Mapping[str, str], path: str, variable: str) -> tuple[str, ...]:
    """Say at which paths a route answers.

    Parameters
    ----------
    environment : mapping of str to str
        Variables of the process.
    path : str
        The one that always answers.
    variable : str
        Where Vertex AI names another.

    Returns
    -------
    tuple of str
        Each once.
    """
    return tuple(dict.fromkeys((path, environment.get(variable) or path)))


def _build_router(opened: list[RetinaPredictor], paths: tuple[str, ...]) -> APIRouter:
    router = APIRouter(tags=["container"])

    def invocations(question: Annotated[Question, Depends(read_question)]) -> GradeResponse | Predictions:
        if not question.instances:
            return grade_sent(opened[0], question.sent[0])
        answers = []
        for place, sent in enumerate(question.sent):
            try:
                answers.append(grade_sent(opened[0], sent))
            except HTTPException as error:
                raise HTTPException(error.status_code, f"instances[{place}]: {error.detail}") from None
        return Predictions(predictions=answers)

    for path in paths:
        router.add_api_route(path, invocations, methods=["POST"], summary="Grade of one photograph, or of several instances",
                             openapi_extra=REQUEST)
    return router


@click.group(cls=Group, invoke_without_command=True)
def main() -> None:
    """Train or serve inside a container; serves if nothing is said. For research and education; not a medical device."""
    context = click.get_current_context()
    if context.invoked_subcommand is None:
        context.invoke(_serve)


@main.command("serve")
def _serve() -> None:
    """Serve until the platform stops the container."""
    run_container("retinopathy.cloud.container:create_app", port_variables=PORT_VARIABLES)


@main.command("train")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the channel `training`; default below /opt/ml.")
@click.option("--model", type=click.Path(path_type=Path), help="Folder for the grader; default $AIP_MODEL_DIR, else below /opt/ml.")
@click.option("--reports", type=click.Path(path_type=Path), help="Folder for evidence and figures; default below /opt/ml.")
@click.option("--set", "told", multiple=True, metavar="NAME=VALUE", help="A hyperparameter; wins over hyperparameters.json.")
def _train(data: Path | None, model: Path | None, reports: Path | None, told: tuple[str, ...]) -> None:
    """Train once; the reason of a failure goes to output/failure."""
    wrong = next((one for one in told if "=" not in one), None)
    if wrong is not None:
        raise ConfigError(f"--set takes NAME=VALUE; got {wrong!r}.")
    run_training(find_places(os.environ, data=data, model=model, reports=reports), dict(one.split("=", 1) for one in told))


if __name__ == "__main__":
    main()
