"""Whether retraining helps: policies that nobody who judges has taught, and comparisons that are paired."""

import numpy as np
import polars as pl
import pytest

from retraining import evaluate, model
from retraining.policies import POLICIES, read_predictions, serve_batches, served_in
from retraining.replay import replay_store


@pytest.fixture(scope="module")
def served(twin_state, settings, twin_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("policies")
    serve_batches(twin_state, settings, replay_store(twin_run), folder, progress=lambda done, total: None)
    return read_predictions(folder)


def test_every_later_batch_is_served_under_every_policy(served, twin_state):
    predictions, counts = served
    assert predictions["batch"].unique().sort().to_list() == counts["batches"] == [5, 6, 7]
    assert predictions.select(POLICIES).null_count().sum_horizontal().item() == 0
    assert counts["taught"]["every_batch"] == 3
    assert counts["put_in_place"]["protocol"] == sum("deploy" in cycle["steps"] for cycle in twin_state.closed[1:])


def test_never_is_the_first_model_and_protocol_what_was_deployed(served, twin_state, twin_run):
    from retraining.features import judging_rows, read_features

    predictions, _ = served
    store = replay_store(twin_run)
    for batch in (5, 7):
        rows = judging_rows(read_features(store, [batch]))
        part = predictions.filter(pl.col("batch") == batch)
        assert np.allclose(part["never"], model.load(store, twin_state.line[0].sha256).predict(rows))
        assert np.allclose(part["protocol"], model.load(store, served_in(twin_state, batch)).predict(rows))


def test_differences_are_of_the_same_patients(served, settings):
    predictions, _ = served
    found = evaluate.measure(predictions.filter(pl.col("batch") == 6), "x.y", settings, 0.15)
    assert found["x.y.recalibrated_minus_never.net_benefit"].n == predictions.filter(pl.col("batch") == 6).height
    for name in POLICIES[1:]:
        difference = found[f"x.y.{name}.roc_auc"].value - found["x.y.never.roc_auc"].value
        assert found[f"x.y.{name}_minus_never.roc_auc"].value == pytest.approx(difference)


def test_the_metrics_of_a_run_carry_intervals_and_ids_that_evidence_takes(served, settings, protocol, twin_run):
    from carefolio.evidence import METRIC_ID

    predictions, counts = served
    found = evaluate.policies(predictions, counts, settings, protocol.modification_protocol) | evaluate.cycles(twin_run, settings)
    assert all(METRIC_ID.fullmatch(name) for name in found)
    assert found["later_batches.judged.protocol.roc_auc"].low is not None
    outcomes = [found[f"cycles.replay.protocol.{name}"].value for name in ("promoted", "rejected", "unchanged", "rolled_back")]
    assert sum(outcomes) == 3
