"""Evidence, figures, model card, the timeline that the dashboard shows, and the committed model with its pointer."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from carefolio.artefacts import atomic_path, read_json, seal, sha256_file, write_json
from carefolio.evidence import ArtefactRecord, DataRecord, Evidence, Metric, SplitRecord
from carefolio.reporting import write_reports
from carefolio.splits import make_split
from retraining import figures
from retraining.config import RetrainingSettings
from retraining.data import ENCOUNTER, PATIENT, delivered_record
from retraining.deployment import POINTER, Release
from retraining.features import JUDGES, read_features
from retraining.journal import read_journal
from retraining.names import FAULT_TITLES, PROJECT
from retraining.replay import replay_store
from retraining.state import State, fold
from retraining.store import Store
from retraining.summary import planted

PACKAGES = ["filelock", "lightgbm", "numpy", "pandera", "polars", "pyyaml", "scikit-learn"]
MODEL = "models/champion"
KEPT_STEPS = ("receive", "features", "validate", "drift", "outcomes", "watch", "decide", "teach", "gate", "ask", "approve", "deploy",
              "smoke", "rollback", "smoke_after_rollback", "close")


def build_report(out: Path, settings: RetrainingSettings, *, command: str, measured: Mapping[str, Metric]) -> Evidence:
    """Write ``reports`` and ``artefacts`` of a run: figures first, evidence last.

    Parameters
    ----------
    out : Path
        Folder of the run.
    settings : RetrainingSettings
        Goes into the evidence.
    command : str
        The command that was given.
    measured : mapping of str to Metric
        Metrics that benchmarks measured apart.

    Returns
    -------
    Evidence
        The record that was written.
    """
    store, reports = replay_store(out), out / "reports"
    state = fold(read_journal(store.journal))
    metrics = {key: Metric(**value) for key, value in read_json(out / "evaluate" / "metrics.json").items()}
    replayed = describe(state)
    planted_too = {fault: describe_fault(out, fault) for fault in FAULT_TITLES}
    write_json(reports / "timeline.json", {"replay": replayed, "planted": planted_too})
    drawn = figures.draw(metrics, replayed, planted_too, reports / "figures")
    keep_champion(store, state, out / "artefacts")
    provenance = delivered_record(Store(out))["provenance"]
    return write_reports(
        out, settings, project=PROJECT, packages=PACKAGES, command=command, figures=drawn, split=split_record(store, state),
        metrics=metrics | dict(measured), data=[DataRecord(**{key: provenance[key] for key in ("name", "origin", "sha256", "rows")})],
        artefacts=[ArtefactRecord(file=path.relative_to(out).as_posix(), sha256=sha256_file(path))
                   for path in sorted((out / "artefacts").rglob("*")) if path.is_file()])


def split_record(store: Store, state: State) -> SplitRecord:
    """Describe who teaches and who judges, over all batches that were taken in.

    Parameters
    ----------
    store : Store
        Of the replay.
    state : State
        Knows the batches.

    Returns
    -------
    SplitRecord
        By patient.
    """
    rows = read_features(store, state.accepted(before=max(state.received) + 1)).select(ENCOUNTER, PATIENT, JUDGES)
    labels = rows[JUDGES].replace_strict({True: "judges", False: "teaches"})
    split = make_split(rows[ENCOUNTER].to_numpy(), labels.to_numpy(), unit="patient")
    return SplitRecord(unit=split.unit, sha256=split.sha256(), parts={name: len(ids) for name, ids in split.parts.items()})


def describe(state: State) -> list[dict[str, Any]]:
    """Say what the dashboard shows of a history.

    Parameters
    ----------
    state : State
        After it.

    Returns
    -------
    list of dict
        One entry a cycle.
    """
    return [describe_cycle(cycle, before=state.closed[place - 1]["release"] if place else 0) for place, cycle in enumerate(state.closed)]


def describe_cycle(cycle: Mapping[str, Any], *, before: int) -> dict[str, Any]:
    """Say what is shown of a cycle; nothing in it is of a single patient.

    Parameters
    ----------
    cycle : mapping
        As `retraining.state.State.closed` holds it.
    before : int
        Release that answered before; 0 for none.

    Returns
    -------
    dict
        Ready for JSON.
    """
    steps = cycle["steps"]
    return {"batch": cycle["batch"], "outcome": cycle["outcome"], "reason": cycle["reason"], "release": cycle["release"],
            "release_before": before, "approved_by": cycle["approved_by"], "planted": planted(steps),
            "encounters": sum(steps["receive"]["rows"].values()), "faults": list(steps["validate"]["faults"]),
            "jumps": steps["validate"]["jumps"], "drift": _without_stamp(steps.get("drift", {})), "outcomes_of": steps["outcomes"]["of"],
            "performance": steps["outcomes"]["performance"], "watch": _without_stamp(steps.get("watch", {})),
            "decision": _without_stamp(steps.get("decide", {})), "taught": _without_stamp(steps.get("teach", {})),
            "judged": {key: value for key, value in _without_stamp(steps.get("gate", {})).items() if key != "gates"},
            "gates": steps.get("gate", {}).get("gates", []), "asked": _without_stamp(steps.get("ask", {})),
            "smoke": _without_stamp(steps.get("smoke", {})), "rollback": _without_stamp(steps.get("rollback", {})),
            "steps": [name for name in KEPT_STEPS if name in steps]}


def describe_fault(out: Path, fault: str) -> list[dict[str, Any]]:
    """Say what is shown of a planted fault.

    Parameters
    ----------
    out : Path
        Folder of the run.
    fault : str
        Its name.

    Returns
    -------
    list of dict
        The cycles from the faulty one on.
    """
    folder = out / "faults" / fault
    record = read_json(folder / "planted.json")
    shown = describe(fold(read_journal(Store(folder).journal)))
    return [cycle | {"planted": fault, "gates_open": record["gates_open"]} for cycle in shown if cycle["batch"] >= record["batch"]]


def keep_champion(store: Store, state: State, folder: Path) -> None:
    """Put the model that was deployed last, its pointer and their checksums into the folder that is committed.

    Parameters
    ----------
    store : Store
        Of the replay.
    state : State
        After it.
    folder : Path
        Destination, served as it stands.
    """
    champion = state.champion
    assert champion is not None
    for path in sorted(store.model(champion.sha256).iterdir()):
        with atomic_path(folder / MODEL / path.name) as temporary:
            shutil.copyfile(path, temporary)
        seal(folder / MODEL / path.name)
    release = Release(state.releases, MODEL, champion.sha256, champion.batch, "as the replay left it", "0" * 64)
    write_json(folder / POINTER, asdict(release))
    seal(folder / POINTER)


def _without_stamp(result: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in result.items() if key not in ("time", "hash")}
