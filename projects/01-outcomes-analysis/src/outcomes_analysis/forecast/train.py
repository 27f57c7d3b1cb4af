"""Rolling origin: at each reference date every member is fitted anew on what was known, and combined by what was scored."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from carefolio.artefacts import atomic_path
from carefolio.exceptions import ConfigError
from outcomes_analysis.forecast.boosting import boosting
from outcomes_analysis.forecast.ensemble import Combination, MemberForecast, combine, learn
from outcomes_analysis.forecast.features import build_features
from outcomes_analysis.forecast.members import LEVELS, analogue, persistence, ridge
from outcomes_analysis.forecast.names import FIRST_PUBLISHED, HORIZONS, MEMBERS, OWN
from outcomes_analysis.forecast.panel import WEEK, Floats, Panel, check_admissions, from_scale, known_at
from outcomes_analysis.forecast.revision import as_published, first_published
from outcomes_analysis.forecast.settings import ForecastSettings

_NOT_MEMBERS = {"prior_weights", "prior_weeks", "half_life_weeks", "history_dates", "weight_floor", "replicates", "level", "block_weeks",
                "warm_up_start", "warm_up_end", "warm_up_every_weeks", "max_reference_dates", "check_first_published"}


def reference_dates(official: pl.DataFrame, settings: ForecastSettings) -> list[date]:
    """List the dates at which the official models forecast.

    Parameters
    ----------
    official : polars.DataFrame
        Forecasts of an official model.
    settings : ForecastSettings
        ``max_reference_dates`` above 0 keeps that many, evenly spread.

    Returns
    -------
    list of date
        Saturdays, oldest first.
    """
    dates = official["reference_date"].unique().sort().to_list()
    if 0 < settings.max_reference_dates < len(dates):
        dates = [dates[i] for i in np.linspace(0, len(dates) - 1, settings.max_reference_dates).round().astype(int)]
    return dates


def warm_up_dates(settings: ForecastSettings) -> list[date]:
    """List the dates before the official ones that only serve to learn the weights.

    Parameters
    ----------
    settings : ForecastSettings
        First, last and step.

    Returns
    -------
    list of date
        Saturdays, oldest first.
    """
    weeks = (settings.warm_up_end - settings.warm_up_start).days // 7 + 1
    return [settings.warm_up_start + WEEK * week for week in range(0, weeks, settings.warm_up_every_weeks)]


def train(admissions: pl.DataFrame, settings: ForecastSettings, *, reference_dates: Sequence[date], seed: int,
          progress: Callable[[str], Any], baseline: pl.DataFrame | None = None, cache: Path | None = None) -> tuple[
              pl.DataFrame, pl.DataFrame]:
    """Forecast every reference date from what was known seven days before it.

    Parameters
    ----------
    admissions : polars.DataFrame
        Weekly admissions; see `check_admissions`.
    settings : ForecastSettings
        All of the part's settings.
    reference_dates : sequence of date
        Saturdays to forecast; the warm-up dates before the first of them are added.
    seed : int
        Seed of the bagging.
    progress : callable
        Takes a title and gives a context manager around the work.
    baseline : polars.DataFrame, optional
        Forecasts of FluSight-baseline. With them, and ``check_first_published``, everything is forecast once more from the last week as
        first published, as model ``carefolio_first_published``. They enter nothing else.
    cache : Path, optional
        Folder that keeps the members' forecasts of each date, so that a run that was stopped goes on; they are used again only for the
        same known data, settings and seed.

    Returns
    -------
    forecasts : polars.DataFrame
        ``model``, ``reference_date``, ``horizon``, ``target_end_date``, ``location``, ``quantile_level``, ``value``.
    weights : polars.DataFrame
        ``reference_date``, a weight a member, ``spread``.

    Raises
    ------
    ConfigError
        If a reference date is no Saturday or there is none.
    SchemaError
        If the table is malformed or too few weeks are known at the first date.
    """
    wanted, table = _check_dates(reference_dates), check_admissions(admissions)
    forecasts: list[pl.DataFrame] = []
    weights: list[dict[str, Any]] = []
    with progress("forecast members and weights"):
        for panel, made, combination in _roll(lambda day: table, wanted, settings, seed=seed, cache=cache):
            own = combine(made.quantiles, combination)
            forecasts += [_long(name, panel, made.reference_date, quantiles)
                          for name, quantiles in zip((OWN, *MEMBERS), (own, *made.quantiles), strict=True)]
            weights.append({"reference_date": made.reference_date, **dict(zip(MEMBERS, combination.weights.tolist(), strict=True)),
                            "spread": combination.spread})
    if settings.check_first_published and baseline is not None:
        published = first_published(baseline)
        with progress("forecast from first published"):
            rolled = _roll(lambda day: as_published(table, published, day), wanted, settings, seed=seed, cache=cache)
            for panel, made, combination in rolled:
                forecasts.append(_long(FIRST_PUBLISHED, panel, made.reference_date, combine(made.quantiles, combination)))
    return pl.concat(forecasts), pl.DataFrame(weights)


def _roll(table_at: Callable[[date], pl.DataFrame], wanted: list[date], settings: ForecastSettings, *, seed: int,
          cache: Path | None) -> Iterator[tuple[Panel, MemberForecast, Combination]]:
    from rich.console import Console
    from rich.progress import track

    dates = [day for day in warm_up_dates(settings) if day < wanted[0]] + wanted
    past: list[MemberForecast] = []
    for day in track(dates, description="reference dates", transient=True, console=Console(stderr=True)):
        panel = known_at(table_at(day), day, settings)
        made = _members(panel, day, settings, seed=seed, cache=cache)
        if day in wanted:
            yield panel, made, learn(past, panel, settings)
        past.append(made)


def _check_dates(dates: Sequence[date]) -> list[date]:
    wrong = [day for day in dates if day.isoweekday() != 6]
    if wrong or not dates:
        raise ConfigError(f"reference dates must be Saturdays, at least one; got {wrong[0] if wrong else 'none'}. "
                          "Take those of the official forecasts.")
    return sorted(set(dates))


def _members(panel: Panel, day: date, settings: ForecastSettings, *, seed: int, cache: Path | None) -> MemberForecast:
    path = cache / f"{day}-{_fingerprint(panel, settings, seed)}.npz" if cache is not None else None
    if path is not None and path.is_file():
        with np.load(path) as stored:
            return MemberForecast(day, panel.locations, stored["quantiles"])
    features = build_features(panel)
    made = [member(panel, features, settings) for member in (persistence, ridge, analogue)]
    quantiles = np.stack([*made, boosting(panel, features, settings, seed=seed)])
    if path is not None:
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez(file, quantiles=quantiles)
    return MemberForecast(day, panel.locations, quantiles)


def _fingerprint(panel: Panel, settings: ForecastSettings, seed: int) -> str:
    text = settings.model_dump_json(exclude=_NOT_MEMBERS) + f"{seed}{panel.locations}{panel.weeks[0]}"
    arrays = [panel.level, panel.population, panel.observed]
    return hashlib.sha256(text.encode() + b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()[:16]


def _long(model: str, panel: Panel, day: date, quantiles: Floats) -> pl.DataFrame:
    values = np.sort(from_scale(quantiles, panel.population[:, None, None], panel.rate_offset), axis=-1)
    horizons, levels = len(HORIZONS), LEVELS.size
    frame = pl.DataFrame({
        "horizon": np.tile(np.repeat(np.array(HORIZONS, dtype=np.int32), levels), len(panel.locations)),
        "location": np.repeat(panel.locations, horizons * levels),
        "quantile_level": np.tile(LEVELS, len(panel.locations) * horizons),
        "value": values.reshape(-1),
    })
    return frame.select(pl.lit(model).alias("model"), pl.lit(day).alias("reference_date"), "horizon",
                        (pl.lit(day) + pl.duration(weeks=pl.col("horizon"))).cast(pl.Date).alias("target_end_date"), "location",
                        "quantile_level", "value")
