import json
import re
from contextlib import nullcontext

import numpy as np
import polars as pl
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from carefolio.datasets.support2 import COMPLETE, LABELS, RANGES, column_types
from carefolio.evidence import METRIC_ID
from carefolio.exceptions import ConfigError, LeakageError, SchemaError
from outcomes_analysis.survival import cohort, cox, describe, evaluate, figures, models, preprocess, search, train
from outcomes_analysis.survival.settings import SurvivalSettings

SETTINGS = SurvivalSettings(
    max_patients=0, horizon_days=180, times_days=(10, 60, 180, 365, 700), folds=3, inner_fraction=0.3, workers=1, cox_penalties=(100.0,),
    forest_trees=10, forest_leaf_sizes=(5, 20), boosting_trees=10, boosting_learning_rate=0.3, discrete_rounds=40, discrete_leaves=(4,),
    discrete_learning_rate=0.1, early_stopping_rounds=10, replicates=60, curve_replicates=50, level=0.95, risk_thresholds=(0.5,),
    minimum_positives=5)
N = 600


@pytest.fixture(scope="module")
def published():
    """A made-up table of SUPPORT2's form: risk grows with age, coma score and bilirubin; phase II in the second half."""
    generator = np.random.default_rng(0)
    numbers = {name: generator.uniform(low + (high - low) * 0.2, low + (high - low) * 0.6, size=N) for name, (low, high) in RANGES.items()}
    risk = (numbers["num_age"] - 58) / 15 + (numbers["num_scoma"] - 40) / 20 + (numbers["num_bili"] - 40) / 20
    numbers["num_surv6m"] = 1 / (1 + np.exp(0.5 * risk + generator.normal(scale=0.8, size=N)))
    numbers["num_surv2m"] = np.sqrt(numbers["num_surv6m"])
    numbers["num_sps"] = 25 + 0.4 * (numbers["num_bili"] - 40) + 0.3 * (numbers["num_hrt"] - 160) / 5
    death, end = np.ceil(generator.exponential(200 * np.exp(-risk)) + 3), generator.integers(400, 900, size=N)
    factors = {name: generator.choice(labels, size=N).tolist() for name, labels in LABELS.items()}
    frame = pl.DataFrame({"pid": np.arange(N), "event": (death <= end).astype(int), "time": np.minimum(death, end).astype(int),
                          **numbers, **factors}).cast(column_types())
    gaps = [pl.when(pl.Series(generator.random(N) > 0.1)).then(name).alias(name) for name in RANGES
            if name not in (*COMPLETE, "num_sps", "num_surv6m", "num_surv2m", "num_bun")]
    one = pl.col("pid") == 7
    return frame.with_columns(*gaps, pl.when(pl.col("pid") >= N // 2).then("num_bun").alias("num_bun"),
                              *(pl.when(~one).then(name).alias(name) for name in ("num_surv6m", "num_surv2m")))


@pytest.fixture(scope="module")
def prepared(published):
    return cohort.prepare(published, SETTINGS, seed=0)


@pytest.fixture(scope="module")
def predictions(prepared):
    return train.train(prepared[0], SETTINGS, seed=0, progress=lambda title: nullcontext())


@pytest.fixture(scope="module")
def results(predictions, prepared):
    table, _, record = prepared
    return evaluate.evaluate(predictions, table, SETTINGS, record=record, seed=0)


def test_every_column_is_a_feature_an_outcome_or_left_out_for_a_reason():
    used = {*cohort.FEATURES, *cohort.EXCLUDED, cohort.PATIENT, cohort.EVENT, cohort.TIME}
    assert used == set(column_types())
    assert not set(cohort.FEATURES) & set(cohort.EXCLUDED)


def test_the_cohort_has_outcome_folds_and_a_split_with_a_hash(prepared):
    table, split, record = prepared
    dead = (table["event"] == 1) & (table["time"] <= 180)
    assert table[cohort.TARGET].to_list() == dead.cast(pl.Int8).to_list()
    assert {name: len(ids) for name, ids in split.parts.items()} == {f"fold_{k}": 200 for k in (1, 2, 3)}
    shares = table.group_by(cohort.FOLD).agg(pl.col(cohort.TARGET).mean())[cohort.TARGET]
    assert shares.max() - shares.min() < 0.02
    assert record["split"]["sha256"] == split.sha256()
    assert json.dumps(record)


@pytest.mark.parametrize("leak", [
    pl.col(cohort.TARGET).cast(pl.Float64), -pl.col("time").cast(pl.Float64), pl.when(pl.col(cohort.TARGET) == 1).then(1.0)])
def test_a_planted_leak_of_the_outcome_is_refused(prepared, leak):
    table = prepared[0].with_columns(leak.alias("num_ph"))
    with pytest.raises(LeakageError, match="'num_ph' holds the target"):
        cohort.check_features(table)


def test_a_patient_copied_into_another_fold_is_refused(prepared):
    table = prepared[0]
    copy = table[:1].with_columns(pl.lit("fold_2" if table[cohort.FOLD][0] == "fold_1" else "fold_1").alias(cohort.FOLD))
    with pytest.raises(LeakageError, match="stand in more than one part"):
        cohort.check_features(pl.concat([table, copy]))


def test_censoring_before_the_horizon_is_refused(published):
    early = published.with_columns(pl.when(pl.col("pid") == 3).then(0).otherwise("event").cast(pl.Int32).alias("event"),
                                   pl.when(pl.col("pid") == 3).then(20).otherwise("time").cast(pl.Int32).alias("time"))
    with pytest.raises(SchemaError, match="1 patients are censored before day 180"):
        cohort.prepare(early, SETTINGS, seed=0)


def test_preprocessing_learns_from_the_training_rows_alone():
    learn = pl.DataFrame({"num_a": [1.0, 3.0, None, 5.0], "num_b": [1.0, 1.0, 1.0, 1.0], "fac_c": ["x", "y", "x", "x"]})
    other = pl.DataFrame({"num_a": [None, 99.0], "num_b": [None, 2.0], "fac_c": ["z", "y"]})
    fitted = preprocess.fit_preprocessing(learn, ("num_a", "num_b", "fac_c"))
    X, n_numbers = preprocess.transform(other, fitted)
    assert n_numbers == 2
    assert X.tolist() == [[3, 1, 1, 0, 0], [99, 2, 0, 0, 1]]  # num_a, num_b, num_a missing, c is x, c is y; z was never seen


def test_intervals_by_hand():
    event, time, times = np.array([1.0, 0, 1, 0]), np.array([7.0, 25, 99, 30]), np.array([10.0, 20, 30])
    coarse_event, coarse_time = models.coarsen(event, time, times)
    assert coarse_event.tolist() == [1, 0, 0, 0]
    assert coarse_time.tolist() == [10, 20, 30, 20]
    rows, died = models.person_periods(np.arange(4.0)[:, None], event, time, times)
    assert rows.tolist() == [[0, 0], [1, 0], [1, 1], [2, 0], [2, 1], [2, 2], [3, 0], [3, 1]]
    assert died.tolist() == [1, 0, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("model", train.CANDIDATES)
def test_predicted_survival_falls_with_time_and_tells_who_dies(predictions, model):
    survival = np.array(predictions[f"{model}_survival"].to_list())
    assert survival.shape == (N, 5)
    assert ((survival >= 0) & (survival <= 1)).all()
    assert (np.diff(survival, axis=1) <= 1e-12).all()
    np.testing.assert_allclose(1 - survival[:, 2], predictions[model])
    assert roc_auc_score(predictions[cohort.TARGET], predictions[model]) > 0.65


def test_every_patient_is_predicted_once_and_peers_stand_beside(predictions, published):
    assert predictions["pid"].to_list() == list(range(N))
    assert predictions["support_model"].null_count() == 1
    np.testing.assert_allclose(predictions["support_model"][8], 1 - published["num_surv6m"][8])
    assert predictions["physiology_score_recalibrated"].is_between(0, 1).all()


def test_a_fold_is_predicted_without_its_outcomes(prepared):
    table = prepared[0].with_columns(pl.when(pl.col(cohort.FOLD) == "fold_1").then(1 - pl.col(cohort.TARGET)).otherwise(cohort.TARGET)
                                     .alias(cohort.TARGET),
                                     pl.when(pl.col(cohort.FOLD) == "fold_1").then(5).otherwise("time").cast(pl.Int32).alias("time"))
    for model in ("random_forest", "discrete_time", "cox"):
        fitted = [search.run_task(search.Task(model, "fold_1", rows.filter(pl.col(cohort.FOLD) != "fold_1"),
                                              rows.filter(pl.col(cohort.FOLD) == "fold_1"), SETTINGS, 0)) for rows in (prepared[0], table)]
        np.testing.assert_array_equal(fitted[0].survival, fitted[1].survival)


def test_the_primary_model_is_chosen_by_inner_scores_alone(predictions):
    inner = json.dumps({name: 0.9 if name == "cox" else 0.5 for name in (*train.CANDIDATES, *search.VARIANTS)})
    assert train.choose_primary(predictions.with_columns(pl.lit(inner).alias("inner_auroc"))) == "cox"


def test_variants_see_other_columns(prepared):
    table = prepared[0].with_columns(pl.lit(-1.0).alias("num_hrt_published"))
    seen, features = search.columns_of("discrete_time_as_published", table)
    assert seen["num_hrt"].unique().to_list() == [-1.0]
    assert features == cohort.FEATURES
    assert set(search.columns_of("discrete_time_with_support", table)[1]) - set(features) == set(cohort.PEERS)
    assert not set(cohort.PEERS) & set(search.columns_of("blend", table)[1])


def test_a_horizon_outside_the_times_is_refused(prepared):
    with pytest.raises(ValueError, match="times_days must hold horizon_days, 180"):
        train.train(prepared[0], SETTINGS.model_copy(update={"times_days": (10, 365)}), seed=0, progress=lambda title: nullcontext())


def test_metrics_have_ids_intervals_and_the_size_compared(results):
    metrics, _ = results
    assert [name for name in metrics if not METRIC_ID.fullmatch(name)] == []
    judged = {name: value for name, value in metrics.items() if name.startswith("support2.out_of_fold.")}
    assert {value.n for value in judged.values()} <= {N - 1, *range(N - 1)}
    assert [name for name, value in judged.items() if value.low is None] == []
    for name in ("blend.roc_auc", "blend_minus_support_model.roc_auc", "blend_minus_support_model.uno_c", "cox.integrated_brier_score",
                 "discrete_time.calibration_slope", "physiology_score.brier_score"):
        assert f"support2.out_of_fold.{name}" in judged


def test_curves_are_json_without_rows_of_patients(results):
    _, curves = results
    text = json.dumps(curves, allow_nan=False)
    assert len(text) < 300_000
    assert not re.search(r'"pid"', text)
    assert all(len(group["curve"]["time"]) <= 150 for group in curves["kaplan_meier"]["groups"].values())
    assert {row["name"] for row in curves["table_one"]} >= {"n", "age (years)", "disease group"}
    assert curves["cohort"]["compared"] == N - 1


def test_figures_are_drawn_and_described(results, tmp_path):
    drawn = figures.draw(*results, tmp_path)
    assert set(drawn) == set(figures.FIGURES) == {path.name for path in tmp_path.iterdir()}
    assert all(min(Image.open(tmp_path / name).size) > 400 for name in drawn)


def test_table_one_counts_by_hand(prepared):
    rows = {(row["name"], row["level"]): row for row in describe.table_one(prepared[0])}
    dead = prepared[0].filter(pl.col(cohort.TARGET) == 1)
    women = dead["fac_sex"].cast(pl.String) == "female"
    assert rows["sex", "female"]["dead"] == f"{women.sum()} ({100 * women.mean():.1f})"
    assert rows["heart rate (/min)", ""]["missing"] == prepared[0]["num_hrt"].null_count()
    assert rows["race", "asian"]["missing"] == (prepared[0]["fac_race"].cast(pl.String) == "missing").sum()


def test_one_group_is_described_whatever_its_case(prepared):
    found = describe.group_summary(prepared[0], "chf")
    rows = prepared[0].filter(pl.col("fac_dzgroup").cast(pl.String) == "CHF")
    assert (found["group"], found["n"], found["deaths"]) == ("CHF", rows.height, rows["event"].sum())
    assert found["curve"]["survival"][0] == 1
    assert len(found["characteristics"]) == 12


def test_an_unknown_or_small_group_is_refused_with_what_was_meant(prepared):
    with pytest.raises(ConfigError, match=r"got 'lung canser'\. Did you mean 'Lung Cancer'"):
        describe.group_summary(prepared[0], "lung canser")
    with pytest.raises(ConfigError, match=r"group 'Coma' has \d+ patients; expected at least 500"):
        describe.group_summary(prepared[0], "Coma", minimum=500)


def planted(*, constant):
    """A design in which age doubles the hazard, always or in the first 30 days only; the strata differ fourfold."""
    generator = np.random.default_rng(4)
    n = 3000
    data = {name: generator.normal(size=n) for name in cox.COVARIATES}
    stratum = generator.integers(0, 2, size=n)
    base = 0.02 * 4.0**stratum
    first = generator.exponential(1 / (base * 2 ** data["age"]))
    later = 30 + generator.exponential(1 / (base * (2 ** data["age"] if constant else 1)))
    time = np.where(first < 30, first, later)
    frame = pl.DataFrame({**data, "stratum": np.where(stratum == 1, "a", "b"), "event": (time < 200).astype(int),
                          "time": np.minimum(time, 200.0)})
    return frame.sample(fraction=1, shuffle=True, seed=0)


def test_a_constant_hazard_ratio_is_found_and_passes_the_test():
    data = planted(constant=True)
    age = cox.hazard_ratios(data, level=0.95)["age"]
    assert age["low"] < 2 < age["high"]
    assert cox.schoenfeld(data)["age"]["proportional"]


def test_a_ratio_that_ends_is_flagged_and_the_periods_show_it():
    data = planted(constant=False)
    assert not cox.schoenfeld(data)["age"]["proportional"]
    early, late = (cox.hazard_ratios(cox.in_period(data, start, end), level=0.95)["age"] for start, end in ((0, 30), (30, None)))
    assert early["low"] < 2 < early["high"]
    assert late["low"] < 1 < late["high"]


def test_the_schoenfeld_test_does_not_depend_on_the_names_of_the_strata():
    data = planted(constant=False)
    renamed = data.with_columns(pl.col("stratum").replace({"a": "z"}))
    first, second = (cox.schoenfeld(rows)["age"]["statistic"] for rows in (data, renamed))
    assert first == pytest.approx(second, abs=0.01)


def test_a_covariate_without_variation_is_refused():
    with pytest.raises(ValueError, match="covariate 'cancer' is the same for all 3000 patients"):
        cox.hazard_ratios(planted(constant=True).with_columns(pl.lit(0.0).alias("cancer")), level=0.95)
