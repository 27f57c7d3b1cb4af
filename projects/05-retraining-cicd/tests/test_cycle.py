"""The cycle: what comes of batches, who approves, what is watched and rolled back, and what a running service then answers."""

import json
from dataclasses import replace

import pytest

from carefolio.exceptions import BusyError, ConfigError, DataIntegrityError, DataUnavailableError
from carefolio.local_server import ask_server
from retraining.challenge import ask, triggered
from retraining.cycle import decide_by_person, locked, next_step, open_journal, roll_back_by_person, run_cycle
from retraining.deployment import read_ledger, read_pointer
from retraining.replay import replay_store
from retraining.state import State, fold


def test_a_replay_promotes_and_every_release_is_in_the_ledger(twin_run, twin_state):
    store = replay_store(twin_run)
    assert twin_state.closed[0]["outcome"] == "promoted"
    assert "promoted" in [cycle["outcome"] for cycle in twin_state.closed[1:]]
    assert [release.number for release in read_ledger(store.deployment)] == list(range(1, twin_state.releases + 1))
    assert read_pointer(store.deployment).sha256 == twin_state.champion.sha256
    made = [step for cycle in twin_state.closed for step in cycle["steps"] if step in ("deploy", "rollback")]
    assert len(made) == twin_state.releases


def test_the_first_model_is_approved_by_a_person_and_later_ones_by_the_protocol(twin_state):
    first, *later = twin_state.closed
    assert first["steps"]["approve"]["decision"] == "approved"
    assert {cycle["steps"]["approve"]["decision"] for cycle in later if "approve" in cycle["steps"]} == {"automatic"}


def test_a_model_is_taught_before_the_batch_that_judges_it(twin_state):
    for cycle in twin_state.closed:
        if "gate" in cycle["steps"]:
            assert max(cycle["steps"]["teach"]["batches"]) < cycle["steps"]["gate"]["judged_on"] < cycle["batch"]


def test_a_summary_and_an_outcome_are_left_for_the_job(twin_run, twin_state):
    for cycle in twin_state.closed:
        folder = replay_store(twin_run).cycle(cycle["batch"])
        text = (folder / "summary.md").read_text(encoding="utf-8")
        assert text.startswith(f"## Batch {cycle['batch']}: {cycle['outcome'].replace('_', ' ')}")
        assert "not a medical device" in text.lower()
        assert json.loads((folder / "outcome.json").read_text())["outcome"] == cycle["outcome"]


def test_no_more_batches_is_an_honest_end(context):
    for batch in (5, 6, 7):
        context.store.delivered(batch).unlink()
    outcome = run_cycle(context)
    assert (outcome["outcome"], outcome["closed"]) == ("unchanged", True)


def test_a_challenger_that_fails_is_rejected_with_words_and_numbers(context, strict):
    outcome = run_cycle(replace(context, protocol=strict(gates={"roc_auc": {"margin": 0.2, "limit": 0.99}})))
    assert outcome["outcome"] == "rejected"
    assert "AUROC: is 0." in outcome["reason"]
    assert "limit at least 0.99" in outcome["reason"]
    assert read_pointer(context.store.deployment).number == 1


def test_a_person_is_waited_for_and_decides(context, strict):
    asking = replace(context, protocol=strict(approval={"automatic": {"largest_reclassified": 0.0, "in_a_row": 5}}))
    outcome = run_cycle(asking)
    assert (outcome["outcome"], outcome["closed"], outcome["waiting"]) == ("unchanged", False, True)
    assert "a person has to approve" in outcome["reason"]
    with pytest.raises(ConfigError, match="may not approve"):
        decide_by_person(replace(asking, approver=("Eve", "visitor")), approved=True, why="")
    done = decide_by_person(replace(asking, approver=("Ada", "model owner")), approved=True, why="looked at the gates")
    assert (done["outcome"], done["approved_by"]) == ("promoted", "Ada (model owner)")
    with pytest.raises(DataUnavailableError, match="no challenger waits"):
        decide_by_person(replace(asking, approver=("Ada", "model owner")), approved=True, why="")


def test_a_person_may_decline_and_a_challenger_may_lapse(context, strict):
    asking = replace(context, protocol=strict(approval={"automatic": {"largest_reclassified": 0.0, "in_a_row": 5}}))
    run_cycle(asking)
    declined = decide_by_person(replace(asking, approver=("Ada", "model owner")), approved=False, why="too soon")
    assert (declined["outcome"], "too soon" in declined["reason"]) == ("rejected", True)
    assert run_cycle(asking)["batch"] == 6
    assert run_cycle(asking)["batch"] == 7
    outcomes = {cycle["batch"]: cycle["steps"].get("approve", {}).get("decision") for cycle in fold(open_journal(context.store)).closed}
    assert outcomes[6] == "lapsed"


def test_the_protocol_may_not_change_between_gates_and_approval(twin_state, context, protocol, strict):
    cycle = next(cycle for cycle in twin_state.closed[1:] if "ask" in cycle["steps"])
    state = State(line=twin_state.line, done=cycle["steps"])
    assert ask(state, replace(context, protocol=protocol), cycle["batch"])["automatic"]
    with pytest.raises(ConfigError, match="protocol was changed"):
        ask(state, replace(context, protocol=strict(approval={"roles": ["somebody else"]})), cycle["batch"])


def test_triggers_fire_by_rule(twin_state, protocol):
    cycle = next(cycle for cycle in twin_state.closed[1:])
    state = State(line=twin_state.line[:1], done=cycle["steps"])
    rules = protocol.modification_protocol
    quiet = rules.triggers.model_copy(update={"feature_psi": 99, "prediction_psi": 99, "two_sample_auroc": 0.999, "auroc_drop": 1.0,
                                              "calibration_intercept": 9.0, "batches_since_taught": 99})
    assert triggered(state, quiet, rules.batch.measured, 5) == []
    assert len(triggered(state, quiet.model_copy(update={"batches_since_taught": 1}), rules.batch.measured, 5)) == 1
    assert len(triggered(state, quiet.model_copy(update={"feature_psi": 1e-9}), rules.batch.measured, 5)) == 1


def test_a_person_rolls_back_and_the_running_service_follows(context):
    assert run_cycle(context)["outcome"] == "promoted"
    before = read_ledger(context.store.deployment)[0]
    done = roll_back_by_person(replace(context, approver=("Bo", "clinical safety officer")), why="complaints from the wards")
    assert done["outcome"] == "rolled_back"
    assert "Bo (clinical safety officer): complaints from the wards" in done["reason"]
    answer = json.loads(ask_server(f"{context.service()}/release"))
    assert (answer["release"]["number"], answer["release"]["sha256"]) == (3, before.sha256)
    assert answer["taken_over"] == 3
    with pytest.raises(ConfigError, match="no champion of before"):
        roll_back_by_person(replace(context, approver=("Bo", "clinical safety officer")), why="again")


def test_two_cycles_at_once_are_refused(context):
    with locked(context.store), pytest.raises(BusyError, match="another process works on"):
        run_cycle(context)


def test_a_journal_that_was_cut_at_its_end_is_refused(context):
    lines = context.store.journal.read_bytes().splitlines(keepends=True)
    context.store.journal.write_bytes(b"".join(lines[:3]))
    with pytest.raises(DataIntegrityError, match="lines are missing at its end"):
        run_cycle(context)


def test_the_order_of_steps_follows_from_what_was_done():
    done = {}
    walked = []
    results = {"outcomes": {"of": 3}, "decide": {"retrain": True}, "gate": {"passed": True}, "approve": {"decision": "automatic"},
               "smoke": {"passed": False}}
    while not walked or walked[-1] != "close":
        walked.append(next_step(State(done=dict(done))))
        done[walked[-1]] = results.get(walked[-1], {})
    assert walked == ["receive", "features", "validate", "outcomes", "decide", "teach", "gate", "ask", "approve", "deploy", "smoke",
                      "rollback", "smoke_after_rollback", "close"]


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "outcomes", "words"), [
    ("unit_change", ["rejected"], "jump: los_days"),
    ("lab_code_missing", ["rejected"], "code gone: a1c"),
    ("damaged_model", ["rolled_back"], "cannot take over release"),
])
def test_a_planted_fault_is_caught(planted, fault, outcomes, words):
    found = planted(fault)
    assert [one["outcome"] for one in found] == outcomes
    assert words in found[-1]["reason"]
    assert {one["planted"] for one in found} == {fault}
