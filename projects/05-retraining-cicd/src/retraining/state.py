"""What the journal says, as one frozen value; and what every step needs to know."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from retraining.config import RetrainingSettings
from retraining.journal import Entry
from retraining.protocol import Protocol
from retraining.store import Store

Result = Mapping[str, Any]


@dataclass(frozen=True)
class Champion:
    """A model that is or was deployed: its hash, its release, the batches that taught it, and how it was judged then."""

    sha256: str
    release: int
    batch: int
    taught: tuple[int, ...]
    judged: Result


@dataclass(frozen=True)
class State:
    """Everything that the journal says.

    Attributes
    ----------
    received : dict of int to str
        Batches taken in, with the SHA-256 of their file.
    last_encounter : int
        Largest ``encounter_id`` taken in.
    held : dict of int to list of str
        Batches that teach nobody and judge nobody, with the faults found.
    outcomes_held : dict of int to str
        Batches whose outcomes are not believed.
    line : tuple of Champion
        The champion last, those that it replaced before it; a rollback takes the last away.
    releases : int
        How many there were.
    watched : bool
        Whether the champion has stood its watch.
    automatic : int
        Promotions in a row that no person approved.
    batch : int or None
        Batch of the open cycle.
    done : dict of str to mapping
        Steps of the open cycle, and what came of them.
    closed : tuple of dict
        What came of each closed cycle, with its batch and all its steps.
    hashes : frozenset of str
        Of all entries.
    """

    received: dict[int, str] = field(default_factory=dict)
    last_encounter: int = 0
    held: dict[int, list[str]] = field(default_factory=dict)
    outcomes_held: dict[int, str] = field(default_factory=dict)
    line: tuple[Champion, ...] = ()
    releases: int = 0
    watched: bool = True
    automatic: int = 0
    batch: int | None = None
    done: dict[str, Result] = field(default_factory=dict)
    closed: tuple[dict[str, Any], ...] = ()
    hashes: frozenset[str] = frozenset()

    @property
    def champion(self) -> Champion | None:
        """Give the model that is deployed.

        Returns
        -------
        Champion or None
            None before the first.
        """
        return self.line[-1] if self.line else None

    def usable(self, *, before: int) -> list[int]:
        """List the batches that may teach or judge.

        Parameters
        ----------
        before : int
            Only batches below this one.

        Returns
        -------
        list of int
            In order; held ones are left out.
        """
        return [batch for batch in sorted(self.received) if batch < before and batch not in self.held and batch not in self.outcomes_held]

    def accepted(self, *, before: int) -> list[int]:
        """List the batches whose features count, whatever is thought of their outcomes.

        Parameters
        ----------
        before : int
            Only batches below this one.

        Returns
        -------
        list of int
            In order.
        """
        return [batch for batch in sorted(self.received) if batch < before and batch not in self.held]


@dataclass(frozen=True)
class Context:
    """What a step works with beside the state.

    Attributes
    ----------
    store : Store
        Folder of the run.
    settings : RetrainingSettings
        Settings.
    protocol : Protocol
        The protocol in force.
    service : callable
        Gives the address of the running service; starts one where there is none.
    approver : tuple of (str, str), optional
        Name and role of the person who approves.
    delivery : str, optional
        File that is delivered, where it is not the next one of the folder.
    fault : str, optional
        Fault that is planted.
    say : callable, optional
        Is told what is done.
    """

    store: Store
    settings: RetrainingSettings
    protocol: Protocol
    service: Callable[[], str]
    approver: tuple[str, str] | None = None
    delivery: str = ""
    fault: str = ""
    say: Callable[[str], None] = print


def fold(entries: Sequence[Entry]) -> State:
    """Work out the state from the journal.

    Parameters
    ----------
    entries : sequence of Entry
        All of it.

    Returns
    -------
    State
        Frozen.
    """
    state = State()
    for entry in entries:
        state = _after(state, entry)
    return replace(state, hashes=frozenset(entry.hash for entry in entries))


def _after(state: State, entry: Entry) -> State:
    result = entry.result
    state = replace(state, batch=entry.batch, done={**state.done, entry.step: {**result, "time": entry.time, "hash": entry.hash}})
    if entry.step == "receive":
        received = {int(batch): sha256 for batch, sha256 in result["files"].items()}
        return replace(state, received={**state.received, **received}, last_encounter=int(result["last_encounter"]))
    if entry.step == "validate" and result["faults"]:
        return replace(state, held={**state.held, entry.batch: list(result["faults"])})
    if entry.step == "outcomes":
        faults = {int(batch): fault for batch, fault in result["faults"].items()}
        return replace(state, outcomes_held={**state.outcomes_held, **faults})
    if entry.step == "deploy":
        return _promoted(state, entry)
    if entry.step == "rollback":
        return replace(state, line=state.line[:-1], releases=state.releases + 1, watched=True)
    if entry.step == "watch":
        return replace(state, watched=True)
    if entry.step == "close":
        return replace(state, batch=None, done={}, closed=(*state.closed, {"batch": entry.batch, "steps": state.done, **result}))
    return state


def _promoted(state: State, entry: Entry) -> State:
    taught, approved = state.done["teach"], state.done["approve"]
    champion = Champion(str(taught["sha256"]), int(entry.result["release"]), entry.batch, tuple(taught["batches"]), state.done["gate"])
    automatic = state.automatic + 1 if approved["decision"] == "automatic" else 0
    return replace(state, line=(*state.line, champion), releases=state.releases + 1, watched=not state.line, automatic=automatic)
