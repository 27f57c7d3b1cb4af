"""The chapter's settings: one frozen object, read once by the command line; defaults stand in ``config.toml``."""

from pydantic import Field

from carefolio.config import Settings

PROJECT = "readmission"
FOLDER = "02-readmission-pipeline"


class DataSettings(Settings):
    """Which rows are used and how they are split."""

    test_fraction: float = Field(gt=0, lt=1)
    later_test_fraction: float = Field(gt=0, lt=1)
    max_patients: int = Field(ge=0)
    synthetic_patients: int = Field(ge=500)


class TuningSettings(Settings):
    """The search over LightGBM's parameters: grouped cross-validation on the training patients alone."""

    trials: int = Field(ge=1)
    folds: int = Field(ge=2)
    max_rounds: int = Field(ge=10)
    early_stopping_rounds: int = Field(ge=5)
    timeout_s: float = Field(gt=0)


class EvaluationSettings(Settings):
    """Replicates, thresholds and operating points of the evaluation."""

    replicates: int = Field(ge=50)
    curve_replicates: int = Field(ge=50)
    level: float = Field(gt=0.5, lt=1)
    risk_thresholds: tuple[float, ...]
    flagged_fractions: tuple[float, ...]
    minimum_positives: int = Field(ge=1)
    shap_rows: int = Field(ge=100)
    leak_splits: int = Field(ge=1)


class TrackingSettings(Settings):
    """Where runs are logged; an empty address logs nowhere."""

    uri: str
    experiment: str


class ScoreSettings(Settings):
    """Size of the bulk-scoring exercise."""

    rows: int = Field(ge=1000)
    partitions: int = Field(ge=1)


class ReadmissionSettings(Settings):
    """All settings of ``readmission``."""

    seed: int = Field(ge=0)
    data: DataSettings
    tuning: TuningSettings
    evaluation: EvaluationSettings
    tracking: TrackingSettings
    score: ScoreSettings
