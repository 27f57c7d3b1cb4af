"""Judge the forecasts: every score with an interval over reference weeks, beside the official models on identical targets.

All scores use the admissions as they are known today. The official models had to work with what was first published, which was revised
later; the comparison therefore flatters whatever is fitted on today's data.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from carefolio.evidence import Metric, metric
from carefolio.metrics.forecast import level_coverage
from carefolio.uncertainty import Interval, bootstrap_values
from outcomes_analysis.forecast.names import ALL, BASELINE, COMPARED, ENSEMBLE, HORIZONS, MEMBERS, MODELS, OWN, season_of, season_part
from outcomes_analysis.forecast.panel import Floats
from outcomes_analysis.forecast.scores import QUANTITIES, TARGET, Scored, score, week_sums
from outcomes_analysis.forecast.settings import ForecastSettings

OFFICIAL = (BASELINE, ENSEMBLE)
FAN_LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
_MEANS = {"wis": ("wis", False), "coverage_50": ("inside_50", None), "coverage_95": ("inside_95", None)}
Rows = NDArray[np.bool_]
Curve = list[dict[str, Any]]


def evaluate(admissions: pl.DataFrame, forecasts: pl.DataFrame, weights: pl.DataFrame, baseline: pl.DataFrame, ensemble: pl.DataFrame,
             settings: ForecastSettings, *, seed: int) -> tuple[dict[str, Metric], dict[str, Any], dict[str, pl.DataFrame]]:
    """Compute all metrics, the curves for figures and dashboard, and the tables that stay out of the repository.

    Parameters
    ----------
    admissions : polars.DataFrame
        Weekly admissions as known today.
    forecasts, weights : polars.DataFrame
        Results of `outcomes_analysis.forecast.train.train`.
    baseline, ensemble : polars.DataFrame
        Official forecasts.
    settings : ForecastSettings
        Replicates, level, length of blocks.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    metrics : dict of str to Metric
        By evidence id.
    curves : dict
        Aggregates.
    tables : dict of str to polars.DataFrame
        ``truth``, ``forecasts`` and ``scores``.

    Raises
    ------
    SchemaError
        If no target is common to all models.
    """
    scored = score(admissions, forecasts, baseline, ensemble)
    seasons = scored.targets["season"].unique().sort().to_list()
    metrics: dict[str, Metric] = {}
    by_season: Curve = []
    by_horizon: Curve = []
    for season in (*seasons, ALL):
        rows = np.ones(scored.targets.height, bool) if season == ALL else (scored.targets["season"] == season).to_numpy()
        found = season_intervals(scored, rows, settings, seed=seed)
        metrics |= _season_metrics(season_part(season), found, int(rows.sum())) | _block_metrics(scored, rows, season, settings, seed=seed)
        by_season += [_season_point(season, model, found, int(rows.sum())) for model in scored.values]
        by_horizon += horizon_points(scored, rows, season, settings, seed=seed)
    curves = {
        "models": {name: MODELS[name] for name in scored.values}, "seasons": seasons, "level": settings.level,
        "targets": scored.targets.height, "dropped": scored.n_dropped, "by_season": by_season,
        "by_horizon": by_horizon, "by_week": week_points(scored),
        "by_location": location_points(scored, admissions, settings, seed=seed), "calibration": calibration(scored),
        "weights": weight_points(weights), "decomposition": decomposition(scored, seasons),
    }
    return metrics, curves, build_tables(scored, admissions, forecasts, baseline, ensemble)


def season_intervals(scored: Scored, rows: Rows, settings: ForecastSettings, *, seed: int, block: int = 1) -> dict[str, Interval]:
    """Bootstrap the means of all models and the ratios to the official ones over the weeks of a season.

    Parameters
    ----------
    scored : Scored
        All scores.
    rows : ndarray of bool, shape (n_targets,)
        Which targets.
    settings : ForecastSettings
        Replicates and level.
    seed : int
        Seed of the bootstrap.
    block : int, default 1
        Consecutive reference weeks that are drawn together.

    Returns
    -------
    dict of str to Interval
        ``<model>.<metric>``.
    """
    names = [(model, quantity) for model in scored.values for quantity in QUANTITIES]
    sums = week_sums(scored, rows, [np.ones(rows.size), *(scored.values[model][quantity] for model, quantity in names)])
    column = {name: i + 1 for i, name in enumerate(names)}
    means = [(f"{model}.{name}", column[model, quantity], 0) for model in scored.values for name, (quantity, _) in _MEANS.items()]
    ratios = [(f"{model}.relative_{quantity}_to_{other}", column[model, quantity], column[other, quantity])
              for model in scored.values for other in OFFICIAL for quantity in ("wis", "log_wis") if model != other]
    return _ratios(sums, means + ratios, settings, seed=seed, groups=_blocks(scored, rows, block))


def _blocks(scored: Scored, rows: Rows, block: int) -> NDArray[np.int64]:
    days = scored.targets["reference_date"].filter(pl.Series(rows)).unique().sort().to_list()
    first: dict[str, date] = {}
    for day in days:
        first.setdefault(season_of(day), day)
    seasons = list(first)
    return np.array([seasons.index(season_of(day)) * 1000 + (day - first[season_of(day)]).days // (7 * block) for day in days])


def _ratios(sums: Floats, wanted: Sequence[tuple[str, int, int]], settings: ForecastSettings, *, seed: int,
            groups: NDArray[np.int64] | None = None) -> dict[str, Interval]:
    over, under = np.array([entry[1] for entry in wanted]), np.array([entry[2] for entry in wanted])

    def _of_weights(weights: Floats) -> Floats:
        total = weights @ sums
        return np.asarray(total[over] / total[under])

    found = bootstrap_values(_of_weights, groups=np.arange(len(sums)) if groups is None else groups, n_replicates=settings.replicates,
                             level=settings.level, random_state=seed)
    return {name: interval for (name, _, _), interval in zip(wanted, found, strict=True)}


def _season_metrics(part: str, found: dict[str, Interval], n: int) -> dict[str, Metric]:
    better: dict[str, bool | None] = {name: direction for name, (_, direction) in _MEANS.items()}
    kept = {name: interval for name, interval in found.items() if "relative" not in name or name.startswith(OWN)}
    return {f"flusight.{part}.{name}": metric(interval, n=n, higher_is_better=better.get(name.partition(".")[2], False))
            for name, interval in kept.items()}


def _block_metrics(scored: Scored, rows: Rows, season: str, settings: ForecastSettings, *, seed: int) -> dict[str, Metric]:
    if np.unique(_blocks(scored, rows, settings.block_weeks)).size < 2:
        return {}
    found = season_intervals(scored, rows, settings, seed=seed, block=settings.block_weeks)
    return {f"flusight.{season_part(season)}.{OWN}.relative_wis_to_{other}_blocks_of_{settings.block_weeks}":
            metric(found[f"{OWN}.relative_wis_to_{other}"], n=int(rows.sum()), higher_is_better=False) for other in OFFICIAL}


def _season_point(season: str, model: str, found: dict[str, Interval], n: int) -> dict[str, Any]:
    names = [*_MEANS, *(f"relative_wis_to_{other}" for other in OFFICIAL)]
    return {"season": season, "model": model, "n": n,
            **{name: _plain(found[f"{model}.{name}"]) if f"{model}.{name}" in found else None for name in names}}


def _plain(interval: Interval) -> dict[str, float]:
    return {"value": round(interval.value, 5), "low": round(interval.low, 5), "high": round(interval.high, 5)}


def horizon_points(scored: Scored, rows: Rows, season: str, settings: ForecastSettings, *, seed: int) -> Curve:
    """Bootstrap WIS and its ratios by horizon.

    Parameters
    ----------
    scored : Scored
        All scores.
    rows : ndarray of bool, shape (n_targets,)
        Targets of the season.
    season : str
        Its name.
    settings : ForecastSettings
        Replicates and level.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    list of dict
        One entry a horizon and compared model.
    """
    points: Curve = []
    horizons = scored.targets["horizon"].to_numpy()
    for horizon in HORIZONS:
        here = rows & (horizons == horizon)
        sums = week_sums(scored, here, [np.ones(rows.size), *(scored.values[model]["wis"] for model in COMPARED)])
        column = {model: i + 1 for i, model in enumerate(COMPARED)}
        wanted = [(f"{model}.wis", column[model], 0) for model in COMPARED]
        wanted += [(f"{model}.relative_wis_to_{other}", column[model], column[other]) for model in COMPARED for other in OFFICIAL]
        found = _ratios(sums, wanted, settings, seed=seed)
        points += [{"season": season, "horizon": horizon, "model": model, **{
            name: _plain(found[f"{model}.{name}"]) for name in ("wis", *(f"relative_wis_to_{other}" for other in OFFICIAL))}}
            for model in COMPARED]
    return points


def location_points(scored: Scored, admissions: pl.DataFrame, settings: ForecastSettings, *, seed: int) -> Curve:
    """Bootstrap the ratios by place, all seasons together.

    Parameters
    ----------
    scored : Scored
        All scores.
    admissions : polars.DataFrame
        For the names of places.
    settings : ForecastSettings
        Replicates and level.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    list of dict
        One entry a place, by name.
    """
    names = {row["location"]: row for row in admissions.unique("location").iter_rows(named=True)}
    places, everything = scored.targets["location"].to_numpy(), np.ones(scored.targets.height, bool)
    points: Curve = []
    for location in sorted(set(places), key=lambda place: str(names[place]["location_name"])):
        here = (places == location).astype(np.float64)
        sums = week_sums(scored, everything, [scored.values[model]["wis"] * here for model in COMPARED] + [here])
        kept = sums[sums[:, -1] > 0]
        wanted = [(f"relative_wis_to_{other}", 0, COMPARED.index(other)) for other in OFFICIAL]
        found = _ratios(kept, wanted, settings, seed=seed)
        points.append({"location": location, "abbreviation": names[location]["abbreviation"], "name": names[location]["location_name"],
                       "n": int(here.sum()), **{name: _plain(interval) for name, interval in found.items()},
                       "wis": {model: round(float(kept[:, i].sum() / here.sum()), 4) for i, model in enumerate(COMPARED)}})
    return points


def week_points(scored: Scored) -> Curve:
    """Average WIS by reference week.

    Parameters
    ----------
    scored : Scored
        All scores.

    Returns
    -------
    list of dict
        One entry a week, oldest first.
    """
    days = scored.targets["reference_date"].unique().sort().to_list()
    sums = week_sums(scored, np.ones(scored.targets.height, bool),
                     [np.ones(scored.targets.height), *(scored.values[model]["wis"] for model in scored.values)])
    return [{"season": season_of(day), "reference_date": day.isoformat(), "n": int(row[0]),
             "wis": {model: round(float(row[i + 1] / row[0]), 4) for i, model in enumerate(scored.values)}}
            for day, row in zip(days, sums, strict=True)]


def calibration(scored: Scored) -> dict[str, Any]:
    """Compare the share of outcomes below each quantile and inside each interval with what it should be.

    Parameters
    ----------
    scored : Scored
        All scores.

    Returns
    -------
    dict
        ``levels``, ``interval_levels``, and by model ``at_or_below`` and ``inside``.
    """
    outcome, half = scored.targets["admissions"].to_numpy(), scored.levels.size // 2
    models = {}
    for name in scored.values:
        q = scored.quantiles[name]
        inside = ((outcome[:, None] >= q[:, :half]) & (outcome[:, None] <= q[:, :half:-1])).mean(axis=0)
        below = level_coverage(outcome, q, quantile_levels=scored.levels)
        models[name] = {"at_or_below": below.round(5).tolist(), "inside": inside[::-1].round(5).tolist()}
    return {"levels": scored.levels.tolist(), "interval_levels": (1 - 2 * scored.levels[:half][::-1]).round(3).tolist(), "models": models}


def weight_points(weights: pl.DataFrame) -> Curve:
    """List the learned weights over time.

    Parameters
    ----------
    weights : polars.DataFrame
        Second result of `outcomes_analysis.forecast.train.train`.

    Returns
    -------
    list of dict
        One entry a reference date.
    """
    return [{"reference_date": row["reference_date"].isoformat(), "spread": round(row["spread"], 4),
             "weights": {name: round(row[name], 4) for name in MEMBERS}} for row in weights.iter_rows(named=True)]


def decomposition(scored: Scored, seasons: list[str]) -> Curve:
    """Average the three parts of the WIS by season.

    Parameters
    ----------
    scored : Scored
        All scores.
    seasons : list of str
        Seasons in order.

    Returns
    -------
    list of dict
        One entry a season and model; the parts add up to the WIS.
    """
    labels = scored.targets["season"].to_numpy()
    return [{"season": season, "model": model, **{name: round(float(scored.values[model][name][labels == season].mean()), 4)
                                                  for name in ("dispersion", "underprediction", "overprediction")}}
            for season in seasons for model in scored.values]


def build_tables(scored: Scored, admissions: pl.DataFrame, forecasts: pl.DataFrame, baseline: pl.DataFrame,
                 ensemble: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Make the tables that the dashboard and the reports of one state read.

    Parameters
    ----------
    scored : Scored
        All scores.
    admissions, forecasts, baseline, ensemble : polars.DataFrame
        As given to `evaluate`.

    Returns
    -------
    dict of str to polars.DataFrame
        ``truth``, ``forecasts`` with seven quantiles a row, and ``scores`` with a row a model and target.
    """
    dates = forecasts["reference_date"].unique().implode()
    columns = ["model", *TARGET, "quantile_level", "value"]
    long = pl.concat([forecasts.select(columns), *(
        rows.filter(pl.col("reference_date").is_in(dates) & (pl.col("horizon") >= 0)).with_columns(model=pl.lit(name)).select(columns)
        for name, rows in ((BASELINE, baseline), (ENSEMBLE, ensemble)))], how="vertical_relaxed")
    kept = long.filter(pl.col("quantile_level").is_in(FAN_LEVELS)).with_columns(
        pl.format("q{}", (pl.col("quantile_level") * 1000).round().cast(pl.Int32).cast(pl.String).str.zfill(3)).alias("name"))
    fans = kept.pivot("name", index=["model", *TARGET], values="value").sort("model", *TARGET)
    scores = pl.concat([scored.targets.with_columns(pl.lit(model).alias("model"), *(
        pl.Series(name, values).cast(pl.Boolean if name.startswith("inside") else pl.Float64)
        for name, values in scored.values[model].items())) for model in scored.values])
    season = pl.col("reference_date").map_elements(season_of, return_dtype=pl.String).alias("season")
    return {
        "truth": admissions.select("location", "abbreviation", "location_name", "population", "week_ending", "admissions"),
        "forecasts": fans.select("model", season, *TARGET, *(f"q{round(level * 1000):03d}" for level in FAN_LEVELS)),
        "scores": scores.select("model", "season", *TARGET, "admissions", *QUANTITIES),
    }
