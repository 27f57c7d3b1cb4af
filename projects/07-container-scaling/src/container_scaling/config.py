"""The chapter's settings: one frozen object, read once by the command line; defaults stand in ``config.toml``."""

from pydantic import Field

from carefolio.config import Settings

PROJECT = "container_scaling"
FOLDER = "07-container-scaling"


class PayloadSettings(Settings):
    """The recorded requests: how many, and the size of the synthetic twin where the real file cannot be had."""

    requests: int = Field(ge=20)
    synthetic_patients: int = Field(ge=500)


class LoadSettings(Settings):
    """How long and how hard the service is driven."""

    seconds: int = Field(ge=2)
    warm_up_s: float = Field(ge=0)
    users: int = Field(ge=1)
    queue_limit: int = Field(ge=1)
    fractions: tuple[float, ...]
    rounds: int = Field(ge=1)
    replicas: tuple[int, ...]
    workers: tuple[int, ...]
    batch_sizes: tuple[int, ...]
    peer_rounds: int = Field(ge=0)
    peer_seconds: int = Field(ge=2)


class SoakSettings(Settings):
    """Overload: how far past saturation, and how long."""

    overload: float = Field(gt=1)
    seconds: int = Field(ge=3)


class PlanSettings(Settings):
    """What the queueing model is asked: the promise to clinicians, and the demand of hospitals."""

    target_ms: float = Field(gt=0)
    quantile: float = Field(gt=0.5, lt=1)
    hospitals: tuple[int, ...]
    calls_per_discharge: float = Field(gt=0)
    discharges_per_hospital_day: float = Field(gt=0)
    peak_hour_share: float = Field(gt=0, lt=1)
    burst: float = Field(ge=1)
    least_replicas: int = Field(ge=1)


class PriceSettings(Settings):
    """What a replica reserves and what that costs; prices are inputs, because they change and differ by contract."""

    processor_per_hour: float = Field(gt=0)
    memory_gb_per_hour: float = Field(gt=0)
    replica_processors: float = Field(gt=0)
    replica_memory_gb: float = Field(gt=0)
    overhead: float = Field(ge=1)
    currency: str


class ScalingSettings(Settings):
    """All settings of ``scaling``."""

    seed: int = Field(ge=0)
    payloads: PayloadSettings
    load: LoadSettings
    soak: SoakSettings
    plan: PlanSettings
    prices: PriceSettings
    replicates: int = Field(ge=50)
