"""The cycle of a batch as a state machine: the next step follows from the journal alone, so that a killed cycle goes on where it was.

Every step reads what the journal and the files say, writes files whole under names that depend on its input alone, and is recorded last. A
step that was done and not recorded is done again with the same result; one that was recorded is never done again.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from carefolio.artefacts import sha256_file
from carefolio.exceptions import BusyError, DataIntegrityError, DataUnavailableError
from retraining import challenge, intake, releases
from retraining.config import ServingSettings
from retraining.deployment import POINTER, read_pointer
from retraining.journal import Entry, append, read_journal
from retraining.names import SERVICE_VARIABLE
from retraining.smoke import run_service
from retraining.state import Context, State, fold
from retraining.store import Store
from retraining.summary import conclude, write_summary

Step = Callable[[State, Context, int], dict[str, Any] | None]


def next_step(state: State) -> str:
    """Say which step comes next.

    Parameters
    ----------
    state : State
        With an open cycle, or one about to begin.

    Returns
    -------
    str
        Name of the step.
    """
    done = state.done
    if "rollback" in done:
        return "close" if "smoke_after_rollback" in done else "smoke_after_rollback"
    if "ordered" in done:
        return "rollback"
    if "deploy" in done:
        return "smoke" if "smoke" not in done else "close" if done["smoke"]["passed"] else "rollback"
    intake_steps = ["receive", "features", "validate", *(["drift"] if state.champion else []), "outcomes"]
    missing = next((step for step in intake_steps if step not in done), "")
    if missing:
        return missing
    if "watch" not in done and not state.watched and done["outcomes"]["of"]:
        return "watch"
    if "watch" in done and not done["watch"]["passed"]:
        return "rollback"
    return _challenge_step(done)


def _challenge_step(done: Mapping[str, Any]) -> str:
    if "decide" not in done:
        return "decide"
    if not done["decide"]["retrain"]:
        return "close"
    missing = next((step for step in ("teach", "gate") if step not in done), "")
    if missing or not done["gate"]["passed"]:
        return missing or "close"
    missing = next((step for step in ("ask", "approve") if step not in done), "")
    return missing or ("deploy" if done["approve"]["decision"] in ("automatic", "approved") else "close")


def _roll_back(state: State, context: Context, batch: int) -> dict[str, Any]:
    cause = next(state.done[step] for step in ("ordered", "smoke", "watch") if step in state.done)
    return releases.rollback(state, context, batch, why=str(cause["words"]), decided=str(cause["hash"]))


def _close(state: State, context: Context, batch: int) -> dict[str, Any]:
    outcome = conclude(state, batch)
    write_summary(context.store, state, outcome)
    return outcome


STEPS: dict[str, Step] = {
    "receive": intake.receive, "features": intake.features, "validate": intake.validate, "drift": intake.drift, "outcomes": intake.outcomes,
    "watch": releases.watch, "decide": challenge.decide, "teach": challenge.teach, "gate": challenge.gate, "ask": challenge.ask,
    "approve": challenge.approve, "deploy": releases.promote, "smoke": releases.smoke, "rollback": _roll_back,
    "smoke_after_rollback": releases.smoke, "close": _close,
}


def run_cycle(context: Context, *, most_steps: int | None = None) -> dict[str, Any]:
    """Take the next batch through its steps, or go on with an open cycle.

    Parameters
    ----------
    context : Context
        Store, settings, protocol, service, approver.
    most_steps : int, optional
        Stop after so many.

    Returns
    -------
    dict
        ``batch``, ``outcome`` (one of `retraining.names.OUTCOMES`), ``reason``, ``closed``, and what the summary holds.

    Raises
    ------
    BusyError
        If another process works on the same run.
    CarefolioError
        If a step cannot be done; what was done before is recorded.
    """
    with locked(context.store):
        entries = open_journal(context.store)
        state = fold(entries)
        entries, lapsed = _let_lapse(entries, state, context)
        found = _run(entries, context, most_steps)
        return _run(open_journal(context.store), context, most_steps) if lapsed and found["closed"] else found


def _run(entries: list[Entry], context: Context, most_steps: int | None) -> dict[str, Any]:
    state = fold(entries)
    batch = state.batch or next_batch(state, context)
    if state.batch is None and state.received and not context.delivery and not context.store.delivered(batch).is_file():
        return {"batch": batch, "outcome": "unchanged", "reason": f"batch {batch} has not been delivered", "closed": True}
    step, steps = "", 0
    while step != "close" and (most_steps is None or steps < most_steps):
        state, steps = fold(entries), steps + 1
        step = next_step(state)
        result = STEPS[step](state, context, batch)
        if result is None:
            outcome = conclude(state, batch)
            write_summary(context.store, state, outcome)
            return {**outcome, "closed": False}
        entries = append(context.store.journal, entries, batch=batch, step=step, result=result)
        context.say(f"batch {batch}: {step}")
    if step == "close":
        return {**entries[-1].result, "closed": True}
    return {"batch": batch, "outcome": "unchanged", "reason": f"stopped after the step {step}", "closed": False}


def next_batch(state: State, context: Context) -> int:
    """Number the next batch.

    Parameters
    ----------
    state : State
        What was taken in.
    context : Context
        Number of the first batches.

    Returns
    -------
    int
        The last of the first batches before there is a model.
    """
    return max(state.received) + 1 if state.received else context.settings.data.first_batches


def _let_lapse(entries: list[Entry], state: State, context: Context) -> tuple[list[Entry], bool]:
    """Let a challenger that waits for a person lapse once the next batch has arrived; the first model goes on waiting."""
    if state.batch is None or next_step(state) != "approve" or context.approver is not None or state.done["ask"]["automatic"]:
        return entries, False
    if state.champion is None or not context.store.delivered(state.batch + 1).is_file():
        return entries, False
    lapsed = {"decision": "lapsed", "by": "nobody", "role": "", "why": f"not approved before batch {state.batch + 1} arrived"}
    return append(context.store.journal, entries, batch=state.batch, step="approve", result=lapsed), True


def decide_by_person(context: Context, *, approved: bool, why: str) -> dict[str, Any]:
    """Record a person's decision, and finish the cycle that waits for it.

    Parameters
    ----------
    context : Context
        Names the person.
    approved : bool
        False declines.
    why : str
        The person's reason.

    Returns
    -------
    dict
        As `run_cycle`.

    Raises
    ------
    DataUnavailableError
        If nothing waits for approval.
    ConfigError
        If the person's role may not approve.
    """
    with locked(context.store):
        entries = open_journal(context.store)
        state = fold(entries)
        if state.batch is None or next_step(state) != "approve" or context.approver is None:
            raise DataUnavailableError("no challenger waits for approval; `retraining status` says what is going on.")
        by = challenge.check_approver(context.approver, state.done["ask"])
        append(context.store.journal, entries, batch=state.batch, step="approve",
               result={"decision": "approved" if approved else "declined", **by, "why": why})
    return run_cycle(context)


def roll_back_by_person(context: Context, *, why: str) -> dict[str, Any]:
    """Bring the champion of before back, on a person's word.

    Parameters
    ----------
    context : Context
        Names the person.
    why : str
        The reason.

    Returns
    -------
    dict
        As `run_cycle`.

    Raises
    ------
    DataUnavailableError
        If a cycle is open, or there is nothing to roll back to.
    ConfigError
        If the person's role may not decide.
    """
    with locked(context.store):
        entries = open_journal(context.store)
        state = fold(entries)
        if state.batch is not None:
            raise DataUnavailableError(f"the cycle of batch {state.batch} is open; finish it with `retraining cycle` first.")
        releases.champion_before(state)
        roles = {"roles": list(context.protocol.modification_protocol.approval.roles)}
        by = challenge.check_approver(context.approver or ("", ""), roles)
        append(context.store.journal, entries, batch=max(state.received), step="ordered",
               result={**by, "words": f"{by['by']} ({by['role']}): {why}"})
    return run_cycle(context)


def open_journal(store: Store) -> list[Entry]:
    """Read the journal, and see that files and deployment are what it says.

    Parameters
    ----------
    store : Store
        Folder of the run.

    Returns
    -------
    list of Entry
        All of it.

    Raises
    ------
    DataIntegrityError
        If the journal is damaged, cut at its end, or a file was altered.
    """
    entries = read_journal(store.journal)
    state = fold(entries)
    if (store.deployment / POINTER).is_file():
        pointer = read_pointer(store.deployment)
        if pointer.decided not in state.hashes:
            raise DataIntegrityError(f"{store.journal} ends after line {len(entries)} without the decision that led to release "
                                     f"{pointer.number}, which is deployed; lines are missing at its end. Restore it from a copy.")
    for entry in (entry for entry in entries if entry.step == "features"):
        for batch, kept in entry.result.items():
            _check_file(store.features(int(batch)), kept["features_sha256"])
            _check_file(store.outcomes(int(batch)), kept["outcomes_sha256"])
    return entries


def _check_file(path: Path, expected: str) -> None:
    if not path.is_file() or sha256_file(path) != expected:
        raise DataIntegrityError(f"{path} is not the file that the journal names; restore it, or replay the run.")


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """Keep other processes off a run; a killed one lets go by itself.

    Parameters
    ----------
    store : Store
        Folder of the run.

    Yields
    ------
    None
        Nobody else works on it in the block.

    Raises
    ------
    BusyError
        If another process does.
    """
    from filelock import FileLock, Timeout

    store.lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(store.lock, timeout=0):
            yield
    except Timeout:
        raise BusyError(f"another process works on {store.folder}; wait until it has ended, nothing was done.") from None


@contextmanager
def service_on_demand(store: Store, settings: ServingSettings) -> Iterator[Callable[[], str]]:
    """Give the service that is running, or start one when it is first asked for.

    Parameters
    ----------
    store : Store
        Folder of the run.
    settings : ServingSettings
        How often it looks for another release.

    Yields
    ------
    callable
        Gives its address, ``$RETRAINING_SERVICE`` if that is set.
    """
    with ExitStack() as stack:
        started: list[str] = []

        def _address() -> str:
            given = os.environ.get(SERVICE_VARIABLE)
            if not given and not started:
                started.append(stack.enter_context(run_service(store.deployment, settings)))
            return given or started[0]

        yield _address

