"""The chapter's settings: one frozen object, read once by the command line; defaults stand in ``config.toml``.

What may change by itself and when stands in the protocol, not here.
"""

from pydantic import Field, model_validator

from carefolio.config import Settings


class DataSettings(Settings):
    """How the encounters are cut into batches, and which patients judge."""

    batches: int = Field(ge=5)
    first_batches: int = Field(ge=4)
    judging_share: float = Field(gt=0, lt=1)
    max_patients: int = Field(ge=0)
    synthetic_patients: int = Field(ge=500)

    @model_validator(mode="after")
    def _some_batches_arrive(self) -> "DataSettings":
        if self.first_batches >= self.batches:
            raise ValueError(f"first_batches must be below batches; got {self.first_batches} of {self.batches}")
        return self


class ModelSettings(Settings):
    """LightGBM's settings; fixed beforehand and not searched."""

    learning_rate: float = Field(gt=0, lt=1)
    num_leaves: int = Field(ge=2)
    min_child_samples: int = Field(ge=1)
    feature_fraction: float = Field(gt=0, le=1)
    bagging_fraction: float = Field(gt=0, le=1)
    lambda_l2: float = Field(ge=0)
    cat_smooth: float = Field(ge=0)
    folds: int = Field(ge=2)
    max_rounds: int = Field(ge=10)
    early_stopping_rounds: int = Field(ge=5)
    threads: int = Field(ge=1)


class EvaluationSettings(Settings):
    """Replicates of the intervals, in the gates and in the report."""

    replicates: int = Field(ge=50)
    drift_replicates: int = Field(ge=20)
    level: float = Field(gt=0.5, lt=1)
    latency_rows: int = Field(ge=20)


class FaultSettings(Settings):
    """Into which batch the faults are planted; 0 for the middle one of those that arrive."""

    batch: int = Field(ge=0)


class ServingSettings(Settings):
    """How often the service looks for another release, in seconds, and how many encounters the smoke test asks for."""

    poll_s: float = Field(gt=0)
    smoke_rows: int = Field(ge=1)
    patience_s: float = Field(gt=0)


class RetrainingSettings(Settings):
    """All settings of ``retraining``."""

    seed: int = Field(ge=0)
    data: DataSettings
    model: ModelSettings
    evaluation: EvaluationSettings
    faults: FaultSettings
    serving: ServingSettings
