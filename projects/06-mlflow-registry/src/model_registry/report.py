"""Evidence, figures, model cards, and a snapshot of the searches for the dashboard; all of it goes to the runs as artefacts too."""

from collections.abc import Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

from carefolio import plots
from carefolio.artefacts import read_json, sha256_file, write_json, write_text
from carefolio.evidence import ArtefactRecord, DataRecord, Evidence, Metric, SplitRecord, metric
from carefolio.model_card import render_card
from carefolio.plots_series import new_grid
from carefolio.reporting import write_reports
from carefolio.runs import read_packaged_toml
from model_registry.config import RegistrySettings
from model_registry.experiments import MODULES
from model_registry.names import CARDS, EXPERIMENTS, PRIMARY, PROJECT, RANKED_BY
from model_registry.train import load_result

PACKAGES = ["lightgbm", "mlflow", "numpy", "onnxruntime", "optuna", "polars", "scikit-learn"]
FIGURES = {
    "trials.png": "Mean value on the folds left out of each trial of both searches, in their order, with the best so far as a line.",
    "importance.png": "How much each searched parameter explains of the differences between trials, for both searches.",
}
"""File names and what each figure shows, in words."""
AXES = {"roc_auc": "AUROC on the folds left out", "uno_c": "Uno's C on the folds left out"}
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
    """Write ``reports`` of a run: snapshot, figures, evidence, and a card a model.

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
    for name, result in results.items():
        metrics |= search_metrics(name, result["trials"], rows=records[name]["split"]["parts"]["train"])
    importance = {name: parameter_importance(name, result["trials"], seed=settings.seed) for name, result in results.items()}
    snapshot = {name: describe_search(name, results[name], records[name], importance[name]) for name in names}
    write_json(reports / "registry.json", snapshot)
    figures = draw_figures(results, importance, reports / "figures")
    artefacts = [path for name in names for path in sorted((out / "artefacts" / name).iterdir())]
    evidence = write_reports(
        out, settings, project=PROJECT, packages=PACKAGES, command=command, metrics=metrics | dict(measured), figures=figures,
        data=[data_record(record) for record in records.values()], split=SplitRecord(**records[names[0]]["split"]),
        artefacts=[ArtefactRecord(file=path.relative_to(out).as_posix(), sha256=sha256_file(path)) for path in artefacts], card=False)
    for name in names:
        write_text(reports / CARDS[name], write_card(name, evidence, records[name]))
    return evidence


def write_card(name: str, evidence: Evidence, record: Mapping[str, Any]) -> str:
    """Write the model card of an experiment.

    Parameters
    ----------
    name : str
        The experiment.
    evidence : Evidence
        Record of the run.
    record : mapping
        The experiment's own data and split.

    Returns
    -------
    str
        Markdown.
    """
    own = evidence.model_copy(update={"split": SplitRecord(**record["split"]), "data": [data_record(record)]})
    return render_card(read_packaged_toml(PROJECT, f"card_{name}.toml"), own)


def data_record(record: Mapping[str, Any]) -> DataRecord:
    """Take what the evidence says of a data set from the record of a table.

    Parameters
    ----------
    record : mapping
        The data's record.

    Returns
    -------
    DataRecord
        Name, origin, hash and rows.
    """
    return DataRecord(**{key: record["provenance"][key] for key in ("name", "origin", "sha256", "rows")})


def mean_values(trials: list[dict[str, Any]]) -> list[float]:
    """Average each trial over its folds.

    Parameters
    ----------
    trials : list of dict
        ``values`` of each.

    Returns
    -------
    list of float
        In the order of the trials.
    """
    return [sum(trial["values"]) / len(trial["values"]) for trial in trials]


def search_metrics(name: str, trials: list[dict[str, Any]], *, rows: int) -> dict[str, Metric]:
    """Say what a search found, on the folds left out.

    Parameters
    ----------
    name : str
        The experiment.
    trials : list of dict
        ``values`` of each.
    rows : int
        Train rows.

    Returns
    -------
    dict of str to Metric
        Of the first, the best and the worst trial, without intervals: the best of many is flattered, the test part decides.
    """
    values, measure = mean_values(trials), RANKED_BY[name]
    chosen = {"first": values[0], "best": max(values), "worst": min(values)}
    found = {f"{name}.search.{which}.{measure}": metric(value, n=rows, higher_is_better=True) for which, value in chosen.items()}
    return found | {f"{name}.search.all.trials": metric(float(len(trials)), n=rows, higher_is_better=None)}


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
    board = [{"trial": trial["number"] + 1, "value": value, **trial["parameters"]}
             for trial, value in zip(result["trials"], mean_values(result["trials"]), strict=True)]
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

    values = mean_values(trials)
    if len(trials) < FEWEST_TRIALS or max(values) == min(values):
        return {}
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize")
    for trial, value in zip(trials, values, strict=True):
        fixed = optuna.trial.FixedTrial(trial["parameters"])
        MODULES[name].suggest(fixed)
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
    trials = {name: mean_values(result["trials"]) for name, result in results.items()}
    plots.save_figure(_draw_trials(trials), folder / "trials.png")
    known = {name: shares for name, shares in importance.items() if shares}
    if not known:
        return {"trials.png": FIGURES["trials.png"]}
    plots.save_figure(_draw_importance(known), folder / "importance.png")
    return FIGURES


def _draw_trials(trials: Mapping[str, list[float]]) -> Any:
    from matplotlib.ticker import MaxNLocator

    grid = new_grid(len(trials), columns=2, width=8.0, row_height=2.8)
    for axes, (name, values) in zip(grid, trials.items(), strict=True):
        numbers = range(1, len(values) + 1)
        axes.step(numbers, list(accumulate(values, max)), where="post", color=plots.PALETTE["orange"], label="best so far")
        axes.plot(numbers, values, "o", color=plots.PALETTE["blue"], markersize=5, label="trial")
        axes.set_title(name, fontsize=10, loc="left")
        axes.set(xlabel="trial", ylabel=AXES[RANKED_BY[name]])
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False, fontsize=8, loc="lower right")
    return grid[0]


def _draw_importance(importance: Mapping[str, Mapping[str, float]]) -> Any:
    labels = [f"{name}: {key.replace('_', ' ')}" for name, shares in importance.items() for key in shares]
    shares = [share for found in importance.values() for share in found.values()]
    return plots.plot_bars(labels, shares, xlabel="share of the differences between trials", number_format="{:.2f}")
