"""The grader for service: one ONNX file in float32 with its record, both sealed, kept only if it gives torch's probabilities."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from carefolio.artefacts import seal, sha256_file, write_json
from carefolio.exceptions import ArtefactError
from carefolio.pictures import Pixels
from retinopathy.model import Grader
from retinopathy.predictor import MODEL_FILE, RECORD_FILE, RetinaPredictor

LARGEST_BYTES = 20_000_000
"""Size that no committed file may reach."""
LARGEST_DIFFERENCE = 1e-3
"""Largest difference of a probability from torch's."""
OPSET = 18


def export_grader(grader: Grader, folder: Path, *, record: Mapping[str, Any], samples: Sequence[Pixels]) -> Path:
    """Write the grader as the service reads it, and check that it is the same one.

    Parameters
    ----------
    grader : Grader
        Network and heads.
    folder : Path
        Where the files shall stand; what is there is replaced once all are written and checked.
    record : mapping
        ``side``, ``strength``, ``quality``, ``referral``, ``sets``, and what else is known of the training.
    samples : sequence of ndarray of uint8, each of shape (side, side, 3)
        Prepared photographs, not of the test part, on which the probabilities are compared.

    Returns
    -------
    Path
        The folder, with ``grader.onnx``, ``grader.json`` and a checksum of each.

    Raises
    ------
    ArtefactError
        If the file is too large, or gives other probabilities than torch.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
        making = Path(temporary)
        _trace(grader, making / MODEL_FILE, side=int(record["side"]))
        size = (making / MODEL_FILE).stat().st_size
        if size >= LARGEST_BYTES:
            raise ArtefactError(f"{MODEL_FILE} has {size:,} bytes, expected less than {LARGEST_BYTES:,}. Take fewer stages.")
        write_json(making / RECORD_FILE, dict(record) | {"files": {MODEL_FILE: sha256_file(making / MODEL_FILE)}})
        for name in (MODEL_FILE, RECORD_FILE):
            seal(making / name)
        _compare(grader, RetinaPredictor.open(making), samples)
        folder.mkdir(exist_ok=True)
        for path in sorted(making.iterdir(), key=lambda path: path.name.startswith(RECORD_FILE)):
            path.replace(folder / path.name)
    return folder


def _trace(grader: Grader, path: Path, *, side: int) -> None:
    import torch

    example = torch.zeros((2, side, side, 3), dtype=torch.uint8)
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)  # advice for people who export by hand
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(grader.eval(), (example,), str(path), input_names=["squares"], output_names=["steps", "relevance"],
                              dynamo=True, external_data=False, opset_version=OPSET, verbose=False,
                              dynamic_shapes={"squares": {0: torch.export.Dim.DYNAMIC}})
    finally:
        logger.setLevel(level)


def _compare(grader: Grader, predictor: RetinaPredictor, samples: Sequence[Pixels]) -> None:
    import torch

    with torch.inference_mode():
        expected = grader(torch.from_numpy(np.stack(samples)))[0].numpy()
    got = predictor.ask(np.stack(samples))[0]
    difference = float(np.abs(expected - got).max())
    if difference > LARGEST_DIFFERENCE:
        raise ArtefactError(f"{MODEL_FILE} must give torch's probabilities within {LARGEST_DIFFERENCE}; got a difference of "
                            f"{difference:.2g} on {len(samples)} photographs. Export again with the pinned onnx and onnxruntime.")
