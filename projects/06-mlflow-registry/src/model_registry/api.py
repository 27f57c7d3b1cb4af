"""The champion as an API: whatever the alias points to answers, and every answer says which version that was."""

import os
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, FastAPI, HTTPException
from prometheus_client import Gauge

from carefolio.command import DISCLAIMER
from carefolio.config import load_config
from carefolio.encoding import row_problem
from carefolio.exceptions import ConfigError
from carefolio.serving import ServingSettings
from carefolio.serving import create_app as create_guarded_app
from model_registry.champion import Follower, Served
from model_registry.config import RegistrySettings
from model_registry.names import EXPERIMENTS, PROJECT
from model_registry.places import outputs
from model_registry.schemas import Answer, Answers, ChampionState, Rows, ServedVersion

DISTRIBUTION = "carefolio-model-registry"
ADDRESS_VARIABLE, NAME_VARIABLE, FOLDER_VARIABLE = "REGISTRY_TRACKING_URI", "REGISTRY_MODEL", "REGISTRY_SERVED_FOLDER"
POLL_VARIABLE = "REGISTRY_POLL_S"
DESCRIPTION = "Answers with the registered model that carries the alias champion, and follows the alias. " + DISCLAIMER


def create_app() -> FastAPI:
    """Build the API with the champion of ``$REGISTRY_MODEL`` at ``$REGISTRY_TRACKING_URI``.

    Returns
    -------
    FastAPI
        Follows the alias for as long as it serves.

    Raises
    ------
    ConfigError
        If no address or no known name is given, or the settings do not fit.
    RegistryError
        If there is no champion: a server without a model does not start.
    """
    address, name = os.environ.get(ADDRESS_VARIABLE), os.environ.get(NAME_VARIABLE, EXPERIMENTS[0])
    if not address or name not in EXPERIMENTS:
        raise ConfigError(f"{ADDRESS_VARIABLE} must name a tracking server or database and {NAME_VARIABLE} one of "
                          f"{', '.join(EXPERIMENTS)}; start with `registry serve`, which sets them.")
    poll_s = float(os.environ.get(POLL_VARIABLE) or load_config(RegistrySettings, PROJECT).serving.poll_s)
    folder = os.environ.get(FOLDER_VARIABLE)
    follower = Follower(address, name, Path(folder) if folder else outputs() / "served" / name)
    follower.start()

    def _resources(app: FastAPI) -> AbstractAsyncContextManager[None]:
        return _follow(follower, poll_s)

    app = create_guarded_app(title="The champion of the registry", version=version(DISTRIBUTION), description=DESCRIPTION,
                             routers=[_build_router(follower)], ready=lambda: follower.current().check(),
                             settings=ServingSettings.from_environment(), resources=_resources, model_card=lambda: follower.current().card,
                             examples={"/predict": {"a typical patient": {"rows": [follower.current().loaded.example]}}})
    gauge = Gauge("registry_champion_version", "Version that answers", registry=app.state.metrics.registry)
    gauge.set_function(lambda: float(follower.current().version))
    return app


@asynccontextmanager
async def _follow(follower: Follower, poll_s: float) -> AsyncIterator[None]:
    with follower.following(poll_s):
        yield


def _build_router(follower: Follower) -> APIRouter:
    router = APIRouter(tags=["model"])

    @router.post("/predict", summary="Predictions of the champion for up to 1,000 patients")
    def predict(body: Rows) -> Answers:
        served = follower.current()
        model = served.loaded.model
        problem = row_problem(body.rows, model.features, model.categories, reader="version", route="GET /champion")
        if problem:
            raise HTTPException(422, problem)
        return Answers(answers=[_answer(served, values) for values in served.loaded.answer(body.rows)], model=_version(served))

    @router.get("/champion", summary="The version that answers, and what it reads")
    def champion() -> ChampionState:
        served = follower.current()
        since = time.monotonic() - follower.checked_at if follower.checked_at else None
        return ChampionState(model=_version(served), features=list(served.loaded.model.features), categories=served.loaded.model.categories,
                             seconds_since_look=since)

    return router


def _version(served: Served) -> ServedVersion:
    return ServedVersion(name=served.name, version=served.version, run_id=served.run_id, sha256=served.loaded.sha256)


def _answer(served: Served, values: float | list[float]) -> Answer:
    if isinstance(values, list):
        days = getattr(served.loaded.model, "times_days", ())
        return Answer(risk=None, survival={f"{day:g}": value for day, value in zip(days, values, strict=True)})
    return Answer(risk=values, survival=None)
