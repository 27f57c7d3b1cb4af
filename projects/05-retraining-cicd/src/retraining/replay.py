"""A whole history: the first model, then batch after batch through its cycle; and copies of it into which faults are planted."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from carefolio.artefacts import write_json
from carefolio.exceptions import ArtefactError, DataUnavailableError
from retraining.config import RetrainingSettings
from retraining.cycle import open_journal, run_cycle, service_on_demand
from retraining.deployment import LEDGER, POINTER
from retraining.faults import BATCH_FAULTS, plant_into_batch
from retraining.journal import Entry, copy_prefix
from retraining.names import APPROVER_VARIABLE, ROLE_VARIABLE
from retraining.protocol import Protocol, with_open_gates
from retraining.state import Context, State, fold
from retraining.store import Store

REPLAYER = "whoever ran the replay"
BEFORE_DECISION = ("receive", "features", "validate", "drift", "outcomes", "watch")
Say = Callable[[str], None]


def replay_store(out: Path) -> Store:
    """Name the folder of the replay; the deliveries stand beside it.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Returns
    -------
    Store
        Of the replay.
    """
    return Store(out / "replay", out / "incoming")


def replay(settings: RetrainingSettings, out: Path, protocol: Protocol, *, say: Say) -> State:
    """Take all delivered batches through their cycles, from the beginning.

    Parameters
    ----------
    settings : RetrainingSettings
        Settings.
    out : Path
        Folder of the run, with the deliveries.
    protocol : Protocol
        The protocol in force.
    say : callable
        Is told what is done.

    Returns
    -------
    State
        After the last batch.

    Raises
    ------
    ArtefactError
        If no first model holds the protocol's limits.
    """
    store = replay_store(out)
    if store.folder.is_dir():
        shutil.rmtree(store.folder)
    with service_on_demand(store, settings.serving) as service:
        context = Context(store, settings, protocol, service, approver=replayer(protocol), say=say)
        for batch in range(settings.data.first_batches, settings.data.batches + 1):
            outcome = run_cycle(context)
            say(f"batch {batch}: {outcome['outcome'].replace('_', ' ')}. {outcome['reason']}")
            if not outcome["release"]:
                raise ArtefactError(f"the first model does not hold the protocol's limits: {outcome['reason']}. Teach it on more "
                                    "encounters (max_patients, first_batches), or look at the protocol.")
    return fold(open_journal(store))


def replayer(protocol: Protocol) -> tuple[str, str]:
    """Name who approves in a replay, where the protocol asks for a person.

    Parameters
    ----------
    protocol : Protocol
        Names the roles.

    Returns
    -------
    tuple of (str, str)
        From the environment, else whoever ran it, in the first role.
    """
    roles = protocol.modification_protocol.approval.roles
    return os.environ.get(APPROVER_VARIABLE) or REPLAYER, os.environ.get(ROLE_VARIABLE) or roles[0]


def plant_fault(fault: str, settings: RetrainingSettings, out: Path, protocol: Protocol, *, say: Say) -> list[dict[str, Any]]:
    """Go on from a copy of the replay with a planted fault.

    Parameters
    ----------
    fault : str
        One of `retraining.names.FAULT_TITLES`.
    settings : RetrainingSettings
        Settings of the replay.
    out : Path
        Folder of the run.
    protocol : Protocol
        The protocol in force.
    say : callable
        Is told what is done.

    Returns
    -------
    list of dict
        What came of each cycle.

    Raises
    ------
    DataUnavailableError
        If nothing was replayed yet.
    """
    base = replay_store(out)
    entries = open_journal(base)
    if not entries:
        raise DataUnavailableError(f"there is no replay in {out} to plant a fault into; run `retraining run` first.")
    state = fold(entries)
    batch = settings.faults.batch or choose_batch(state, settings)
    store = fork(base, entries, batch, fault, out / "faults" / fault)
    opened = fault == "gates_open" or (fault == "damaged_model" and batch not in promoted(state))
    cycles = 2 if fault == "gates_open" else 1
    with service_on_demand(store, settings.serving) as service:
        context = Context(store, settings, with_open_gates(protocol) if opened else protocol, service, approver=replayer(protocol),
                          fault=fault, say=say)
        outcomes = [run_cycle(context) for _ in range(cycles)]
    write_json(store.folder / "planted.json", {"fault": fault, "batch": batch, "gates_open": opened, "outcomes": outcomes})
    return outcomes


def promoted(state: State) -> list[int]:
    """List the batches in whose cycle a challenger replaced a champion.

    Parameters
    ----------
    state : State
        After the replay.

    Returns
    -------
    list of int
        Without that of the first model.
    """
    return [int(cycle["batch"]) for cycle in state.closed[1:] if "deploy" in cycle["steps"]]


def choose_batch(state: State, settings: RetrainingSettings) -> int:
    """Choose the batch into whose cycle faults are planted: one in which a challenger was promoted, if there is one.

    Parameters
    ----------
    state : State
        After the replay.
    settings : RetrainingSettings
        Number of batches.

    Returns
    -------
    int
        The first such batch that is not the last; else the first one after the first model.
    """
    usual = [batch for batch in promoted(state) if batch < settings.data.batches]
    return usual[0] if usual else settings.data.first_batches + 1


def fork(base: Store, entries: list[Entry], batch: int, fault: str, folder: Path) -> Store:
    """Copy a run as it was before the cycle of a batch, or before its decision where the batch itself is not altered.

    Parameters
    ----------
    base : Store
        The replay.
    entries : list of Entry
        Its journal.
    batch : int
        The batch.
    fault : str
        The fault that will be planted.
    folder : Path
        Folder of the copy; what stands there is removed.

    Returns
    -------
    Store
        The copy.
    """
    if folder.is_dir():
        shutil.rmtree(folder)
    store = Store(folder)
    kept = [entry for entry in entries if entry.batch < batch
            or (entry.batch == batch and fault not in BATCH_FAULTS and entry.step in BEFORE_DECISION)]
    for name in ("state", "models"):
        shutil.copytree(base.folder / name, store.folder / name, ignore=shutil.ignore_patterns("lock", "journal.jsonl"))
    copy_prefix(base.journal, store.journal, len(kept))
    for delivered in sorted(base.incoming.glob("batch-*.csv")):
        number = int(delivered.stem.rpartition("-")[2])
        plant_into_batch(fault if number == batch and fault in BATCH_FAULTS else "", delivered, store.delivered(number))
    _fork_deployment(base, store, fold(kept).releases)
    return store


def _fork_deployment(base: Store, store: Store, releases: int) -> None:
    shutil.copytree(base.deployment / "models", store.deployment / "models")
    for path in sorted((base.deployment / LEDGER).glob("*.json"))[:releases]:
        (store.deployment / LEDGER).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, store.deployment / LEDGER / path.name)
        shutil.copyfile(path, store.deployment / POINTER)
