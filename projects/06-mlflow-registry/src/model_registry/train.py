"""One search: a parent run with everything it takes to make it again, a nested run a trial, and the model that won.

All of it goes into journals first and from there to the server, after each trial; the search does not wait for a server that is down.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from carefolio.artefacts import read_json, write_json, write_text
from carefolio.evidence import environment, utc_now
from model_registry import data
from model_registry.config import RegistrySettings
from model_registry.experiments import Experiment, open_experiment, typical_patient
from model_registry.names import COMMAND, PRIMARY
from model_registry.provenance import SOURCE_FILE, keep_source, pinned_packages, read_source, requirement_lines
from model_registry.tracking import journal as journals
from model_registry.tracking.aliases import PRIMARY_TAG, SYNTHETIC_TAG
from model_registry.tracking.delivery import Delivery, deliver
from model_registry.tracking.models import save_model
from model_registry.tracking.runs import RECORD_FILE, RECORD_FOLDER
from model_registry.tuning import Map, Trial, search

JOURNAL = "journal"
CV_MEAN, CV_FOLD = "search.train.cv.mean", "search.train.cv.fold"
Say = Callable[[str], None]


def train(name: str, settings: RegistrySettings, out: Path, *, run: Map, tracking_uri: str | None, say: Say) -> None:
    """Search for an experiment's model, fit and save it.

    Parameters
    ----------
    name : str
        The experiment.
    settings : RegistrySettings
        Search and seed.
    out : Path
        Folder of the run, with ``data``.
    run : callable
        From `model_registry.tuning.engine`.
    tracking_uri : str, optional
        Where runs are recorded; without one they stay in the journals.
    say : callable
        Told about each trial and about a server that does not answer.
    """
    table = data.load(out / "data", name)
    experiment = open_experiment(name, table, settings)
    parent = begin_search(name, settings, table, out)
    with failed_if_cut_off(parent):
        search_and_fit(experiment, settings, table, out, parent, run=run, tracking_uri=tracking_uri, say=say)
    send(out, tracking_uri, Delivery(0, 0), lambda _: None)


@contextmanager
def failed_if_cut_off(journal: Path) -> Iterator[None]:
    """Mark a run as failed if the block does not come to its end.

    Parameters
    ----------
    journal : Path
        Of the run.

    Yields
    ------
    None
        The work goes into the block.
    """
    try:
        yield
    except BaseException:
        journals.end_run(journal, status="FAILED")
        raise


def search_and_fit(experiment: Experiment, settings: RegistrySettings, table: data.Table, out: Path, parent: Path, *, run: Map,
                   tracking_uri: str | None, say: Say) -> None:
    """Run the trials, deliver after each batch's trial, then fit and keep the winner.

    Parameters
    ----------
    experiment : Experiment
        What is searched.
    settings : RegistrySettings
        Search and seed.
    table : Table
        Its rows.
    out : Path
        Folder of the run.
    parent : Path
        Journal of the search.
    run : callable
        From `model_registry.tuning.engine`.
    tracking_uri : str, optional
        Where runs are recorded.
    say : callable
        Told about each trial and about a server that does not answer.
    """
    name, delivery = experiment.name, Delivery(0, 0)
    trials: list[Trial] = []
    for trial in search(experiment.suggest, experiment.judge, start=experiment.start, trials=settings.search.trials,
                        batch=settings.search.batch, seed=settings.seed, run=run):
        trials.append(trial)
        log_trial(parent, name, trial)
        say(f"{name}, trial {trial.number + 1}: {trial.value:.4f} on the folds left out")
        delivery = send(out, tracking_uri, delivery, say)
    best = max(trials, key=lambda trial: trial.value)
    journals.log_parameters(parent, {f"best.{key}": value for key, value in best.parameters.items()})
    journals.log_metrics(parent, [(CV_MEAN, best.value, 0)])
    extra, sha256 = fit_best(experiment, best, table, out, parent)
    write_json(out / "train" / f"{name}.json", {
        "journal": parent.name, "best": best.number, "model_sha256": sha256, **extra,
        "trials": [{"number": t.number, "parameters": t.parameters, "values": list(t.values), **t.extra} for t in trials]})


def begin_search(name: str, settings: RegistrySettings, table: data.Table, out: Path) -> Path:
    """Open the parent run: settings, data, and the record by which the run can be made again.

    Parameters
    ----------
    name : str
        The experiment.
    settings : RegistrySettings
        All settings.
    table : Table
        The experiment's rows.
    out : Path
        Folder of the run.

    Returns
    -------
    Path
        Its journal.
    """
    source, packages = read_source(), pinned_packages()
    machine = environment(["lightgbm", "mlflow", "onnxruntime", "optuna", "scikit-learn"])
    origin = table.record["provenance"]["origin"]
    record: dict[str, Any] = {"experiment": name, "commit": source.commit, "altered": source.altered,
                              "settings": settings.model_dump(mode="json"), "data": dict(table.record), "python": machine.python,
                              "machine": machine.machine, "packages": packages, "created": utc_now()}
    kept = out / "record" / name
    shutil.rmtree(kept, ignore_errors=True)
    write_json(kept / RECORD_FILE, record)
    write_text(kept / "requirements.txt", "\n".join(requirement_lines(packages)) + "\n")
    if source.altered:
        keep_source(kept / SOURCE_FILE)
    tags = {"carefolio.commit": source.commit, "carefolio.altered": str(source.altered).lower(), PRIMARY_TAG: PRIMARY[name],
            SYNTHETIC_TAG: str(origin == "synthetic").lower(), "mlflow.source.name": COMMAND, "mlflow.source.type": "LOCAL",
            "mlflow.source.git.commit": source.commit, "carefolio.disclaimer": "research and education; not a medical device"}
    journal = journals.begin_run(out / JOURNAL, experiment=name, name=f"search {record['created']}", tags=tags)
    journals.log_parameters(journal, flatten(record["settings"]))
    for dataset in describe_inputs(name, table):
        journals.log_input(journal, dataset, context="train and test")
    for path in sorted(kept.iterdir()):
        journals.log_file(journal, path, folder=RECORD_FOLDER)
    return journal


def describe_inputs(name: str, table: data.Table) -> list[dict[str, str]]:
    """Name the published file, the split and the table made of them, each with its hash.

    Parameters
    ----------
    name : str
        The experiment.
    table : Table
        Its rows.

    Returns
    -------
    list of dict
        As `journal.log_input` takes them.
    """
    provenance, split = table.record["provenance"], table.record["split"]
    rows = {"published": provenance["rows"], "split": split["parts"], "table": table.frame.height}
    hashes = {"published": provenance["sha256"], "split": split["sha256"], "table": table.record["table_sha256"]}
    titles = {"published": provenance["name"], "split": f"{name} split", "table": f"{name} table"}
    return [{"name": titles[kind], "sha256": hashes[kind], "source": json.dumps({"uri": f"{provenance['origin']}:{titles[kind]}"}),
             "profile": json.dumps({"rows": rows[kind]})} for kind in titles]


def log_trial(parent: Path, name: str, trial: Trial) -> Path:
    """Write a trial as a run nested in its search.

    Parameters
    ----------
    parent : Path
        Journal of the search.
    name : str
        The experiment.
    trial : Trial
        What came of it.

    Returns
    -------
    Path
        The trial's journal.
    """
    child = journals.begin_run(parent.parent, experiment=name, name=f"trial {trial.number + 1}",
                               tags={"carefolio.trial": str(trial.number)}, parent=parent.name, started_ms=trial.started_ms)
    journals.log_parameters(child, trial.parameters)
    steps = [(CV_FOLD, value, fold) for fold, value in enumerate(trial.values)]
    steps += [(f"search.train.cv.{key}", float(value), fold) for key, values in trial.extra.items() for fold, value in enumerate(values)]
    journals.log_metrics(child, [*steps, (CV_MEAN, trial.value, 0)], at_ms=trial.ended_ms)
    journals.end_run(child, ended_ms=trial.ended_ms)
    return child


def fit_best(experiment: Experiment, best: Trial, table: data.Table, out: Path, parent: Path) -> tuple[dict[str, Any], str]:
    """Fit the winner on all train rows and keep it in MLflow's form.

    Parameters
    ----------
    experiment : Experiment
        The experiment.
    best : Trial
        The trial that won.
    table : Table
        Its rows.
    out : Path
        Folder of the run.
    parent : Path
        Journal of the search.

    Returns
    -------
    extra : dict
        What else there is to say of the fit.
    sha256 : str
        Of the model's weights.
    """
    model, extra = experiment.fit(best.parameters)
    folder = out / "models" / experiment.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    packages = requirement_lines(pinned_packages(), experiment.packages)
    sha256 = save_model(model, folder, example=typical_patient(table.part("train"), model.features), pip_requirements=packages)
    journals.log_model(parent, folder, name=experiment.name, tags={"sha256": sha256})
    return extra, sha256


def send(out: Path, tracking_uri: str | None, last: Delivery, say: Say) -> Delivery:
    """Deliver what waits; say once when the server stops answering, and once when it answers again.

    Parameters
    ----------
    out : Path
        Folder of the run.
    tracking_uri : str, optional
        Where to; nothing happens without one.
    last : Delivery
        What came of the delivery before.
    say : callable
        Told about a change.

    Returns
    -------
    Delivery
        What came of this one.
    """
    if tracking_uri is None:
        return last
    done = deliver(out / JOURNAL, tracking_uri)
    if done.left and not last.left:
        say(f"the tracking server does not take entries ({done.reason}); they wait in {out / JOURNAL}, the search goes on")
    if last.left and not done.left:
        say(f"the tracking server answers again; {done.delivered} entries were delivered")
    return done


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Name nested settings by their path.

    Parameters
    ----------
    values : dict
        Nested tables.
    prefix : str, optional
        Path so far.

    Returns
    -------
    dict
        Such as ``search.trials``.
    """
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= flatten(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


def load_result(out: Path, name: str) -> dict[str, Any]:
    """Read what `train` wrote.

    Parameters
    ----------
    out : Path
        Folder of the run.
    name : str
        The experiment.

    Returns
    -------
    dict
        ``journal``, ``best``, ``model_sha256`` and ``trials``.
    """
    found: dict[str, Any] = read_json(out / "train" / f"{name}.json")
    return found
