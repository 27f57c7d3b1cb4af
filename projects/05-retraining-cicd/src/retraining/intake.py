"""The first steps of a cycle: take the batch in, compute features, hold what cannot be believed, measure drift, open known outcomes."""

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from carefolio.artefacts import atomic_path, sha256_file
from carefolio.exceptions import ConfigError
from retraining import drift as drifts
from retraining import validation
from retraining.data import ENCOUNTER, read_batch
from retraining.features import TARGET, compute_features, judging_rows, read_features, read_labelled, teaching_rows
from retraining.model import load
from retraining.performance import describe_performance, judging
from retraining.state import Context, State


def fixed(context: Context) -> dict[str, Any]:
    """Name the settings that must not change while a run goes on.

    Parameters
    ----------
    context : Context
        Settings.

    Returns
    -------
    dict
        Seed, share of judging patients, number of first batches, and the learner's settings.
    """
    settings = context.settings
    return {"seed": settings.seed, "judging_share": settings.data.judging_share, "first_batches": settings.data.first_batches,
            "model": settings.model.model_dump(mode="json")}


def receive(state: State, context: Context, batch: int) -> dict[str, Any]:
    """Take a delivery in; before there is a model, all of the first batches.

    Parameters
    ----------
    state : State
        What is known.
    context : Context
        Store, settings and protocol.
    batch : int
        Number of the newest batch.

    Returns
    -------
    dict
        Files with their hashes, rows, last encounter, the settings that stay, and the fault that is planted.

    Raises
    ------
    CarefolioError
        If a file is missing, broken, empty, repeated or out of order, or the run was begun with other settings.
    """
    begun = next((cycle["steps"]["receive"]["fixed"] for cycle in state.closed if "receive" in cycle["steps"]), None)
    if begun is not None and begun != fixed(context):
        changed = [name for name, value in fixed(context).items() if begun.get(name) != value]
        raise ConfigError(f"{context.store.folder} was begun with another {changed[0]}; go on with the settings of before, or begin "
                          "another run with --out.")
    known = {sha256: number for number, sha256 in state.received.items()}
    files, rows, last = {}, {}, state.last_encounter
    for number in range(max(state.received, default=0) + 1, batch + 1):
        path = Path(context.delivery) if context.delivery and number == batch else context.store.delivered(number)
        frame = read_batch(path, batch=number, last_encounter=last, known=known)
        with atomic_path(context.store.received(number)) as temporary:
            shutil.copyfile(path, temporary)
        files[str(number)] = sha256_file(context.store.received(number))
        known[files[str(number)]] = number
        rows[str(number)], last = frame.height, int(frame.select(pl.col(ENCOUNTER).max()).item())
    return {"files": files, "rows": rows, "last_encounter": last, "fixed": fixed(context), "planted": context.fault}


def features(state: State, context: Context, batch: int) -> dict[str, Any]:
    """Compute the features of what was taken in.

    Parameters
    ----------
    state : State
        What is known.
    context : Context
        Store and settings.
    batch : int
        Number of the newest batch.

    Returns
    -------
    dict
        Rows, judging rows and hashes, by batch.
    """
    new = [int(number) for number in state.done["receive"]["files"]]
    return compute_features(context.store, new, state.accepted(before=min(new)), share=context.settings.data.judging_share,
                            seed=context.settings.seed)


def validate(state: State, context: Context, batch: int) -> dict[str, Any]:
    """Say what in the batch cannot be believed, beside the batch before.

    Parameters
    ----------
    state : State
        What is known.
    context : Context
        Store and protocol.
    batch : int
        Number of the batch.

    Returns
    -------
    dict
        ``faults`` in words, and ``jumps`` by measured column.
    """
    rules = context.protocol.modification_protocol.batch
    before = state.accepted(before=batch)[-1]
    then, now = read_features(context.store, [before]), read_features(context.store, [batch])
    unknown = [name for name in rules.measured if name not in now.columns]
    if unknown:
        raise ConfigError(f"the protocol lists {unknown[0]!r} as measured, which is no feature; correct `measured` in "
                          "modification_protocol.batch.")
    first = len(state.done["receive"]["files"]) > 1  # the first batches are history: there was nothing to hold them against
    return {"against": before, "faults": [] if first else validation.find_faults(then, now, rules),
            "jumps": validation.jumps(then, now, rules)}


def drift(state: State, context: Context, batch: int) -> dict[str, Any]:
    """Measure how far the batch is from the rows that taught the champion.

    Parameters
    ----------
    state : State
        What is known.
    context : Context
        Store, settings and protocol.
    batch : int
        Number of the batch.

    Returns
    -------
    dict
        ``features`` (index by column), ``prediction`` (of the predicted risk), ``two_sample`` (AUROC with interval).
    """
    champion, settings = state.champion, context.settings
    assert champion is not None
    taught = teaching_rows(read_features(context.store, list(champion.taught)))
    now, model = read_features(context.store, [batch]), load(context.store, champion.sha256)
    measured = context.protocol.modification_protocol.batch.measured
    told_apart = drifts.two_sample_auroc(taught, now, measured, replicates=settings.evaluation.replicates, level=settings.evaluation.level,
                                         seed=settings.seed, threads=settings.model.threads)
    prediction = drifts.stability(pl.Series(model.predict(taught)), pl.Series(model.predict(now)))
    return {"features": drifts.stability_by_feature(taught, now, model.features), "prediction": prediction,
            "two_sample": asdict(told_apart)}


def outcomes(state: State, context: Context, batch: int) -> dict[str, Any]:
    """Open the outcomes that are known by now, and see how the champion did.

    Parameters
    ----------
    state : State
        What is known.
    context : Context
        Store, settings and protocol.
    batch : int
        Number of the batch that has arrived; the outcomes are those of the batches before it.

    Returns
    -------
    dict
        ``of`` (the newest batch with outcomes, 0 if none is new), ``faults`` by batch, and ``performance`` of the champion.
    """
    rules, options = context.protocol.modification_protocol, context.settings.evaluation
    seen = {number for cycle in state.closed for number in cycle["steps"].get("outcomes", {}).get("opened", ())}
    new = [number for number in state.accepted(before=batch) if number not in seen]
    faults = {str(number): fault for number in new
              if (fault := validation.outcome_fault(read_labelled(context.store, [number], now=batch)[TARGET], rules.batch))}
    usable = [number for number in new if str(number) not in faults]
    result: dict[str, Any] = {"of": usable[-1] if usable else 0, "opened": new, "faults": faults, "performance": {}}
    if state.champion is not None and usable:
        rows = judging_rows(read_labelled(context.store, [usable[-1]], now=batch))
        judges = judging(rows, rules.subgroups, risk_threshold=rules.risk_threshold, replicates=options.replicates, level=options.level,
                         seed=context.settings.seed)
        result["performance"] = describe_performance(judges, load(context.store, state.champion.sha256).predict(rows))
    return result
