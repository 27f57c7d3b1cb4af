"""Evidence, figures, model card, and a snapshot of the registry for the dashboard; all of it goes to the run as artefacts too."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from carefolio import plots
from carefolio.artefacts import read_json, sha256_file, write_json, write_text
from carefolio.evidence import (
    ArtefactRecord,
    DataRecord,
    Evidence,
    FigureRecord,
    Metric,
    SplitRecord,
    environment,
    git_commit,
    utc_now,
    write_evidence,
)
from carefolio.model_card import render_card
from carefolio.runs import read_packaged_toml
from model_registry import model, survival
from model_registry.config import RegistrySettings
from model_registry.evaluate import PRIMARY
from model_registry.names import EXPERIMENTS, PROJECT
from model_registry.train import load_result

PACKAGES = ["lightgbm", "mlflow", "numpy", "onnxruntime", "optuna", "polars", "scikit-learn"]
FIGURES = {
    "trials.png": "Mean out-of-fold value of each trial of the readmission and the survival search, in the order of the trials.",
    "importance.png": "How much each searched parameter explains of the differences between trials.",
}
"""File names and what each figure shows, in words."""
SUGGEST = {"readmission": model.suggest, "survival": survival.suggest}
FEWEST_TRIALS = 4


def searched(out: Path) -> list[str]:
    """List the experiments that a run has searched.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Returns
    -------
    list of str
        Some of `EXPERIMENTS`.
    """
    return [name for name in EXPERIMENTS if (out / "train" / f"{name}.json").is_file()]


def build_report(out: Path, settings: RegistrySettings, *, command: str, measured: Mapping[str, Metric]) -> Evidence:
    """Write ``reports`` of a run: figures first, evidence last.

    Parameters
    ----------
    out : Path
        Folder of the run.
    settings : RegistrySettings
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
    names, reports = searched(out), out / "reports"
    records = {name: read_json(out / "data" / f"{name}.json") for name in names}
    results = {name: load_result(out, name) for name in names}
    metrics = {key: Metric(**value) for key, value in read_json(out / "evaluate" / "metrics.json").items()}
    importance = {name: parameter_importance(name, result["trials"], seed=settings.seed) for name, result in results.items()}
    snapshot = {name: describe_search(name, results[name], records[name], importance[name]) for name in names}
    write_json(reports / "registry.json", snapshot)
    figures = draw_figures(results, importance, reports / "figures")
    evidence = Evidence(
        schema=1, project=PROJECT, commit=git_commit(), command=command, created=utc_now(), seed=settings.seed,
        config=settings.model_dump(mode="json"), split=SplitRecord(**records[names[0]]["split"]), environment=environment(PACKAGES),
        data=[DataRecord(**{key: record["provenance"][key] for key in ("name", "origin", "sha256", "rows")})
              for record in records.values()],
        durations_s=read_json(out / "durations.json"), metrics=metrics | dict(measured),
        figures=[FigureRecord(file=f"figures/{file}", alt=alt) for file, alt in figures.items()],
        artefacts=[ArtefactRecord(file=path.relative_to(out).as_posix(), sha256=sha256_file(path))
                   for name in names for path in sorted((out / "artefacts" / name).iterdir()) if path.is_file()])
    if "readmission" in names:
        write_text(reports / "model_card.md", render_card(read_packaged_toml(PROJECT, "card.toml"), evidence))
    write_evidence(reports / "evidence.json", evidence)
    return evidence


def describe_search(name: str, result: Mapping[str, Any], record: Mapping[str, Any], importance: Mapping[str, float]) -> dict[str, Any]:
    """Say what the dashboard shows of a search.

    Parameters
    ----------
    name : str
        The experiment.
    result : mapping
        Result of `model_registry.train.load_result`.
    record : mapping
        The data's record.
    importance : mapping
        Result of `parameter_importance`.

    Returns
    -------
    dict
        ``metric``, ``leaderboard``, ``importance``, ``data`` and ``model_sha256``.
    """
    board = [{"trial": trial["number"] + 1, "value": sum(trial["values"]) / len(trial["values"]), **trial["parameters"]}
             for trial in result["trials"]]
    return {"metric": PRIMARY[name], "leaderboard": sorted(board, key=lambda row: -row["value"]), "importance": dict(importance),
            "data": dict(record), "model_sha256": result["model_sha256"], "best": result["best"] + 1}


def parameter_importance(name: str, trials: list[dict[str, Any]], *, seed: int) -> dict[str, float]:
    """Say how much each parameter explains of the differences between trials (fANOVA over random forests; Hutter 2014).

    Parameters
    ----------
    name : str
        The experiment.
    trials : list of dict
        ``parameters`` and ``values`` of each.
    seed : int
        Seed of the forests.

    Returns
    -------
    dict of str to float
        Shares, largest first; empty for fewer than `FEWEST_TRIALS` trials or where all did the same.
    """
    import optuna

    values = [sum(trial["values"]) / len(trial["values"]) for trial in trials]
    if len(trials) < FEWEST_TRIALS or max(values) == min(values):
        return {}
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize")
    for trial, value in zip(trials, values, strict=True):
        fixed = optuna.trial.FixedTrial(trial["parameters"])
        SUGGEST[name](fixed)
        study.add_trial(optuna.trial.create_trial(params=trial["parameters"], distributions=fixed.distributions, value=value))
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=seed)
    return {key: float(share) for key, share in optuna.importance.get_param_importances(study, evaluator=evaluator).items()}


def draw_figures(results: Mapping[str, Mapping[str, Any]], importance: Mapping[str, Mapping[str, float]], folder: Path) -> dict[str, str]:
    """Draw the figures.

    Parameters
    ----------
    results : mapping
        By experiment, as `model_registry.train.load_result` gives them.
    importance : mapping
        By experiment.
    folder : Path
        Destination.

    Returns
    -------
    dict of str to str
        File name to a description in words.
    """
    means = {name: [sum(trial["values"]) / len(trial["values"]) for trial in result["trials"]] for name, result in results.items()}
    labels = [f"{name} {i + 1}" for name, values in means.items() for i in range(len(values))]
    values = [value for found in means.values() for value in found]
    plots.save_figure(plots.plot_bars(labels, values, xlabel="mean on the folds left out (higher is better)",
                                      emphasis=[value == max(found) for found in means.values() for value in found], start=0.5),
                      folder / "trials.png")
    shares = [(f"{name}: {key}", share) for name, found in importance.items() for key, share in found.items()]
    if not shares:
        return {"trials.png": FIGURES["trials.png"]}
    plots.save_figure(plots.plot_bars([label for label, _ in shares], [share for _, share in shares], xlabel="share of the differences"),
                      folder / "importance.png")
    return FIGURES
