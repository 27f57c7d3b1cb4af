from pathlib import Path

import pytest

from carefolio.claims import Problem, fill, find_problems
from carefolio.evidence import DataRecord, Environment, Evidence, Metric, SplitRecord
from carefolio.exceptions import EvidenceError

REFERENCES = {"xgb": {"value": "0.6721", "source": "a paper", "cohort": "one visit a patient"}}
AUC = "all.test.model.roc_auc"


def make_evidence(project="demo", origin="mirror", auc=0.68449):
    return Evidence(
        project=project, commit="abc1234", command="demo run", created="2026-01-31T12:00:00Z", seed=7,
        config={"split": {"test_size": 0.2}, "leak": True}, data=[DataRecord(name="toy", origin=origin, sha256="0" * 64, rows=101766)],
        split=SplitRecord(unit="patient", sha256="1" * 64, parts={"train": 60000, "test": 20353}),
        environment=Environment(python="3.11.0", packages={}, machine="Linux x86_64, 2 cores"), durations_s={"Train the model": 12.345},
        metrics={AUC: Metric(value=auc, low=0.672, high=0.696, level=0.95, n=20353, higher_is_better=True),
                 "all.test.none.prevalence": Metric(value=0.1116, n=20353, higher_is_better=None),
                 "all.test.few.prevalence": Metric(value=0.25, n=4, higher_is_better=None)},
        figures=[], artefacts=[])


EVIDENCE = {"demo": make_evidence(), "other": make_evidence("other", auc=0.5)}


def problems(text, evidence=EVIDENCE, project="demo"):
    return find_problems(text, file=Path("README.md"), evidence_by_project=evidence, references=REFERENCES, project=project)


@pytest.mark.parametrize(("what", "shown"), [
    (f"{AUC} .3f", "0.684"), (f"{AUC} ci.3f", "0.684 (95 % CI 0.672 to 0.696)"), (f"{AUC} ci.1%", "68.4 % (95 % CI 67.2 % to 69.6 %)"),
    ("all.test.none.prevalence .1%", "11.2 %"), ("all.test.few.prevalence ci.1%", "25.0 % (no interval: n = 4)"),
    (f"other/{AUC} .2f", "0.50"), ("data.toy.rows ,d", "101,766"),
    ("data.toy.origin s", "mirror"),
    ("split.test ,d", "20,353"), ("durations_s.train_the_model .1f", "12.3"), ("config.split.test_size .1f", "0.2"), ("seed d", "7"),
    ("environment.machine s", "Linux x86_64, 2 cores"), ("commit s", "abc1234"), ("config.leak s", "True"),
])
def test_a_marker_shows_what_it_names(what, shown):
    filled = fill(f"so <!--ev {what}-->old<!--/ev--> it is", EVIDENCE, {}, project="demo")
    assert filled == f"so <!--ev {what}-->{shown}<!--/ev--> it is"
    assert problems(filled) == []


def test_filling_twice_changes_nothing_and_touches_markers_only():
    text = f"# T 1\n\na <!--ev {AUC} .3f-->x<!--/ev-->, <!--cite xgb--><!--/cite-->\n\n| b | <!--ev {AUC} .1f-->\ny<!--/ev--> |\n"
    once = fill(text, EVIDENCE, REFERENCES, project="demo")
    assert once == f"# T 1\n\na <!--ev {AUC} .3f-->0.684<!--/ev-->, <!--cite xgb-->0.6721<!--/cite-->\n\n" \
                   f"| b | <!--ev {AUC} .1f-->0.7<!--/ev--> |\n"
    assert fill(once, EVIDENCE, REFERENCES, project="demo") == once


def test_markers_shown_as_code_are_left_alone():
    text = f"write `<!--ev {AUC} .3f-->x<!--/ev-->` or\n\n```\n<!--ev nothing .3f-->y<!--/ev-->\n```\n"
    assert fill(text, EVIDENCE, {}, project="demo") == text
    assert problems(text) == []


@pytest.mark.parametrize(("what", "said"), [
    ("all.test.model.roc_auk .3f", f"is it `{AUC}`"), ("data.toy.columns ,d", "not in the evidence"),
    (f"nobody/{AUC} .3f", "no evidence of project"), (f"{AUC} 3f", "needs an id and a format"),
    (AUC, "needs an id and a format"), ("all.test.none.prevalence ci.3f", "no interval"),
    (f"{AUC} ,d", "whole number"), ("commit .3f", "not a number"),
    ("config.split.none .1f", "not in the evidence"), (f"{AUC} s", "number format"),
])
def test_a_marker_that_cannot_be_filled_says_why(what, said):
    text = f"one\nso <!--ev {what}-->kept<!--/ev-->"
    with pytest.raises(EvidenceError, match="line 2") as caught:
        fill(text, EVIDENCE, {}, project="demo")
    assert said in str(caught.value)
    assert fill(text, EVIDENCE, {}, project="demo", strict=False) == text
    assert [problem.line for problem in problems(text)] == [2]
    assert said in problems(text)[0].message


def test_an_unknown_reference_is_a_problem():
    found = problems("so <!--cite xgd-->0.6721<!--/cite-->")
    assert [problem.line for problem in found] == [1]
    assert "is it `xgb`" in found[0].message


def test_stale_text_names_both_sides_and_the_remedy():
    found = problems(f"\n\nso <!--ev {AUC} .3f-->0.690<!--/ev-->")
    assert str(found[0]) == f"README.md:3: `{AUC} .3f` is stale: expected '0.684', got '0.690'; run `carefolio check --write`."
    assert len(found) == 1


def test_a_value_from_synthetic_data_is_a_problem():
    found = problems(f"so <!--ev {AUC} .3f-->0.684<!--/ev-->", {"demo": make_evidence(origin="synthetic")})
    assert "synthetic" in found[0].message


def test_a_typed_number_is_a_problem_beside_filled_ones():
    found = problems(f"so <!--ev {AUC} .3f-->0.684<!--/ev--> beats 0.65")
    assert [(problem.line, "'0.65'" in problem.message) for problem in found] == [(1, True)]


def test_a_document_above_the_projects_needs_prefixes():
    assert problems(f"so <!--ev demo/{AUC} .3f-->0.684<!--/ev-->", project=None) == []
    assert len(problems(f"so <!--ev {AUC} .3f-->0.684<!--/ev-->", project=None)) == 1


@pytest.mark.parametrize("text", [f"so <!--ev {AUC} .3f-->0.684", "so <!--/ev--> it", f"so <!--ev {AUC} .3f-->a<!--/cite-->"])
def test_a_marker_without_partner_is_a_problem(text):
    assert any("no partner" in problem.message for problem in problems(text))


def test_an_open_marker_does_not_swallow_the_next():
    text = f"so <!--ev {AUC} .3f-->0.1 and <!--ev {AUC} .1f-->old<!--/ev-->"
    assert fill(text, EVIDENCE, {}, project="demo").endswith(f"0.1 and <!--ev {AUC} .1f-->0.7<!--/ev-->")


def test_a_marker_that_opens_a_line_is_a_problem():
    found = problems(f"<!--ev {AUC} .3f-->0.684<!--/ev--> it is")
    message = "a marker opens the line, so Markdown shows the line as HTML; put a word in front of it."
    assert found == [Problem(Path("README.md"), 1, message)]
