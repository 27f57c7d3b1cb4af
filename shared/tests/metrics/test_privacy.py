import numpy as np
import pytest
from sklearn.metrics import precision_score, recall_score

from carefolio.metrics.privacy import covered_identifiers, justified_redactions, over_redaction, phi_precision, phi_recall

TEXT = "Dr. Ann Lee of Elm Clinic, ID: 42, in May"
LABELS = [(0, 11), (15, 25), (27, 33)]


def test_a_case_by_hand():
    redacted = [(4, 11), (15, 18), (31, 33), (38, 41)]
    assert covered_identifiers(TEXT, LABELS, redacted).tolist() == [True, False, True]
    assert covered_identifiers(TEXT, LABELS, redacted, whole=False).tolist() == [True, True, True]
    assert covered_identifiers(TEXT, LABELS, redacted, ignored_words=()).tolist() == [False, False, False]
    assert justified_redactions(LABELS, redacted).tolist() == [True, True, True, False]
    assert phi_recall([True, False, True]) == pytest.approx(2 / 3)
    assert phi_precision([True, True, True, False]) == 0.75
    assert over_redaction([0, 3, 0, 1]) == 0.5


def test_an_identifier_of_ignored_words_only_must_be_covered():
    assert covered_identifiers("the patient", [(0, 11)], []).tolist() == [False]


def test_against_scikit_learn_letter_by_letter():
    generator = np.random.default_rng(0)
    labelled, found, weight = generator.random(400) < 0.4, generator.random(400) < 0.5, generator.random(400)
    recall, precision = (score(labelled, found, sample_weight=weight) for score in (recall_score, precision_score))
    assert phi_recall(found[labelled], sample_weight=weight[labelled]) == pytest.approx(recall)
    assert phi_precision(labelled[found], sample_weight=weight[found]) == pytest.approx(precision)
    assert over_redaction(found[~labelled]) == pytest.approx(1 - recall_score(~labelled, ~found))


def test_order_does_not_matter_and_a_weight_of_two_is_a_row_twice():
    generator = np.random.default_rng(1)
    covered, weight = generator.random(50) < 0.9, generator.integers(0, 4, 50)
    order = generator.permutation(50)
    assert phi_recall(covered[order]) == phi_recall(covered)
    assert phi_recall(covered, sample_weight=weight) == pytest.approx(phi_recall(np.repeat(covered, weight)))
    assert covered_identifiers(TEXT, LABELS[::-1], [(15, 25)]).tolist() == covered_identifiers(TEXT, LABELS, [(15, 25)]).tolist()[::-1]


@pytest.mark.parametrize("span", [(-1, 3), (3, 3), (0, 99)])
def test_a_span_outside_the_text_is_refused(span):
    with pytest.raises(ValueError, match=r"redacted must hold spans inside the text of 41 characters; got \("):
        covered_identifiers(TEXT, LABELS, [span])


def test_nothing_to_measure_is_refused():
    with pytest.raises(ValueError, match="at least one row"):
        phi_recall([])
