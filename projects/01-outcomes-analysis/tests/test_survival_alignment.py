import numpy as np
import polars as pl
import pytest

from carefolio.exceptions import SchemaError
from carefolio.testing import requires_real_data
from outcomes_analysis.survival.alignment import DISPLACED, SCORED, best_lags, find_phase_two, realign

N = 400
JUMPS = (100, 220, 300)


def in_step(seed=0):
    """Two phases whose score is a function of the physiology, every row in place."""
    generator = np.random.default_rng(seed)
    frame = pl.DataFrame({"pid": np.arange(2 * N, dtype=np.int32), **{name: generator.normal(size=2 * N) for name in DISPLACED}})
    score = 25 + 6 * frame.select(pl.sum_horizontal(SCORED[:4])).to_series() + pl.Series(generator.normal(size=2 * N))
    return frame.with_columns(score.alias("num_sps"), pl.when(pl.col("pid") >= N).then("num_bun").alias("num_bun"))


def displaced(frame):
    """The fault: in phase II other patients' rows are inserted, so that the rest slides down and the end falls off."""
    physiology = frame.select(DISPLACED)
    extra = physiology[N : N + 2 * len(JUMPS)].sample(fraction=1, shuffle=True, seed=1)
    parts, start = [physiology[:N]], 0
    for number, jump in enumerate((*JUMPS, N)):
        parts.append(physiology[N + start : N + jump])
        parts.append(extra[2 * number : 2 * number + 2])
        start = jump
    return frame.with_columns(pl.concat(parts)[: 2 * N].get_columns())


def test_best_lags_by_hand_follow_two_inserted_rows():
    recorded = np.array([10.0, 60, 20, 50, 30, 70, 15, 45])
    implied = np.array([10.0, 60, 20, 50, 99, 98, 30, 70])
    assert best_lags(recorded, implied, max_lag=3).tolist()[:6] == [0, 0, 0, 0, 2, 2]


def test_series_in_step_are_left_alone():
    values = np.random.default_rng(0).normal(25, 10, size=60)
    assert best_lags(values, values + 0.5, max_lag=20).tolist() == [0] * 60


def test_the_phases_are_told_apart_although_single_values_are_missing():
    frame = in_step().with_columns(pl.when(pl.col("pid") % 17 != 0).then("num_bun").alias("num_bun"))
    found = find_phase_two(frame)
    assert (np.diff(found.astype(int)) >= 0).all()
    assert abs(found.sum() - N) <= 2


def test_a_planted_displacement_is_undone():
    truth = in_step()
    fixed, found = realign(displaced(truth), seed=0)
    right = (fixed["num_hrt"] == truth["num_hrt"]).fill_null(False)
    assert right[:N].all()
    assert right[N:].mean() > 0.95
    assert found.correlation_published < 0.6 < 0.9 < found.correlation_realigned
    assert found.lost == 6
    assert fixed["num_hrt"][-found.lost:].is_null().all()
    assert 3 <= found.jumps <= 6


def test_a_table_in_step_is_not_changed():
    frame = in_step()
    fixed, found = realign(frame, seed=0)
    assert found.moved == found.lost == found.jumps == 0
    assert fixed.equals(frame)


@pytest.mark.parametrize(("frame", "message"), [
    (lambda: in_step().reverse(), "rows must come in the published order"),
    (lambda: in_step()[: N + 50], "50 rows of phase II and 400 of phase I are too few to realign; expected at least 210"),
])
def test_a_sorted_or_sampled_table_is_refused(frame, message):
    with pytest.raises(SchemaError, match=message):
        realign(frame(), seed=0)


@pytest.mark.slow
@requires_real_data("support2")
def test_the_published_table_is_out_of_step_and_disease_groups_confirm_the_repair():
    from carefolio.datasets.support2 import load_support2

    frame = load_support2().frame
    fixed, found = realign(frame, seed=0)
    assert found.phase_two.sum() == pytest.approx(9105 - 4301, abs=5)
    assert found.correlation_published < 0.2 < 0.9 < found.correlation_realigned
    cirrhosis = pl.Series(found.phase_two) & (frame["fac_dzgroup"].cast(pl.String) == "Cirrhosis")
    assert frame.filter(cirrhosis)["num_bili"].mean() < 3 < 5 < fixed.filter(cirrhosis)["num_bili"].mean()
    assert fixed.select(pl.exclude(DISPLACED)).equals(frame.select(pl.exclude(DISPLACED)))


def test_the_glucose_of_the_diabetic_is_compared_before_and_after(monkeypatch):
    from outcomes_analysis.survival import evaluate
    from outcomes_analysis.survival.settings import SurvivalSettings

    settings = SurvivalSettings.model_construct(replicates=50, level=0.95)
    table = pl.DataFrame({
        "pid": range(8), "phase": [2] * 6 + [1, 1], "fac_diabetes": ["1", "1", "1", "0", "0", "0", "1", "0"],
        "num_glucose": [200.0, 220.0, 210.0, 100.0, 110.0, 90.0, 999.0, 0.0],
        "num_glucose_published": [100.0, 90.0, 110.0, 200.0, 210.0, None, 999.0, 0.0],
    })
    monkeypatch.setattr(evaluate.uncertainty, "bootstrap_values", _without_empty_draws)
    found = evaluate.glucose_gaps(table, settings, seed=0)
    assert found["support2.realignment.physiology.glucose_gap_realigned"].value == 110
    assert found["support2.realignment.physiology.glucose_gap_published"].value == -105
    assert found["support2.realignment.physiology.glucose_gap_realigned"].n == 6


def _without_empty_draws(function_of_weights, *, groups, **_):
    from carefolio.uncertainty import Interval

    value = float(function_of_weights(np.ones(len(groups)))[0])
    return [Interval(value, value - 1, value + 1, 0.95, len(groups), len(groups))]
