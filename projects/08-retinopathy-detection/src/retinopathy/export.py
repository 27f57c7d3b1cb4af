"""The grader for service: ONNX in float32 and in int8 with their record, all sealed, kept only if the first gives torch's probabilities.

In int8 the convolutions and what stands between them have 8 bits: weights by channel, and what flows between layers by ranges that are
measured on train photographs (Jacob et al. 2018, doi:10.1109/CVPR.2018.00286). Both ends stay in float32: the stages up to the first that
is pooled, whose errors all later ones would carry on, and pooling and heads, which cost little and decide the grade.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from carefolio.artefacts import UNFINISHED, seal, sha256_file, write_json
from carefolio.exceptions import ArtefactError
from carefolio.pictures import Pixels
from retinopathy.model import Grader
from retinopathy.predictor import MODEL_FILE, MODEL_FILES, RECORD_FILE, SMALL_FILE, RetinaPredictor

LARGEST_BYTES = 20_000_000
"""Size that no committed file may reach."""
LARGEST_DIFFERENCE = 1e-3
"""Largest difference of a probability from torch's."""
OPSET = 18
QUANTISED = ("Conv", "Add", "Pad", "Clip")
"""Layers that get 8 bits; one between them that did not would undo what is won."""


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
        Prepared photographs, not of the test part, on which the probabilities are compared, and the ranges of int8 measured.

    Returns
    -------
    Path
        The folder, with ``grader.onnx``, ``grader_int8.onnx``, ``grader.json`` and a checksum of each.

    Raises
    ------
    ArtefactError
        If the file is too large, or gives other probabilities than torch.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{UNFINISHED}{folder.name}-", dir=folder.parent) as temporary:
        making = Path(temporary)
        _trace(grader, making / MODEL_FILE, side=int(record["side"]))
        quantise(making / MODEL_FILE, making / SMALL_FILE, samples, after=_first_convolutions(grader))
        for name in MODEL_FILES.values():
            size = (making / name).stat().st_size
            if size >= LARGEST_BYTES:
                raise ArtefactError(f"{name} has {size:,} bytes, expected less than {LARGEST_BYTES:,}. Take fewer stages.")
        write_json(making / RECORD_FILE, dict(record) | {"files": {name: sha256_file(making / name) for name in MODEL_FILES.values()}})
        for name in (*MODEL_FILES.values(), RECORD_FILE):
            seal(making / name)
        _compare(grader, RetinaPredictor.open(making), samples)
        folder.mkdir(exist_ok=True)
        for path in sorted(making.iterdir(), key=lambda path: path.name.startswith(RECORD_FILE)):
            path.replace(folder / path.name)
    return folder


def _trace(grader: Grader, path: Path, *, side: int) -> None:
    import torch

    example = torch.zeros((2, side, side, 3), dtype=torch.uint8)
    with _quietly("torch.onnx"):
        torch.onnx.export(grader.eval(), (example,), str(path), input_names=["squares"], output_names=["steps", "relevance"],
                          dynamo=True, external_data=False, opset_version=OPSET, verbose=False,
                          dynamic_shapes={"squares": {0: torch.export.Dim.DYNAMIC}})


def quantise(source: Path, target: Path, samples: Sequence[Pixels], *, after: int) -> None:
    """Write a network with 8 bits.

    Parameters
    ----------
    source : Path
        In float32.
    target : Path
        File to write.
    samples : sequence of ndarray of uint8, each of shape (side, side, 3)
        Prepared photographs on which the ranges are measured.
    after : int
        So many convolutions, the first ones, stay in float32, with what stands before and between them.
    """
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as temporary, _quietly("onnxruntime", "root"):
        shaped = Path(temporary) / "shaped.onnx"
        quant_pre_process(str(source), str(shaped), skip_symbolic_shape=True)
        quantize_static(str(shaped), str(target), _reader(samples), quant_format=QuantFormat.QDQ, per_channel=True,
                        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, op_types_to_quantize=list(QUANTISED),
                        calibrate_method=CalibrationMethod.MinMax, nodes_to_exclude=_first_layers(shaped, after))


def _first_convolutions(grader: Grader) -> int:
    """Count the convolutions up to the first stage that is pooled."""
    import torch

    network = grader.eye.network
    first = [network.stem, *network.blocks[:network.ends[grader.eye.stages[0]] + 1]]
    return sum(isinstance(layer, torch.nn.Conv2d) for part in first for layer in part.modules())


def _first_layers(path: Path, convolutions: int) -> list[str]:
    """Name the layers that would get 8 bits before the next convolution after so many."""
    import onnx

    layers = [node for node in onnx.load(str(path)).graph.node if node.op_type in QUANTISED]
    places = [place for place, node in enumerate(layers) if node.op_type == "Conv"]
    return [node.name for node in layers[:places[convolutions] if convolutions < len(places) else len(layers)]]


def _reader(samples: Sequence[Pixels]) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):
        """Hand out the samples one by one."""

        def __init__(self) -> None:
            self.left = iter(samples)

        def get_next(self) -> dict[str, Pixels] | None:
            square = next(self.left, None)
            return None if square is None else {"squares": square[None]}

    return Reader()


@contextmanager
def _quietly(*names: str) -> Iterator[None]:
    """Keep advice for people who export by hand from the console."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
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
