import numpy as np
import pytest

from notes_summarizer.leaflet.ranking import bm25_scores, build_bm25, documents_with, fuse, tokens, top
from notes_summarizer.leaflet.relevance import alike

TEXTS = ["amber wrist hurts", "cobalt cough hurts and hurts", "dune foot", "nothing of note"]


def test_words_lose_case_plural_and_function_words():
    assert tokens("What are the Signs of Amber wrists?") == ["sign", "amber", "wrist"]


def test_bm25_finds_the_rare_word_and_an_unknown_one_scores_nothing():
    model = build_bm25(TEXTS, k1=1.2, b=0.75)
    scores = bm25_scores(model, "what hurts about amber")
    assert scores.argmax() == 0
    assert scores[2] == 0
    assert not bm25_scores(model, "xylophone").any()
    assert not bm25_scores(model, "").any()
    assert documents_with(model)["hurt"] == 2


def test_top_orders_by_score_then_row_and_leaves_out_what_is_not_allowed():
    scores = np.array([1, 3, 3, 0, 2], dtype=np.float32)
    assert top(scores, k=3).tolist() == [1, 2, 4]
    assert top(scores, k=3, keep=np.array([True, False, True, True, True])).tolist() == [2, 4, 0]
    assert top(scores, k=9, positive=True).tolist() == [1, 2, 4, 0]
    assert top(scores, k=9, keep=np.zeros(5, dtype=bool)).tolist() == []


def test_reciprocal_ranks_by_hand():
    rows, scores = fuse(np.array([7, 3]), np.array([3, 5]), dense_weight=0.5, rank_constant=60)
    assert rows.tolist() == [3, 7, 5]
    assert scores == pytest.approx([0.5 / 62 + 0.5 / 61, 0.5 / 61, 0.5 / 62])


def test_a_weight_of_one_gives_the_first_ranking_first():
    rows, _ = fuse(np.array([9, 1, 4]), np.array([4, 2]), dense_weight=1.0, rank_constant=5)
    assert rows[:3].tolist() == [9, 1, 4]


@pytest.mark.parametrize(("word", "other", "same"), [
    ("asthma", "asthma", True), ("asthma", "asthhma", True), ("asthma", "ashtma", True), ("asthma", "astma", True),
    ("microcephaly", "macrocephaly", False), ("type", "typo", False), ("hypertension", "hypotension", False), ("asthma", "athsmaa", False),
])
def test_one_slip_of_the_keyboard_is_forgiven_and_another_letter_is_not(word, other, same):
    assert alike(word, other) is same
    assert alike(other, word) is same
