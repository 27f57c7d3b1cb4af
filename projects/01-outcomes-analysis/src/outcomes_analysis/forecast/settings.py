"""Settings of the forecast part."""

from datetime import date

from pydantic import Field, field_validator

from carefolio.config import Settings
from outcomes_analysis.forecast.names import MEMBERS


class BoostingSettings(Settings):
    """LightGBM on quantiles of the change; ``levels`` are fitted, those between and beyond them interpolated."""

    levels: tuple[float, ...] = Field(min_length=3)
    rounds: int = Field(ge=5)
    learning_rate: float = Field(gt=0, le=1)
    num_leaves: int = Field(ge=2)
    min_data_in_leaf: int = Field(ge=1)
    feature_fraction: float = Field(gt=0, le=1)
    bagging_fraction: float = Field(gt=0, le=1)
    lambda_l2: float = Field(ge=0)

    @field_validator("levels")
    @classmethod
    def _rising(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        if list(levels) != sorted(set(levels)) or levels[0] <= 0 or levels[-1] >= 1:
            raise ValueError("levels must rise within (0, 1)")
        return levels


class ForecastSettings(Settings):
    """Transformation, members, their combination and the evaluation.

    ``rate_offset`` is added to admissions per 100,000 before the fourth root. ``ridge_weeks`` is the penalty in weeks of data.
    ``prior_weights`` count as ``prior_weeks`` weeks of scores when weights are learned from at most ``history_dates`` past dates.
    ``max_reference_dates`` of 0 means all. ``check_first_published`` forecasts a second time from the last week as first published.
    """

    rate_offset: float = Field(gt=0)
    max_gap_weeks: int = Field(ge=1)
    minimum_weeks: int = Field(ge=20)
    warm_up_start: date
    warm_up_end: date
    warm_up_every_weeks: int = Field(ge=1)
    max_reference_dates: int = Field(ge=0)
    check_first_published: bool
    ridge_weeks: float = Field(gt=0)
    neighbours: int = Field(ge=20)
    analogue_season_weight: float = Field(ge=0)
    boosting: BoostingSettings
    prior_weights: dict[str, float]
    prior_weeks: float = Field(gt=0)
    half_life_weeks: float = Field(gt=0)
    history_dates: int = Field(ge=2)
    weight_floor: float = Field(ge=0, le=1)
    replicates: int = Field(ge=50)
    level: float = Field(gt=0.5, lt=1)
    block_weeks: int = Field(ge=1)

    @field_validator("prior_weights")
    @classmethod
    def _every_member(cls, weights: dict[str, float]) -> dict[str, float]:
        if set(weights) != set(MEMBERS) or min(weights.values()) < 0 or abs(sum(weights.values()) - 1) > 1e-9:
            raise ValueError(f"prior_weights must give {', '.join(MEMBERS)} weights of at least 0 that add up to 1")
        return weights
