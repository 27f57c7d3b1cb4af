"""The middle steps of a cycle: decide whether a challenger is called for, teach it, put it through the gates, and ask for approval."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from carefolio.exceptions import ConfigError
from retraining import faults, gates, model
from retraining.features import check_apart, judging_rows, read_features, read_labelled, teaching_rows
from retraining.protocol import Triggers
from retraining.state import Context, State


def decide(state: State, context: Context, batch: int) -> dict[str, Any]:
    """Decide by the protocol's rules whether to teach a challenger.

    Parameters
    ----------
    state : State
        What is known.
    context : Context
        Protocol.
    batch : int
        Number of the batch.

    Returns
    -------
    dict
        ``retrain``, ``reasons`` in words, the batches that would teach, and the fault that is planted.
    """
    newest = int(state.done["outcomes"]["of"])
    taught, rules = state.usable(before=newest), context.protocol.modification_protocol
    said = {"batches": taught, "planted": context.fault}
    obstacle = _obstacle(state, batch, newest, taught)
    if obstacle:
        return {"retrain": False, "reasons": [obstacle], **said}
    if state.champion is None:
        return {"retrain": True, "reasons": ["there is no model yet"], **said}
    reasons = triggered(state, rules.triggers, rules.batch.measured, batch)
    if context.fault in faults.FORCES_RETRAINING and not reasons:
        reasons = ["a fault is planted, so a challenger is taught in any case"]
    return {"retrain": bool(reasons), "reasons": reasons or ["no trigger fired"], **said}


def _obstacle(state: State, batch: int, newest: int, taught: list[int]) -> str:
    if batch in state.held:
        return f"batch {batch} is held"
    if state.done["outcomes"]["faults"]:
        return "; ".join(state.done["outcomes"]["faults"].values())
    if not newest:
        return "no new outcomes to judge by"
    return "nothing new to teach" if set(taught) <= set(state.champion.taught if state.champion else ()) else ""


def triggered(state: State, rules: Triggers, measured: tuple[str, ...], batch: int) -> list[str]:
    """List the triggers that fire.

    Parameters
    ----------
    state : State
        With drift and outcomes of the open cycle.
    rules : Triggers
        Marks.
    measured : tuple of str
        Columns whose drift counts.
    batch : int
        Number of the batch.

    Returns
    -------
    list of str
        Each in words and numbers.
    """
    assert state.champion is not None
    drift, performance = state.done["drift"], state.done["outcomes"]["performance"]
    drifted = [name for name in measured if drift["features"][name] > rules.feature_psi]
    auroc, intercept = performance["roc_auc"], performance["calibration_intercept"]
    before = state.champion.judged["measured"]["roc_auc"]
    age = batch - state.champion.batch
    nearest = max(intercept["low"], -intercept["high"])
    found = {
        f"{len(drifted)} measured columns have drifted: {', '.join(drifted)}": len(drifted) >= rules.features_above_psi,
        f"the predicted risk has drifted, index {drift['prediction']:.2f}": drift["prediction"] > rules.prediction_psi,
        f"a classifier tells the batch from the teaching rows, AUROC at least {drift['two_sample']['low']:.2f}":
            drift["two_sample"]["low"] > rules.two_sample_auroc,
        f"AUROC is at most {auroc['high']:.3f}, {before:.3f} when the champion was judged": auroc["high"] < before - rules.auroc_drop,
        f"the level of risk is off, intercept {intercept['value']:+.2f} ({intercept['low']:+.2f} to {intercept['high']:+.2f})":
            nearest > rules.calibration_intercept,
        f"{age} batches have arrived since the champion was taught": age >= rules.batches_since_taught,
    }
    return [words for words, fires in found.items() if fires]


def teach(state: State, context: Context, batch: int) -> dict[str, Any]:
    """Teach the challenger and keep it.

    Parameters
    ----------
    state : State
        With the decision.
    context : Context
        Store and settings.
    batch : int
        Number of the batch.

    Returns
    -------
    dict
        Its hash, and the batches, rows, returns and rounds.
    """
    batches, settings = list(state.done["decide"]["batches"]), context.settings
    rows = faults.teaching(context.fault, teaching_rows(read_labelled(context.store, batches, now=batch)))
    check_apart(rows, judging_rows(read_features(context.store, state.accepted(before=batch + 1))))
    taught = model.teach(rows, settings.model, seed=settings.seed, batches=batches)
    return {"sha256": model.keep(context.store, taught), **model.describe(taught)}


def contest(state: State, context: Context, batch: int) -> gates.Contest:
    """Set challenger and champion against each other; the first model stands against itself, so that only limits count.

    Parameters
    ----------
    state : State
        With the challenger.
    context : Context
        Store.
    batch : int
        Number of the batch.

    Returns
    -------
    Contest
        For the gates.
    """
    store, newest = context.store, int(state.done["outcomes"]["of"])
    challenger = str(state.done["teach"]["sha256"])
    champion = state.champion.sha256 if state.champion else challenger
    batches = (list(state.done["teach"]["batches"]), list(state.champion.taught if state.champion else state.done["teach"]["batches"]))
    rows: list[pl.DataFrame] = [teaching_rows(read_features(store, one)) for one in batches]
    first = model.load(store, challenger)
    second = first if champion == challenger else model.load(store, champion)
    return gates.Contest(first, second, rows[0], rows[1],
                         judging_rows(read_labelled(store, [newest], now=batch)), read_features(store, [batch]),
                         (model.size_mb(store, challenger), model.size_mb(store, champion)))


def gate(state: State, context: Context, batch: int) -> dict[str, Any]:
    """Put the challenger through the gates.

    Parameters
    ----------
    state : State
        With the challenger.
    context : Context
        Store, settings and protocol.
    batch : int
        Number of the batch.

    Returns
    -------
    dict
        ``judged_on`` (batch), ``encounters``, ``patients``, ``returns``, ``gates``, ``passed``, ``measured`` (the challenger's own values),
        ``reclassified``, and the ``protocol`` in force.
    """
    rules, pair = context.protocol.modification_protocol, contest(state, context, batch)
    found = gates.judge(pair, rules, context.settings)
    rows = pair.judging_rows
    return {"judged_on": int(state.done["outcomes"]["of"]), "encounters": rows.height, "patients": rows["patient_nbr"].n_unique(),
            "returns": int(rows["returned_within_30_days"].sum()), "gates": found, "passed": all(one["passed"] for one in found),
            "measured": {one["gate"]: one["challenger"]["value"] for one in found},
            "reclassified": gates.reclassified(pair, rules.risk_threshold),
            "protocol": {"version": context.protocol.version, "sha256": context.protocol.sha256()}}


def ask(state: State, context: Context, batch: int) -> dict[str, Any]:
    """Say whether a person has to approve.

    Parameters
    ----------
    state : State
        With the gates.
    context : Context
        Protocol.
    batch : int
        Number of the batch.

    Returns
    -------
    dict
        ``automatic``, ``reasons`` why not, and the ``roles`` of those who may approve.

    Raises
    ------
    ConfigError
        If the protocol is not the one by which the gates decided.
    """
    if state.done["gate"]["protocol"]["sha256"] != context.protocol.sha256():
        raise ConfigError("the protocol was changed after the gates had decided by it; finish this cycle with the protocol that it was "
                          "judged by, and change it for the next.")
    approval = context.protocol.modification_protocol.approval
    share, bounds = float(state.done["gate"]["reclassified"]), approval.automatic
    reasons = []
    if state.champion is None:
        reasons.append("the first model is approved by a person")
    elif share > bounds.largest_reclassified:
        reasons.append(f"{share:.1%} of the judging encounters change sides at the threshold; pre-approved up to "
                       f"{bounds.largest_reclassified:.1%}")
    if state.automatic >= bounds.in_a_row:
        reasons.append(f"{state.automatic} automatic promotions in a row; pre-approved {bounds.in_a_row}")
    return {"automatic": not reasons, "reasons": reasons, "roles": list(approval.roles)}


def approve(state: State, context: Context, batch: int) -> dict[str, Any] | None:
    """Approve within the pre-approved bounds, or by the person who was named.

    Parameters
    ----------
    state : State
        With the question.
    context : Context
        May name a person.
    batch : int
        Number of the batch.

    Returns
    -------
    dict or None
        ``decision`` (``automatic`` or ``approved``), ``by`` and ``role``; None while a person has to be waited for.

    Raises
    ------
    ConfigError
        If the person's role may not approve.
    """
    asked = state.done["ask"]
    if asked["automatic"]:
        return {"decision": "automatic", "by": "the protocol", "role": "within its pre-approved bounds"}
    if context.approver is None:
        return None
    return {"decision": "approved", **check_approver(context.approver, asked)}


def check_approver(approver: tuple[str, str], asked: Mapping[str, Any]) -> dict[str, str]:
    """Refuse a person without a name, or with a role that may not approve.

    Parameters
    ----------
    approver : tuple of (str, str)
        Name and role.
    asked : mapping
        Result of `ask`.

    Returns
    -------
    dict
        ``by`` and ``role``.

    Raises
    ------
    ConfigError
        If the protocol does not let this person decide.
    """
    name, role = approver
    if not name.strip() or role not in asked["roles"]:
        raise ConfigError(f"{name.strip() or 'nobody'} with the role {role!r} may not approve; the protocol names "
                          f"{', '.join(asked['roles'])}. Give --approver and --role of one of them.")
    return {"by": name.strip(), "role": role}
