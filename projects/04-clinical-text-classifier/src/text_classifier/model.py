"""Base models with a layer for labels on top: packaged ones, checked byte by byte, or any of the hub; in full or with adapters.

A tuned model is kept in safetensors with its labels, its base and the base's revision. It is opened only on that revision: adapters on
other weights would give numbers that mean nothing.
"""

from __future__ import annotations

import copy
import functools
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from carefolio.artefacts import read_json, seal, sha256_file, verify_seal, write_json
from carefolio.exceptions import ArtefactError
from carefolio.packaged_models import MINILM, SMOLLM2, PackagedModel, quiet_transformers
from text_classifier.config import LoraSettings

PACKAGED: dict[str, PackagedModel] = {"minilm": MINILM, "smollm2": SMOLLM2}
"""Bases that need no network, by the name that settings give them."""
WITHOUT_ATTENTION_DROPOUT: dict[str, dict[str, Any]] = {"minilm": {"attention_probs_dropout_prob": 0.0}}
"""Settings of a base that let torch take its fused attention, which trains a quarter faster; other dropout stays."""
RECORD = "model.json"
LEFT_OUT = ("score", "classifier")
"""Layers that are new, and so trained in full also with adapters."""


@dataclass(frozen=True)
class Base:
    """Which model was tuned.

    Attributes
    ----------
    name : str
        Name of a packaged model, folder, or name on the hub.
    revision : str
        SHA-256 of the weights, or the commit of the hub.
    kind : {"encoder", "causal"}
        Reads both ways, or left to right.
    """

    name: str
    revision: str
    kind: Literal["encoder", "causal"]


@dataclass(frozen=True)
class Opened:
    """A model that can be trained or asked.

    Attributes
    ----------
    model : transformers.PreTrainedModel or peft.PeftModel
        With one output a label.
    tokenizer : transformers.PreTrainedTokenizerBase
        Its tokenizer, with a token to pad with.
    base : Base
        What it was made from.
    labels : tuple of str
        In the order of the outputs.
    """

    model: Any
    tokenizer: Any
    base: Base
    labels: tuple[str, ...]


def open_base(name: str, labels: Sequence[str], *, seed: int, revision: str | None = None) -> Opened:
    """Open a base model with a new layer for the labels.

    Parameters
    ----------
    name : str
        ``minilm``, ``smollm2``, a folder with a model, or a name on the hub, such as ``EleutherAI/gpt-j-6b``.
    labels : sequence of str
        One output each.
    seed : int
        Of the new layer.
    revision : str, optional
        Commit of the hub; default the newest.

    Returns
    -------
    Opened
        In float32 on the processor.

    Raises
    ------
    ArtefactError
        If there is no such model here, or the hub cannot be reached.
    """
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    where, options, known = _locate(name, revision)
    torch.manual_seed(seed)
    try:
        with quiet_transformers():
            if "gguf_file" in options:
                tokenizer, model = _with_new_layer(*_read_gguf(where, options["gguf_file"]), len(labels), seed=seed)
            else:
                tokenizer = AutoTokenizer.from_pretrained(where, **options)
                model = AutoModelForSequenceClassification.from_pretrained(where, num_labels=len(labels), dtype=torch.float32, **options,
                                                                           **WITHOUT_ATTENTION_DROPOUT.get(name, {}))
    except (OSError, ValueError) as error:
        raise ArtefactError(f"the base model {name!r} cannot be opened: {' '.join(str(error).split())[:200]} Give {', '.join(PACKAGED)}, a "
                            "folder with a model, or a name on the hub that can be reached from here.") from None
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model.config.pad_token_id = tokenizer.pad_token_id
    tokenizer.padding_side = "right"
    kind: Literal["encoder", "causal"] = "causal" if hasattr(model, "score") else "encoder"
    return Opened(model, tokenizer, Base(name, known or model.config._commit_hash or "unknown", kind), tuple(labels))


def add_adapters(opened: Opened, settings: LoraSettings) -> Opened:
    """Freeze a model and put adapters of low rank into its linear layers (Hu et al. 2022); the layer for the labels is trained in full.

    Parameters
    ----------
    opened : Opened
        As `open_base` gives it.
    settings : LoraSettings
        Rank, scale and dropout.

    Returns
    -------
    Opened
        The same model, wrapped.
    """
    from peft import LoraConfig, TaskType, get_peft_model

    new = [layer for layer in LEFT_OUT if hasattr(opened.model, layer)]
    config = LoraConfig(task_type=TaskType.SEQ_CLS, r=settings.rank, lora_alpha=settings.alpha, lora_dropout=settings.dropout,
                        target_modules="all-linear", modules_to_save=new, base_model_name_or_path=opened.base.name,
                        revision=opened.base.revision)
    return Opened(get_peft_model(opened.model, config), opened.tokenizer, opened.base, opened.labels)


def save_model(opened: Opened, folder: Path, record: Mapping[str, Any]) -> Path:
    """Keep a tuned model: all weights, or its adapters alone; the sealed record goes last.

    Parameters
    ----------
    opened : Opened
        The model.
    folder : Path
        Where to keep it.
    record : mapping
        What else is known of it.

    Returns
    -------
    Path
        The record.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in (RECORD, "config.json", "adapter_config.json", *(path.name for path in folder.glob("*.safetensors"))):
        (folder / old).unlink(missing_ok=True)  # adapters left from before would be laid over new weights
    with quiet_transformers():
        opened.model.save_pretrained(folder, safe_serialization=True)
        opened.tokenizer.save_pretrained(folder)
    weights = sorted(path.name for path in folder.glob("*.safetensors"))
    content = dict(record) | {"base": asdict(opened.base), "labels": list(opened.labels), "adapters": is_adapted(opened.model),
                              "weights": {name: sha256_file(folder / name) for name in weights}}
    path = write_json(folder / RECORD, content)
    seal(path)
    return path


def load_model(folder: Path) -> tuple[Opened, dict[str, Any]]:
    """Open a tuned model on the base that it was tuned from.

    Parameters
    ----------
    folder : Path
        As `save_model` left it.

    Returns
    -------
    opened : Opened
        The model, to be asked.
    record : dict
        What was kept beside it.

    Raises
    ------
    ArtefactError
        If a file is missing or altered, or the base has another revision here.
    """
    verify_seal(folder / RECORD)
    record: dict[str, Any] = read_json(folder / RECORD)
    for name, expected in record["weights"].items():
        got = sha256_file(folder / name) if (folder / name).is_file() else "no file"
        if got != expected:
            raise ArtefactError(f"{folder / name} must have SHA-256 {expected}; got {got}. Train the model again.")
    expected_base = Base(**record["base"])
    if record["adapters"]:
        opened = open_base(expected_base.name, record["labels"], seed=0)
        check_base(opened.base, expected_base, folder)
        return _with_saved_adapters(opened, folder), record
    opened = open_base(str(folder), record["labels"], seed=0)
    return Opened(opened.model.eval(), opened.tokenizer, expected_base, opened.labels), record


def check_base(got: Base, expected: Base, where: Path) -> None:
    """Refuse weights that were tuned from another base.

    Parameters
    ----------
    got, expected : Base
        The base here, and the one in the record.
    where : Path
        Named in the error.

    Raises
    ------
    ArtefactError
        If they differ.
    """
    if got != expected:
        raise ArtefactError(f"{where} was tuned from {expected.name} at revision {expected.revision[:12]}; got {got.name} at "
                            f"{got.revision[:12]}. Install that base, or train again.")


def is_adapted(model: Any) -> bool:
    """Say whether a model holds adapters.

    Parameters
    ----------
    model : object
        A model.

    Returns
    -------
    bool
        True for one of peft.
    """
    return hasattr(model, "peft_config")


def count_parameters(model: Any) -> tuple[int, int]:
    """Count parameters.

    Parameters
    ----------
    model : torch.nn.Module
        A model.

    Returns
    -------
    all, trained : int
        All of them, and those that training changes.
    """
    return (sum(parameter.numel() for parameter in model.parameters()),
            sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad))


def _locate(name: str, revision: str | None) -> tuple[str, dict[str, Any], str | None]:
    """Give folder or name, options of ``from_pretrained``, and the revision where it is known beforehand."""
    if name in PACKAGED:
        packaged = PACKAGED[name]
        options = {"gguf_file": packaged.weights} if packaged.weights.endswith(".gguf") else {}
        return str(packaged.find()), options | {"local_files_only": True}, packaged.revision
    if Path(name).is_dir():
        weights = sorted(Path(name).glob("*.safetensors"))
        if not weights:
            raise ArtefactError(f"{name} must hold a model in safetensors; it holds none. Save it with `safe_serialization=True`.")
        return name, {"local_files_only": True}, sha256_file(weights[0])
    if not re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name):
        raise ArtefactError(f"the base model must be {', '.join(PACKAGED)}, a folder, or a name on the hub such as EleutherAI/gpt-j-6b; "
                            f"got {name!r}.")
    offline = os.environ.get("CAREFOLIO_OFFLINE", "") not in ("", "0")
    return name, {"revision": revision or "main", "use_safetensors": True} | ({"local_files_only": True} if offline else {}), None


@functools.cache
def _read_gguf(folder: str, file: str) -> tuple[Any, Any]:
    """Read tokenizer and model of a quantised file, once a process: it takes longer than to tune the model on a few texts."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    options = {"gguf_file": file, "local_files_only": True}
    with _parsed_once():
        model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2, dtype=torch.float32, **options)
        _forget_quantization(model)
        return AutoTokenizer.from_pretrained(folder, **options), model


@contextmanager
def _parsed_once() -> Iterator[None]:
    """Keep what gguf parses: transformers asks three times for the same file, and for each of its layers for the same map of names."""
    import gguf

    names = ("GGUFReader", "get_tensor_name_map")
    plain = {name: getattr(gguf, name) for name in names}
    for name, function in plain.items():
        setattr(gguf, name, functools.cache(function))
    try:
        yield
    finally:
        for name, function in plain.items():
            setattr(gguf, name, function)


def _with_new_layer(tokenizer: Any, read: Any, labels: int, *, seed: int) -> tuple[Any, Any]:
    """Copy a model and give it a new layer for the labels, with the weights that transformers would draw for it."""
    import torch

    model = copy.deepcopy(read)
    model.num_labels = model.config.num_labels = labels
    model.score = torch.nn.Linear(model.config.hidden_size, labels, bias=False)
    torch.manual_seed(seed)
    torch.nn.init.normal_(model.score.weight, std=model.config.initializer_range)
    return copy.deepcopy(tokenizer), model


def _forget_quantization(model: Any) -> None:
    """Tell a model that was read from a quantised file that its weights are plain numbers now, so that it can be kept."""
    model.hf_quantizer = None
    if getattr(model.config, "quantization_config", None) is not None:
        del model.config.quantization_config


def _with_saved_adapters(opened: Opened, folder: Path) -> Opened:
    from peft import PeftModel

    adapted = PeftModel.from_pretrained(opened.model, str(folder)).eval()
    return Opened(adapted, opened.tokenizer, opened.base, opened.labels)
