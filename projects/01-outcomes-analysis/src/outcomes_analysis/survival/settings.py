"""Settings of the survival part, the table ``[survival]`` of ``config.toml``."""

from pydantic import Field

from carefolio.config import Settings


class SurvivalSettings(Settings):
    """Cohort, nested cross-validation, models and evaluation of the survival part."""

    max_patients: int = Field(ge=0)
    horizon_days: int = Field(ge=30)
    times_days: tuple[int, ...]
    folds: int = Field(ge=2)
    inner_fraction: float = Field(gt=0, lt=0.5)
    workers: int = Field(ge=1)
    cox_penalties: tuple[float, ...]
    forest_trees: int = Field(ge=10)
    forest_leaf_sizes: tuple[int, ...]
    boosting_trees: int = Field(ge=10)
    boosting_learning_rate: float = Field(gt=0, le=1)
    discrete_rounds: int = Field(ge=10)
    discrete_leaves: tuple[int, ...]
    discrete_learning_rate: float = Field(gt=0, le=1)
    early_stopping_rounds: int = Field(ge=5)
    replicates: int = Field(ge=50)
    curve_replicates: int = Field(ge=50)
    level: float = Field(gt=0.5, lt=1)
    risk_thresholds: tuple[float, ...]
    minimum_positives: int = Field(ge=1)
