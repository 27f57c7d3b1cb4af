"""Judge every system on the test part of each task, hold it against the best baseline, and keep what report and dashboard draw.

A system with several seeds is judged by the mean of its seeds, within each replicate of the bootstrap. The best baseline and the best
tuned system are chosen on validation. Test answers choose nothing. `TOGETHER` averages the probabilities of the word counts and of the
tuned systems, each system with the same weight: nothing of it is fitted or chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from carefolio.evidence import Metric, metric
from carefolio.parts import read_record, write_results
from text_classifier.config import BASELINES, TOGETHER, EvaluationSettings, TextClassifierSettings
from text_classifier.curves import draw, wrong
from text_classifier.errors_read import count_groups
from text_classifier.estimate import estimate_gptj
from text_classifier.exporting import measure_served
from text_classifier.features import VALID, read_examples
from text_classifier.forgetting import read_forgetting
from text_classifier.judging import LEADS, SCORES, accuracy_of, across_seeds, by_source, judge, score_all
from text_classifier.predictions import Predicted, read_predictions
from text_classifier.train import training_folder

Step = Callable[[str], AbstractContextManager[Any]]
WORD_COUNTS = "tfidf_lr"


def evaluate_all(settings: TextClassifierSettings, out: Path, *, step: Step) -> None:
    """Evaluate every task of a run and write ``evaluate/<task>.json`` and ``tables/*.parquet``.

    Parameters
    ----------
    settings : TextClassifierSettings
        Settings.
    out : Path
        Folder of the run.
    step : callable
        Gives a context manager for a titled step.
    """
    for task in read_record(out)["parts"]:
        with step(f"evaluate {task}"):
            write_results(out, task, *evaluate_task(settings, out, task))


def evaluate_task(settings: TextClassifierSettings, out: Path, task: str) -> tuple[dict[str, Metric], dict[str, Any], dict[str, Any]]:
    """Evaluate the systems of a task.

    Parameters
    ----------
    settings : TextClassifierSettings
        Settings.
    out : Path
        Folder of the run.
    task : str
        Name of the task.

    Returns
    -------
    metrics : dict of str to Metric
        By evidence id, ``<task>.test.<system>.<score>``.
    curves : dict
        What figures and dashboard draw.
    tables : dict of str to polars.DataFrame
        Wrong answers with their texts; these stay out of the repository.
    """
    examples, limits = read_examples(out, task), settings.evaluation
    kept = {name: [read_predictions(training_folder(out, task, name, seed)) for seed in seeds_of(settings, task, name)]
            for name in systems_of(settings, task)}
    tuned = [name for name in kept if name not in BASELINES]
    kept[TOGETHER] = [average([average(kept[name]) for name in (WORD_COUNTS, *tuned)])]
    judged = {name: judge(examples, own, limits) for name, own in kept.items()}
    validation = {name: float(np.mean([accuracy_of(examples, one) for one in own])) for name, own in kept.items()}
    baseline = max(BASELINES, key=lambda name: validation[name])
    best = max(tuned, key=lambda name: validation[name])
    metrics = {f"{task}.valid.{name}.accuracy": metric(value, n=examples.filter(part=VALID).height, higher_is_better=True)
               for name, value in validation.items()}
    metrics |= score_all(task, judged, list(product((*tuned, TOGETHER), BASELINES)), limits, seed=settings.seed)
    for shown, of in (("best", best), ("baseline", baseline), ("best_minus_baseline", f"{best}_minus_{baseline}")):
        for name in SCORES if shown != "best_minus_baseline" else LEADS:
            metrics[f"{task}.test.{shown}.{name}"] = metrics[f"{task}.test.{of}.{name}"]
    metrics |= across_seeds(task, judged)
    metrics |= by_source(task, examples, judged[best], best, limits, seed=settings.seed)
    metrics |= costs(task, kept, limits) | estimate_gptj(task, kept, settings.estimate)
    metrics |= count_groups(task, examples, kept)
    metrics |= read_forgetting(limits, out, task, best, seed=settings.seed)
    metrics |= measure_served(settings.export, out, task, seed=settings.seed)
    curves = draw(task, examples, kept, judged, baseline, best, out, settings)
    return metrics, curves, {f"{task}_errors": wrong(examples, kept[best][0], best)}


def average(kept: list[Predicted]) -> Predicted:
    """Average the probabilities of several systems or seeds, text by text.

    Parameters
    ----------
    kept : list of Predicted
        Of the same texts and labels, in the same order.

    Returns
    -------
    Predicted
        With an empty record.
    """
    first = kept[0]
    return Predicted(first.rows, first.parts, first.labels, np.mean([one.probabilities for one in kept], axis=0), {})


def systems_of(settings: TextClassifierSettings, task: str) -> list[str]:
    """List the systems of a task.

    Parameters
    ----------
    settings : TextClassifierSettings
        Settings.
    task : str
        Name of the task.

    Returns
    -------
    list of str
        Baselines first.
    """
    return [*BASELINES, *(name for name, system in settings.systems.items() if system.seeds.get(task))]


def seeds_of(settings: TextClassifierSettings, task: str, system: str) -> tuple[int, ...]:
    """Give the seeds of a system on a task.

    Parameters
    ----------
    settings : TextClassifierSettings
        Settings.
    task, system : str
        Names.

    Returns
    -------
    tuple of int
        One, 0, for a baseline.
    """
    return (0,) if system in BASELINES else settings.systems[system].seeds.get(task, ())


def costs(task: str, kept: dict[str, list[Predicted]], settings: EvaluationSettings) -> dict[str, Metric]:
    """State what each tuned system cost: parameters, seconds of a processor core, texts a second, and energy as an estimate.

    Parameters
    ----------
    task : str
        Name of the task.
    kept : dict of str to list of Predicted
        Predictions with their records, by system.
    settings : EvaluationSettings
        The assumed draw of a core in watts.

    Returns
    -------
    dict of str to Metric
        ``<task>.train.<system>.<cost>``.
    """
    found: dict[str, Metric] = {}
    for system, own in kept.items():
        records = [one.record for one in own if "seconds" in one.record]
        if not records:
            continue
        count, seconds = records[0]["samples"], float(np.mean([one["cpu_seconds"] for one in records]))
        values = {"parameters": records[0]["parameters"], "trained_parameters": records[0]["trained_parameters"],
                  "core_seconds": seconds, "energy_wh": settings.watts_per_core * seconds / 3600,
                  "texts_per_core_s": float(np.mean([one["samples"] / one["cpu_seconds"] for one in records])),
                  "tokens_per_core_s": float(np.mean([one["tokens"] / one["cpu_seconds"] for one in records]))}
        found |= {f"{task}.train.{system}.{name}": metric(value, n=count, higher_is_better="_per_core_s" in name)
                  for name, value in values.items()}
    return found
