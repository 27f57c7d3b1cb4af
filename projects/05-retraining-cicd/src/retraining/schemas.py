"""What the API takes and gives. Which columns there are is the model's to say; nothing here identifies a patient."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from carefolio.boosted import BoostedModel
from carefolio.command import DISCLAIMER

MOST_ROWS = 1000
LONGEST_TEXT = 200
LARGEST = 1e9
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
    features: list[str]
    categories: dict[str, list[str]] = Field(description="Known values of the columns of text; others count as not known")
    disclaimer: str = DISCLAIMER


def row_problem(rows: Sequence[Mapping[str, Any]], model: BoostedModel) -> str:
    """Say what is wrong with rows for a model.

    Parameters
    ----------
    rows : sequence of mapping
        As the request has them.
    model : BoostedModel
        The model that shall answer.

    Returns
    -------
    str
        The first problem without any value of a patient; empty if there is none.
    """
    known = set(model.features)
    for number, row in enumerate(rows):
        unknown = sorted(set(row) - known)
        if unknown:
            return f"row {number} has {len(unknown)} columns that this release does not read; GET /release lists those that it reads."
        for name, value in row.items():
            if value is None:
                continue
            if name in model.categories and not isinstance(value, str):
                return f"row {number}, column {name}: expected text, got a number; GET /release lists its values."
            if name not in model.categories and (isinstance(value, str) or abs(value) > LARGEST):
                return f"row {number}, column {name}: expected a number of at most {LARGEST:g} in size."
    return ""


def to_frame(rows: Sequence[Mapping[str, Any]], model: BoostedModel) -> pl.DataFrame:
    """Make a table of rows that came as JSON.

    Parameters
    ----------
    rows : sequence of mapping
        Feature to value; what is absent is not known.
    model : BoostedModel
        Names the columns, and which are text.

    Returns
    -------
    polars.DataFrame
        One row each.
    """
    schema = {name: pl.String if name in model.categories else pl.Float64 for name in model.features}
    return pl.DataFrame([{name: row.get(name) for name in model.features} for row in rows], schema=schema)
