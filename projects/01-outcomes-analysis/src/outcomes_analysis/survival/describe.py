"""Who the patients are and how long they live: table one, missing values, Kaplan-Meier curves, a summary of one group."""

import difflib
from typing import Any

import numpy as np
import polars as pl

from carefolio.exceptions import ConfigError
from carefolio.metrics.survival import SurvivalCurve, kaplan_meier, restricted_mean_survival, survival_quantile
from outcomes_analysis.survival.cohort import CATEGORIES, DISEASE, EVENT, FEATURES, LABELS, NUMBERS, TARGET, TIME

TABLE_COLUMNS = (*NUMBERS, "num_edu", "num_adls", *CATEGORIES, "fac_race", "fac_income")
SKEWED = ("num_hday", "num_scoma", "num_num_co", "num_wblc", "num_bili", "num_crea", "num_glucose", "num_bun", "num_urine", "num_adls")
MISSING_COLUMNS = (*FEATURES, "num_edu", "num_adls", "num_adlp", "num_surv6m", "num_sps", "fac_race", "fac_income")
POINTS = 150
RISK_TIMES = (0, 90, 180, 365, 730, 1095, 1460, 1825)
MINIMUM_GROUP = 30


def table_one(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Compare those who died by the horizon with those who did not.

    Parameters
    ----------
    table : polars.DataFrame
        Result of `cohort.prepare`.

    Returns
    -------
    list of dict
        One entry a number, and one a label of each category: ``name``, ``level`` (empty for numbers), ``missing``, ``overall``,
        ``alive``, ``dead`` (median with quartiles, mean with standard deviation, or number with per cent, as text) and ``smd``, the
        standardised mean difference, or None on the further labels of a category.
    """
    from tableone import TableOne

    labelled = {name: LABELS[name] for name in TABLE_COLUMNS}
    frame = table.select(pl.col(name).cast(pl.String).replace("missing", None) if name.startswith("fac_") else pl.col(name)
                         for name in TABLE_COLUMNS)
    rows = frame.rename(labelled).with_columns(table[TARGET].replace_strict({0: "alive", 1: "dead"}, return_dtype=pl.String).alias("group"))
    found = TableOne(rows.to_pandas(), columns=list(labelled.values()), groupby="group", smd=True, missing=True, include_null=False,
                     categorical=[labelled[name] for name in TABLE_COLUMNS if name.startswith("fac_")],
                     nonnormal=[labelled[name] for name in SKEWED], decimals=1)
    return [_table_row(index, values.to_dict()) for index, values in found.tableone.droplevel(0, axis=1).iterrows()]


def _table_row(index: Any, values: dict[str, Any]) -> dict[str, Any]:
    name, level = (str(part) for part in index)
    plain = name.split(", ")[0]
    missing, smd = str(values["Missing"]).strip(), str(values["SMD (alive,dead)"]).strip()
    return {"name": plain, "level": level, "missing": int(missing) if missing else None, "overall": str(values["Overall"]),
            "alive": str(values["alive"]), "dead": str(values["dead"]), "smd": float(smd) if smd else None}


def missingness(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Count missing values, overall and by outcome, after the realignment.

    Parameters
    ----------
    table : polars.DataFrame
        Result of `cohort.prepare`.

    Returns
    -------
    list of dict
        ``column``, ``name``, ``missing`` (rows), and the shares ``share``, ``share_alive``, ``share_dead``, ``share_phase_one``,
        ``share_phase_two``; most missing first.
    """
    dead, phase = table[TARGET] == 1, table["phase"]
    parts = {"share": phase > 0, "share_alive": ~dead, "share_dead": dead, "share_phase_one": phase == 1, "share_phase_two": phase == 2}
    found = []
    for column in MISSING_COLUMNS:
        values = table[column]
        gone = values.is_null() | (values.cast(pl.String) == "missing") if column.startswith("fac_") else values.is_null()
        shares = {name: round(_share(gone.filter(rows)), 6) for name, rows in parts.items()}
        found.append({"column": column, "name": LABELS[column], "missing": int(gone.sum()), **shares})
    return sorted(found, key=lambda entry: -entry["missing"])


def _share(flags: pl.Series) -> float:
    return float(flags.sum()) / max(len(flags), 1)


def curve_points(curve: SurvivalCurve, *, n_points: int = POINTS) -> dict[str, list[float | None]]:
    """Thin a curve for JSON: at most so many points, evenly spread along time and the curve's fall.

    Parameters
    ----------
    curve : SurvivalCurve
        The curve.
    n_points : int
        At most so many.

    Returns
    -------
    dict of list
        ``time``, ``survival``, ``low``, ``high``; starts at time 0 with 1, limits are None where they are unknown.
    """
    progress = curve.time / curve.time[-1] + (1 - curve.survival) / max(1 - curve.survival[-1], 1e-12)
    wanted = np.searchsorted(progress, np.linspace(progress[0], progress[-1], n_points - 1))
    rows = np.unique(np.minimum(wanted, progress.size - 1))
    columns = {"time": curve.time, "survival": curve.survival, "low": curve.low, "high": curve.high}
    return {name: [0.0 if name == "time" else 1.0, *(_number(value) for value in values[rows])] for name, values in columns.items()}


def _number(value: float) -> float | None:
    return round(float(value), 5) if np.isfinite(value) else None


def survival_summary(rows: pl.DataFrame, *, level: float) -> dict[str, Any]:
    """Describe the survival of some patients.

    Parameters
    ----------
    rows : polars.DataFrame
        With `EVENT`, `TIME` and `TARGET`.
    level : float
        Confidence level.

    Returns
    -------
    dict
        ``n``, ``deaths``, ``dead_at_horizon`` (share), ``median_days`` (``value``, ``low``, ``high``, None where not reached),
        ``mean_days_first_year`` (restricted mean up to day 365, None if nobody is followed that long), ``curve`` (see
        `curve_points`), ``at_risk`` (``times``, ``count``).
    """
    event, time = rows[EVENT].to_numpy(), rows[TIME].to_numpy().astype(float)
    curve = kaplan_meier(event, time, level=level)
    value, low, high = (_number(number) for number in survival_quantile(curve))
    year = round(restricted_mean_survival(event, time, horizon=365), 2) if time.max() >= 365 else None
    return {"n": rows.height, "deaths": int(event.sum()), "dead_at_horizon": round(float(np.mean(rows[TARGET].to_numpy())), 6),
            "median_days": {"value": value, "low": low, "high": high}, "mean_days_first_year": year, "curve": curve_points(curve),
            "at_risk": {"times": list(RISK_TIMES), "count": [int((time >= day).sum()) for day in RISK_TIMES]}}


def by_disease(table: pl.DataFrame, *, level: float) -> dict[str, Any]:
    """Describe survival of everybody and of each disease group, and test whether the groups differ.

    Parameters
    ----------
    table : polars.DataFrame
        Result of `cohort.prepare`.
    level : float
        Confidence level.

    Returns
    -------
    dict
        ``all`` and ``groups`` (group to `survival_summary`, best survival first), ``log_rank`` (``statistic``,
        ``degrees_of_freedom``, ``p_value``, ``minus_log10_p``).
    """
    from lifelines.statistics import multivariate_logrank_test

    groups = {str(name): survival_summary(rows, level=level) for (name,), rows in table.group_by(pl.col(DISEASE).cast(pl.String))}
    test = multivariate_logrank_test(table[TIME].to_numpy(), table[DISEASE].cast(pl.String).to_numpy(), table[EVENT].to_numpy())
    return {"all": survival_summary(table, level=level),
            "groups": dict(sorted(groups.items(), key=lambda entry: entry[1]["dead_at_horizon"])),
            "log_rank": {"statistic": round(float(test.test_statistic), 2), "degrees_of_freedom": len(groups) - 1,
                         "p_value": float(test.p_value), "minus_log10_p": _minus_log10(test.test_statistic, len(groups) - 1)}}


def _minus_log10(statistic: float, degrees_of_freedom: int) -> float:
    from scipy.stats import chi2

    return round(float(-chi2.logsf(statistic, degrees_of_freedom) / np.log(10)), 2)


def group_summary(table: pl.DataFrame, group: str, *, level: float = 0.95, minimum: int = MINIMUM_GROUP) -> dict[str, Any]:
    """Describe one disease group for a report.

    Parameters
    ----------
    table : polars.DataFrame
        Result of `cohort.prepare`.
    group : str
        Disease group; upper and lower case do not matter.
    level : float
        Confidence level.
    minimum : int
        Fewest patients that are described.

    Returns
    -------
    dict
        ``group``, everything of `survival_summary`, and ``characteristics``: the twelve in which the group differs most from all
        other patients, each with ``name``, ``value`` and ``others`` (medians, or shares of a label) and ``smd``.

    Raises
    ------
    ConfigError
        If there is no such group (the message names the nearest) or it is too small.
    """
    known = {name.casefold(): name for name in table[DISEASE].cast(pl.String).unique().sort().to_list()}
    if group.casefold() not in known:
        near = difflib.get_close_matches(group.casefold(), list(known), n=3, cutoff=0.3)
        meant = f"Did you mean {' or '.join(repr(known[name]) for name in near)}?" if near else "Choose one of them."
        raise ConfigError(f"group must be a disease group of SUPPORT2, {', '.join(known.values())}; got {group!r}. {meant}")
    name = known[group.casefold()]
    inside = table[DISEASE].cast(pl.String) == name
    if inside.sum() < minimum:
        raise ConfigError(f"group {name!r} has {inside.sum()} patients; expected at least {minimum} for curves that mean something. "
                         "Use all patients, or a larger group.")
    return {"group": name, **survival_summary(table.filter(inside), level=level),
            "characteristics": _characteristics(table.filter(inside), table.filter(~inside))}


def _characteristics(rows: pl.DataFrame, others: pl.DataFrame, *, most: int = 12) -> list[dict[str, Any]]:
    found = []
    for column in (*NUMBERS, "num_surv6m"):
        a, b = rows[column].drop_nulls(), others[column].drop_nulls()
        if min(len(a), len(b)) >= MINIMUM_GROUP:
            found.append(_difference(LABELS[column], a.to_numpy(), b.to_numpy(), median=True))
    for column in (name for name in CATEGORIES if name != DISEASE):
        for label in table_labels(rows, others, column):
            inside, outside = ((part[column].cast(pl.String) == label).to_numpy().astype(float) for part in (rows, others))
            found.append(_difference(f"{LABELS[column]}: {label}", inside, outside, median=False))
    return sorted(found, key=lambda entry: -abs(entry["smd"]))[:most]


def table_labels(rows: pl.DataFrame, others: pl.DataFrame, column: str) -> list[str]:
    """Give the labels of a category that are worth a line: all of them, or the second of two.

    Parameters
    ----------
    rows, others : polars.DataFrame
        Two sets of patients.
    column : str
        A category.

    Returns
    -------
    list of str
        Sorted labels.
    """
    labels = sorted({str(label) for part in (rows, others) for label in part[column].cast(pl.String).unique().to_list()})
    return labels[1:] if len(labels) == 2 else labels


def _difference(name: str, a: Any, b: Any, *, median: bool) -> dict[str, Any]:
    middle = np.median if median else np.mean
    spread = float(np.sqrt((np.var(a) + np.var(b)) / 2))
    return {"name": name, "value": round(float(middle(a)), 4), "others": round(float(middle(b)), 4),
            "smd": round(float((np.mean(a) - np.mean(b)) / spread), 3) if spread else 0.0}
