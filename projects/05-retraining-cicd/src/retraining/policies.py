"""Does retraining help at all? The same batches served under four rules, judged on the patients who judge.

``never``: the first model for ever. ``recalibrated``: its trees for ever, intercept and slope fitted anew on the newest batch with
outcomes. ``newest_only``: a new model for every batch, taught on as many batches as the first one, the newest: newer and not more.
``every_batch``: the same on all outcomes known: newer and more; no rule can have a newer one. ``protocol``: what the replay deployed, by
triggers and gates. No policy was taught by a patient who judges, nor by the batch it serves; none but the last has gates.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from carefolio.artefacts import atomic_path, read_json, write_json
from carefolio.boosted import BoostedModel
from retraining import model
from retraining.config import RetrainingSettings
from retraining.data import ENCOUNTER, PATIENT
from retraining.features import GROUPS, TARGET, judging_rows, read_labelled, teaching_rows
from retraining.state import State
from retraining.store import Store

POLICIES = ("never", "recalibrated", "newest_only", "every_batch", "protocol")
TITLES = {"never": "Never retrained", "recalibrated": "Only recalibrated, each batch",
          "newest_only": "Retrained each batch, newest rows only", "every_batch": "Retrained each batch, all rows, no gate",
          "protocol": "By the protocol"}
PREDICTIONS, COUNTS = "predictions.parquet", "counts.json"


def serve_batches(state: State, settings: RetrainingSettings, store: Store, folder: Path, *, progress: Callable[[int, int], None]) -> None:
    """Predict every later batch under each policy, and count how often a model was made anew.

    Parameters
    ----------
    state : State
        After the replay.
    settings : RetrainingSettings
        Settings.
    store : Store
        Of the replay.
    folder : Path
        Destination.
    progress : callable
        Takes how many batches are done, and of how many.
    """
    first = state.line[0]
    batches = [batch for batch in state.accepted(before=settings.data.batches + 1) if batch > settings.data.first_batches]
    frozen, tables = model.load(store, first.sha256), []
    for place, batch in enumerate(batches):
        usable = state.usable(before=batch)
        newest = teaching_rows(read_labelled(store, usable[-1:], now=batch))
        models = {"never": frozen, "recalibrated": frozen.recalibrated(newest, newest[TARGET].to_numpy()),
                  "newest_only": model.teach_on_batches(store, usable[-len(first.taught):], settings.model, now=batch, seed=settings.seed),
                  "every_batch": model.teach_on_batches(store, usable, settings.model, now=batch, seed=settings.seed),
                  "protocol": model.load(store, served_in(state, batch))}
        tables.append(predict(models, judging_rows(read_labelled(store, [batch], now=batch + 1))))
        progress(place + 1, len(batches))
    with atomic_path(folder / PREDICTIONS) as path:
        pl.concat(tables).write_parquet(path)
    retrained = sum("teach" in cycle["steps"] for cycle in state.closed[1:])
    deployed = sum("deploy" in cycle["steps"] for cycle in state.closed[1:])
    each = dict.fromkeys(("newest_only", "every_batch"), len(batches))
    write_json(folder / COUNTS, {"batches": batches, "taught": {"never": 0, "recalibrated": 0, **each, "protocol": retrained},
                                 "put_in_place": {"never": 0, "recalibrated": len(batches), **each, "protocol": deployed}})


def served_in(state: State, batch: int) -> str:
    """Name the model that answered for a batch: what was deployed when its cycle closed.

    Parameters
    ----------
    state : State
        After the replay.
    batch : int
        The batch.

    Returns
    -------
    str
        SHA-256 of the model.
    """
    return str(next(cycle["model"] for cycle in state.closed if cycle["batch"] == batch))


def predict(models: dict[str, BoostedModel], rows: pl.DataFrame) -> pl.DataFrame:
    """Predict rows with several models.

    Parameters
    ----------
    models : dict
        By policy.
    rows : polars.DataFrame
        Labelled rows of patients who judge.

    Returns
    -------
    polars.DataFrame
        Ids, batch, outcome, groups, and a column for each policy.
    """
    kept = rows.select(ENCOUNTER, PATIENT, "batch", TARGET, *GROUPS)
    return kept.with_columns(pl.Series(name, one.predict(rows)) for name, one in models.items())


def read_predictions(folder: Path) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Read what `serve_batches` wrote.

    Parameters
    ----------
    folder : Path
        Its folder.

    Returns
    -------
    predictions : polars.DataFrame
        One row an encounter.
    counts : dict
        ``batches``, ``taught`` and ``put_in_place``.
    """
    return pl.read_parquet(folder / PREDICTIONS), read_json(folder / COUNTS)
