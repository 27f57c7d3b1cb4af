"""The cost of GPT-J on a rented GPU, by hand; and the groups of errors."""

import hashlib

import numpy as np
import polars as pl
import pytest

from carefolio.runs import read_packaged_toml
from text_classifier.config import PROJECT, EstimateSettings
from text_classifier.errors_read import FILE, UNREAD, count_groups, groups_of
from text_classifier.estimate import estimate_gptj, training_operations
from text_classifier.predictions import Predicted

SETTINGS = EstimateSettings(system="small", gptj_parameters=6e9, gpu_peak_tflops=100, gpu_share_low=0.1, gpu_share_high=0.5,
                            usd_per_hour_low=1.0, usd_per_hour_high=4.0)
RECORD = {"tokens": 3_000_000, "parameters": 1e8, "cpu_seconds": 12_000.0}


def predicted(record: dict[str, object]) -> Predicted:
    return Predicted((0, 1), ("test", "test"), ("cough", "fever"), np.array([[0.9, 0.1], [0.8, 0.2]]), record)


def test_operations_are_counted_by_weight_and_token():
    assert training_operations(10, 100, "lora") == 4_000
    assert training_operations(10, 100, "full") == 6_000


def test_the_estimate_is_that_of_a_hand_calculation():
    found = {name.rpartition(".")[2]: one.value for name, one in estimate_gptj("headers", {"small": [predicted(RECORD)]}, SETTINGS).items()}
    assert found["tokens"] == 3e6
    assert found["here_gflops"] == pytest.approx(100)  # 4 x 1e8 x 3e6 operations in 12,000 seconds
    assert found["core_days"] == pytest.approx(4 * 6e9 * 3e6 / 1e11 / 86_400)
    assert found["gpu_minutes_low"] == pytest.approx(4 * 6e9 * 3e6 / 50e12 / 60)
    assert found["gpu_minutes_high"] == pytest.approx(5 * found["gpu_minutes_low"])
    assert found["usd_low"] == pytest.approx(found["gpu_minutes_low"] / 60)
    assert found["usd_high"] == pytest.approx(4 * found["gpu_minutes_high"] / 60)


def test_without_the_system_there_is_no_estimate():
    assert estimate_gptj("headers", {"other": [predicted(RECORD)], "small": [predicted({})]}, SETTINGS) == {}


def test_each_text_that_was_read_has_one_group():
    read = read_packaged_toml(PROJECT, FILE)
    groups = {name: table for name, table in read.items() if isinstance(table, dict)}
    texts = [text for table in groups.values() for text in table["texts"]]
    assert len(texts) == len(set(texts)) > 100
    assert all(table["said"] for table in groups.values())


def test_groups_are_found_by_the_hash_of_a_text():
    read = {"system": "s", "plain": {"said": "", "texts": [hashlib.sha256(b"a cough").hexdigest()[:12]]}}
    assert groups_of(["a cough", "a fever"], read) == ["plain", UNREAD]


def test_errors_are_counted_only_where_somebody_read_them(monkeypatch):
    examples = pl.DataFrame({"row": [0, 1], "part": ["test"] * 2, "text": ["a cough", "a fever"], "label": ["fever", "fever"]})
    kept = {"minilm_full": [predicted({"seed": 0})]}
    assert count_groups("headers", examples, kept) == {}, "texts of a twin"
    read = {"task": "headers", "system": "minilm_full", "seed": 0,
            "plain": {"said": "", "texts": [hashlib.sha256(b"a cough").hexdigest()[:12]]}}
    monkeypatch.setattr("text_classifier.errors_read.read_packaged_toml", lambda *_: read)
    found = count_groups("headers", examples, kept)
    assert {name: (one.value, one.n) for name, one in found.items()} == {
        "headers.errors_read.minilm_full.plain": (0.5, 2), "headers.errors_read.minilm_full.unread": (0.5, 2),
        "headers.errors_read.minilm_full.wrong": (2, 2)}
    assert count_groups("decisions", examples, kept) == {}
