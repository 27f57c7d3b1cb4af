"""The question that every new deployment has to answer, and how its answer is judged."""

import json

from pydantic import ValidationError

from carefolio.exceptions import ArtefactError
from readmission.schemas import RETURNING, PatientStay, Prediction

CONTENT_TYPE = "application/json"


def sample_request() -> bytes:
    """Give a request about a made-up patient.

    Returns
    -------
    bytes
        JSON of one stay.
    """
    return json.dumps(RETURNING).encode()


def sample_columns() -> tuple[dict[str, object], list[dict[str, object]]]:
    """Give the same patient as the predictor takes it.

    Returns
    -------
    tuple of (dict, list of dict)
        The stay and the earlier ones.
    """
    return PatientStay.model_validate(RETURNING).columns()


def read_risk(answer: bytes, *, where: str, model_file_sha256: str) -> float:
    """Read the risk out of an answer, and check that the right model gave it.

    Parameters
    ----------
    answer : bytes
        Body of the answer.
    where : str
        Who gave it, for the error.
    model_file_sha256 : str
        SHA-256 of the LightGBM file that was deployed.

    Returns
    -------
    float
        Probability of return within 30 days.

    Raises
    ------
    ArtefactError
        If the answer is not a prediction, or another model gave it.
    """
    try:
        prediction = Prediction.model_validate_json(answer)
    except ValidationError as error:
        raise ArtefactError(f"{where} gave an answer of {len(answer)} bytes that is not a prediction ({error.error_count()} faults); "
                            "read the container's log.") from None
    if prediction.model.sha256 != model_file_sha256:
        raise ArtefactError(f"{where} answers with model {prediction.model.sha256}, expected {model_file_sha256}; "
                            "see which version the endpoint serves.")
    return prediction.risk
