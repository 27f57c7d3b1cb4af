"""Settings of the leaflets; values stand in ``config.toml`` under ``[leaflet]``."""

from pydantic import Field

from carefolio.config import Settings
from carefolio.packaged_models import Precision


class IndexSettings(Settings):
    """What is in the index; a change of any value but ``threads`` and ``batch_tokens`` asks for a new one."""

    max_answers: int = Field(ge=0)
    passage_words: int = Field(ge=40, le=400)
    max_tokens: int = Field(ge=32, le=512)
    precision: Precision
    shard_passages: int = Field(ge=16)
    batch_tokens: int = Field(ge=512)
    threads: int = Field(ge=0)


class SearchSettings(Settings):
    """How the two rankings are joined, and when a question is refused; both chosen on the development half."""

    with_title: bool
    title_weight: float = Field(ge=0, le=1)
    bm25_k1: float = Field(gt=0)
    bm25_b: float = Field(ge=0, le=1)
    candidates: int = Field(ge=10)
    rank_constant: float = Field(gt=0)
    dense_weight: float = Field(ge=0, le=1)
    least_relevance: float = Field(ge=-1, le=1)


class WritingSettings(Settings):
    """How a leaflet is written."""

    passages: int = Field(ge=1)
    maximum_sentences: int = Field(ge=3)
    minimum_sentences: int = Field(ge=1)
    maximum_grade: float = Field(gt=0)
    section_sentences: int = Field(ge=1)
    maximum_bytes: int = Field(ge=100)
    foreign_share: float = Field(gt=0, le=1)


class LeafletEvaluationSettings(Settings):
    """How much is measured."""

    questions: int = Field(ge=0)
    robustness_questions: int = Field(ge=10)
    refusal_questions: int = Field(ge=10)
    leaflets: int = Field(ge=10)
    replicates: int = Field(ge=50)
    level: float = Field(gt=0.5, lt=1)


class LeafletSettings(Settings):
    """All settings of the leaflets."""

    index: IndexSettings
    search: SearchSettings
    writing: WritingSettings
    evaluation: LeafletEvaluationSettings
