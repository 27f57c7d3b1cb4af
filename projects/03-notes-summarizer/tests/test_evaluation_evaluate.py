import json
import re
from contextlib import nullcontext
from importlib.resources import files

import matplotlib.image
import numpy as np
import polars as pl
import pytest

from carefolio.config import load_config
from carefolio.datasets.aci_bench import load_aci_bench
from carefolio.datasets.aci_bench_twin import make_aci_bench_twin
from carefolio.datasets.mts_dialog import load_mts_dialog
from carefolio.datasets.mts_dialog_twin import make_mts_dialog_twin
from carefolio.evidence import METRIC_ID, Metric
from carefolio.exceptions import EvidenceError
from carefolio.metrics.text import ROUGE_COLUMNS, rouge_of_each
from carefolio.testing import requires_real_data
from notes_summarizer.config import PROJECT, NotesSettings
from notes_summarizer.evaluation import evaluate as judge
from notes_summarizer.evaluation import figures
from notes_summarizer.evaluation.cases import build_cases
from notes_summarizer.evaluation.generate import COLUMNS, FLOOR
from notes_summarizer.evaluation.settings import EvaluationSettings

SETTINGS = EvaluationSettings(max_sections=12, max_notes=3, meter_documents=4, minimum_header_cases=2, replicates=100, level=0.95,
                              max_output_tokens=64,
                              bert_batch=16)
PARTS = ("mts_dialog.validation", "mts_dialog.test1", "mts_dialog.test2", "mts_dialog.test", "aci_bench.test1")


def made_up(cases, system, write):
    rows = [{"system": system, **{name: row[name] for name in ("data_set", "part", "id")}, "candidate": write(place, row),
             "seconds": 1.0 + place, "cpu_seconds": 0.5, "input_tokens": 10, "output_tokens": 5, "cost_usd": 0.0, "requests": 1,
             "failed_attempts": 0, "model": "m", "problem": "" if write(place, row) else "timed out"}
            for place, row in enumerate(cases.iter_rows(named=True))]
    return pl.DataFrame(rows, schema=COLUMNS)


@pytest.fixture(scope="module")
def result():
    """The evaluation of a system that copies the answer and one that invents a drug, and says nothing in one case."""
    cases = build_cases(make_mts_dialog_twin(0), make_aci_bench_twin(0), SETTINGS)
    candidates = pl.concat([
        made_up(cases, FLOOR, lambda place, row: row["source"]), made_up(cases, "extractive", lambda place, row: row["reference"]),
        made_up(cases, "local", lambda place, row: "" if place == 1 else "Started on warfarin 75 mg. " + row["reference"][:30])])
    return judge.evaluate(cases, candidates, SETTINGS, seed=0, progress=nullcontext)


def test_every_part_has_every_metric_with_a_well_formed_id(result):
    metrics, _, _ = result
    assert all(METRIC_ID.fullmatch(name) for name in metrics)
    for part in PARTS:
        longest = "rouge_l" if part.startswith("mts") else "rouge_lsum"
        for system in (FLOOR, "extractive", "local"):
            for name in ("rouge1", "rouge2", longest, "bertscore_f1", "faithfulness", "omission"):
                assert f"{part}.{system}.{name}" in metrics
        for name in ("latency_p50_s", "latency_p95_s", "cost_usd", "cpu_seconds", "output_tokens", "failed", "flesch_kincaid"):
            assert f"{part}.local.{name}" in metrics
        assert f"{part}.{FLOOR}.cost_usd" not in metrics


def test_every_quality_metric_has_an_interval_and_a_size(result):
    for name, value in result[0].items():
        assert isinstance(value, Metric)
        assert value.low is not None, name
        assert value.low <= value.value <= value.high
        assert value.n > 0


def test_who_copies_the_answer_is_perfect_and_who_invents_a_drug_is_not(result):
    metrics = result[0]
    for part in PARTS:
        assert metrics[f"{part}.extractive.rouge1"].value == 1
        assert metrics[f"{part}.extractive.omission"].value == 0
        assert metrics[f"{part}.{FLOOR}.faithfulness"].value == 1
        assert metrics[f"{part}.local.term_findings_per_100_sentences"].value > 20
        assert metrics[f"{part}.local.faithfulness"].value < metrics[f"{part}.extractive.faithfulness"].value
        assert metrics[f"{part}.extractive_minus_{FLOOR}.rouge1"].low > 0
        assert metrics[f"{part}.local_minus_extractive.faithfulness"].high < 0


def test_an_empty_answer_counts_as_zero_and_as_failed(result):
    metrics, curves, tables = result
    assert metrics["mts_dialog.validation.local.failed"].value == pytest.approx(1 / 12)
    row = tables["scores"].filter((pl.col("system") == "local") & (pl.col("problem") != "")).row(0, named=True)
    assert (row["rouge1"], row["bertscore_f1"], row["sentences"]) == (0, 0, 0)
    assert curves["failures"] == [{"data_set": "mts_dialog", "part": "validation", "system": "local", "len": 1}]


def test_the_pooled_part_is_the_mean_of_its_documents(result):
    metrics, _, tables = result
    rows = tables["scores"].filter(pl.col("system") == "local", pl.col("data_set") == "mts_dialog", pl.col("part") != "validation")
    assert metrics["mts_dialog.test.local.rouge1"].value == pytest.approx(rows["rouge1"].mean())
    assert metrics["mts_dialog.test.local.rouge1"].n == 24


def test_notes_by_people_bound_the_false_alarms(result):
    metrics = result[0]
    assert metrics["meter.mts_dialog_test.reference.alarm_rate"].value == pytest.approx(
        1 - metrics["mts_dialog.test.reference.faithfulness"].value)
    assert "mts_dialog.test.reference.rouge1" not in metrics


def test_the_curves_are_small_json_without_a_text_of_the_data(result):
    _, curves, tables = result
    text = json.dumps(curves, allow_nan=False)
    assert len(text) < 100_000
    assert not any(line in text for source in tables["scores"]["source"] for line in source.splitlines() if len(line) > 25)
    assert {row["system"] for row in curves["by_header"]} == {FLOOR, "extractive", "local"}
    assert all(row["n"] >= 2 for row in curves["by_header"])
    assert curves["bertscore"]["sha256"] == judge.checkpoint()["sha256"]
    assert curves["floor"] == []


def test_a_transcript_that_scores_otherwise_than_published_is_refused():
    wrong = {f"aci_bench.test1.{FLOOR}.{name}": Metric(value=0.4, n=40, higher_is_better=True)
             for name in ("rouge1", "rouge2", "rouge_lsum")}
    with pytest.raises(EvidenceError, match=r"score rouge1 40.00 against their notes; published is 32.8"):
        judge._check_floor(wrong)
    fewer = {name: value.model_copy(update={"n": 6}) for name, value in wrong.items()}
    assert judge._check_floor(fewer) == []


@pytest.mark.slow
@requires_real_data("aci_bench")
def test_the_transcripts_of_aci_bench_score_what_is_published_for_them():
    visits = load_aci_bench().frame.filter(part="test1")
    found = rouge_of_each(visits["note"].to_list(), visits["dialogue"].to_list(), stem=False).mean(axis=0)
    names = {"rouge1": "rouge1", "rouge2": "rouge2", "rouge_lsum": "rougeLsum"}
    metrics = {f"aci_bench.test1.{FLOOR}.{own}": Metric(value=found[ROUGE_COLUMNS.index(name)], n=40, higher_is_better=True)
               for own, name in names.items()}
    assert [round(100 * row["own"], 1) for row in judge._check_floor(metrics)] == [32.8, 12.5, 30.6]


def test_every_figure_is_drawn_and_described(result, tmp_path):
    metrics, curves, _ = result
    described = figures.draw(metrics, curves, tmp_path)
    assert set(described) == {path.name for path in tmp_path.iterdir()}
    for file in described:
        picture = matplotlib.image.imread(tmp_path / file)
        assert min(picture.shape[:2]) > 300
        assert np.ptp(picture[..., :3]) > 0.5


@requires_real_data("mts_dialog")
@requires_real_data("aci_bench")
def test_a_quick_run_on_the_real_texts_gives_every_figure_of_the_card():
    settings = load_config(NotesSettings, PROJECT, quick=True).evaluation
    cases = build_cases(load_mts_dialog().frame, load_aci_bench().frame, settings)
    candidates = pl.concat([made_up(cases, system, lambda place, row: row["source"]) for system in (FLOOR, "extractive", "local")])
    metrics, _, _ = judge.evaluate(cases, candidates, settings, seed=0, progress=nullcontext)
    card = files(PROJECT).joinpath("card.toml").read_text(encoding="utf-8")
    asked = set(re.findall(r"{ev:((?:mts_dialog|aci_bench)\.[\w.]+)", card))
    assert asked
    assert asked <= set(metrics)
