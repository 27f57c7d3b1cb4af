"""The last steps of a cycle: watch the champion of before, deploy, ask the running service, roll back."""

from dataclasses import asdict
from functools import partial
from typing import Any

from carefolio.exceptions import ArtefactError, ConfigError
from retraining import faults
from retraining.deployment import MODELS, Release, deploy
from retraining.features import judging_rows, read_features, read_labelled
from retraining.model import load
from retraining.performance import compare, judging
from retraining.smoke import smoke_test
from retraining.state import Champion, Context, State


def watch(state: State, context: Context, batch: int) -> dict[str, Any]:
    """Compare a new champion with the one that it replaced, on the outcomes of the batch that it served first.

    Parameters
    ----------
    state : State
        With the outcomes.
    context : Context
        Store, settings and protocol.
    batch : int
        Number of the batch that has arrived.

    Returns
    -------
    dict
        ``on`` (batch), ``roc_auc`` and ``calibration_intercept`` (differences, new less old), ``passed`` and ``words``.
    """
    rules, options = context.protocol.modification_protocol, context.settings.evaluation
    new, old = state.line[-1], state.line[-2]
    served = int(state.done["outcomes"]["of"])
    rows = judging_rows(read_labelled(context.store, [served], now=batch))
    judges = judging(rows, rules.subgroups, risk_threshold=rules.risk_threshold, replicates=options.replicates, level=options.level,
                     seed=context.settings.seed)
    found = compare(judges, load(context.store, new.sha256).predict(rows), load(context.store, old.sha256).predict(rows))
    auroc, level = found["roc_auc"]["difference"], found["calibration_intercept"]["difference"]
    words = []
    if auroc.high < -rules.deployment.watch.auroc_margin:
        words.append(f"AUROC is lower by {-auroc.value:.3f} ({-auroc.high:.3f} to {-auroc.low:.3f}) than with the model before")
    if level.low > rules.deployment.watch.calibration_margin:
        words.append(f"the level of risk is further off by {level.value:.3f} ({level.low:.3f} to {level.high:.3f})")
    return {"on": served, "release": new.release, "encounters": rows.height, "roc_auc": asdict(auroc),
            "calibration_intercept": asdict(level), "passed": not words,
            "words": "; ".join(words) or "no worse than the model before, as far as these patients can tell"}


def promote(state: State, context: Context, batch: int) -> dict[str, Any]:
    """Deploy the challenger.

    Parameters
    ----------
    state : State
        With the approval.
    context : Context
        Store.
    batch : int
        Number of the batch.

    Returns
    -------
    dict
        Number of the release and hash of the model.
    """
    release = next_release(state, str(state.done["teach"]["sha256"]), batch, "promotion" if state.champion else "first model",
                           decided=str(state.done["approve"]["hash"]))
    context.service()  # it runs before the pointer moves, as it does in a hospital, and has to take over what comes
    deploy(context.store.deployment, release, context.store.model(release.sha256), transferred=partial(faults.deployed, context.fault))
    return {"release": release.number, "sha256": release.sha256}


def next_release(state: State, sha256: str, batch: int, reason: str, *, decided: str) -> Release:
    """Number a release.

    Parameters
    ----------
    state : State
        Knows how many there were.
    sha256 : str
        Of the model.
    batch : int
        Number of the batch.
    reason : str
        Why it is deployed.
    decided : str
        Hash of the journal's entry that decided it.

    Returns
    -------
    Release
        For `retraining.deployment.deploy`.
    """
    number = state.releases + 1
    return Release(number, f"{MODELS}/{number:04d}-{sha256[:16]}", sha256, batch, reason, decided)


def smoke(state: State, context: Context, batch: int) -> dict[str, Any]:
    """Ask the running service whether it answers with what was deployed.

    Parameters
    ----------
    state : State
        With the deployment or the rollback.
    context : Context
        Store, settings, protocol and service.
    batch : int
        Number of the batch.

    Returns
    -------
    dict
        As `retraining.smoke.smoke_test` gives it.

    Raises
    ------
    ArtefactError
        If the first release, or the one that was rolled back to, does not answer.
    """
    champion = state.champion
    assert champion is not None
    made = state.done.get("rollback") or state.done["deploy"]
    release = Release(int(made["release"]), "", str(made["sha256"]), batch, "", "")
    rows = read_features(context.store, state.accepted(before=batch + 1)[-1:])
    found = smoke_test(context.service(), release, load(context.store, champion.sha256), rows, settings=context.settings.serving,
                       tolerance=context.protocol.modification_protocol.deployment.smoke_tolerance)
    if not found["passed"] and ("rollback" in state.done or len(state.line) == 1):
        raise ArtefactError(f"release {release.number} does not answer, and there is none to fall back to: {found['words']}. Mend the "
                            "service and give the same command; the cycle goes on here.")
    return found


def rollback(state: State, context: Context, batch: int, *, why: str, decided: str) -> dict[str, Any]:
    """Deploy the champion of before again, as a release of its own.

    Parameters
    ----------
    state : State
        Knows the champion of before.
    context : Context
        Store.
    batch : int
        Number of the batch.
    why : str
        In words.
    decided : str
        Hash of the journal's entry that decided it.

    Returns
    -------
    dict
        Number of the release, hash of the model, the release that was taken back, and why.

    Raises
    ------
    ConfigError
        If there is no champion of before.
    """
    before = champion_before(state)
    release = next_release(state, before.sha256, batch, "rollback", decided=decided)
    deploy(context.store.deployment, release, context.store.model(before.sha256))
    return {"release": release.number, "sha256": before.sha256, "taken_back": state.line[-1].release, "why": why}


def champion_before(state: State) -> Champion:
    """Find the model that a rollback brings back.

    Parameters
    ----------
    state : State
        What is known.

    Returns
    -------
    Champion
        The one that the present champion replaced.

    Raises
    ------
    ConfigError
        If there is none.
    """
    if len(state.line) < 2:
        raise ConfigError("there is no champion of before to roll back to; the first model can only be replaced by `retraining cycle`.")
    return state.line[-2]
