"""What the API takes and gives. Which columns there are is the model's to say; nothing here identifies a patient."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from carefolio.command import DISCLAIMER

MOST_ROWS = 1000
LONGEST_TEXT = 200
Value = Annotated[float, Field(strict=True, allow_inf_nan=False)] | Annotated[str, Field(strict=True, max_length=LONGEST_TEXT)] | None


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rows(_Model):
    """Encounters to predict for: feature to value; what is absent or null is not known."""

    rows: list[dict[str, Value]] = Field(min_length=1, max_length=MOST_ROWS)


class ServedRelease(_Model):
    """Which release answered."""

    number: int = Field(description="Number of the release, from 1")
    sha256: str = Field(description="SHA-256 of the model's manifest")
    batch: int = Field(description="Batch in whose cycle it was decided")
    reason: str = Field(description="Why it was deployed")


class Answers(_Model):
    """Risks in the order of the rows, all of one release."""

    risks: list[float] = Field(description="Probability of another admission within 30 days of discharge")
    release: ServedRelease
    disclaimer: str = DISCLAIMER


class ReleaseState(_Model):
    """The release that answers, what its model reads, and how many were taken over since the server started."""

    release: ServedRelease
    taken_over: int
    failures: int = Field(description="Looks in a row, until now, at which what is deployed could not be taken over")
    features: list[str]
    categories: dict[str, list[str]] = Field(description="Known values of the columns of text; others count as not known")
    disclaimer: str = DISCLAIMER
