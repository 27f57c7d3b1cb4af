"""Does the meter of faithfulness agree with people? Judged on the summaries that the authors of MTS-Dialog had scored by hand.

The publisher's folder ``Correlation-Study`` holds 400 summaries of the validation part, written by four models, and for each the facts
that annotators counted: right, invented, left out. Nothing here was tuned on them. The annotators counted every fact; the rules see
numbers, names of drugs and conditions, negation and sides only, so they cannot find most of what people find.

Reference: Ben Abacha A, Yim W, Fan Y, Lin T. EACL 2023:2291-2302, sections 5.2 and 5.3.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from carefolio import uncertainty
from carefolio.evidence import Metric, metric
from carefolio.exceptions import SchemaError
from carefolio.metrics.discrimination import roc_auc
from notes_summarizer.evaluation.facts import faithfulness, omission
from notes_summarizer.evaluation.settings import EvaluationSettings

Floats = npt.NDArray[np.float64]
ADDRESS = "https://github.com/abachaa/MTS-Dialog/tree/main/Correlation-Study"
SUMMARIES = "MTS-Dialog-Automatic-Summaries-ValidationSet.csv"
SCORES = "MTS-Dialog-Manual-Scores4CorrelationStudy.csv"
_SCORES = {"FactualPrecision": "precision", "HallucinationRate": "hallucination", "OmissionRate": "omission"}
NAMES = ("roc_auc_wrong_fact", "sensitivity_wrong_fact", "specificity_wrong_fact", "sensitivity_hallucination", "pearson_precision")


def read_judged(folder: Path, validation: pl.DataFrame) -> pl.DataFrame:
    """Read the summaries and their scores, and check that they are of the conversations of the validation part.

    Parameters
    ----------
    folder : Path
        Holds `SUMMARIES` and `SCORES` as published.
    validation : polars.DataFrame
        Validation part of ``carefolio.datasets.mts_dialog.load_mts_dialog``.

    Returns
    -------
    polars.DataFrame
        One row a summary: ``id``, ``source``, ``reference``, ``candidate``, ``precision``, ``hallucination`` and ``omission``, the last
        null where the file holds a number below 0.

    Raises
    ------
    SchemaError
        If a file is missing or not such a table, or a conversation is another one.
    """
    for name in (SUMMARIES, SCORES):
        if not (folder / name).is_file():
            raise SchemaError(f"{folder / name} is missing; get both files from {ADDRESS}.")
    texts, scores = pl.read_csv(folder / SUMMARIES, infer_schema=False), pl.read_csv(folder / SCORES)
    wanted = ["ID", "Dialogue", "Reference Summary", "Automatic Summary"]
    if texts.columns != wanted or not set(_SCORES) <= set(scores.columns) or texts.height != scores.height:
        raise SchemaError(f"{folder} must hold as many scores as summaries with the columns {', '.join([*wanted, *_SCORES])}; got "
                          f"{texts.height} and {scores.height} rows. Get both files from {ADDRESS}.")
    judged = texts.rename(dict(zip(wanted, ("id", "source", "reference", "candidate"), strict=True))).hstack(
        scores.select(pl.col(old).cast(pl.Float64).alias(new) for old, new in _SCORES.items()))
    known = dict(zip(validation["id"].cast(pl.String), validation["dialogue"], strict=True))
    other = [row["id"] for row in judged.iter_rows(named=True) if _words(row["source"]) != _words(known.get(row["id"], ""))]
    if other:
        raise SchemaError(f"{folder / SUMMARIES}: {len(other)} conversation(s) are not those of the validation part, first ID {other[0]}. "
                          f"Get the file from {ADDRESS}.")
    return judged.with_columns(pl.when(pl.col("omission") >= 0).then("omission"))


def agreement(judged: pl.DataFrame, settings: EvaluationSettings, *, terms: Collection[str], seed: int) -> dict[str, Metric]:
    """Compare the rules with the annotators.

    Parameters
    ----------
    judged : polars.DataFrame
        As `read_judged` gives it.
    settings : EvaluationSettings
        Replicates and level.
    terms : collection of str
        Vocabulary of the rules.
    seed : int
        Seed of the bootstrap, which draws conversations with all their summaries.

    Returns
    -------
    dict of str to Metric
        ``meter.human_scores.rules.<name>``: how well the share of flagged sentences ranks summaries with a wrong fact above those without
        (AUROC), how many of the first are flagged at all and how many of the second are not, how many of those with an invented fact
        are flagged, the correlation with the annotators' precision, and that of both counts of omissions.
    """
    wrong, invented = (judged["precision"] < 1).to_numpy(), (judged["hallucination"] > 0).to_numpy()
    share = np.array([_flagged(row, terms) for row in judged.iter_rows(named=True)])
    precision = judged["precision"].to_numpy()

    def _agreement(weight: Floats) -> list[float]:
        flagged = share > 0
        return [roc_auc(wrong, share, sample_weight=weight), float(np.average(flagged, weights=weight * wrong)),
                float(np.average(~flagged, weights=weight * ~wrong)), float(np.average(flagged, weights=weight * invented)),
                _pearson(1 - share, precision, weight)]

    options: dict[str, Any] = {"n_replicates": settings.replicates, "level": settings.level, "random_state": seed}
    intervals = uncertainty.bootstrap_values(_agreement, groups=judged["id"].to_numpy(), **options)
    sizes = (len(wrong), int(wrong.sum()), int((~wrong).sum()), int(invented.sum()), len(wrong))
    found = {name: metric(interval, n=n, higher_is_better=True) for name, interval, n in zip(NAMES, intervals, sizes, strict=True)}
    omitted = judged.hstack(pl.DataFrame({"rules": [_omitted(row, terms) for row in judged.iter_rows(named=True)]}))
    both = omitted.drop_nulls(["omission", "rules"])
    columns = both["rules"].to_numpy(), both["omission"].to_numpy()
    interval = uncertainty.bootstrap_values(lambda weight: [_pearson(*columns, weight)], groups=both["id"].to_numpy(), **options)[0]
    found["pearson_omission"] = metric(interval, higher_is_better=True)
    return {f"meter.human_scores.rules.{name}": value for name, value in found.items()}


def _flagged(row: dict[str, str], terms: Collection[str]) -> float:
    counted = faithfulness(row["source"], row["candidate"], terms=terms)
    return counted.flagged / counted.sentences if counted.sentences else 0.0


def _omitted(row: dict[str, str], terms: Collection[str]) -> float | None:
    counted = omission(row["source"], row["reference"], row["candidate"], terms=terms)
    return counted.omitted / counted.facts if counted.facts else None


def _pearson(a: Floats, b: Floats, weight: Floats) -> float:
    a, b = a - np.average(a, weights=weight), b - np.average(b, weights=weight)
    return float((weight * a * b).sum() / np.sqrt((weight * a * a).sum() * (weight * b * b).sum()))


def _words(text: str) -> list[str]:
    return text.split()
