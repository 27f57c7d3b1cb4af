"""The chapter's settings: one frozen object, read once by the command line; defaults stand in ``config.toml``."""

from pydantic import Field

from carefolio.config import Settings
from outcomes_analysis.forecast.settings import ForecastSettings
from outcomes_analysis.survival.settings import SurvivalSettings
from outcomes_analysis.waves.settings import WavesSettings

PROJECT = "outcomes_analysis"
FOLDER = "01-outcomes-analysis"
PARTS: dict[str, tuple[str, ...]] = {
    "survival": ("support2",),
    "waves": ("covid19_jhu", "world_population"),
    "forecast": ("flusight", "flusight_baseline", "flusight_ensemble"),
}
"""The parts, and the data sets that each reads."""


class OutcomesSettings(Settings):
    """All settings of ``outcomes``, one table a part."""

    seed: int = Field(ge=0)
    survival: SurvivalSettings
    waves: WavesSettings
    forecast: ForecastSettings
