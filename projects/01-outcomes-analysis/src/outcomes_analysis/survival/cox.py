"""A Cox model that a clinician can read: few covariates, hazard ratios, and what is done where hazards are not proportional.

Ten covariates chosen on clinical grounds, not by search. Disease group is a stratum: each group has its own baseline hazard, so
none is forced to keep a constant ratio to another. For the others the scaled Schoenfeld residuals are tested; where the test
fails, the constant ratio is an average, and the ratios of the first 30 days, of days 31 to 180 and thereafter stand beside it.
Missing values take the "normal" value that the study recommends (albumin 3.5 g/dl, bilirubin 1.01 mg/dl, creatinine 1.01 mg/dl,
PaO2/FiO2 333.3; https://hbiostat.org/data/repo/supportdesc), others the median.
"""

from typing import Any

import numpy as np
import polars as pl

from outcomes_analysis.survival.cohort import DISEASE, EVENT, TIME

NORMAL_VALUES = {"num_alb": 3.5, "num_bili": 1.01, "num_crea": 1.01, "num_pafi": 333.3}
COVARIATES: dict[str, tuple[str, pl.Expr]] = {
    "age": ("age, per 10 years", pl.col("num_age") / 10),
    "coma_score": ("coma score, per 10 points", pl.col("num_scoma") / 10),
    "hospital_day": ("days in hospital before entry, per doubling", pl.col("num_hday").log(2)),
    "cancer": ("cancer without known metastases", (pl.col("fac_ca").cast(pl.String) == "yes").cast(pl.Float64)),
    "metastatic_cancer": ("metastatic cancer", (pl.col("fac_ca").cast(pl.String) == "metastatic").cast(pl.Float64)),
    "low_blood_pressure": ("mean blood pressure, per 10 mmHg lower", -pl.col("num_meanbp") / 10),
    "low_albumin": ("albumin, per g/dl lower", -pl.col("num_alb").clip(upper_bound=6)),
    "bilirubin": ("bilirubin, per doubling", pl.col("num_bili").log(2)),
    "creatinine": ("creatinine, per doubling", pl.col("num_crea").log(2)),
    "low_oxygenation": ("PaO₂/FiO₂, per 50 mmHg lower", -pl.col("num_pafi") / 50),
}
"""Short name to label and expression; a ratio above 1 is a higher hazard in the direction of the label."""
PERIODS = ((0, 30), (30, 180), (180, None))


def design(table: pl.DataFrame) -> pl.DataFrame:
    """Build the covariates.

    Parameters
    ----------
    table : polars.DataFrame
        Result of `cohort.prepare`.

    Returns
    -------
    polars.DataFrame
        One column a covariate, ``stratum``, `EVENT` and `TIME`; no missing value.
    """
    columns = ["num_age", "num_scoma", "num_hday", "num_meanbp", *NORMAL_VALUES]
    filled = table.with_columns(pl.col(name).fill_null(NORMAL_VALUES.get(name, table[name].median())) for name in columns)
    return filled.select(*(expression.alias(name) for name, (_, expression) in COVARIATES.items()),
                         pl.col(DISEASE).cast(pl.String).alias("stratum"), pl.col(EVENT), pl.col(TIME).cast(pl.Float64))


def fit_cox_table(table: pl.DataFrame, *, level: float) -> dict[str, Any]:
    """Fit the model, test proportional hazards and fit it again by period.

    Parameters
    ----------
    table : polars.DataFrame
        Result of `cohort.prepare`.
    level : float
        Confidence level.

    Returns
    -------
    dict
        ``n``, ``events``, ``stratified_by``, and ``rows``: for each covariate ``covariate``, ``name``, ``hazard_ratio`` (``value``,
        ``low``, ``high``), ``schoenfeld`` (``statistic``, ``p_value``, ``proportional``: no evidence against it at 0.05 divided by
        the number of covariates) and ``periods`` (``from_day``, ``to_day``, ``value``, ``low``, ``high``, one each).
    """
    data = design(table)
    ratios = hazard_ratios(data, level=level)
    tests = schoenfeld(data)
    periods = [(start, end, hazard_ratios(in_period(data, start, end), level=level)) for start, end in PERIODS]
    rows = [{"covariate": name, "name": label, "hazard_ratio": ratios[name], "schoenfeld": tests[name],
             "periods": [{"from_day": start, "to_day": end, **found[name]} for start, end, found in periods]}
            for name, (label, _) in COVARIATES.items()]
    return {"n": data.height, "events": int(data[EVENT].sum()), "stratified_by": "disease group", "rows": rows}


def hazard_ratios(data: pl.DataFrame, *, level: float) -> dict[str, dict[str, float]]:
    """Fit the stratified model.

    Parameters
    ----------
    data : polars.DataFrame
        Result of `design`.
    level : float
        Confidence level.

    Returns
    -------
    dict of str to dict
        ``value``, ``low`` and ``high`` by covariate.
    """
    summary = _fit(data, level=level).summary
    low, high = (name for name in summary.columns if name.startswith("exp(coef) "))
    return {name: {"value": round(float(summary.loc[name, "exp(coef)"]), 5), "low": round(float(summary.loc[name, low]), 5),
                   "high": round(float(summary.loc[name, high]), 5)} for name in COVARIATES}


def schoenfeld(data: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Test each covariate's scaled Schoenfeld residuals against the rank of time.

    Parameters
    ----------
    data : polars.DataFrame
        Result of `design`.

    Returns
    -------
    dict of str to dict
        ``statistic`` (chi-squared, one degree of freedom), ``p_value`` and ``proportional`` by covariate.

    References
    ----------
    Grambsch PM, Therneau TM. Biometrika 1994;81:515-526.
    """
    from lifelines.statistics import proportional_hazard_test

    summary = proportional_hazard_test(_fit(data, level=0.95), data.to_pandas(), time_transform=_rank_of_death).summary
    found = {}
    for name in COVARIATES:
        p_value = float(summary.loc[name, "p"])
        found[name] = {"statistic": round(float(summary.loc[name, "test_statistic"]), 3), "p_value": p_value,
                       "proportional": bool(p_value >= 0.05 / len(COVARIATES))}
    return found


def _rank_of_death(durations: Any, events: Any, weights: Any) -> Any:
    """Rank the days of death. The library's own "rank" numbers rows as they are stored, stratum after stratum, not times."""
    return durations.where(events.astype(bool)).rank()


def in_period(data: pl.DataFrame, start: int, end: int | None) -> pl.DataFrame:
    """Keep those alive and followed at the start of a period, their clock set to 0 there and stopped at its end.

    Parameters
    ----------
    data : polars.DataFrame
        Result of `design`.
    start : int
        Day after which the period begins.
    end : int or None
        Its last day; None for the end of the follow-up.

    Returns
    -------
    polars.DataFrame
        Of the same form.
    """
    rows = data.filter(pl.col(TIME) > start)
    last = float("inf") if end is None else float(end)
    return rows.with_columns((pl.col(EVENT) * (pl.col(TIME) <= last)).alias(EVENT), pl.min_horizontal(TIME, pl.lit(last)) - start)


def _fit(data: pl.DataFrame, *, level: float) -> Any:
    from lifelines import CoxPHFitter

    frame = data.to_pandas()
    steady = [name for name in COVARIATES if np.ptp(frame[name].to_numpy()) == 0]
    if steady:
        raise ValueError(f"covariate {steady[0]!r} is the same for all {len(frame)} patients; expected it to vary. Use more patients.")
    return CoxPHFitter(alpha=1 - level).fit(frame, duration_col=TIME, event_col=EVENT, strata=["stratum"])
