"""Where the recorded requests come from: encounters of the published file, or of its synthetic twin.

The requests stay in the folder of the run, which is not committed: nothing of a patient's record goes into the repository.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carefolio.artefacts import write_json, write_text
from carefolio.datasets.diabetes130 import load_diabetes130
from carefolio.exceptions import SchemaError
from container_scaling.features import build_requests

if TYPE_CHECKING:
    from container_scaling.config import PayloadSettings

REQUESTS_FILE = "requests.jsonl"
RECORD_FILE = "data.json"


def record_requests(document: dict[str, Any], settings: PayloadSettings, out: Path, *, seed: int) -> Path:
    """Write the requests that a load test sends, with where they come from.

    Parameters
    ----------
    document : dict
        OpenAPI document of the service.
    settings : PayloadSettings
        How many.
    out : Path
        Folder of the run.
    seed : int
        Of the draw.

    Returns
    -------
    Path
        One JSON body a line.
    """
    loaded = load_diabetes130(allow_synthetic=True, n_synthetic_patients=settings.synthetic_patients, random_state=seed)
    bodies = build_requests(loaded.frame, document, count=settings.requests, seed=seed)
    folder = out / "data"
    write_json(folder / RECORD_FILE, {"provenance": asdict(loaded.provenance), "requests": len(bodies),
                                      "mean_bytes": sum(len(body) for body in bodies) / len(bodies)})
    return write_text(folder / REQUESTS_FILE, "".join(f"{body}\n" for body in bodies))


def write_batches(requests: Path, size: int, folder: Path) -> Path:
    """Put recorded requests together in batches.

    Parameters
    ----------
    requests : Path
        One body a line.
    size : int
        Patients in a batch.
    folder : Path
        Where the file goes.

    Returns
    -------
    Path
        One batch a line, for ``/predict/batch``.

    Raises
    ------
    SchemaError
        If there are too few requests for one batch.
    """
    bodies = requests.read_text(encoding="utf-8").splitlines()
    batches = [bodies[start:start + size] for start in range(0, len(bodies) - size + 1, size)]
    if not batches:
        raise SchemaError(f"{requests} holds {len(bodies)} requests, too few for a batch of {size}; record more (payloads.requests).")
    lines = (json.dumps({"stays": [json.loads(body) for body in batch]}, separators=(",", ":")) for batch in batches)
    return write_text(folder / f"batches-{size}.jsonl", "".join(f"{line}\n" for line in lines))
