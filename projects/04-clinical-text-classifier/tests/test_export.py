"""An export is the torch model: same labels, near probabilities, whole and sealed, or it is refused."""

import errno
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from carefolio.artefacts import read_json, verify_seal
from carefolio.exceptions import ArtefactError
from text_classifier import export
from text_classifier.artefacts import RECORD_FILE, WEIGHT_FILES
from text_classifier.export import export_onnx, torch_probabilities
from text_classifier.measure_export import measure_export
from text_classifier.predictor import Predictor

LABELS = ("ALLERGY", "GENHX", "MEDICATIONS")
WORDS = ("pain", "fever", "rash", "allergy", "home", "day", "what")
TEXTS = [f"Doctor: any {first} {second}? Patient: no {first}." for first in WORDS for second in WORDS]
RECORD = {"task": "headers", "labels": list(LABELS), "temperature": 1.0, "max_tokens": 32}


def test_every_file_is_sealed_and_small(tiny_artefacts: Path) -> None:
    folder = tiny_artefacts / "headers"
    names = (*WEIGHT_FILES, RECORD_FILE)
    assert {path.name for path in folder.iterdir()} == {*names, *(f"{name}.sha256" for name in names)}
    record = read_json(folder / RECORD_FILE)
    for name in WEIGHT_FILES:
        assert verify_seal(folder / name) == record["files"][name]
        assert (folder / name).stat().st_size < 20_000_000
    assert record["threshold_95"] == 0.4
    assert record["compared_with_torch"]["same_label"] >= 0.9
    assert not [path for path in tiny_artefacts.iterdir() if path.name != "headers"], "nothing of the making is left"


def test_the_export_answers_as_torch_does(tiny_artefacts: Path, tiny_encoder: Any, tiny_tokenizer: Any) -> None:
    predictor = Predictor.open(tiny_artefacts / "headers")
    expected = torch_probabilities(tiny_encoder, tiny_tokenizer, TEXTS, predictor.record)
    got = np.array([list(answer.probabilities.values()) for answer in predictor.classify(TEXTS)])
    assert len(set(expected.argmax(axis=1))) > 1, "a model of one label would agree with anything"
    assert (expected.argmax(axis=1) == got.argmax(axis=1)).mean() >= 0.9
    assert np.abs(expected - got).mean() < 0.05


def test_weights_of_the_layers_and_tables_are_int8(tiny_artefacts: Path) -> None:
    import onnx

    network = onnx.load(str(tiny_artefacts / "headers" / "model.onnx"), load_external_data=False)
    kinds = {onnx.TensorProto.DataType.Name(tensor.data_type) for tensor in network.graph.initializer if len(tensor.dims) == 2
             and min(tensor.dims) >= 32}
    assert "INT8" in kinds
    external = [tensor for tensor in network.graph.initializer if tensor.data_location == onnx.TensorProto.EXTERNAL]
    assert {entry.value for tensor in external for entry in tensor.external_data if entry.key == "location"} == {"embeddings.bin"}


def test_adapters_are_merged_into_a_copy(tmp_path: Path, tiny_encoder: Any, tiny_tokenizer: Any) -> None:
    import copy

    import torch
    from peft import LoraConfig, TaskType, get_peft_model

    config = LoraConfig(task_type=TaskType.SEQ_CLS, r=4, target_modules="all-linear", modules_to_save=["classifier"],
                        init_lora_weights=False)
    torch.manual_seed(1)
    adapted = get_peft_model(copy.deepcopy(tiny_encoder), config).eval()
    before = torch_probabilities(adapted, tiny_tokenizer, TEXTS, RECORD)
    plain = torch_probabilities(tiny_encoder, tiny_tokenizer, TEXTS, RECORD)
    assert np.abs(before - plain).max() > 0.01, "the adapters must do something"
    predictor = Predictor.open(export_onnx(adapted, tiny_tokenizer, tmp_path / "headers", record=RECORD, sample_texts=TEXTS))
    got = np.array([list(answer.probabilities.values()) for answer in predictor.classify(TEXTS)])
    assert (before.argmax(axis=1) == got.argmax(axis=1)).mean() >= 0.9
    assert np.abs(before - got).mean() < 0.05
    assert np.array_equal(torch_probabilities(adapted, tiny_tokenizer, TEXTS, RECORD), before), "the model given is as it was"


@pytest.mark.parametrize(("change", "message"), [
    ({"record": {"task": "headers"}}, "has no labels"),
    ({"record": RECORD | {"labels": ["A", "B"]}}, "has 3 outputs, expected 2"),
    ({"sample_texts": []}, "sample_texts"),
    ({"tokenizer": object()}, "fast one"),
])
def test_a_request_that_does_not_fit_is_refused(change: dict[str, Any], message: str, tmp_path: Path, tiny_encoder: Any,
                                                tiny_tokenizer: Any) -> None:
    given = {"tokenizer": tiny_tokenizer, "record": RECORD, "sample_texts": TEXTS} | change
    tokenizer = given.pop("tokenizer")
    with pytest.raises(ArtefactError, match=message):
        export_onnx(tiny_encoder, tokenizer, tmp_path / "headers", **given)
    assert not list(tmp_path.iterdir())


def test_a_causal_model_is_refused(tmp_path: Path, tiny_tokenizer: Any) -> None:
    from transformers import GPTJConfig, GPTJForSequenceClassification

    model = GPTJForSequenceClassification(GPTJConfig(vocab_size=100, n_embd=16, n_layer=1, n_head=2, rotary_dim=4, num_labels=3))
    with pytest.raises(ArtefactError, match="an encoder is needed; got gptj"):
        export_onnx(model, tiny_tokenizer, tmp_path / "headers", record=RECORD, sample_texts=TEXTS)


def test_what_is_there_stays_where_an_export_fails(tiny_artefacts: Path, tmp_path: Path, tiny_encoder: Any, tiny_tokenizer: Any,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    """Too large, no space, other answers: each is one error, and the model that was served before still is."""
    folder = shutil.copytree(tiny_artefacts / "headers", tmp_path / "headers")
    before = read_json(folder / RECORD_FILE)
    monkeypatch.setattr(export, "_trace", lambda model, path: shutil.copy(folder / "model.onnx", path))

    def copy_model(whole: Path, making: Path) -> None:
        for name in ("model.onnx", "embeddings.bin"):
            shutil.copy(folder / name, making / name)

    def no_space(*given: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(export, "_quantise", copy_model)
    for options, message in (({"largest_bytes": 1000}, "expected less than 1,000"), ({"least_agreement": 1.1}, "must give torch's label")):
        with pytest.raises(ArtefactError, match=message):
            export_onnx(tiny_encoder, tiny_tokenizer, folder, record=RECORD, sample_texts=TEXTS, **options)
    monkeypatch.setattr(export, "_quantise", no_space)
    with pytest.raises(ArtefactError, match="no space left to write"):
        export_onnx(tiny_encoder, tiny_tokenizer, folder, record=RECORD, sample_texts=TEXTS)
    assert Predictor.open(folder).record == before
    assert [path.name for path in tmp_path.iterdir()] == ["headers"]


def test_accuracy_and_speed_are_measured_side_by_side(tiny_artefacts: Path, tiny_encoder: Any, tiny_tokenizer: Any) -> None:
    predictor = Predictor.open(tiny_artefacts / "headers")
    labels = [answer.label for answer in predictor.classify(TEXTS)]
    found = measure_export(tiny_encoder, tiny_tokenizer, predictor, TEXTS, labels, repeats=2, threads=1, timed_texts=33)
    assert set(found) == {"accuracy", "torch_accuracy", "accuracy_change", "same_label", "latency_p50_ms", "torch_latency_p50_ms",
                          "speed_up", "batch32_text_ms", "torch_batch32_text_ms", "batch32_speed_up"}
    assert found["accuracy"].value == 1
    assert found["same_label"].value == found["torch_accuracy"].value
    assert found["accuracy_change"].value == pytest.approx(1 - found["torch_accuracy"].value)
    for name in ("speed_up", "batch32_speed_up"):
        assert found[name].low <= found[name].value <= found[name].high
    with pytest.raises(ValueError, match="open it with threads=2"):
        measure_export(tiny_encoder, tiny_tokenizer, predictor, TEXTS, labels, repeats=1, threads=2)
    with pytest.raises(ValueError, match="same length"):
        measure_export(tiny_encoder, tiny_tokenizer, predictor, TEXTS, labels[:-1], repeats=1, threads=1)


@pytest.mark.slow
def test_the_same_model_gives_the_same_bytes(tmp_path: Path, tiny_encoder: Any, tiny_tokenizer: Any) -> None:
    made = []
    for name in ("one", "two"):
        export_onnx(tiny_encoder, tiny_tokenizer, tmp_path / name / "headers", record=RECORD, sample_texts=TEXTS)
        made.append({path.name: path.read_bytes() for path in (tmp_path / name / "headers").iterdir()})
    assert made[0] == made[1]
    assert set(WEIGHT_FILES) <= set(made[0])
