"""Read back what a run has measured: the service times that the calculator works with."""

from __future__ import annotations

from pathlib import Path

from carefolio.artefacts import read_json
from carefolio.exceptions import ArtefactError
from container_scaling.model import ServiceTimes

FILE = "reports/curves.json"


def read_service_times(folder: Path) -> ServiceTimes:
    """Read the service times of a run.

    Parameters
    ----------
    folder : Path
        Holds ``reports``.

    Returns
    -------
    ServiceTimes
        In seconds.

    Raises
    ------
    ArtefactError
        If there is no run in the folder.
    """
    path = folder / FILE
    if not path.is_file():
        raise ArtefactError(f"{path} is missing; measure with `scaling run --quick --out FOLDER` and give that folder, or restore the "
                            "committed reports.")
    return ServiceTimes(tuple(value / 1000 for value in read_json(path)["service_ms"]))
