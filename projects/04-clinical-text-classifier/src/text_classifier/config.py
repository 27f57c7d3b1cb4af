"""The chapter's settings: one frozen object, read once by the command line; defaults stand in ``config.toml``."""

from typing import Annotated, Literal

from pydantic import Field

from carefolio.compute import Precision
from carefolio.config import Settings

PROJECT = "text_classifier"
FOLDER = "04-clinical-text-classifier"
PARTS: dict[str, tuple[str, ...]] = {"headers": ("mts_dialog",), "decisions": ("pubmedqa",), "specialties": ("mtsamples",)}
"""The tasks, and the data sets that each reads."""
BASELINES = ("majority", "tfidf_lr", "embeddings_lr")
"""Systems that tune nothing but a linear layer; each tuned system is held against the best of them."""
TOGETHER = "together"
"""Word counts and every tuned model as one: the mean of their probabilities."""
DECIDING = frozenset({"weight_decay", "warmup_share", "patience", "precision", "label_smoothing"})
"""Settings of `TrainingSettings` that decide how a training ends; another value makes it another training."""
Method = Literal["full", "lora"]


class FeatureSettings(Settings):
    """How the parts of each task are made."""

    valid_share: float = Field(gt=0, lt=0.5)
    test_share: float = Field(gt=0, lt=0.5)
    minimum_groups: int = Field(ge=1)
    max_rows: int = Field(ge=0)


class BaselineSettings(Settings):
    """Word counts, frozen embeddings, and the linear layer on them."""

    strengths: tuple[float, ...] = Field(min_length=1)
    max_features: int = Field(ge=100)
    embedding_tokens: int = Field(ge=8)


class LoraSettings(Settings):
    """Adapters of low rank (Hu et al. 2022) in every linear layer."""

    rank: int = Field(ge=1)
    alpha: int = Field(ge=1)
    dropout: float = Field(ge=0, lt=1)


class SystemSettings(Settings):
    """A base model and how it is tuned; ``seeds`` names those of each task, and a task without any is not learnt.

    ``task_epochs`` names tasks that are seen another number of times than ``epochs``.
    """

    base: str = Field(min_length=1)
    method: Method
    learning_rate: float = Field(gt=0)
    epochs: int = Field(ge=1)
    batch: int = Field(ge=1)
    accumulation: int = Field(ge=1)
    seeds: dict[str, tuple[Annotated[int, Field(ge=0)], ...]]
    max_train_rows: int = Field(default=0, ge=0)
    task_epochs: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)

    def for_task(self, task: str) -> "SystemSettings":
        """Give the settings as they hold for one task.

        Parameters
        ----------
        task : str
            Name of the task.

        Returns
        -------
        SystemSettings
            With the epochs of the task, and no others.
        """
        return self.model_copy(update={"epochs": self.task_epochs.get(task, self.epochs), "task_epochs": {}})


class TrainingSettings(Settings):
    """What all tuned systems share."""

    max_tokens: dict[str, int]
    weight_decay: float = Field(ge=0)
    warmup_share: float = Field(ge=0, lt=1)
    patience: int = Field(ge=1)
    precision: Precision
    label_smoothing: float = Field(ge=0, lt=1)
    threads: int = Field(ge=0)
    curve_shares: tuple[float, ...]
    curve_system: str
    curve_task: str


class EvaluationSettings(Settings):
    """Intervals and what counts as an answer to be trusted."""

    replicates: int = Field(ge=10)
    level: float = Field(gt=0.5, lt=1)
    precision: float = Field(gt=0, lt=1)
    watts_per_core: float = Field(gt=0)
    forgetting_texts: int = Field(ge=1)
    forgetting_tokens: int = Field(ge=8)


class EstimateSettings(Settings):
    """What GPT-J-6B is assumed to be and to cost on a rented GPU; the system whose tokens are taken."""

    system: str = Field(min_length=1)
    gptj_parameters: float = Field(gt=0)
    gpu_peak_tflops: float = Field(gt=0)
    gpu_share_low: float = Field(gt=0, le=1)
    gpu_share_high: float = Field(gt=0, le=1)
    usd_per_hour_low: float = Field(gt=0)
    usd_per_hour_high: float = Field(gt=0)


class ExportSettings(Settings):
    """What the export must agree on with torch, and on how many texts it is measured."""

    tasks: tuple[str, ...] = tuple(PARTS)
    least_agreement: float = Field(ge=0, le=1)
    sample_texts: int = Field(ge=1)
    test_texts: int = Field(ge=0)
    timed_texts: int = Field(ge=1)
    repeats: int = Field(ge=1)
    threads: int = Field(ge=1)


class TextClassifierSettings(Settings):
    """All settings of ``textclass``."""

    seed: int = Field(ge=0)
    features: FeatureSettings
    baselines: BaselineSettings
    lora: LoraSettings
    training: TrainingSettings
    systems: dict[str, SystemSettings]
    evaluation: EvaluationSettings
    estimate: EstimateSettings
    export: ExportSettings
