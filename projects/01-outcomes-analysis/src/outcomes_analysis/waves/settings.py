"""Settings of the waves; the values stand in the chapter's ``config.toml`` under ``[waves]``."""

from pydantic import Field

from carefolio.config import Settings


class WavesSettings(Settings):
    """How series are repaired, waves found, and fatality and reproduction estimated.

    ``generation_time_mean_days`` and ``generation_time_sd_days`` describe the virus of 2020: 5.20 and 1.72 days in Singapore (Ganyani et
    al., Euro Surveill 2020;25(17):2000257). Omicron's generation time is shorter: a mean of 3.0 days (Park et al., PNAS
    2023;120(22):e2221887120), here with the same ratio of standard deviation to mean; results under it are shown as sensitivity.
    """

    comparison_countries: tuple[str, ...] = Field(min_length=1)
    recent_days: int = Field(ge=1)
    smoothing_weeks: int = Field(ge=1)
    prominence: float = Field(gt=0, lt=1)
    distance_weeks: int = Field(ge=1)
    edge_share: float = Field(ge=0, lt=1)
    minimum_peak_per_100k: float = Field(ge=0)
    weekly_zero_days: int = Field(ge=1, le=6)
    weekly_share: float = Field(gt=0.5, le=1)
    weekly_minimum_weeks: int = Field(ge=2)
    weekly_minimum_count: int = Field(ge=1)
    dump_share: float = Field(gt=0, lt=1)
    dump_window_days: int = Field(ge=14)
    dump_minimum_count: int = Field(ge=1)
    stale_weeks: int = Field(ge=2)
    stale_minimum_total: int = Field(ge=1)
    max_lag_weeks: int = Field(ge=1)
    default_lag_weeks: int = Field(ge=0)
    fixed_lag_weeks: tuple[int, ...]
    minimum_correlation: float = Field(gt=0, lt=1)
    block_weeks: int = Field(ge=1)
    wave_block_weeks: int = Field(ge=1)
    replicates: int = Field(ge=50)
    level: float = Field(gt=0.5, lt=1)
    dispersion_weeks: int = Field(ge=5)
    minimum_weekly_cases: int = Field(ge=1)
    missed_share: float = Field(ge=0, lt=1)
    generation_time_mean_days: float = Field(gt=1)
    generation_time_sd_days: float = Field(gt=0)
    short_generation_time_mean_days: float = Field(gt=1)
    short_generation_time_sd_days: float = Field(gt=0)
    short_generation_time_from: str = Field(pattern=r"^\d{4}-\d\d-\d\d$")
    prior_shape: float = Field(gt=0)
    prior_scale: float = Field(gt=0)
    align_deaths_per_100k: float = Field(gt=0)
