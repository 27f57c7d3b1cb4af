"""Base models, adapters and what is kept of them; GPT-J's path runs on a model of its class with a few thousand weights."""

from pathlib import Path

import pytest
import torch

from carefolio.exceptions import ArtefactError
from text_classifier.config import LoraSettings
from text_classifier.model import add_adapters, count_parameters, is_adapted, load_model, open_base, save_model
from text_classifier.training.loop import predict

LABELS = ("cough", "fever", "pain")
TEXTS = ["the patient has a cough", "no fever today", "pain in the left knee"]
LORA = LoraSettings(rank=4, alpha=8.0, dropout=0.0)


@pytest.fixture
def gptj(tmp_path: Path, make_gptj) -> Path:
    return make_gptj(tmp_path / "gptj")


def one_step(opened) -> None:
    opened.model.train()
    optimizer = torch.optim.AdamW([one for one in opened.model.parameters() if one.requires_grad], lr=0.05)
    inputs = opened.tokenizer(TEXTS, padding=True, return_tensors="pt")
    logits = opened.model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits
    torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1, 2])).backward()
    optimizer.step()


@pytest.mark.parametrize("method", ["lora", "full"])
def test_gptj_is_tuned_kept_and_opened_again_with_the_same_answers(gptj, tmp_path, method):
    opened = open_base(str(gptj), LABELS, seed=0)
    assert opened.base.kind == "causal"
    before = predict(opened, TEXTS, max_tokens=16)
    opened = add_adapters(opened, LORA) if method == "lora" else opened
    one_step(opened)
    tuned = predict(opened, TEXTS, max_tokens=16)
    assert abs(tuned - before).max() > 1e-3
    save_model(opened, tmp_path / "kept", {"task": "headers"})
    again, record = load_model(tmp_path / "kept")
    assert abs(predict(again, TEXTS, max_tokens=16) - tuned).max() < 1e-6
    assert record["base"]["revision"] == opened.base.revision
    assert record["adapters"] == is_adapted(opened.model) == (method == "lora")


def test_a_folder_is_written_anew(gptj, tmp_path):
    save_model(add_adapters(open_base(str(gptj), LABELS, seed=0), LORA), tmp_path / "kept", {})
    opened = open_base(str(gptj), LABELS, seed=1)
    one_step(opened)
    save_model(opened, tmp_path / "kept", {})
    again, record = load_model(tmp_path / "kept")
    assert not record["adapters"]
    assert abs(predict(again, TEXTS, max_tokens=16) - predict(opened, TEXTS, max_tokens=16)).max() < 1e-6


def test_adapters_train_few_weights_and_the_base_stays(gptj):
    opened = open_base(str(gptj), LABELS, seed=0)
    every, _ = count_parameters(opened.model)
    frozen = opened.model.transformer.h[0].mlp.fc_in.weight.detach().clone()
    adapted = add_adapters(opened, LORA)
    total, trained = count_parameters(adapted.model)
    assert trained < 0.5 * every < total
    one_step(adapted)
    assert torch.equal(adapted.model.base_model.model.transformer.h[0].mlp.fc_in.base_layer.weight, frozen)


def test_adapters_are_refused_on_another_base(gptj, tmp_path, make_gptj):
    opened = add_adapters(open_base(str(gptj), LABELS, seed=0), LORA)
    save_model(opened, tmp_path / "kept", {})
    make_gptj(gptj, seed=1)
    with pytest.raises(ArtefactError, match=r"was tuned from .* at revision .*; got .*\. Install that base, or train again"):
        load_model(tmp_path / "kept")


def test_altered_weights_are_refused(gptj, tmp_path):
    opened = add_adapters(open_base(str(gptj), LABELS, seed=0), LORA)
    save_model(opened, tmp_path / "kept", {})
    file = tmp_path / "kept" / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(ArtefactError, match=r"adapter_model.safetensors must have SHA-256"):
        load_model(tmp_path / "kept")


@pytest.mark.parametrize(("name", "said"), [
    ("gpt-j", "must be minilm, smollm2, a folder, or a name on the hub"), ("../elsewhere", "must be minilm"),
    ("nobody/no-such-model", "cannot be opened"),
])
def test_a_base_that_is_not_there_is_refused_in_one_line(monkeypatch, name, said):
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    with pytest.raises(ArtefactError, match=said) as caught:
        open_base(name, LABELS, seed=0)
    assert "\n" not in str(caught.value)


def test_a_folder_without_safetensors_is_refused(tmp_path):
    with pytest.raises(ArtefactError, match="must hold a model in safetensors"):
        open_base(str(tmp_path), LABELS, seed=0)


def test_the_packaged_encoder_has_the_expected_bytes_and_size():
    opened = open_base("minilm", LABELS, seed=0)
    assert (opened.base.kind, opened.base.revision[:8]) == ("encoder", "53aa5117")
    assert count_parameters(opened.model)[0] == 22_714_371
