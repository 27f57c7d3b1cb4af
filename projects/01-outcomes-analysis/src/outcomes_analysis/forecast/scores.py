"""Score every model on the same targets, and sum the scores by reference week, the unit that is resampled."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from carefolio.exceptions import SchemaError
from carefolio.metrics.forecast import to_matrix, wis_of_each, wis_parts
from outcomes_analysis.forecast.names import BASELINE, ENSEMBLE, HORIZONS, MODELS, season_of
from outcomes_analysis.forecast.panel import Floats

TARGET = ["reference_date", "horizon", "target_end_date", "location"]
QUANTITIES = ("wis", "dispersion", "underprediction", "overprediction", "inside_50", "inside_95", "log_wis")


@dataclass(frozen=True)
class Scored:
    """All models on the targets that each of them forecast and whose outcome was reported.

    Attributes
    ----------
    targets : polars.DataFrame
        ``season``, the columns of `TARGET`, ``admissions``.
    levels : ndarray of shape (23,)
        Quantile levels.
    quantiles : dict of str to ndarray of shape (n_targets, 23)
        Admissions a week by model.
    values : dict of str to dict of str to ndarray of shape (n_targets,)
        By model and quantity of `QUANTITIES`.
    n_dropped : int
        Official targets with an outcome that some model did not forecast.
    """

    targets: pl.DataFrame
    levels: Floats
    quantiles: dict[str, Floats]
    values: dict[str, dict[str, Floats]]
    n_dropped: int


def score(admissions: pl.DataFrame, forecasts: pl.DataFrame, baseline: pl.DataFrame, ensemble: pl.DataFrame) -> Scored:
    """Join all models by target and score them.

    Parameters
    ----------
    admissions : polars.DataFrame
        Weekly admissions as known today.
    forecasts : polars.DataFrame
        Result of `outcomes_analysis.forecast.train.train`.
    baseline, ensemble : polars.DataFrame
        Official forecasts.

    Returns
    -------
    Scored
        Identical targets for every model.

    Raises
    ------
    SchemaError
        If no target is common to all.
    """
    dates = forecasts["reference_date"].unique()
    parts = {str(model): rows for (model,), rows in forecasts.partition_by("model", as_dict=True).items()}
    official_rows = {BASELINE: baseline, ENSEMBLE: ensemble}
    parts |= {name: rows.filter(pl.col("reference_date").is_in(dates.implode())) for name, rows in official_rows.items()}
    matrices = {name: to_matrix(parts[name].filter(pl.col("horizon").is_in(HORIZONS)), by=TARGET) for name in MODELS if name in parts}
    truth = admissions.select("location", pl.col("week_ending").alias("target_end_date"), "admissions").drop_nulls()
    official = matrices[BASELINE][0].join(truth, on=["location", "target_end_date"])
    common = official
    for keys, _, _ in matrices.values():
        common = common.join(keys, on=TARGET, how="semi")
    if common.is_empty():
        raise SchemaError("forecasts and admissions must share targets; got none. Forecast the official reference dates.")
    targets = common.sort(TARGET).with_columns(pl.col("reference_date").map_elements(season_of, return_dtype=pl.String).alias("season"))
    quantiles = {name: _rows(targets, keys, matrix) for name, (keys, matrix, _) in matrices.items()}
    levels, outcome = matrices[BASELINE][2], targets["admissions"].to_numpy()
    values = {name: _values(outcome, rows, levels) for name, rows in quantiles.items()}
    return Scored(targets, levels, quantiles, values, official.height - common.height)


def _rows(targets: pl.DataFrame, keys: pl.DataFrame, matrix: Floats) -> Floats:
    place = targets.select(TARGET).join(keys.with_row_index("row"), on=TARGET, how="left", maintain_order="left")["row"].to_numpy()
    return np.asarray(matrix[place])


def _values(outcome: Floats, quantiles: Floats, levels: Floats) -> dict[str, Floats]:
    parts = wis_parts(outcome, quantiles, quantile_levels=levels)
    log = wis_of_each(np.log1p(outcome), np.log1p(quantiles), quantile_levels=levels)
    inside = {f"inside_{share}": _inside(outcome, quantiles, levels, share / 100) for share in (50, 95)}
    return {"wis": parts.wis, "dispersion": parts.dispersion, "underprediction": parts.underprediction,
            "overprediction": parts.overprediction, **inside, "log_wis": log}


def _inside(outcome: Floats, quantiles: Floats, levels: Floats, share: float) -> Floats:
    low, high = (int(np.argmin(np.abs(levels - bound))) for bound in ((1 - share) / 2, (1 + share) / 2))
    return ((outcome >= quantiles[:, low]) & (outcome <= quantiles[:, high])).astype(np.float64)


def week_sums(scored: Scored, rows: NDArray[np.bool_], columns: list[Floats]) -> Floats:
    """Sum columns over the targets of each reference week.

    Parameters
    ----------
    scored : Scored
        All scores.
    rows : ndarray of bool, shape (n_targets,)
        Which targets.
    columns : list of ndarray of shape (n_targets,)
        What to sum.

    Returns
    -------
    ndarray of shape (n_weeks, n_columns)
        In the order of the weeks.
    """
    _, codes = np.unique(scored.targets["reference_date"].to_numpy()[rows], return_inverse=True)
    return np.column_stack([np.bincount(codes, weights=column[rows]) for column in columns])
