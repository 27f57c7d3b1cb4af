import json

import polars as pl
import pytest

from carefolio.datasets.pubmedqa import NAME, QUESTIONS_FILE, TEST_FILE, load_pubmedqa, read_pubmedqa, validate_pubmedqa
from carefolio.exceptions import DataIntegrityError, DataUnavailableError, SchemaError
from carefolio.testing import requires_real_data

RECORDS = {
    "101": {"QUESTION": "Does tea help?", "CONTEXTS": ["Tea was drunk.", "Half were well."], "LABELS": ["METHODS", "RESULTS"], "MESHES": [],
            "YEAR": "2009", "final_decision": "yes", "LONG_ANSWER": "Tea helps."},
    "102": {"QUESTION": "Does rain help?", "CONTEXTS": ["It rained."], "LABELS": ["RESULTS"], "MESHES": [], "YEAR": None,
            "final_decision": "maybe", "LONG_ANSWER": "Nobody knows."},
}
QUESTIONS, TRUTH = json.dumps(RECORDS), '{"102": "maybe"}'


@pytest.fixture
def read(tmp_path):
    def read(questions=QUESTIONS, truth=TRUTH):
        for name, content in ((QUESTIONS_FILE, questions), (TEST_FILE, truth)):
            (tmp_path / name).write_text(content)
        return read_pubmedqa(tmp_path / QUESTIONS_FILE, tmp_path / TEST_FILE)
    return read


def test_a_question_keeps_its_sections_its_decision_and_its_part(read):
    frame = read()
    assert frame.columns == ["part", "pubmed_id", "question", "context", "long_answer", "decision", "year"]
    assert frame.rows() == [
        ("train", "101", "Does tea help?", "Tea was drunk.\nHalf were well.", "Tea helps.", "yes", 2009),
        ("test", "102", "Does rain help?", "It rained.", "Nobody knows.", "maybe", None),
    ]


@pytest.mark.parametrize(("old", "new", "said"), [
    ('"final_decision": "yes"', '"decision": "yes"', "question 101 lacks final_decision; use the publisher's"),
    ('"final_decision": "yes"', '"final_decision": "often"', "question 101 must be decided by one of yes, no, maybe; got 'often'"),
    ('"2009"', '"09"', "question 101 must have a year of four digits or none; got '09'"),
    ('"2009"', '"3009"', r"'year' must satisfy 1900 <= year <= 2100; 1 value\(s\) do not, first 3009 at row 0"),
    ('"2009"', "2009", "question 101 must have a text as YEAR .*; got 2009"),
    ('["It rained."]', '"It rained."', "question 102 must have a text as CONTEXTS .*; got 'It rained.'"),
    ('["It rained."]', "[1]", r"question 102 must have a text as CONTEXTS .*; got \[1\]"),
    ('["It rained."]', "[]", r"'context' must satisfy a text that is not blank; 1 value\(s\) do not, first '' at row 1"),
    ('"It rained."', '"It rained. Nobody knows."',
     r"'context' must not hold the long answer, .*; 1 value\(s\) do, first that of 102 at row 1"),
    ("Does rain help?", " ", "'question' must satisfy a text that is not blank"),
    ('"101"', '"one"', "'pubmed_id' must satisfy digits only; 1 value"),
    ('"101": {', '"100": "a text", "101": {', "question 100 lacks QUESTION, CONTEXTS, LONG_ANSWER, YEAR, final_decision"),
    (QUESTIONS, QUESTIONS[:-40], f"{QUESTIONS_FILE} is not JSON"),
    (QUESTIONS, "[]", "must be a JSON object with an entry a PubMed id; got list of 0 entries"),
    (QUESTIONS, "3", "got int of no entries"),
    (QUESTIONS, "{}", "got dict of 0 entries"),
])
def test_each_fault_is_one_clear_line(read, old, new, said):
    assert old in QUESTIONS
    with pytest.raises(SchemaError, match=said) as caught:
        read(QUESTIONS.replace(old, new, 1))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("truth", "said"), [
    ('{"102": "maybe", "103": "no"}', r"names 1 question\(s\) that ori_pqal.json does not hold, first 103"),
    ('{"102": "no"}', r"1 decision\(s\) differ between .*, first that of 102: 'maybe' and 'no'"),
    ("<html>", f"{TEST_FILE} is not JSON"),
])
def test_a_test_that_does_not_go_with_the_questions_is_refused(read, truth, said):
    with pytest.raises(SchemaError, match=said):
        read(truth=truth)


def test_an_article_that_stands_twice_is_refused(read):
    with pytest.raises(SchemaError, match="'pubmed_id' must be unique; 2 value"):
        validate_pubmedqa(pl.concat([read(), read()]))


def test_without_the_files_the_error_says_what_to_do(cache, monkeypatch):
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    with pytest.raises(DataUnavailableError, match=f"{NAME}/{QUESTIONS_FILE} is not available: .*data fetch {NAME}"):
        load_pubmedqa()


def test_a_changed_mirror_is_refused(cache, monkeypatch, tmp_path):
    folder = tmp_path / "mirror" / NAME
    folder.mkdir(parents=True)
    (folder / QUESTIONS_FILE).write_text(QUESTIONS)
    (folder / TEST_FILE).write_text(TRUTH)
    monkeypatch.setenv("CAREFOLIO_DATA_DIR", str(tmp_path / "mirror"))
    with pytest.raises(DataIntegrityError, match="cut short"):
        load_pubmedqa()


@requires_real_data("pubmedqa")
def test_the_real_questions_have_the_published_counts():
    loaded = load_pubmedqa()
    frame = validate_pubmedqa(loaded.frame)
    assert loaded.provenance.rows == frame.height == 1_000
    assert dict(frame.group_by("decision").len().rows()) == {"yes": 552, "no": 338, "maybe": 110}
    for part in ("train", "test"):
        assert dict(frame.filter(pl.col("part") == part).group_by("decision").len().rows()) == {"yes": 276, "no": 169, "maybe": 55}
    assert (frame["year"].min(), frame["year"].max(), frame["year"].null_count()) == (1989, 2017, 58)
    assert (frame["question"].n_unique(), frame["context"].n_unique()) == (1_000, 1_000)
