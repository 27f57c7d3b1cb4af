"""What came of a cycle, in one word, in a sentence, and as a page for a job's summary."""

from collections.abc import Mapping
from typing import Any

from carefolio.artefacts import write_json, write_text
from carefolio.command import DISCLAIMER
from retraining.gates import TITLES
from retraining.names import FAULT_TITLES
from retraining.state import State
from retraining.store import Store


def conclude(state: State, batch: int) -> dict[str, Any]:
    """Say what came of the open cycle.

    Parameters
    ----------
    state : State
        With all its steps.
    batch : int
        Its batch.

    Returns
    -------
    dict
        ``batch``, ``outcome``, ``reason``, ``release`` (0 before the first), ``model``, ``approved_by``, ``planted`` and ``waiting``.
    """
    done = state.done
    outcome, reason = _outcome(state, batch)
    approved = done.get("approve", {})
    by = f"{approved['by']} ({approved['role']})" if approved.get("decision") in ("approved", "automatic") else ""
    return {"batch": batch, "outcome": outcome, "reason": reason, "release": state.releases,
            "model": state.champion.sha256 if state.champion else "", "approved_by": by,
            "planted": planted(done), "waiting": "ask" in done and "approve" not in done}


def planted(done: Mapping[str, Any]) -> str:
    """Name the fault that was planted into a cycle.

    Parameters
    ----------
    done : mapping
        Its steps.

    Returns
    -------
    str
        Empty for none.
    """
    return next((str(done[step]["planted"]) for step in ("receive", "decide") if done.get(step, {}).get("planted")), "")


def _outcome(state: State, batch: int) -> tuple[str, str]:
    done = state.done
    if "rollback" in done:
        return "rolled_back", f"release {done['rollback']['taken_back']} was taken back: {done['rollback']['why']}"
    if "deploy" in done:
        return "promoted", f"release {done['deploy']['release']} answers; {'; '.join(done['decide']['reasons'])}"
    if "approve" in done:
        words = {"lapsed": "unchanged", "declined": "rejected"}
        return words[done["approve"]["decision"]], f"{done['approve']['decision']} by {done['approve']['by']}: {done['approve']['why']}"
    if "ask" in done:
        return "unchanged", f"a person has to approve: {'; '.join(done['ask']['reasons'])}"
    if "gate" in done:
        return "rejected", "; ".join(gate["words"] for gate in done["gate"]["gates"] if not gate["passed"])
    if batch in state.held:
        return "rejected", f"batch {batch} is held: {'; '.join(state.held[batch])}"
    if done["outcomes"]["faults"]:
        return "rejected", f"outcomes are held: {'; '.join(done['outcomes']['faults'].values())}"
    return "unchanged", "; ".join(done["decide"]["reasons"])


def write_summary(store: Store, state: State, outcome: dict[str, Any]) -> None:
    """Write ``summary.md`` and ``outcome.json`` of a cycle.

    Parameters
    ----------
    store : Store
        Folder of the run.
    state : State
        With all steps of the cycle.
    outcome : dict
        Result of `conclude`.
    """
    folder = store.cycle(outcome["batch"])
    folder = folder.with_name(f"{folder.name}-rollback") if "ordered" in state.done else folder
    write_text(folder / "summary.md", render(state, outcome))
    write_json(folder / "outcome.json", outcome)


def render(state: State, outcome: dict[str, Any]) -> str:
    """Write the page of a cycle.

    Parameters
    ----------
    state : State
        With all its steps.
    outcome : dict
        Result of `conclude`.

    Returns
    -------
    str
        Markdown.
    """
    done = state.done
    parts = [f"## Batch {outcome['batch']}: {outcome['outcome'].replace('_', ' ')}", f"{outcome['reason'].capitalize()}."]
    if outcome["planted"]:
        parts.insert(1, f"> **Planted fault:** {FAULT_TITLES[outcome['planted']]}. Everything else is as delivered.")
    parts += [part for part in (_performance(done), _gates(done), _drift(done)) if part]
    if outcome["approved_by"]:
        parts.append(f"Approved by {outcome['approved_by']}.")
    parts.append(f"Deployed: release {outcome['release'] or 'none'}. {DISCLAIMER}")
    return "\n\n".join(parts) + "\n"


def _performance(done: dict[str, Any]) -> str:
    found = done.get("outcomes", {}).get("performance")
    if not found:
        return ""
    auroc, intercept = found["roc_auc"], found["calibration_intercept"]
    return (f"Champion on batch {done['outcomes']['of']}: AUROC {auroc['value']:.3f} ({auroc['low']:.3f} to {auroc['high']:.3f}), "
            f"calibration intercept {intercept['value']:+.2f} ({intercept['low']:+.2f} to {intercept['high']:+.2f}).")


def _gates(done: dict[str, Any]) -> str:
    if "gate" not in done:
        return ""
    lines = ["| gate | challenger | champion | difference | margin | |", "|---|---|---|---|---|---|"]
    for gate in done["gate"]["gates"]:
        difference = gate["difference"]
        lines.append(f"| {TITLES[gate['gate']]} | {gate['challenger']['value']:.4f} | {gate['champion']['value']:.4f} | "
                     f"{difference['value']:+.4f} ({difference['low']:+.4f} to {difference['high']:+.4f}) | {gate['margin']:g} | "
                     f"{'holds' if gate['passed'] else '**fails**'} |")
    return "\n".join(lines)


def _drift(done: dict[str, Any]) -> str:
    if "drift" not in done:
        return ""
    largest = sorted(done["drift"]["features"].items(), key=lambda pair: -pair[1])[:5]
    return "Largest drift against the teaching rows (PSI): " + ", ".join(f"{name} {value:.2f}" for name, value in largest) + "."
