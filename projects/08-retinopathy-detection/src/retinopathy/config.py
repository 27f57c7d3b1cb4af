"""The chapter's settings: one frozen object, read once by the command line; defaults stand in ``config.toml``."""

from typing import Annotated

from pydantic import Field

from carefolio.config import Settings

PROJECT = "retinopathy"
FOLDER = "08-retinopathy-detection"
PARTS: dict[str, tuple[str, ...]] = {"idrid": ("idrid",), "retinamnist": ("retinamnist",)}
"""The parts, and the data sets that each reads."""
REFERABLE = 2
"""Lowest grade that an eye doctor should see."""
Bounds = tuple[float, float]


class PreparationSettings(Settings):
    """The square that the network looks at."""

    side: int = Field(ge=64, multiple_of=32)
    small_side: int = Field(ge=32, multiple_of=32)
    strength: float = Field(gt=0)


class SplitSettings(Settings):
    """Folds of the train part: blocks of neighbouring files, since there are no patient ids."""

    block: int = Field(ge=1)
    folds: int = Field(ge=2)
    max_rows: int = Field(ge=0)


class FeatureSettings(Settings):
    """What is taken from the network, and how often each photograph is altered."""

    stages: tuple[Annotated[int, Field(ge=0, le=6)], ...] = Field(min_length=1)
    views: int = Field(ge=2)
    batch: int = Field(ge=1)


class HeadSettings(Settings):
    """Inverse regularisation, chosen out of fold."""

    strengths: tuple[Annotated[float, Field(gt=0)], ...] = Field(min_length=1)


class TuningSettings(Settings):
    """How the later stages of the network are tuned, together with the heads."""

    epochs: int = Field(ge=0)
    batch: int = Field(ge=1)
    rate: float = Field(gt=0)
    head_rate: float = Field(gt=0)
    decay: float = Field(ge=0)
    warm_up: float = Field(ge=0, lt=1)
    dropout: float = Field(ge=0, lt=1)
    mixing: float = Field(ge=0)
    averaging: float = Field(ge=0, lt=1)


class EvaluationSettings(Settings):
    """Intervals, the promise of the sets of grades, and the bounds that a screener is held against."""

    replicates: int = Field(ge=10)
    level: float = Field(gt=0.5, lt=1)
    coverage: float = Field(gt=0.5, lt=1)
    least_sensitivity: float = Field(gt=0, lt=1)
    least_specificity: float = Field(gt=0, lt=1)
    sizes: tuple[Annotated[int, Field(ge=8)], ...]


class RetinopathySettings(Settings):
    """All settings of ``retinopathy``."""

    seed: int = Field(ge=0)
    preparation: PreparationSettings
    quality: dict[str, Bounds]
    split: SplitSettings
    features: FeatureSettings
    heads: HeadSettings
    tuning: TuningSettings
    benchmark: TuningSettings
    evaluation: EvaluationSettings
