"""The deployment as an API: whatever the pointer names answers, is replaced without restart, and is named in every answer."""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import lightgbm  # noqa: F401 - loaded when the server starts, so that the first release is taken over at once
from fastapi import APIRouter, FastAPI, HTTPException
from prometheus_client import Gauge

from carefolio.command import DISCLAIMER
from carefolio.config import load_config
from carefolio.encoding import row_problem, to_frame
from carefolio.exceptions import ArtefactError, ConfigError
from carefolio.serving import ServingSettings
from carefolio.serving import create_app as create_guarded_app
from carefolio.serving.following import Follower
from retraining.config import RetrainingSettings
from retraining.deployment import Served, follow
from retraining.names import DEPLOYMENT_VARIABLE, POLL_VARIABLE, PROJECT
from retraining.schemas import Answers, ReleaseState, Rows, ServedRelease

DISTRIBUTION = "carefolio-retraining"
DESCRIPTION = "Answers with the model that is deployed, and follows the deployment. " + DISCLAIMER
CARD_FILE = "model_card.md"
logger = logging.getLogger("retraining.api")


def create_app() -> FastAPI:
    """Build the API over the deployment in ``$RETRAINING_DEPLOYMENT``.

    Returns
    -------
    FastAPI
        Follows the deployment for as long as it serves; answers 503 while nothing is deployed.

    Raises
    ------
    ConfigError
        If no folder is given, or the settings do not fit.
    """
    folder = os.environ.get(DEPLOYMENT_VARIABLE)
    if not folder:
        raise ConfigError(f"{DEPLOYMENT_VARIABLE} must name the folder of a deployment; start with `retraining serve`, which sets it.")
    poll_s = float(os.environ.get(POLL_VARIABLE) or load_config(RetrainingSettings, PROJECT).serving.poll_s)
    deployment = Path(folder)
    follower = follow(deployment)
    _take_over(follower, deployment)

    def _resources(app: FastAPI) -> AbstractAsyncContextManager[None]:
        return _follow(follower, poll_s)

    app = create_guarded_app(title="The deployed readmission model", version=version(DISTRIBUTION), description=DESCRIPTION,
                             routers=[_build_router(follower)], ready=lambda: _check(follower),
                             settings=ServingSettings.from_environment(), resources=_resources,
                             model_card=lambda: _read_card(deployment), examples={"/predict": {"nothing known": {"rows": [{}]}}})
    gauge = Gauge("retraining_release", "Number of the release that answers; 0 for none", registry=app.state.metrics.registry)
    gauge.set_function(lambda: float(follower.taken_over and follower.current().release.number))
    return app


def _take_over(follower: Follower[Served], deployment: Path) -> None:
    """Answer with what is deployed from the first request on; without it the server runs, is not ready, and goes on looking."""
    try:
        follower.refresh()
    except ArtefactError as error:
        logger.warning("nothing in %s can be served yet: %s", deployment, error)


@asynccontextmanager
async def _follow(follower: Follower[Served], poll_s: float) -> AsyncIterator[None]:
    with follower.following(poll_s):
        yield


def _check(follower: Follower[Served]) -> None:
    follower.current()


def _read_card(folder: Path) -> str:
    places = (folder / CARD_FILE, folder.parent / "reports" / CARD_FILE)
    return next((path.read_text(encoding="utf-8") for path in places if path.is_file()), "")


def _build_router(follower: Follower[Served]) -> APIRouter:
    router = APIRouter(tags=["model"])

    @router.post("/predict", summary="Risks for up to 1,000 encounters", responses={503: {"description": "Nothing is deployed."}})
    def predict(body: Rows) -> Answers:
        served = _current(follower)
        columns = served.model.features, served.model.categories
        problem = row_problem(body.rows, *columns, reader="release", route="GET /release")
        if problem:
            raise HTTPException(422, problem)
        return Answers(risks=served.model.predict(to_frame(body.rows, *columns)).tolist(), release=_release(served))

    @router.get("/release", summary="The release that answers, and what it reads", responses={503: {"description": "Nothing is deployed."}})
    def release() -> ReleaseState:
        served = _current(follower)
        return ReleaseState(release=_release(served), taken_over=follower.taken_over, failures=follower.failures,
                            features=list(served.model.features), categories=served.model.categories)

    return router


def _current(follower: Follower[Served]) -> Served:
    try:
        return follower.current()
    except ArtefactError:
        raise HTTPException(503, "Nothing is deployed.") from None


def _release(served: Served) -> ServedRelease:
    release = served.release
    return ServedRelease(number=release.number, sha256=release.sha256, batch=release.batch, reason=release.reason)
