"""From the published table to the cohort: physiology realigned, features and the reason for every column left out, outcome, folds."""

from typing import Any

import numpy as np
import polars as pl

from carefolio.exceptions import SchemaError
from carefolio.splits import Split, check_no_duplicate_rows_across_parts, check_no_target_in_features, make_split, patient_split
from outcomes_analysis.survival.alignment import DISPLACED, Realignment, realign
from outcomes_analysis.survival.settings import SurvivalSettings

PATIENT, EVENT, TIME, FOLD = "pid", "event", "time", "fold"
TARGET = "dead_at_horizon"
DISEASE = "fac_dzgroup"
NUMBERS = ("num_age", "num_num_co", "num_scoma", "num_hday", "num_meanbp", "num_wblc", "num_hrt", "num_resp", "num_temp", "num_pafi",
           "num_alb", "num_bili", "num_crea", "num_sod", "num_ph", "num_glucose", "num_bun", "num_urine")
CATEGORIES = ("fac_sex", DISEASE, "fac_diabetes", "fac_dementia", "fac_ca")
FEATURES = (*NUMBERS, *CATEGORIES)
PEERS = ("num_surv2m", "num_surv6m", "num_sps")
GROUPS = ("sex", "race", "age_group", "disease_group")
PUBLISHED = "_published"
"""Suffix of the displaced columns as they stand in the published table."""

EXCLUDED = {
    "num_surv2m": "the SUPPORT model's estimate of two-month survival: a peer",
    "num_surv6m": "the SUPPORT model's estimate of six-month survival: the peer to beat",
    "num_sps": "the SUPPORT physiology score: a peer (used to realign the physiology, never as a feature)",
    "fac_sfdm2": "functional state two months after study entry: an outcome",
    "fac_dnr": "an order not to resuscitate may be given after day 3, when death is near",
    "num_adlp": "from an interview that may come after day 3: whether it took place tells who lived to give it",
    "num_adls": "from an interview with a surrogate that may come after day 3",
    "num_edu": "from an interview that may come after day 3, and no ground for a prognosis",
    "fac_income": "from an interview that may come after day 3, and no ground for a prognosis",
    "fac_race": "kept for the audit of subgroups, no ground for a prognosis",
    "fac_num_co": "the number of comorbidities a second time, as a category",
    "fac_dzclass": "four classes of the eight disease groups: nothing new",
}
LABELS = {
    "num_age": "age (years)", "num_num_co": "comorbidities (number)", "num_scoma": "SUPPORT coma score (0-100)",
    "num_hday": "day in hospital at study entry", "num_meanbp": "mean blood pressure (mmHg)", "num_wblc": "white cells (10⁹/l)",
    "num_hrt": "heart rate (/min)", "num_resp": "respiratory rate (/min)", "num_temp": "temperature (°C)",
    "num_pafi": "PaO₂/FiO₂ (mmHg)", "num_alb": "albumin (g/dl)", "num_bili": "bilirubin (mg/dl)", "num_crea": "creatinine (mg/dl)",
    "num_sod": "sodium (mmol/l)", "num_ph": "arterial pH", "num_glucose": "glucose (mg/dl)", "num_bun": "urea nitrogen (mg/dl)",
    "num_urine": "urine output (ml/day)", "fac_sex": "sex", DISEASE: "disease group", "fac_diabetes": "diabetes",
    "fac_dementia": "dementia", "fac_ca": "cancer", "fac_race": "race", "num_edu": "education (years)", "fac_income": "income",
    "num_adlp": "dependencies told by the patient (0-7)", "num_adls": "dependencies told by a surrogate (0-7)",
    "num_surv2m": "SUPPORT two-month survival", "num_surv6m": "SUPPORT six-month survival", "num_sps": "SUPPORT physiology score",
    "fac_dnr": "order not to resuscitate", "fac_sfdm2": "function at two months", "fac_num_co": "comorbidities (category)",
    "fac_dzclass": "disease class",
}


def prepare(frame: pl.DataFrame, settings: SurvivalSettings, *, seed: int) -> tuple[pl.DataFrame, Split, dict[str, Any]]:
    """Realign, derive the outcome and the audit groups, check for leakage and cut the outer folds.

    Parameters
    ----------
    frame : polars.DataFrame
        SUPPORT2 as `carefolio.datasets.support2.load_support2` gives it.
    settings : SurvivalSettings
        Horizon, folds and the size of a sample.
    seed : int
        Seed of sample, folds and realignment.

    Returns
    -------
    table : polars.DataFrame
        One row a patient: all columns (physiology realigned, as published under the suffix ``_published``), `TARGET` (0 or 1),
        `GROUPS`, `FOLD` (``fold_1`` and so on) and ``phase`` (1 or 2).
    split : Split
        Patients of each outer fold.
    record : dict
        ``realignment``, ``excluded`` (column to reason) and ``split``, ready for JSON.

    Raises
    ------
    SchemaError
        If a patient is censored before the horizon.
    LeakageError
        If a feature holds the outcome, or two patients in different folds have the same features.
    """
    realigned, found = realign(frame, seed=seed)
    published = frame.select(pl.col(name).alias(name + PUBLISHED) for name in DISPLACED)
    phase = pl.Series("phase", np.where(found.phase_two, 2, 1), dtype=pl.Int8)
    table = add_outcome(realigned, horizon_days=settings.horizon_days).with_columns(*audit_groups(), phase)
    table = limit_patients(pl.concat([table, published], how="horizontal"), settings.max_patients, seed=seed)
    table = table.with_columns(pl.Series(FOLD, fold_labels(table, folds=settings.folds, seed=seed)))
    check_features(table)
    split = make_split(table[PATIENT].to_numpy(), table[FOLD].to_numpy(), unit="patient")
    sizes = {name: len(ids) for name, ids in split.parts.items()}
    return table, split, {"realignment": describe_realignment(found), "excluded": EXCLUDED,
                          "split": {"unit": split.unit, "sha256": split.sha256(), "parts": sizes}}


def add_outcome(frame: pl.DataFrame, *, horizon_days: int) -> pl.DataFrame:
    """Add death by the horizon, which is known for everybody only if nobody is censored before it.

    Parameters
    ----------
    frame : polars.DataFrame
        With `EVENT` and `TIME`.
    horizon_days : int
        Days after study entry.

    Returns
    -------
    polars.DataFrame
        With `TARGET`.

    Raises
    ------
    SchemaError
        If a patient is censored before the horizon.
    """
    early = frame.filter((pl.col(EVENT) == 0) & (pl.col(TIME) < horizon_days)).height
    if early:
        raise SchemaError(f"support2: {early} patients are censored before day {horizon_days}, so death by then is not known for them; "
                          "expected none. Choose an earlier horizon_days.")
    return frame.with_columns(((pl.col(EVENT) == 1) & (pl.col(TIME) <= horizon_days)).cast(pl.Int8).alias(TARGET))


def audit_groups() -> list[pl.Expr]:
    """Name the groups by which the models are audited.

    Returns
    -------
    list of polars.Expr
        `GROUPS` as text, none missing.
    """
    age = pl.col("num_age")
    by_age = (pl.when(age < 50).then(pl.lit("under 50")).when(age < 65).then(pl.lit("50 to 64"))
              .when(age < 80).then(pl.lit("65 to 79")).otherwise(pl.lit("80 and over")))
    return [pl.col("fac_sex").cast(pl.String).alias("sex"), pl.col("fac_race").cast(pl.String).alias("race"),
            by_age.alias("age_group"), pl.col(DISEASE).cast(pl.String).alias("disease_group")]


def limit_patients(table: pl.DataFrame, max_patients: int, *, seed: int) -> pl.DataFrame:
    """Keep a random sample of patients, in the order of the table.

    Parameters
    ----------
    table : polars.DataFrame
        One row a patient.
    max_patients : int
        How many; 0 keeps all.
    seed : int
        Seed of the sample.

    Returns
    -------
    polars.DataFrame
        The sample.
    """
    return table.sample(max_patients, seed=seed).sort(PATIENT) if 0 < max_patients < table.height else table


def fold_labels(table: pl.DataFrame, *, folds: int, seed: int) -> list[str]:
    """Cut the outer folds by patient, within those who died by the horizon and those who did not.

    Parameters
    ----------
    table : polars.DataFrame
        With `PATIENT` and `TARGET`.
    folds : int
        How many.
    seed : int
        Seed.

    Returns
    -------
    list of str
        ``fold_1`` and so on, one a row.
    """
    labels = np.empty(table.height, dtype=object)
    for outcome in (0, 1):
        rows = np.flatnonzero(table[TARGET].to_numpy() == outcome)
        shares = {f"fold_{k + 1}": 1 / folds for k in range(folds)}
        labels[rows] = patient_split(table[PATIENT].to_numpy()[rows], fractions=shares, random_state=seed)
    return [str(label) for label in labels]


def check_features(table: pl.DataFrame, features: tuple[str, ...] = FEATURES) -> None:
    """Refuse features that hold the outcome, and patients who stand in two folds.

    Parameters
    ----------
    table : polars.DataFrame
        With features, `TARGET` and `FOLD`.
    features : tuple of str
        What the models may see.

    Raises
    ------
    LeakageError
        From `carefolio.splits`.
    """
    columns = {name: (table[name].cast(pl.String) if name in CATEGORIES or name.startswith("fac_") else table[name]).to_numpy()
               for name in features}
    check_no_target_in_features(columns, table[TARGET].to_numpy())
    check_no_duplicate_rows_across_parts(table.select(features), table[FOLD].to_numpy())


def describe_realignment(found: Realignment) -> dict[str, Any]:
    """Summarise the realignment for the record.

    Parameters
    ----------
    found : Realignment
        What was done.

    Returns
    -------
    dict
        Counts and the two correlations.
    """
    names = ("moved", "lost", "jumps", "correlation_published", "correlation_realigned")
    return {"columns": list(DISPLACED), "phase_two": int(found.phase_two.sum()), **{name: getattr(found, name) for name in names}}
