"""The chapter's settings: one frozen object, read once; defaults stand in ``config.toml``, one class a section."""

from pydantic import Field

from carefolio.config import Settings
from clinical_workflow.simulation.settings import SimulationSettings

PROJECT = "clinical_workflow"
FOLDER = "09-clinical-workflow"
CONFIG_VARIABLE = "CLINICAL_WORKFLOW_CONFIG"
STATE_VARIABLE = "CLINICAL_WORKFLOW_STATE"
"""Names of the variables that hand a server its settings file and the folder of its ledger and switch."""


class DataSettings(Settings):
    """Which charts are read."""

    bundles: int = Field(ge=0)
    """Of the published ones; 0 is all."""
    made_up_patients: int = Field(ge=5)
    """Patients with diabetes and a hospital stay that are made up, since the published charts hold none."""


class ClientSettings(Settings):
    """A hospital system that may call: who signs its tokens, where its keys are, and which FHIR servers belong to it."""

    issuer: str
    jku: str
    fhir_servers: tuple[str, ...]


class CdsSettings(Settings):
    """The decision support service."""

    base_url: str
    clients: tuple[ClientSettings, ...]
    allowed_origins: tuple[str, ...]
    token_lifetime_s: int = Field(ge=10, le=600)
    leeway_s: int = Field(ge=0, le=60)
    keys_kept_s: int = Field(ge=1)
    fhir_timeout_s: float = Field(gt=0)
    most_read: int = Field(ge=1)
    risk_threshold: float = Field(gt=0, lt=1)
    reasons_shown: int = Field(ge=1, le=5)
    call_days: int = Field(ge=1)
    follow_up_days: int = Field(ge=1)
    retina_months: int = Field(ge=1)
    note_characters: int = Field(ge=100)
    app_launch_url: str


class GateSettings(Settings):
    """What the shadow log must show before cards may be seen."""

    minimum_calls: int = Field(ge=1)
    most_alerts_per_100: float = Field(gt=0)
    most_failed_share: float = Field(ge=0, lt=1)
    most_p95_ms: float = Field(gt=0)
    most_shift: float = Field(gt=0)


class ModelsSettings(Settings):
    """Addresses of the other chapters' APIs; their keys come from the environment."""

    readmission: str
    retinopathy: str
    notes: str
    champion: str
    timeout_s: float = Field(gt=0)


class HospitalSettings(Settings):
    """The mock hospital: its address, and how long its tokens hold."""

    base_url: str
    cds_url: str
    access_token_s: int = Field(ge=30)
    code_s: int = Field(ge=10)
    app_url: str


class BenchmarkSettings(Settings):
    """The load of the latency benchmark."""

    requests_per_second: float = Field(gt=0)
    seconds: float = Field(gt=0)
    patients: int = Field(ge=1)


class WorkflowSettings(Settings):
    """All settings of ``clinical_workflow``."""

    seed: int = Field(ge=0)
    data: DataSettings
    cds: CdsSettings
    gate: GateSettings
    models: ModelsSettings
    hospital: HospitalSettings
    benchmark: BenchmarkSettings
    simulation: SimulationSettings
