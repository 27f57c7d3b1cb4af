"""The chapter's settings: one frozen object, read once by the command line; defaults stand in ``config.toml``."""

from pydantic import Field

from carefolio.config import Settings
from notes_summarizer.evaluation.settings import EvaluationSettings
from notes_summarizer.leaflet.settings import LeafletSettings
from notes_summarizer.providers.settings import ProviderSettings
from notes_summarizer.summary.settings import SummarySettings

PROJECT = "notes_summarizer"
FOLDER = "03-notes-summarizer"
PARTS: dict[str, tuple[str, ...]] = {"summaries": ("mts_dialog", "aci_bench"), "leaflets": ("medquad",)}
"""The parts, and the data sets that each reads."""


class NotesSettings(Settings):
    """All settings of ``notes``, one table a part."""

    seed: int = Field(ge=0)
    providers: ProviderSettings
    summary: SummarySettings
    leaflet: LeafletSettings
    evaluation: EvaluationSettings
