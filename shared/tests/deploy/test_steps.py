"""Plans as data: shown, carried out step by step, and stopped with a reason."""

import sys

import pytest

from carefolio.deploy.steps import Outcome, Plan, Step, load_library, render_plan, run_steps, short_hash
from carefolio.exceptions import CarefolioError, ConfigError

MODEL = "ab" * 32


def test_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(ConfigError, match=r"boto3 cannot be imported.*carefolio-demo\[deploy\]"):
        load_library("boto3", install="carefolio-demo[deploy]")


def test_failed_step_says_what_was_done_before_it_and_stops() -> None:
    seen: list[str] = []

    def fail(step: Step) -> str:
        raise ValueError("the disk\nis full.")

    def work(step: Step) -> str:
        seen.append(step.name)
        return "created"

    plan = Plan("sagemaker", MODEL, (Step("bundle", "work", {}), Step("model", "fail", {}), Step("endpoint", "work", {})))
    with pytest.raises(CarefolioError, match=r"2 of 3, model \[fail\], stopped: the disk is full\. Done before it: bundle \(created\)"):
        run_steps(plan, {"work": work, "fail": fail}, errors=(ValueError,))
    assert seen == ["bundle"]
    with pytest.raises(ValueError, match="the disk"):  # what is not expected is not dressed up
        run_steps(plan, {"work": work, "fail": fail})


def test_outcomes_are_told_one_by_one() -> None:
    told: list[str] = []
    plan = Plan("local", MODEL, (Step("a", "x", {}), Step("b", "x", {})))
    assert run_steps(plan, {"x": lambda step: "done"}, say=told.append) == [Outcome(step, "done") for step in plan.steps]
    assert told == [" 1/2 a: done", " 2/2 b: done"]


def test_plan_is_shown_with_every_step_and_what_is_missing() -> None:
    plan = Plan("somewhere", MODEL, (Step("bundle", "s3.put_object", {"Bucket": "ours", "Tags": ["a"]}, "a bucket"),), ("bucket",))
    text = render_plan(plan)
    assert text.startswith(f"somewhere: 1 steps for model {MODEL[:12]}\n")
    for line in (" 1. bundle   [s3.put_object]", "      Bucket: ours", '      Tags: ["a"]', "      costs and needs: a bucket",
                 "missing for --apply: bucket"):
        assert line in text.splitlines()
    assert "missing for the cloud: bucket" in render_plan(plan, missing_for="the cloud")
    assert render_plan(Plan("somewhere", "", ())) == "somewhere: 0 steps\n"


def test_plan_that_lacks_something_does_nothing() -> None:
    with pytest.raises(ConfigError, match="nothing was done, because settings are missing: bucket; role"):
        run_steps(Plan("somewhere", MODEL, (Step("a", "x", {}),), ("bucket", "role")), {})


def test_plan_goes_into_json() -> None:
    assert Plan("somewhere", MODEL, (Step("a", "x", {"b": 1}),)).to_dict()["steps"] == (
        {"name": "a", "action": "x", "parameters": {"b": 1}, "needs": ""},)


def test_names_follow_what_they_name() -> None:
    assert short_hash("a", 1) == short_hash("a", 1) != short_hash("a", 2)
    assert len(short_hash("a")) == 12
