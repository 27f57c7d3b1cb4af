import numpy as np
import pytest

from carefolio.datasets.aci_bench_twin import make_aci_bench_twin
from carefolio.datasets.mts_dialog_twin import make_mts_dialog_twin
from carefolio.metrics.faithfulness import unsupported
from notes_summarizer.evaluation import meter, planting
from notes_summarizer.evaluation.cases import build_cases
from notes_summarizer.evaluation.settings import EvaluationSettings
from notes_summarizer.summary.vocabulary import vocabulary

SETTINGS = EvaluationSettings(max_sections=0, max_notes=0, meter_documents=12, minimum_header_cases=1, replicates=200, level=0.95,
                              max_output_tokens=64,
                              bert_batch=8)
DRUGS = {"lisinopril": "lisinopril", "tylenol": "acetaminophen", "acetaminophen": "acetaminophen", "warfarin": "warfarin"}
NOTE = "The patient takes Lisinopril 10 mg daily for 3 years. Denies fever. She has pain in the left knee."


def changed(change, text=NOTE, seed=0):
    return change(planting.Material(text, DRUGS), np.random.default_rng(seed))


@pytest.mark.parametrize(("change", "old", "new"), [
    (planting.ERRORS["unit"], "10 mg", "10 mcg"), (planting.ERRORS["side"], "left knee", "right knee"),
    (planting.ERRORS["negation_removed"], "Denies fever", "Reports fever"), (planting.HARMLESS["unit_spelling"], "10 mg", "10 milligrams"),
    (planting.HARMLESS["number_in_words"], "3 years", "three years"),
])
def test_a_change_alters_one_place_and_marks_its_sentence(change, old, new):
    results = [changed(change, seed=seed) for seed in range(30)]
    made = next(result for result in results if new in result.text)
    assert made.text == NOTE.replace(old, new)
    assert new in made.text[made.start:made.end]
    assert made.text[made.start:made.end] != made.text


def test_a_changed_number_is_one_that_the_note_does_not_hold():
    for seed in range(20):
        made = changed(planting.ERRORS["number"], seed=seed)
        assert len(unsupported(NOTE, made.text, terms=[])) == 1


def test_a_drug_is_swapped_for_another_in_the_same_case():
    made = changed(planting.ERRORS["drug_swapped"])
    assert made.text in {NOTE.replace("Lisinopril", name) for name in ("Acetaminophen", "Warfarin")}


def test_an_added_drug_stands_in_a_sentence_of_its_own():
    made = changed(planting.ERRORS["drug_added"])
    added = made.text[made.start:made.end]
    assert made.text.replace(f" {added}", "") == NOTE
    assert "acetaminophen" in added or "warfarin" in added


def test_a_brand_becomes_the_generic_name_and_back():
    assert changed(planting.HARMLESS["brand_or_generic"], "Tylenol as needed.").text == "Acetaminophen as needed."
    assert changed(planting.HARMLESS["brand_or_generic"], "acetaminophen as needed.").text == "tylenol as needed."


def test_another_order_keeps_every_sentence():
    made = changed(planting.HARMLESS["order"])
    assert sorted(made.text.split("\n")) == sorted(NOTE.replace(". ", ".\n").split("\n"))
    assert made.text.split("\n")[0] != NOTE.split(".")[0] or made.text.split("\n")[1] != "Denies fever."


def test_denying_turns_statements_and_leaves_denials():
    texts = {changed(planting.ERRORS["negation_added"], seed=seed).text for seed in range(20)}
    assert any("has no pain" in text for text in texts)
    assert all("Denies fever." in text for text in texts)


@pytest.mark.parametrize("change", [*planting.ERRORS.values(), *planting.HARMLESS.values()])
def test_a_note_without_a_place_for_a_change_gives_none_or_an_added_word(change):
    made = changed(change, "Unremarkable.")
    assert made is None or change in (planting.ERRORS["drug_added"], planting.ERRORS["negation_added"])


@pytest.mark.parametrize("change", planting.ERRORS.values())
def test_the_same_seed_plants_the_same_error(change):
    assert changed(change, seed=4) == changed(change, seed=4)


def test_only_findings_in_the_changed_sentence_count():
    note, text = "Pain for 4 days. Cough for 3 days.", "Pain for 8 days. Cough for 9 days."
    assert len(unsupported(note, text, terms=[])) == 2
    assert [finding.text for finding in meter.new_findings(note, planting.Planted(text, 17, 34), terms=[])] == ["9 days"]


@pytest.mark.parametrize("frame", [make_mts_dialog_twin(0)["section_text"], make_aci_bench_twin(0)["note"]])
def test_a_note_supports_itself(frame):
    assert not any(unsupported(text, text, terms=vocabulary().terms) for text in frame)


def test_the_meter_is_validated_on_every_kind_with_intervals():
    cases = build_cases(make_mts_dialog_twin(0), make_aci_bench_twin(0), SETTINGS)
    metrics, curves, planted = meter.validate(cases, SETTINGS, vocabulary=vocabulary(), seed=0)
    assert {name.split(".")[1] for name in metrics} == {f"planted_{kind}" for kind in planting.ERRORS} | {
        f"harmless_{kind}" for kind in planting.HARMLESS}
    assert metrics["meter.planted_drug_added.rules.sensitivity"].value > 0.9
    assert metrics["meter.harmless_unit_spelling.rules.false_alarm_rate"].value == 0
    assert all(metric.low <= metric.value <= metric.high for metric in metrics.values())
    assert curves["documents"] == 42
    assert {point["n"] for point in curves["points"] if point["kind"] == "drug_added"} == {42}
    again = meter.validate(cases, SETTINGS, vocabulary=vocabulary(), seed=0)
    assert again[0] == metrics
    assert again[2].equals(planted)
