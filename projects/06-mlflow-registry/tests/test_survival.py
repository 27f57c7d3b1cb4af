"""The hazards by hand and against Kaplan-Meier, and the graph against the formula that it writes down."""

import warnings

import numpy as np
import polars as pl
import pytest

from carefolio.config import load_config
from carefolio.metrics.survival import kaplan_meier, survival_at
from model_registry import survival
from model_registry.config import RegistrySettings
from model_registry.data import Table
from model_registry.features import prepare

TIMES = (30, 180, 365)
SETTINGS = load_config(RegistrySettings, "model_registry", over={"survival": {"times_days": TIMES}})


@pytest.fixture(scope="module")
def prepared():
    """Patients whose hazard grows with age and with the letter b; some values are not known."""
    rng = np.random.default_rng(0)
    n = 1500
    age, letter = rng.normal(60, 10, n), rng.choice(["a", "b"], n)
    time = np.ceil(rng.exponential(400 / np.exp(0.05 * (age - 60) + 0.7 * (letter == "b"))))
    censored = rng.uniform(200, 900, n)
    frame = pl.DataFrame({"patient": np.arange(n), "event": (time <= censored).astype(np.int32),
                          "time": np.minimum(time, np.ceil(censored)).astype(np.int32), "num_age": age, "fac_letter": letter,
                          "part": ["train"] * n})
    frame = frame.with_columns(pl.when(pl.col("patient") % 10 == 0).then(None).otherwise(pl.col("num_age")).alias("num_age"))
    return prepare(Table(frame, {}), survival.OUTCOMES, folds=2, seed=0)


def test_periods_are_those_that_a_patient_entered_and_a_censored_one_counts_by_its_share():
    event, time = np.array([1, 1, 0, 0, 1]), np.array([10, 40, 105, 15, 500])
    found = survival.person_periods(event, time, np.array([30.0, 180.0, 365.0]))
    assert list(zip(found.row.tolist(), found.period.tolist(), found.died.tolist(), found.seen.tolist(), strict=True)) == [
        (0, 0, 1, 1.0), (1, 0, 0, 1.0), (1, 1, 1, 1.0), (2, 0, 0, 1.0), (2, 1, 0, 0.5), (3, 0, 0, 0.5), (4, 0, 0, 1.0), (4, 1, 0, 1.0),
        (4, 2, 0, 1.0)]


def test_survival_is_the_product_of_what_the_hazards_leave():
    Z, weights, offsets = np.array([[1.0], [0.0]]), np.array([[0.5, 0.5]]), np.array([-1.0, 0.0])
    hazard = 1 / (1 + np.exp(-(Z @ weights + offsets)))
    assert survival.survival_of(Z, weights, offsets) == pytest.approx(np.cumprod(1 - hazard, axis=1))


@pytest.mark.parametrize("time_varying", [False, True])
def test_the_graph_gives_what_the_formula_gives(prepared, time_varying):
    parameters = {"C": 1.0, "time_varying": time_varying}
    (model, _), Z = survival.fit(prepared, SETTINGS, parameters), survival.fit_design(prepared).apply(prepared.X)
    weights = survival.fit_weights(Z, prepared.outcomes["event"], prepared.outcomes["time"], survival.days_of(SETTINGS), parameters)
    formula = survival.survival_of(Z, *weights)
    assert np.isnan(prepared.X).any()
    assert survival.run_graph(survival.open_session(model.graph), prepared.X) == pytest.approx(formula, abs=1e-5)


@pytest.mark.parametrize("C", [1e-3, 10.0])
def test_on_average_the_model_lives_as_long_as_the_patients_however_strong_the_penalty(prepared, C):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model, _ = survival.fit(prepared, SETTINGS, {"C": C, "time_varying": False})
    mean = survival.run_graph(survival.open_session(model.graph), prepared.X).mean(axis=0)
    lived = survival_at(kaplan_meier(prepared.outcomes["event"], prepared.outcomes["time"]), TIMES)
    assert mean == pytest.approx(lived, abs=0.02)


def test_who_is_older_or_of_the_riskier_letter_lives_shorter(prepared):
    model, _ = survival.fit(prepared, SETTINGS, survival.START)
    rows = pl.DataFrame({"num_age": [60.0, 80.0, 60.0, None], "fac_letter": ["a", "a", "b", None]})
    young, old, letter, unknown = model.predict(rows)
    assert (young > old).all()
    assert (young > letter).all()
    assert ((unknown > 0) & (unknown < 1)).all()
    assert (np.diff(young) < 0).all()
    assert min(survival.judge(prepared, SETTINGS, survival.START)["values"]) > 0.6
