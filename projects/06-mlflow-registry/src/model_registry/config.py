"""The chapter's settings: one frozen object, read once by the command line; defaults stand in ``config.toml``."""

from pydantic import Field

from carefolio.config import Settings


class DataSettings(Settings):
    """How many patients are used, and how many are held out."""

    max_patients: int = Field(ge=0)
    synthetic_patients: int = Field(ge=500)
    survival_patients: int = Field(ge=0)
    test_fraction: float = Field(gt=0, lt=1)


class SearchSettings(Settings):
    """The search; ``batch`` trials are drawn at a time, so that a result does not depend on how many run at once."""

    trials: int = Field(ge=1)
    batch: int = Field(ge=1)
    folds: int = Field(ge=2)
    max_rounds: int = Field(ge=10)
    early_stopping_rounds: int = Field(ge=5)
    threads: int = Field(ge=1)


class SurvivalSettings(Settings):
    """Ends of the periods of the hazards, in days after study entry."""

    times_days: tuple[int, ...] = Field(min_length=2)


class EvaluationSettings(Settings):
    """Intervals on the held-out patients."""

    replicates: int = Field(ge=50)
    level: float = Field(gt=0.5, lt=1)
    minimum_positives: int = Field(ge=1)


class TrackingSettings(Settings):
    """Where runs are recorded; an empty address means the database in the folder of the run."""

    uri: str


class ServingSettings(Settings):
    """How often the server of models looks for another champion, in seconds."""

    poll_s: float = Field(gt=0)


class RegistrySettings(Settings):
    """All settings of ``registry``."""

    seed: int = Field(ge=0)
    data: DataSettings
    search: SearchSettings
    survival: SurvivalSettings
    evaluation: EvaluationSettings
    tracking: TrackingSettings
    serving: ServingSettings
