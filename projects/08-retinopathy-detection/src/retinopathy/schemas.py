"""What the API takes and gives."""

import base64
import binascii
import io
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from carefolio.command import DISCLAIMER
from retinopathy.overlay import overlay
from retinopathy.predictor import Graded

PHOTO_TYPES = ("image/jpeg", "image/png", "image/tiff", "application/dicom", "application/octet-stream", "application/x-image")
"""Types under which a photograph may be sent as it is; what it is, its first bytes say."""


def decode_photo(value: Any) -> bytes:
    """Take a photograph out of base64; anything that is not base64 is refused, where the standard library would skip it.

    Parameters
    ----------
    value : object
        What was sent.

    Returns
    -------
    bytes
        The file.

    Raises
    ------
    ValueError
        If it is no base64.
    """
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise ValueError("a file in base64, without line breaks") from None


class GradeRequest(BaseModel):
    """A photograph within JSON."""

    model_config = ConfigDict(extra="forbid")

    photo: Annotated[bytes, BeforeValidator(decode_photo)] = Field(min_length=1, description="JPEG, PNG, TIFF or DICOM, in base64")
    explain: bool = Field(default=False, strict=True, description="Also give the overlay")


class GradeResponse(BaseModel):
    """Grade of a photograph, or why there is none."""

    gradable: bool = Field(description="Whether it was graded at all; else a person looks, see `reasons`")
    abstained: bool = Field(description="A person should look: not graded, or not sure of one grade")
    reasons: list[str] = Field(description="Why a person should look")
    grade: int | None = Field(ge=0, le=4, description="Diabetic retinopathy, 0 (none) to 4 (proliferative)")
    grades: list[int] = Field(description="Set that holds the right grade with the probability in `model.coverage`, for photographs like "
                                          "those that it was calibrated on")
    probabilities: list[float] = Field(description="Of grades 0 to 4; they sum to 1")
    referable: float | None = Field(ge=0, le=1, description="Probability of grade 2 and more")
    referred: bool | None = Field(description="Whether `referable` reaches `model.referral`")
    dme: float | None = Field(ge=0, le=1, description="Probability of the highest risk of macular oedema")
    quality: dict[str, float] = Field(description="Light, contrast, sharpness and colour; empty where no field was found")
    notes: list[str] = Field(description="What was changed to read the picture")
    overlay: str | None = Field(description="PNG in base64 where `explain` was asked for: red speaks for a referral, blue against it")
    model: "ServedGrader"
    disclaimer: str = DISCLAIMER


class ServedGrader(BaseModel):
    """Which grader answered."""

    version: str = Field(description="Version of the software")
    sha256: str = Field(description="SHA-256 of the network")
    side: int = Field(description="Pixels of the square that it looks at")
    referral: float = Field(description="Probability of grade 2 and more from which a patient is referred")
    coverage: float | None = Field(description="Probability with which the set holds the right grade")
    origin: str | None = Field(description="Where its train photographs come from; `synthetic` grades nothing real")


def describe_grader(record: Mapping[str, Any], *, sha256: str, version: str) -> ServedGrader:
    """Say which grader answers.

    Parameters
    ----------
    record : mapping
        As ``grader.json`` holds it.
    sha256 : str
        Of the network.
    version : str
        Version of the software.

    Returns
    -------
    ServedGrader
        For every answer.
    """
    return ServedGrader(version=version, sha256=sha256, side=record["side"], referral=record["referral"], coverage=record.get("coverage"),
                        origin=record.get("data", {}).get("origin"))


def describe_answer(graded: Graded, model: ServedGrader, *, explain: bool) -> GradeResponse:
    """Put an answer in the form of the API.

    Parameters
    ----------
    graded : Graded
        As the predictor gives it.
    model : ServedGrader
        Which grader answered.
    explain : bool
        Whether the overlay is wanted.

    Returns
    -------
    GradeResponse
        Without the photograph, but for the overlay.
    """
    shown = None
    if explain and graded.square is not None and graded.relevance is not None:
        shown = base64.b64encode(overlay(graded.square, graded.relevance)).decode()
    return GradeResponse(
        gradable=graded.gradable, abstained=bool(graded.reasons), reasons=list(graded.reasons), grade=graded.grade,
        grades=list(graded.grades), probabilities=list(graded.probabilities), referable=graded.referable, referred=graded.referred,
        dme=graded.dme, quality=graded.quality, notes=list(graded.notes), overlay=shown, model=model)


def example_photo() -> str:
    """Draw a small round field for the examples, which is made up and no retina.

    Returns
    -------
    str
        PNG in base64.
    """
    from PIL import Image

    down, across = np.mgrid[-1:1:48j, -1:1:48j]
    inside = (down**2 + across**2 < 0.9)[..., None]
    file = io.BytesIO()
    Image.fromarray(np.where(inside, [170, 80, 40], 0).astype(np.uint8)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


EXAMPLES: dict[str, dict[str, Any]] = {"/grade": {"a made-up disc, which is not graded": {"photo": example_photo(), "explain": False}}}
