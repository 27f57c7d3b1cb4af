"""What figures and dashboard draw of a task, without a text; and the wrong answers, to be read on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carefolio.metrics import classification as multiclass
from carefolio.metrics.selective import risk_coverage_points
from text_classifier.config import TextClassifierSettings
from text_classifier.features import TEST, VALID, label_names
from text_classifier.judging import Judged, accuracy_of
from text_classifier.predictions import Predicted, read_predictions
from text_classifier.train import training_folder

if TYPE_CHECKING:
    import polars as pl


def draw(task: str, examples: pl.DataFrame, kept: dict[str, list[Predicted]], judged: dict[str, Judged], baseline: str, best: str,
         out: Path, settings: TextClassifierSettings) -> dict[str, Any]:
    """Collect what figures and dashboard draw, without a text.

    Parameters
    ----------
    task : str
        Name of the task.
    examples : polars.DataFrame
        Table of the task.
    kept : dict of str to list of Predicted
        Predictions by system.
    judged : dict of str to Judged
        Answers by system.
    baseline, best : str
        The best baseline and the best tuned system on validation.
    out : Path
        Folder of the run.
    settings : TextClassifierSettings
        Settings.

    Returns
    -------
    dict
        Confusion, reliability, risk and coverage, history of the trainings, learning curve, counts.
    """
    labels = label_names(examples)
    shown = {name: judged[name] for name in (baseline, best)}
    counts = {part: examples.filter(part=part).height for part in ("train", VALID, TEST)}
    return {"labels": labels, "counts": counts, "baseline": baseline, "best": best, "systems": list(judged),
            "label_counts": dict(sorted(examples.group_by("label").len().iter_rows())),
            "confusion": {name: multiclass.confusion_counts(one.truth, one.answers[0], labels=labels).astype(int).tolist()
                          for name, one in shown.items()},
            "reliability": {name: _reliability(one) for name, one in shown.items()},
            "risk_coverage": {name: _risk(one) for name, one in shown.items()},
            "thresholds": {name: [value if np.isfinite(value) else None for value in one.thresholds] for name, one in judged.items()},
            "history": {name: [one.record["epochs"] for one in own] for name, own in kept.items() if "epochs" in own[0].record},
            "curve": learning_curve(out, task, examples, kept, settings)}


def learning_curve(out: Path, task: str, examples: pl.DataFrame, kept: dict[str, list[Predicted]],
                   settings: TextClassifierSettings) -> list[dict[str, float]]:
    """Give accuracy on test by the number of texts that were learnt from, for the system that settings name.

    Parameters
    ----------
    out : Path
        Folder of the run.
    task : str
        Name of the task.
    examples : polars.DataFrame
        Table of the task.
    kept : dict of str to list of Predicted
        Predictions by system.
    settings : TextClassifierSettings
        Settings.

    Returns
    -------
    list of dict
        ``share``, ``texts`` and ``accuracy``; empty for the other tasks.
    """
    training = settings.training
    if task != training.curve_task:
        return []
    size = examples.filter(part="train").height
    points = []
    for share in sorted(training.curve_shares):
        own = kept[training.curve_system][0] if share == 1 else read_predictions(
            training_folder(out, task, training.curve_system, 0, share))
        points.append({"share": share, "texts": round(share * size), "accuracy": accuracy_of(examples, own, TEST)})
    return points


def wrong(examples: pl.DataFrame, predicted: Predicted, system: str) -> pl.DataFrame:
    """List the wrong answers on validation and test, the most confident first, to be read.

    Parameters
    ----------
    examples : polars.DataFrame
        Table of the task.
    predicted : Predicted
        Of one seed.
    system : str
        Name of the system.

    Returns
    -------
    polars.DataFrame
        ``row``, ``part``, ``label``, ``answer``, ``confidence``, ``text`` and ``system``.
    """
    import polars as pl

    answers = pl.DataFrame({"row": predicted.rows, "answer": np.asarray(predicted.labels)[predicted.probabilities.argmax(axis=1)].tolist(),
                            "confidence": predicted.probabilities.max(axis=1)})
    joined = examples.join(answers, on="row").filter(pl.col("label") != pl.col("answer")).sort("confidence", descending=True)
    return joined.select("row", "part", "label", "answer", "confidence", "text", pl.lit(system).alias("system"))


def _reliability(judged: Judged) -> dict[str, list[float]]:
    points = multiclass.top_label_reliability(judged.truth, judged.probabilities[0], labels=judged.labels)
    return {name: np.asarray(getattr(points, name)).tolist() for name in ("mean_predicted", "observed", "low", "high", "count")}


def _risk(judged: Judged) -> dict[str, list[float]]:
    points = risk_coverage_points(judged.truth, judged.answers[0], judged.probabilities[0].max(axis=1), n_points=60)
    return {"coverage": points.coverage.tolist(), "risk": points.risk.tolist()}
