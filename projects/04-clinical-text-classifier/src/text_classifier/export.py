"""A tuned encoder for service: merged, as ONNX, weights in int8, in sealed files of less than 20 MB each.

Weights of the layers in the middle and the embedding tables become int8, each output channel with a scale of its own; activations are
scaled when the network runs (dynamic quantisation, Jacob et al. 2018). The two small layers on top stay float32: they cost nothing and
decide the label. An export is kept only if it gives torch's labels on the sample texts.
"""

from __future__ import annotations

import copy
import errno
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carefolio.artefacts import UNFINISHED, seal, sha256_file, write_json
from carefolio.exceptions import ArtefactError
from text_classifier.artefacts import EMBEDDINGS_FILE, MODEL_FILE, RECORD_FILE, TOKENIZER_FILE, WEIGHT_FILES
from text_classifier.predictor import Predictor

LARGEST_BYTES = 20_000_000
"""Size that no file may reach."""
LEAST_AGREEMENT = 0.9
"""Share of the sample texts on which int8 must give torch's label."""
LARGEST_DIFFERENCE = 0.1
"""Largest difference of a label's probability in a text, on average over the sample texts."""
OPSET = 18
BATCH = 16
_QUANTISED = ("MatMul", "Gemm", "Gather")


def export_onnx(tuned_model: Any, tokenizer: Any, folder: Path, *, record: Mapping[str, Any], sample_texts: Sequence[str],
                least_agreement: float = LEAST_AGREEMENT, largest_bytes: int = LARGEST_BYTES) -> Path:
    """Write a tuned encoder as the service reads it, and check that it is the same model.

    Parameters
    ----------
    tuned_model : transformers.PreTrainedModel or peft.PeftModel
        A classifier of one text; adapters are merged into a copy.
    tokenizer : transformers.PreTrainedTokenizerBase
        Its tokenizer, a fast one.
    folder : Path
        Where the files shall stand; what is there is replaced once all are written and checked.
    record : mapping
        ``task``, ``labels`` (in the order of the outputs), ``temperature``, ``max_tokens`` and what else ``model.json`` shall hold, such
        as ``threshold_95``, ``base``, ``system``, ``seed``.
    sample_texts : sequence of str
        Texts, not of the test part, on which the answers are compared.
    least_agreement : float, default 0.9
        Share of them on which the label must be torch's.
    largest_bytes : int, default 20,000,000
        Size that no file may reach.

    Returns
    -------
    Path
        The folder, with ``model.onnx``, ``embeddings.bin``, ``tokenizer.json``, ``model.json`` and a checksum of each.

    Raises
    ------
    ArtefactError
        If the model is no encoder, a file is too large, there is no space left, or the answers are not torch's.
    """
    _check_request(tuned_model, tokenizer, record, sample_texts)
    model = _merged(tuned_model)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _space_is_left(folder), tempfile.TemporaryDirectory(prefix=f"{UNFINISHED}{folder.name}-", dir=folder.parent) as temporary:
        making, whole = Path(temporary) / "int8", Path(temporary) / "fp32.onnx"
        making.mkdir()
        _trace(model, whole)
        _quantise(whole, making)
        _write_tokenizer(tokenizer, making / TOKENIZER_FILE)
        _check_sizes(making, largest_bytes)
        expected = torch_probabilities(model, tokenizer, sample_texts, record)
        _seal_all(making, dict(record))
        compared = _compare(expected, Predictor.open(making), sample_texts, least_agreement)
        _seal_all(making, dict(record) | {"compared_with_torch": compared})
        Predictor.open(making)
        folder.mkdir(exist_ok=True)
        (folder / RECORD_FILE).unlink(missing_ok=True)
        for path in sorted(making.iterdir(), key=lambda path: path.name == RECORD_FILE):
            path.replace(folder / path.name)
    return folder


def torch_probabilities(model: Any, tokenizer: Any, texts: Sequence[str], record: Mapping[str, Any], *,
                        batch: int = BATCH) -> NDArray[np.float64]:
    """Ask the torch model, as the predictor asks the exported one.

    Parameters
    ----------
    model : transformers.PreTrainedModel or peft.PeftModel
        A classifier.
    tokenizer : transformers.PreTrainedTokenizerBase
        Its tokenizer.
    texts : sequence of str
        n texts.
    record : mapping
        With ``max_tokens`` and ``temperature``.
    batch : int, default 16
        Texts at a time, padded to the longest of them.

    Returns
    -------
    ndarray of float64, shape (n, number of labels)
        Rows sum to 1.
    """
    import torch

    rows = []
    with torch.inference_mode():
        for start in range(0, len(texts), batch):
            given = tokenizer(list(texts[start:start + batch]), truncation=True, max_length=record["max_tokens"], padding=True,
                              return_tensors="pt").to(next(model.parameters()).device)
            logits = model(input_ids=given["input_ids"], attention_mask=given["attention_mask"]).logits
            rows.append(torch.softmax(logits.double() / record["temperature"], dim=1).cpu().numpy())
    return np.concatenate(rows)


def _check_request(model: Any, tokenizer: Any, record: Mapping[str, Any], sample_texts: Sequence[str]) -> None:
    missing = [name for name in ("task", "labels", "temperature", "max_tokens") if name not in record]
    if missing:
        raise ArtefactError(f"record has no {', '.join(missing)}; the service needs it. Add it to what is given to export_onnx.")
    if not sample_texts:
        raise ArtefactError("sample_texts must hold texts to compare the answers on; got none. Give some of the validation part.")
    if not getattr(tokenizer, "is_fast", False):
        raise ArtefactError(f"the tokenizer must be a fast one, which has a tokenizer.json; got {type(tokenizer).__name__}.")
    outputs, kind = model.config.num_labels, model.config.model_type
    if outputs != len(record["labels"]):
        raise ArtefactError(f"the model has {outputs} outputs, expected {len(record['labels'])}, one a label. Give its own record.")
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    if hasattr(inner, "score"):
        raise ArtefactError(f"an encoder is needed; got {kind}, a causal language model, whose files would be many times larger. Export a "
                            "MiniLM system.")


def _merged(tuned_model: Any) -> Any:
    """Copy a model to the processor in float32, with adapters merged into the weights."""
    import torch

    model = copy.deepcopy(tuned_model)
    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
    return model.to(device="cpu", dtype=torch.float32).eval()


def _trace(model: Any, path: Path) -> None:
    """Write the float32 network, with a batch and a length of any size."""
    import torch

    class Logits(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:
            return self.model(input_ids=input_ids, attention_mask=attention_mask).logits

    example = torch.randint(1, model.config.vocab_size, (3, 7), generator=torch.Generator().manual_seed(0))
    sizes = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    with warnings.catch_warnings(), _quiet("torch.onnx"):
        warnings.simplefilter("ignore")
        torch.onnx.export(Logits().eval(), (example, torch.ones_like(example)), str(path), input_names=["input_ids", "attention_mask"],
                          output_names=["logits"], dynamo=True, external_data=False, opset_version=OPSET, verbose=False,
                          dynamic_shapes={"input_ids": sizes, "attention_mask": sizes})


def _quantise(whole: Path, making: Path) -> None:
    """Write the int8 network and, beside it, its embedding tables.

    Weights take 7 of the 8 bits: processors without VNNI add pairs of products in 16 bits, which 8 would overflow, and the label would
    depend on the machine.
    """
    import onnx
    from onnx.external_data_helper import set_external_data
    from onnxruntime.quantization import QuantType, quantize_dynamic

    small = making / MODEL_FILE
    with _quiet("root"):
        quantize_dynamic(str(whole), str(small), op_types_to_quantize=list(_QUANTISED), per_channel=True, reduce_range=True,
                         weight_type=QuantType.QInt8, nodes_to_exclude=_top_layers(onnx.load(str(whole))))
    network = onnx.load(str(small))
    tables = {node.input[0] for node in network.graph.node if node.op_type == "Gather"}
    for tensor in network.graph.initializer:
        if tensor.name in tables and len(tensor.dims) == 2:
            set_external_data(tensor, location=EMBEDDINGS_FILE)
    onnx.save_model(network, str(small))


def _top_layers(network: Any) -> list[str]:
    """Name the layers behind the last normalisation: they see one vector a text, and decide the label."""
    nodes = network.graph.node
    last = max((i for i, node in enumerate(nodes) if node.op_type == "LayerNormalization"), default=len(nodes))
    return [node.name for node in nodes[last + 1:] if node.op_type in ("MatMul", "Gemm")]


def _write_tokenizer(tokenizer: Any, path: Path) -> None:
    from tokenizers import Tokenizer

    plain = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    plain.no_padding()
    plain.no_truncation()
    plain.save(str(path))


def _check_sizes(folder: Path, largest_bytes: int) -> None:
    for path in sorted(folder.iterdir()):
        size = path.stat().st_size
        if size >= largest_bytes:
            raise ArtefactError(f"{path.name} has {size:,} bytes, expected less than {largest_bytes:,}, so that it can be committed. "
                                "Take a smaller base model, or raise largest_bytes and keep the files elsewhere.")
    missing = [name for name in WEIGHT_FILES if not (folder / name).is_file()]
    if missing:
        raise ArtefactError(f"the export gave no {', '.join(missing)}; expected {', '.join(WEIGHT_FILES)}. "
                            "Is it an encoder with a table of embeddings?")


def _seal_all(folder: Path, record: dict[str, Any]) -> None:
    record["files"] = {name: sha256_file(folder / name) for name in WEIGHT_FILES}
    write_json(folder / RECORD_FILE, record)
    for name in (*WEIGHT_FILES, RECORD_FILE):
        seal(folder / name)


def _compare(expected: NDArray[np.float64], predictor: Predictor, texts: Sequence[str], least_agreement: float) -> dict[str, Any]:
    got = np.array([list(answer.probabilities.values()) for answer in predictor.classify(texts)])
    agreement = float(np.mean(expected.argmax(axis=1) == got.argmax(axis=1)))
    differences = np.abs(expected - got).max(axis=1)
    found = {"texts": len(texts), "same_label": round(agreement, 4), "mean_difference": round(float(differences.mean()), 5),
             "largest_difference": round(float(differences.max()), 4)}
    if agreement < least_agreement or found["mean_difference"] > LARGEST_DIFFERENCE:
        raise ArtefactError(f"the int8 model must give torch's label on {least_agreement:.0%} of the sample texts and probabilities within "
                            f"{LARGEST_DIFFERENCE} on average; got {agreement:.1%} of {len(texts)} and {found['mean_difference']}. Train "
                            "longer, since near ties flip easily, or lower least_agreement.")
    return found


@contextmanager
def _space_is_left(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise ArtefactError(f"no space left to write {folder}; an export needs about three times the size of the float32 model for a "
                            "while. Nothing was replaced. Free some space and run the step again.") from None


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Hold back a logger's advice for people who export by hand."""
    logger = logging.getLogger(None if name == "root" else name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
