"""Where the grader is that photographs are graded with."""

import os
from pathlib import Path

from carefolio.config import project_home
from carefolio.exceptions import ArtefactError, ConfigError
from retinopathy.config import FOLDER, PROJECT
from retinopathy.predictor import MODEL_FILES, RECORD_FILE, Precision

PRECISION_VARIABLE = "RETINOPATHY_PRECISION"


def find_grader(out: Path | None = None) -> Path:
    """Find the folder of the grader.

    Parameters
    ----------
    out : Path, optional
        Folder of a run that was asked for.

    Returns
    -------
    Path
        That of ``out``, else of ``$CAREFOLIO_ARTEFACTS``, the last full run, the committed one, and the last quick run, the first that
        holds a grader.

    Raises
    ------
    ArtefactError
        If none does.
    """
    chosen = out or (Path(variable) if (variable := os.environ.get("CAREFOLIO_ARTEFACTS")) else None)
    home = project_home(FOLDER)
    runs = home.parents[1] / "outputs" / PROJECT
    places = [chosen, chosen / "artefacts"] if chosen else [runs / "full" / "artefacts", home / "artefacts", runs / "quick" / "artefacts"]
    found = next((place for place in places if (place / RECORD_FILE).is_file()), None)
    if found is None:
        raise ArtefactError(f"there is no grader in {' or '.join(map(str, places))}: expected {RECORD_FILE}. Make one with "
                            "`retinopathy run --quick`, or name a run with --out.")
    return found


def chosen_precision() -> Precision:
    """Read which numbers the service computes with.

    Returns
    -------
    {"float32", "int8"}
        That of ``$RETINOPATHY_PRECISION``, else float32.

    Raises
    ------
    ConfigError
        If it is another word.
    """
    word = os.environ.get(PRECISION_VARIABLE) or "float32"
    found = next((one for one in MODEL_FILES if one == word), None)
    if found is None:
        raise ConfigError(f"{PRECISION_VARIABLE} must be {' or '.join(MODEL_FILES)}; got {word!r}.")
    return found
