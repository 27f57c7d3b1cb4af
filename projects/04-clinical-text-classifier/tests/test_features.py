"""The parts of each task share no text and no group; planted leaks are refused."""

from functools import partial
from pathlib import Path

import polars as pl
import pytest

from carefolio.exceptions import LeakageError, SchemaError
from carefolio.parts import load_stage
from carefolio.testing import requires_real_data
from text_classifier import data, features
from text_classifier.config import PARTS, FeatureSettings

SETTINGS = FeatureSettings(valid_share=0.1, test_share=0.2, minimum_groups=3, max_rows=0)


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    """Folder of a run with the data of all tasks."""
    folder = tmp_path_factory.mktemp("run")
    load_stage(partial(data.load_part, seed=0), list(PARTS), folder)
    return folder


@pytest.mark.parametrize("task", PARTS)
def test_every_task_has_three_parts_and_no_label_that_train_lacks(out, task):
    table = features.build_examples(task, out, SETTINGS, seed=0)
    assert set(table["part"]) == {"train", "valid", "test"}
    assert set(table["label"]) == set(features.label_names(table))
    assert table["row"].is_unique().all()


def make_table(**columns: list[str]) -> pl.DataFrame:
    rows = {"part": ["train", "train", "valid", "test"], "unit": list("abcd"), "text": ["one", "two", "three", "four"],
            "label": list("xyxy")}
    return pl.DataFrame({"row": [0, 1, 2, 3]} | rows | columns)


@pytest.mark.parametrize(("columns", "error", "said"), [
    ({"text": ["one", "two", "three", "ONE  "]}, LeakageError, "stand"), ({"unit": list("abca")}, LeakageError, "part"),
    ({"label": list("xyxz")}, SchemaError, r"every label must be in train; 1 label\(s\) of 1 row\(s\) are not, most often 'z'"),
    ({"part": ["train", "train", "valid", "valid"]}, SchemaError, "every part needs rows; test has none"),
])
def test_a_planted_leak_or_an_unknown_label_is_refused(columns, error, said):
    features.check_examples(make_table(), task="headers")
    with pytest.raises(error, match=said):
        features.check_examples(make_table(**columns), task="headers")


def test_a_text_of_test_is_dropped_from_train():
    table = make_table(text=["one", "four", "three", "Four"])
    assert features._first_part_only(table)["row"].to_list() == [0, 2, 3]


def test_groups_are_divided_whole_and_rare_labels_stay_in_train():
    groups = [number // 2 for number in range(200)] + [500, 501]
    labels = ["a" if number % 40 < 24 else "b" for number in range(200)] + ["rare", "rare"]
    parts = features.divide_groups(groups, labels, {"test": 0.2, "valid": 0.1}, minimum_groups=3, seed=0)
    assert parts[-2:] == ["train", "train"]
    for group in set(groups):
        assert len({part for part, own in zip(parts, groups, strict=True) if own == group}) == 1
    for label in "ab":
        own = [part for part, name in zip(parts, labels, strict=True) if name == label]
        assert 0.15 < own.count("test") / len(own) < 0.3
        assert own.count("valid") > 0
    assert parts == features.divide_groups(groups, labels, {"test": 0.2, "valid": 0.1}, minimum_groups=3, seed=0)


def test_fewer_rows_are_drawn_by_part(out):
    few = features.build_examples("headers", out, SETTINGS.model_copy(update={"max_rows": 20}), seed=0)
    assert few.group_by("part").len()["len"].max() <= 20


def test_a_split_is_kept_and_read_again(out):
    table = features.build_examples("decisions", out, SETTINGS, seed=0)
    split = features.write_examples(out, "decisions", table)
    assert features.read_examples(out, "decisions").equals(table)
    assert sum(map(len, split.parts.values())) == table.height


@requires_real_data("mts_dialog")
def test_the_official_parts_are_kept_and_four_texts_leave_train(tmp_path):
    load_stage(partial(data.load_part, seed=0), ["headers"], tmp_path)
    table = features.build_examples("headers", tmp_path, SETTINGS, seed=0)
    sizes = dict(table.group_by("part").len().iter_rows())
    assert sizes == {"train": 1196, "valid": 100, "test": 400}
    assert len(features.label_names(table)) == 20


@requires_real_data("mtsamples")
def test_no_group_of_mtsamples_is_divided(tmp_path):
    load_stage(partial(data.load_part, seed=0), ["specialties"], tmp_path)
    table = features.build_examples("specialties", tmp_path, SETTINGS, seed=0)
    assert table.group_by("unit").agg(pl.col("part").n_unique())["part"].max() == 1
    assert table.filter(part="test")["label"].n_unique() >= 35
