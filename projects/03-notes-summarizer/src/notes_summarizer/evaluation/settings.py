"""Settings of the evaluation; their values stand in ``config.toml``."""

from pydantic import Field

from carefolio.config import Settings


class EvaluationSettings(Settings):
    """How many texts are written and judged, and how sure the intervals are.

    A maximum of 0 takes all; ``max_output_tokens`` bounds what a model writes for one section or part of a visit.
    """

    max_sections: int = Field(ge=0)
    max_notes: int = Field(ge=0)
    max_output_tokens: int = Field(ge=16)
    meter_documents: int = Field(ge=0)
    minimum_header_cases: int = Field(ge=1)
    replicates: int = Field(ge=50)
    level: float = Field(gt=0.5, lt=1)
    bert_batch: int = Field(ge=1)
