import numpy as np
import pytest
from sklearn.metrics import label_ranking_average_precision_score, ndcg_score

from carefolio.metrics import retrieval

RELEVANT = [{"a", "b"}, {"c"}, {"z"}]
RANKED = [["x", "a", "b"], ["c", "x", "y"], ["x", "y"]]


@pytest.fixture
def sample():
    """Thirty queries over twelve documents: gains, and documents by falling score."""
    generator = np.random.default_rng(3)
    gains, scores = generator.integers(0, 4, (30, 12)), generator.random((30, 12))
    gains[:, 0] = 1
    return gains, scores, [list(map(int, order)) for order in np.argsort(-scores, axis=1)]


def test_recall_by_hand():
    assert retrieval.recall_of_each(RELEVANT, RANKED, k=2).tolist() == [0.5, 1, 0]
    assert retrieval.recall_at_k(RELEVANT, RANKED, k=3) == pytest.approx(2 / 3)


def test_reciprocal_rank_by_hand():
    assert retrieval.reciprocal_ranks(RELEVANT, RANKED).tolist() == [0.5, 1, 0]
    assert retrieval.mean_reciprocal_rank(RELEVANT, RANKED) == 0.5


def test_gain_by_hand():
    """Relevant documents at places 2 and 3 of 3: (1 / log2(3) + 1 / 2) / (1 + 1 / log2(3))."""
    expected = [(1 / np.log2(3) + 0.5) / (1 + 1 / np.log2(3)), 1, 0]
    assert retrieval.ndcg_of_each(RELEVANT, RANKED, k=3) == pytest.approx(expected)
    assert retrieval.ndcg_at_k(RELEVANT, RANKED, k=3) == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("k", [1, 3, 12])
def test_gain_agrees_with_scikit_learn(sample, k):
    gains, scores, ranked = sample
    found = retrieval.ndcg_at_k([dict(enumerate(map(float, row))) for row in gains], ranked, k=k)
    assert found == pytest.approx(ndcg_score(gains, scores, k=k), abs=1e-12)


def test_reciprocal_rank_of_one_relevant_document_agrees_with_scikit_learn(sample):
    _, scores, ranked = sample
    labels = np.zeros_like(scores, dtype=int)
    labels[:, 5] = 1
    assert retrieval.mean_reciprocal_rank([{5}] * 30, ranked) == pytest.approx(label_ranking_average_precision_score(labels, scores))


def test_a_list_of_relevant_documents_equals_gains_of_one(sample):
    gains, _, ranked = sample
    as_sets = [set(map(int, np.flatnonzero(row))) for row in gains]
    as_gains = [{int(document): 1.0 if row[document] else 0.0 for document in range(12)} for row in gains]
    np.testing.assert_allclose(retrieval.ndcg_of_each(as_sets, ranked, k=5), retrieval.ndcg_of_each(as_gains, ranked, k=5))


def test_recall_rises_with_k_and_the_order_of_queries_does_not_matter(sample):
    gains, _, ranked = sample
    relevant = [set(map(int, np.flatnonzero(row))) for row in gains]
    recalls = [retrieval.recall_at_k(relevant, ranked, k=k) for k in range(1, 13)]
    assert recalls == sorted(recalls)
    assert recalls[-1] == 1
    for score in (lambda a, b: retrieval.recall_at_k(a, b, k=3), retrieval.mean_reciprocal_rank,
                  lambda a, b: retrieval.ndcg_at_k(a, b, k=3)):
        assert score(relevant[::-1], ranked[::-1]) == pytest.approx(score(relevant, ranked))


def test_weights_equal_duplication():
    twice = [RELEVANT[0], *RELEVANT], [RANKED[0], *RANKED]
    for score, options in ((retrieval.recall_at_k, {"k": 2}), (retrieval.mean_reciprocal_rank, {}), (retrieval.ndcg_at_k, {"k": 2})):
        assert score(RELEVANT, RANKED, sample_weight=[2, 1, 1], **options) == pytest.approx(score(*twice, **options))


@pytest.mark.parametrize(("relevant", "ranked", "k", "said"), [
    ([{"a"}], [], 1, "equal length, at least 1; got 1 and 0"),
    ([{"a"}], [["a"]], 0, "k must be at least 1; got 0"),
    ([{"a"}, set()], [["a"], ["a"]], 1, "at least one identifier a query, not text; got .* at query 1"),
    (["ab"], [["a"]], 1, "not text; got 'ab' at query 0"),
    ([{"a"}], [["a", "b", "a"]], 1, "each document once; got one twice at query 0"),
])
def test_faulty_arguments_are_refused(relevant, ranked, k, said):
    for function in (retrieval.recall_of_each, retrieval.ndcg_of_each):
        with pytest.raises(ValueError, match=said):
            function(relevant, ranked, k=k)


@pytest.mark.parametrize("gains", [{"a": -1.0, "b": 1.0}, {"a": 0.0}, {"a": float("inf")}])
def test_gains_must_be_finite_and_one_positive(gains):
    with pytest.raises(ValueError, match="gains of 0 or more, one of them positive"):
        retrieval.ndcg_of_each([gains], [["a"]], k=1)
