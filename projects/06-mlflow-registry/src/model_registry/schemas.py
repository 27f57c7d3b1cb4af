"""What the API takes and gives. Which columns there are is the champion's to say; nothing here identifies a patient."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from carefolio.command import DISCLAIMER

MOST_ROWS = 1000
LONGEST_TEXT = 200
Value = Annotated[float, Field(strict=True, allow_inf_nan=False)] | Annotated[str, Field(strict=True, max_length=LONGEST_TEXT)] | None


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rows(_Model):
    """Patients to predict for: feature to value; what is absent or null is not known."""

    rows: list[dict[str, Value]] = Field(min_length=1, max_length=MOST_ROWS)


class ServedVersion(_Model):
    """Which version answered."""

    name: str
    version: str = Field(description="Version of the registered model")
    run_id: str = Field(description="Run that made it")
    sha256: str = Field(description="SHA-256 of its weights")


class Answer(_Model):
    """A risk, or for survival the probability of living beyond each day."""

    risk: float | None = Field(None, ge=0, le=1, description="Probability of being in hospital again within 30 days of discharge")
    survival: dict[str, float] | None = Field(None, description="Day after study entry to the probability of living beyond it")


class Answers(_Model):
    """Answers in the order of the rows, all of one version."""

    answers: list[Answer]
    model: ServedVersion
    disclaimer: str = DISCLAIMER


class ChampionState(_Model):
    """The version that answers, and what it reads."""

    model: ServedVersion
    features: list[str]
    categories: dict[str, list[str]] = Field(description="Known values of the columns of text; others count as not known")
    seconds_since_look: float | None = Field(description="Since the alias was last read; null if it never could be")
    disclaimer: str = DISCLAIMER
