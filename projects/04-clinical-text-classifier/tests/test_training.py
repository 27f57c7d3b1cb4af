"""The training loop: the same seed gives the same weights, also after a kill; it stops early; what does not fit is refused."""

import errno
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from carefolio import checkpoints
from carefolio.exceptions import ArtefactError
from text_classifier.config import SystemSettings, TrainingSettings
from text_classifier.model import open_base
from text_classifier.training import loop
from text_classifier.training.batches import training_order
from text_classifier.training.loop import Examples, fit, judge, predict

LABELS = ("cough", "fever", "pain")
WORDS = {0: "the patient has a cough", 1: "no fever today", 2: "pain in the left knee"}
TRAIN = Examples([f"{WORDS[place % 3]} {'today ' * (place % 4)}" for place in range(24)], [place % 3 for place in range(24)])
VALID = Examples([WORDS[0], WORDS[1], WORDS[2]], [0, 1, 2])
TRAINING = TrainingSettings(max_tokens={}, weight_decay=0.01, warmup_share=0.1, patience=10, precision="float32", label_smoothing=0.0,
                            threads=1, curve_shares=(1.0,), curve_system="tiny", curve_task="headers")
SYSTEM = SystemSettings(base="tiny", method="full", learning_rate=3e-3, epochs=4, batch=4, accumulation=2, seeds={"headers": (0,)})


@pytest.fixture
def base(tmp_path: Path, make_gptj) -> str:
    return str(make_gptj(tmp_path / "gptj"))


def train(base: str, folder: Path, *, training=TRAINING, system=SYSTEM, seed=0, examples=TRAIN, advance=lambda done, total: None):
    opened = open_base(base, LABELS, seed=seed)
    return opened, fit(opened, examples, VALID, training, system, folder, seed=seed, max_tokens=16, advance=advance)


def test_it_learns_and_says_what_it_did(base, tmp_path):
    told = []
    opened, record = train(base, tmp_path / "a", advance=lambda done, total: told.append((done, total)))
    losses = [epoch["valid_loss"] for epoch in record["epochs"]]
    assert losses[-1] < losses[0]
    assert (record["samples"], record["device"], record["precision"]) == (96, "cpu", "float32")
    assert told[-1] == (96, 96)
    assert judge(predict(opened, VALID.texts, max_tokens=16), VALID.labels)["valid_loss"] == pytest.approx(min(losses), rel=1e-5)


def test_a_killed_training_ends_as_if_it_had_not_been(base, tmp_path):
    whole, _ = train(base, tmp_path / "whole")

    def _kill(done: int, total: int) -> None:
        if done > 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(base, tmp_path / "killed", advance=_kill)
    assert (tmp_path / "killed" / "state.json").is_file()
    resumed, record = train(base, tmp_path / "killed")
    assert [epoch["epoch"] for epoch in record["epochs"]] == [1, 2, 3, 4]
    np.testing.assert_allclose(predict(resumed, VALID.texts, max_tokens=16), predict(whole, VALID.texts, max_tokens=16), atol=1e-6)


def test_accumulated_steps_equal_large_batches(base, tmp_path):
    same = Examples([WORDS[place % 3] for place in range(24)], TRAIN.labels)
    halves, whole = (SYSTEM.model_copy(update={"epochs": 1, "batch": 24 // parts, "accumulation": parts}) for parts in (2, 1))
    small, _ = train(base, tmp_path / "small", examples=same, system=halves)
    large, _ = train(base, tmp_path / "large", examples=same, system=whole)
    np.testing.assert_allclose(predict(small, VALID.texts, max_tokens=16), predict(large, VALID.texts, max_tokens=16), atol=1e-4)


def test_it_stops_when_validation_gets_no_better(base, tmp_path):
    system = SYSTEM.model_copy(update={"learning_rate": 1e-12, "epochs": 9})
    _, record = train(base, tmp_path / "a", training=TRAINING.model_copy(update={"patience": 2}), system=system)
    assert len(record["epochs"]) - record["best_epoch"] == 2


def test_a_checkpoint_of_other_settings_is_not_gone_on_from(base, tmp_path):
    train(base, tmp_path / "a", system=SYSTEM.model_copy(update={"epochs": 1}))
    _, record = train(base, tmp_path / "a", system=SYSTEM.model_copy(update={"epochs": 2}))
    assert len(record["epochs"]) == 2
    assert record["samples"] == 48


def test_an_altered_checkpoint_is_refused(base, tmp_path):
    train(base, tmp_path / "a")
    file = next((tmp_path / "a").glob("epoch*.safetensors"))
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ArtefactError, match=r"must have SHA-256 .* train again"):
        train(base, tmp_path / "a")


def test_a_checkpoint_of_another_model_is_refused(base, tmp_path, monkeypatch):
    train(base, tmp_path / "a")
    monkeypatch.setattr(loop, "_fingerprint", lambda *_: checkpoints.read_json(tmp_path / "a" / "state.json")["fingerprint"])
    opened = open_base(base, ("one", "two"), seed=0)
    with pytest.raises(ArtefactError, match=r"is of another model: 1 of \d+ weights do not fit"):
        fit(opened, Examples(TRAIN.texts, [0] * 24), replace(VALID, labels=[0, 0, 1]), TRAINING, SYSTEM, tmp_path / "a", seed=0,
            max_tokens=16, advance=lambda done, total: None)


def test_no_space_left_is_said_and_the_last_checkpoint_stays(base, tmp_path, monkeypatch):
    kept = checkpoints.write_json

    def _full(path: Path, value: object) -> Path:
        if value["epoch"] == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return kept(path, value)

    monkeypatch.setattr(checkpoints, "write_json", _full)
    with pytest.raises(ArtefactError, match=r"no space left in .* Make room and give the same command: training goes on after epoch 2"):
        train(base, tmp_path / "a")
    monkeypatch.setattr(checkpoints, "write_json", kept)
    _, record = train(base, tmp_path / "a")
    assert len(record["epochs"]) == 4


def test_an_epoch_sees_each_text_once_in_an_order_of_its_own():
    orders = [training_order(list(range(50)), 8, seed=1, epoch=epoch) for epoch in (0, 1, 0)]
    assert all(sorted(row for batch in order for row in batch) == list(range(50)) for order in orders)
    assert orders[0] == orders[2] != orders[1]


def test_a_gpu_is_used_where_there_is_one():
    from carefolio.compute import choose_compute

    assert choose_compute("float32").device == ("cuda" if torch.cuda.is_available() else "cpu")
    assert choose_compute("bfloat16").precision == "bfloat16"


def test_a_task_may_be_seen_another_number_of_times():
    system = SYSTEM.model_copy(update={"epochs": 4, "task_epochs": {"decisions": 2}})
    assert [system.for_task(task).epochs for task in ("headers", "decisions")] == [4, 2]
    assert system.for_task("headers") == SYSTEM, "what holds for a task names no other task, so that its fingerprint stays"
