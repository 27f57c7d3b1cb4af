"""The exported files are held against torch on every test photograph, and sizes are judged alike."""

import numpy as np
import onnx
import pytest

from carefolio.evidence import read_evidence
from carefolio.pictures import read_picture
from retinopathy.config import PreparationSettings
from retinopathy.export import export_grader
from retinopathy.exported import compare_exports
from retinopathy.features import squares
from retinopathy.predictor import SMALL_FILE
from retinopathy.sizes import made_small

from .conftest import PREPARATION, RECORD


def test_float32_decides_as_torch_and_both_are_timed(grader, exported, retinas):
    prepared = [squares((content, (0,)), PREPARATION)[0] for content in retinas.values()]
    metrics, answers = compare_exports(grader, exported, prepared, temperature=1.0, seed=0)
    assert metrics["idrid.test.float32.same_grades"].value == 1
    assert metrics["idrid.test.float32.largest_difference"].value < 1e-3
    assert 0 <= metrics["idrid.test.int8.same_grades"].value <= 1
    assert answers["int8"].shape == (len(prepared), 6)
    for precision in ("float32", "int8"):
        assert metrics[f"idrid.test.{precision}.milliseconds"].value > 0
        assert metrics[f"idrid.test.{precision}.speed_up"].low <= metrics[f"idrid.test.{precision}.speed_up"].high


def test_8_bits_begin_after_the_first_stage_that_is_pooled(exported):
    graph = onnx.load(exported / SMALL_FILE).graph
    makers = {output: node.op_type for node in graph.node for output in node.output}
    eight_bits = [makers.get(node.input[1]) == "DequantizeLinear" for node in graph.node if node.op_type == "Conv"]
    assert eight_bits == [False] * 15 + [True] * 9


def test_a_photograph_that_was_made_small_shows_less(retinas):
    settings = PreparationSettings(side=96, small_side=32, strength=4.0)
    whole, small = (made_small(retinas[4], settings, pixels=pixels)[0].astype(float) for pixels in (96, 12))
    assert whole.shape == small.shape == (96, 96, 3)
    fine = [np.abs(np.diff(one[..., 1], axis=0))[30:66, 30:66].mean() for one in (whole, small)]
    assert fine[1] < 0.5 * fine[0]
    assert read_picture(retinas[4]).pixels.shape[0] > 96


def test_sizes_are_judged_beside_the_whole_photograph(small_run):
    metrics = read_evidence(small_run / "reports" / "evidence.json").metrics
    whole, small = (metrics[f"idrid.test.at_{pixels}.roc_auc"] for pixels in (96, 16))
    assert whole.value == pytest.approx(metrics["idrid.test.frozen.roc_auc"].value)
    assert small.low <= small.value <= small.high


def test_the_same_grader_gives_the_same_bytes(grader, exported, retinas, tmp_path):
    samples = [squares((content, (0,)), PREPARATION)[0] for content in retinas.values()]
    export_grader(grader, tmp_path / "grader", record=RECORD, samples=samples)
    first = {path.name: path.read_bytes() for path in exported.iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "grader").iterdir()} == first
    assert len(first) > 4
