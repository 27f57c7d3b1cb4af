"""The chapter's settings: one frozen object, read once by the command line; defaults stand in ``config.toml``."""

from pydantic import Field

from carefolio.config import Settings
from outcomes_analysis.forecast.settings import ForecastSettings
from outcomes_analysis.survival.settings import SurvivalSettings
from outcomes_analysis.waves.settings import WavesSettings

PROJECT = "outcomes_analysis"
FOLDER = "01-outcomes-analysis"


class OutcomesSettings(Settings):
    """All settings of ``outcomes``, one table a part."""

    seed: int = Field(ge=0)
    survival: SurvivalSettings
    waves: WavesSettings
    forecast: ForecastSettings
