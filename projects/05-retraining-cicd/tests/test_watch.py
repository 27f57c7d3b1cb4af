"""The watch: a new champion against the one that it replaced, on the first outcomes that neither has seen."""

from dataclasses import replace

import numpy as np
import pytest

from retraining import model
from retraining.cycle import next_step
from retraining.features import TARGET, judging_rows, read_labelled
from retraining.releases import watch
from retraining.replay import replay_store
from retraining.state import Champion, State


@pytest.fixture
def pair(twin_state, twin_run):
    """A state in which a model whose level of risk is far off has just replaced a good one."""
    store = replay_store(twin_run)
    good = twin_state.line[0]
    kept = model.load(store, good.sha256)
    bad = replace(kept, intercept=kept.intercept + 3)
    champion = Champion(model.keep(store, bad), 9, 5, good.taught, good.judged)
    return State(line=(good, champion), received=twin_state.received, watched=False, done={"outcomes": {"of": 6}})


def test_a_champion_that_does_worse_is_rolled_back(pair, twin_run, context):
    found = watch(pair, replace(context, store=replay_store(twin_run)), 7)
    assert not found["passed"]
    assert "the level of risk is further off" in found["words"]
    assert found["calibration_intercept"]["low"] > 0.6
    intake = {step: {} for step in ("receive", "features", "validate", "drift")}
    assert next_step(replace(pair, done={**intake, "outcomes": {"of": 6}})) == "watch"
    assert next_step(replace(pair, watched=True, done={**intake, "outcomes": {"of": 6}, "watch": found})) == "rollback"


def test_one_that_does_as_well_stays(pair, twin_run, context):
    same = replace(pair, line=(pair.line[0], replace(pair.line[0], release=9)))
    found = watch(same, replace(context, store=replay_store(twin_run)), 7)
    assert found["passed"]
    assert found["roc_auc"]["value"] == 0


def test_the_level_is_what_was_off(pair, twin_run):
    store = replay_store(twin_run)
    rows = judging_rows(read_labelled(store, [6], now=7))
    good, bad = (model.load(store, champion.sha256).predict(rows) for champion in pair.line)
    assert np.all(np.argsort(good) == np.argsort(bad))
    assert abs(good.mean() - rows[TARGET].mean()) < abs(bad.mean() - rows[TARGET].mean())
