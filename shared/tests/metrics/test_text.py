import numpy as np
import pytest
from rouge_score.rouge_scorer import RougeScorer

from carefolio.metrics import text
from carefolio.metrics.text import ROUGE_COLUMNS, ROUGE_TYPES
from carefolio.testing import requires_real_data
from carefolio.uncertainty import bootstrap_values

REFERENCES = ["The patient denies fever.\nShe takes aspirin.", "Chest pain for three days", "None."]
CANDIDATES = ["She denies fevers.\nTakes aspirin daily.", "Pain in the chest", "No known drug allergies."]
LEAFLET = "Your heart is a pump. It sends blood to your body. Take 2.5 mg of the medicine each day. Call us if you feel ill."


def test_rouge_by_hand():
    """Reference a b c d, candidate a c d e: words 3 of 4, pairs (c d) 1 of 3, longest common subsequence a c d."""
    scores = text.rouge("alpha bravo cat dog", "alpha cat dog echo")
    assert scores["rouge1"] == text.RougeScore(0.75, 0.75, 0.75)
    assert scores["rouge2"] == text.RougeScore(pytest.approx(1 / 3), pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert scores["rougeL"].f1 == scores["rougeLsum"].f1 == 0.75


def test_precision_and_recall_are_of_the_candidate_and_of_the_reference():
    scores = text.rouge("alpha bravo cat dog", "alpha bravo")["rouge1"]
    assert (scores.precision, scores.recall, scores.f1) == (1, 0.5, pytest.approx(2 / 3))
    swapped = text.rouge("alpha bravo", "alpha bravo cat dog")["rouge1"]
    assert (swapped.precision, swapped.recall, swapped.f1) == (0.5, 1, pytest.approx(2 / 3))


def test_stemming_joins_forms_of_a_word():
    assert text.rouge("smoking cigarettes", "smoked cigarette")["rouge1"].f1 == 1
    assert text.rouge("smoking cigarettes", "smoked cigarette", stem=False)["rouge1"].f1 == 0


@pytest.mark.parametrize("stem", [True, False])
def test_rouge_agrees_with_the_package(stem):
    scorer = RougeScorer(list(ROUGE_TYPES), use_stemmer=stem)
    found = text.rouge_of_each(REFERENCES, CANDIDATES, stem=stem)
    assert found.shape == (3, len(ROUGE_COLUMNS))
    for row, reference, candidate in zip(found, REFERENCES, CANDIDATES, strict=True):
        assert row.tolist() == [value for name in ROUGE_TYPES for value in scorer.score(reference, candidate)[name]]


def test_a_copy_scores_one_and_case_and_punctuation_do_not_count():
    assert set(text.rouge_of_each(REFERENCES[:2], [reference.upper().replace(".", " !") for reference in REFERENCES[:2]]).ravel()) == {1.0}


@pytest.mark.parametrize(("reference", "candidate"), [("", "a word"), ("a word", ""), ("", ""), ("...", "!"), ("痛み", "痛み")])
def test_texts_without_a_word_that_rouge_reads_score_zero(reference, candidate):
    assert {score.f1 for score in text.rouge(reference, candidate).values()} == {0}


def test_two_long_texts_are_refused_before_the_work_begins():
    with pytest.raises(ValueError, match="at most 50000000 pairs of words; got 8000 by 8000 words"):
        text.rouge("word " * 8000, "word " * 8000)


def test_documents_of_unequal_number_are_refused():
    with pytest.raises(ValueError, match="equal length, at least 1; got 3 and 2"):
        text.rouge_of_each(REFERENCES, CANDIDATES[:2])


def test_means_are_of_documents_and_weights_equal_duplication():
    scores = text.rouge_of_each(REFERENCES, CANDIDATES)
    repeated = text.rouge_of_each([REFERENCES[0], *REFERENCES], [CANDIDATES[0], *CANDIDATES])
    np.testing.assert_allclose(text.document_means(scores, sample_weight=[2, 1, 1]), text.document_means(repeated))
    np.testing.assert_allclose(text.document_means(scores), scores.mean(axis=0))
    with pytest.raises(ValueError, match=r"finite numbers; got shape \(1, 2\) with 1 other"):
        text.document_means([[0.1, np.nan]])


def test_documents_can_be_resampled():
    scores = text.rouge_of_each(REFERENCES, CANDIDATES)
    intervals = bootstrap_values(lambda weight: text.document_means(scores, sample_weight=weight), groups=[0, 1, 2], n_replicates=50)
    place = ROUGE_COLUMNS.index("rouge1")
    assert intervals[place].value == pytest.approx(scores[:, place].mean())
    assert intervals[place].low < intervals[place].value < intervals[place].high


@requires_real_data("aci_bench")
def test_the_published_floor_of_aci_bench_is_reached_without_stemming():
    """The 40 transcripts taken for the notes: 32.8, 12.5 and 30.6 in table 6 of Yim et al. 2023, on test1."""
    import polars as pl

    from carefolio.datasets.aci_bench import load_aci_bench

    visits = load_aci_bench().frame.filter(pl.col("part") == "test1")
    means = text.document_means(text.rouge_of_each(visits["note"].to_list(), visits["dialogue"].to_list(), stem=False))
    found = dict(zip(ROUGE_COLUMNS, means, strict=True))
    assert [round(100 * found[name], 1) for name in ("rouge1", "rouge2", "rougeLsum")] == [32.8, 12.5, 30.6]


def test_grades_by_hand():
    """Two sentences, eight words, nine syllables; one word of three syllables in the SMOG case."""
    grade = text.reading_grade("The cat sat on mats. It was happy.")
    assert grade.n_sentences == 2
    assert grade.flesch_kincaid == pytest.approx(0.39 * 4 + 11.8 * 9 / 8 - 15.59, abs=0.01)
    assert grade.smog == pytest.approx(3.1291, abs=0.01)
    assert text.reading_grade("The hospital is near. It was not far.").smog == pytest.approx(1.043 * (30 / 2) ** 0.5 + 3.1291, abs=0.01)


def test_a_decimal_point_does_not_end_a_sentence_and_a_list_item_does():
    assert text.reading_grade(LEAFLET).n_sentences == 4
    items = "Call us if you have\n\n- chest pain that lasts\n- a very high fever\n- blood in your stool"
    assert text.reading_grade(items).n_sentences == 4


def test_harder_words_and_longer_sentences_raise_the_grade():
    hard = "Pharmacological antihypertensive administration necessitates consideration of concomitant cardiovascular comorbidities."
    assert text.reading_grade(hard).flesch_kincaid > 12 > 6 > text.reading_grade(LEAFLET).flesch_kincaid
    assert text.reading_grade(hard).smog > text.reading_grade(LEAFLET).smog
    assert text.reading_grade(LEAFLET.replace(". ", " and ")).flesch_kincaid > text.reading_grade(LEAFLET).flesch_kincaid


@pytest.mark.parametrize("empty", ["", "  \n", "12 %", "..."])
def test_a_text_without_a_word_has_no_grade(empty):
    with pytest.raises(ValueError, match="text must have at least one word"):
        text.reading_grade(empty)


def test_compression_by_hand():
    assert text.compression("one two three four", "two") == 0.25
    assert text.compression("one two", "") == 0
    with pytest.raises(ValueError, match="source must have at least one word"):
        text.compression(" ", "two")


def test_novelty_by_hand():
    assert text.novelty("a b c d", "a b x") == 0.5
    assert text.novelty("a b c d", "a b x", n=1) == pytest.approx(1 / 3)
    assert text.novelty("The Cat sat", "the cat SAT") == 0
    assert text.novelty("a b", "c") == text.novelty("a b", "") == 0
    assert text.novelty("", "two words") == 1
    with pytest.raises(ValueError, match="n must be at least 1; got 0"):
        text.novelty("a", "a", n=0)


def test_words_of_any_script_are_kept_whole():
    assert text.words("76-year-old, don’t, 0.5 mg: naïve STRASSE Боль") == ["76-year-old", "don’t", "0.5", "mg", "naïve", "strasse", "боль"]


def test_a_long_text_is_read():
    long = ("Füße tun weh. " + LEAFLET + "\n\n") * 1500
    assert len(long) > 180_000
    assert text.reading_grade(long).n_sentences > 4000
    assert text.novelty(long, LEAFLET) == 0
    assert text.rouge(LEAFLET, long)["rouge1"].recall == 1
