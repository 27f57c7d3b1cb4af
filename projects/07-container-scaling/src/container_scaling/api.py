"""The calculator as an API: hospitals in, replicas and cost out, from measured service times."""

from importlib.metadata import version

from fastapi import APIRouter, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from carefolio.command import DISCLAIMER
from carefolio.config import load_config, project_home
from carefolio.exceptions import ConfigError
from carefolio.serving import ServingSettings
from carefolio.serving import create_app as create_guarded_app
from carefolio.serving.fields import Integer
from container_scaling.config import FOLDER, PROJECT, ScalingSettings
from container_scaling.costs import size_for
from container_scaling.measurement import read_service_times
from container_scaling.model import ServiceTimes

DISTRIBUTION = "carefolio-container-scaling"
DESCRIPTION = "How many replicas of the readmission service hospitals need, by a queueing model over measured service times. " + DISCLAIMER
EXAMPLES = {"/plan": {"a hundred hospitals": {"hospitals": 100}, "a tighter promise": {"hospitals": 20, "target_ms": 20}}}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Demand(_Body):
    """What is asked of the service."""

    hospitals: Integer = Field(ge=1, le=100_000, description="How many hospitals call it")
    discharges_per_hospital_day: float | None = Field(None, gt=0, le=10_000, description="Default: the configured")
    calls_per_discharge: float | None = Field(None, gt=0, le=10_000, description="Default: the configured")
    target_ms: float | None = Field(None, gt=0, le=60_000, description="95 % answered within this; default: the configured")


class Sized(_Body):
    """What it takes."""

    replicas: int = Field(description="Replicas that keep the promise in the busiest minute")
    peak_rate: float = Field(description="Requests a second in the busiest minute")
    utilisation: float = Field(description="Share of the replicas' time that it takes")
    p95_ms: float = Field(description="Time within which 95 % are answered then, by the model")
    month: float = Field(description="Cost of a month")
    currency: str
    disclaimer: str = DISCLAIMER


def create_app() -> FastAPI:
    """Build the API with the committed measurement.

    Returns
    -------
    FastAPI
        Settings come from the environment (see `carefolio.serving.settings`).

    Raises
    ------
    ArtefactError
        If nothing was measured yet.
    """
    home = project_home(FOLDER)
    service, settings = read_service_times(home), load_config(ScalingSettings, PROJECT)
    card = home / "reports" / "model_card.md"
    return create_guarded_app(title="Replicas for a demand", version=version(DISTRIBUTION), description=DESCRIPTION,
                              routers=[_build_router(service, settings)], ready=lambda: None, settings=ServingSettings.from_environment(),
                              model_card=card if card.is_file() else None, examples=EXAMPLES)


def _build_router(service: ServiceTimes, settings: ScalingSettings) -> APIRouter:
    router = APIRouter(tags=["calculator"])

    @router.post("/plan", summary="Replicas and cost for a demand")
    def plan(demand: Demand) -> Sized:
        given = {name: value for name, value in demand.model_dump().items() if name != "hospitals" and value is not None}
        try:
            size = size_for(demand.hospitals, service, settings.plan.model_copy(update=given), settings.prices)
        except ConfigError as error:
            raise HTTPException(422, str(error)) from None
        return Sized(replicas=size.replicas, peak_rate=size.peak_rate, utilisation=size.utilisation, p95_ms=size.p_ms, month=size.month,
                     currency=settings.prices.currency)

    return router
