from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from carefolio.datasets.aci_bench_twin import make_aci_bench_twin
from carefolio.datasets.mts_dialog_twin import make_mts_dialog_twin
from carefolio.exceptions import ArtefactError
from carefolio.metrics.text import rouge
from notes_summarizer.evaluation import bert, scores
from notes_summarizer.evaluation.cases import build_cases, judged_parts
from notes_summarizer.evaluation.evaluate import _estimate
from notes_summarizer.evaluation.facts import faithfulness, omission, sentences
from notes_summarizer.evaluation.generate import COLUMNS, FLOOR
from notes_summarizer.evaluation.intervals import Ratio, draw, mean, quantile_interval, ratio_interval
from notes_summarizer.evaluation.published import published_error_rates, published_rouge
from notes_summarizer.evaluation.settings import EvaluationSettings

SETTINGS = EvaluationSettings(max_sections=3, max_notes=2, meter_documents=0, minimum_header_cases=1, replicates=200, level=0.95,
                              max_output_tokens=64,
                              bert_batch=8)
TERMS = ["metformin", "lisinopril", "asthma"]
SOURCE = "Doctor: Do you take metformin?\nPatient: Yes, 500 milligrams, twice a day. No fever. My left knee hurts."


@pytest.fixture(scope="module")
def cases():
    return build_cases(make_mts_dialog_twin(0), make_aci_bench_twin(0), SETTINGS)


def test_only_held_out_parts_are_cases_and_large_ones_are_thinned_evenly(cases):
    assert cases.group_by("data_set", "part", maintain_order=True).len().rows() == [
        ("mts_dialog", "validation", 3), ("mts_dialog", "test1", 3), ("mts_dialog", "test2", 3), ("aci_bench", "test1", 2)]
    assert cases.filter(pl.col("part") == "test2")["id"].to_list() == ["0", "6", "13"]
    assert set(cases["task"]) == {"section", "note"}


def test_all_cases_are_taken_where_there_is_no_limit():
    unlimited = SETTINGS.model_copy(update={"max_sections": 0, "max_notes": 0})
    everything = build_cases(make_mts_dialog_twin(0), make_aci_bench_twin(0), unlimited)
    assert everything.height == 3 * 20 + 6


def test_two_test_parts_are_also_judged_together(cases):
    assert [(data_set, part, rows.height) for data_set, part, rows in judged_parts(cases)] == [
        ("mts_dialog", "validation", 3), ("mts_dialog", "test1", 3), ("mts_dialog", "test2", 3), ("mts_dialog", "test", 6),
        ("aci_bench", "test1", 2)]


def test_published_figures_carry_their_source():
    lines = published_rouge("aci_bench", "test1")
    assert {line.system: line.scores["rouge_lsum"] for line in lines if line.system} == {FLOOR: 0.306}
    assert all(line.source for line in lines)
    assert [rate["value"] for rate in published_error_rates()] == [1.47, 3.45]
    assert published_rouge("mts_dialog", "test1") == []


def test_a_sentence_with_an_invented_dose_is_flagged_and_the_others_are_not():
    counted = faithfulness(SOURCE, "Takes metformin 850 mg. No fever. Pain in the left knee.", terms=TERMS)
    assert (counted.sentences, counted.flagged) == (3, 1)
    assert counted.by_kind == {"number": 1, "term": 0, "negation": 0, "laterality": 0}


def test_several_findings_in_one_sentence_flag_it_once():
    counted = faithfulness(SOURCE, "Takes lisinopril 850 mg for asthma.", terms=TERMS)
    assert (counted.sentences, counted.flagged, counted.by_kind["term"], counted.by_kind["number"]) == (1, 1, 2, 1)


def test_an_empty_note_has_no_sentence_and_leaves_out_every_fact():
    assert faithfulness(SOURCE, "", terms=TERMS).sentences == 0
    left_out = omission(SOURCE, "Metformin 500 mg twice daily.", "", terms=TERMS)
    assert left_out.facts == left_out.omitted > 0


def test_a_fact_that_the_conversation_lacks_is_nobodys_omission():
    found = omission(SOURCE, "Metformin 500 mg. Metformin again. Asthma for 12 years.", "Takes metformin.", terms=TERMS)
    assert (found.facts, found.omitted) == (2, 1)
    assert omission(SOURCE, "Metformin 500 mg.", SOURCE, terms=TERMS).omitted == 0


def test_lines_without_a_word_are_no_sentences():
    text = "PLAN\n---\nRest. Return in 2 weeks."
    assert [text[start:end] for start, end in sentences(text)] == ["PLAN", "Rest.", "Return in 2 weeks."]


def test_a_ratio_of_sums_is_resampled_by_group():
    ratio = Ratio(np.array([1.0, 0, 2, 0]), np.array([2.0, 2, 4, 2]))
    interval = ratio_interval(ratio, draw(["a", "a", "b", "c"], SETTINGS, seed=0))
    assert (interval.value, interval.n, interval.n_groups) == (0.3, 4, 3)
    assert interval.low <= 0.3 <= interval.high


def test_a_ratio_that_some_replicates_cannot_form_has_no_interval():
    assert ratio_interval(mean([np.nan, np.nan, 0.5]), draw([0, 1, 2], SETTINGS, seed=0)) is None


def test_a_small_sample_keeps_its_value_without_an_interval():
    draws = draw([0, 1, 2], SETTINGS, seed=0)
    found = _estimate({"one": (mean([np.nan, np.nan, 0.5]), True), "none": (mean([np.nan] * 3), True)}, draws)
    assert list(found) == ["one"]
    assert (found["one"].value, found["one"].n, found["one"].low) == (0.5, 1, None)


def test_a_system_has_no_lead_over_itself_and_a_constant_lead_has_no_width():
    draws, own = draw(range(10), SETTINGS, seed=0), np.arange(10.0)
    assert ratio_interval(mean(own), draws, less=mean(own)).high == 0
    lead = ratio_interval(mean(own + 0.25), draws, less=mean(own))
    assert lead.low == pytest.approx(0.25) == pytest.approx(lead.high)


def test_the_ratio_agrees_with_the_plain_bootstrap_of_the_library():
    from carefolio.uncertainty import bootstrap_values

    values = np.random.default_rng(0).normal(size=30)
    plain = bootstrap_values(lambda weight: [np.average(values, weights=weight)], groups=np.arange(30), n_replicates=200, random_state=5)[0]
    own = ratio_interval(mean(values), draw(np.arange(30), SETTINGS, seed=5))
    assert (own.value, own.low, own.high) == pytest.approx((plain.value, plain.low, plain.high))


def test_a_quantile_is_a_value_that_occurred():
    draws = draw(range(20), SETTINGS, seed=0)
    assert quantile_interval(np.arange(1, 21), 0.5, draws).value == 10
    assert quantile_interval(np.arange(1, 21), 0.95, draws).value == 19
    assert quantile_interval(np.full(20, 3.0), 0.95, draws).low == 3


def test_bertscore_prefers_the_paraphrase_and_gives_nothing_for_nothing():
    reference = "The patient denies fever."
    found = bert.bert_scores([reference] * 4, [reference, "No fever is reported.", "The train leaves at noon.", " "], batch=4)
    assert found.f1[0] == pytest.approx(1, abs=1e-5)
    assert found.f1[1] > found.f1[2] > found.f1[3] == 0
    assert not found.cut_candidate.any()


def test_bertscore_says_where_it_reads_only_the_beginning():
    found = bert.bert_scores(["pain " * 20, "pain " * 600], ["pain " * 600, "pain"], batch=2)
    assert (found.cut_candidate.tolist(), found.cut_reference.tolist()) == ([True, False], [False, True])


def test_other_weights_are_refused(monkeypatch):
    monkeypatch.setattr(bert, "MINILM", replace(bert.MINILM, files={"model.safetensors": "0" * 64}))
    with pytest.raises(ArtefactError, match="must have SHA-256 0000"):
        bert.checkpoint()


def test_every_candidate_is_scored_by_its_data_sets_convention_and_references_are_judged_too(cases):
    rows = [{"system": "copy", "data_set": row["data_set"], "part": row["part"], "id": row["id"], "candidate": row["source"], "problem": ""}
            for row in cases.iter_rows(named=True)]
    candidates = pl.DataFrame(rows, schema={name: COLUMNS[name] for name in rows[0]})
    found = scores.score(cases, candidates, SETTINGS, terms=TERMS, progress=nullcontext)
    assert found.height == 2 * cases.height
    for row in found.filter(system="copy").iter_rows(named=True):
        stem, longest = (True, "rougeL") if row["data_set"] == "mts_dialog" else (False, "rougeLsum")
        assert row["rouge_long"] == pytest.approx(rouge(row["reference"], row["candidate"], stem=stem)[longest].f1)
    references = found.filter(system=scores.REFERENCE)
    assert references["rouge1"].null_count() == references.height
    assert references["compression"].is_between(0, 1).all()
