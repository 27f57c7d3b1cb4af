"""What else was tried for a better ranking: out-of-fold AUROC and average precision on the training patients alone.

Run ``python projects/02-readmission-pipeline/benchmarks/what_else.py`` after ``readmission data`` and ``readmission train``;
``--json PATH`` keeps the result. Each variant changes one thing against the chosen model: the same folds, parameters and rounds,
no early stopping. The held-out patients are not touched.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import polars as pl
from rich.progress import track

from carefolio.config import load_config
from carefolio.datasets.diabetes130 import load_diabetes130
from carefolio.evidence import Metric, metric
from carefolio.measured import write_measured
from carefolio.runs import run_folder
from carefolio.uncertainty import bootstrap_rank_metrics
from readmission.config import FOLDER, PROJECT, ReadmissionSettings
from readmission.data import TARGET, load
from readmission.features import CATEGORICAL, ENCOUNTER, FEATURES, PATIENT
from readmission.model import fit_categories, fixed_parameters, to_matrix
from readmission.train import load_predictions, training_rows
from readmission.tuning import Fold, patient_folds

CODES = [FEATURES.index(column) for column in CATEGORICAL]


def codes_of(column: pl.Series) -> np.ndarray:
    """Number the categories of a column, most frequent first; the rare share one number."""
    order = column.fill_null("not known").value_counts(sort=True)[column.name].to_list()[:400]
    return column.fill_null("not known").replace_strict(order, list(range(len(order))), default=len(order)).to_numpy()


def extra_columns(rows: pl.DataFrame) -> dict[str, tuple[np.ndarray, bool]]:
    """Columns that the chosen model does without: values, and whether they are categories."""
    raw = load_diabetes130(allow_synthetic=True).frame.select(ENCOUNTER, "diag_1", "diag_2", "diag_3")
    joined = rows.join(raw, on=ENCOUNTER, how="left", maintain_order="left").sort(PATIENT, ENCOUNTER)
    gap = pl.when(pl.col(PATIENT) == pl.col(PATIENT).shift(1)).then(pl.col(ENCOUNTER) - pl.col(ENCOUNTER).shift(1))
    first_three = [codes_of(joined[f"diag_{i}"].str.slice(0, 3)) for i in (1, 2, 3)]
    return {"with_diagnosis_codes": (np.column_stack(first_three), True), "with_race": (codes_of(joined["race"])[:, None], True),
            "with_id_gap_to_last_stay": (joined.select(gap.cast(pl.Float32)).to_numpy(), False)}


def out_of_fold(X: np.ndarray, y: np.ndarray, folds: list[Fold], parameters: dict[str, Any], rounds: int, codes: list[int],
                seeds: list[int]) -> np.ndarray:
    """Mean raw score of models with several seeds, for the rows that each fold leaves out."""
    score = np.zeros(len(y))
    for train, valid in folds:
        for seed in seeds:
            data = lgb.Dataset(X[train], y[train], categorical_feature=codes, params={"verbose": -1})
            score[valid] += lgb.train(fixed_parameters(seed) | parameters, data, num_boost_round=rounds).predict(X[valid], raw_score=True)
    return score / len(seeds)


def variants(X: np.ndarray, rows: pl.DataFrame, parameters: dict[str, Any], rounds: int) -> dict[str, Callable[..., np.ndarray]]:
    """Name each variant and say how its scores are made."""
    def run(matrix: np.ndarray = X, more_codes: tuple[int, ...] = (), over: dict[str, Any] | None = None, times: float = 1,
            seeds: tuple[int, ...] = (0,)) -> Callable[..., np.ndarray]:
        used, codes = parameters | (over or {}), [*CODES, *more_codes]
        return lambda y, folds: out_of_fold(matrix, y, folds, used, int(rounds * times), codes, list(seeds))

    found = {"chosen": run(), "five_seeds_averaged": run(seeds=(0, 1, 2, 3, 4)), "extra_trees": run(over={"extra_trees": True}, times=2),
             "half_rate_double_rounds": run(over={"learning_rate": parameters["learning_rate"] / 2}, times=2),
             "balanced_weights": run(over={"is_unbalance": True})}
    for name, (values, categorical) in extra_columns(rows).items():
        places = tuple(range(X.shape[1], X.shape[1] + values.shape[1])) if categorical else ()
        found[name] = run(np.hstack([X, values.astype(np.float32)]), places)
    return found


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="folder of the run (default: the full one)")
    parser.add_argument("--json", type=Path, help="where to write the metrics")
    options = parser.parse_args()
    settings, folder = load_config(ReadmissionSettings, "readmission"), run_folder(FOLDER, PROJECT, options.out, quick=False)
    if not (folder / "train" / "train.json").is_file():
        parser.error(f"{folder} holds no trained run; run `readmission run` first, or name its folder with --out")
    rows = training_rows(load(folder)[0], "all_encounters")
    _, chosen = load_predictions(folder)
    y, patients = rows[TARGET].to_numpy(), rows[PATIENT].to_numpy()
    folds = patient_folds(y, patients, folds=settings.tuning.folds, seed=settings.seed)
    X = to_matrix(rows, fit_categories(rows))
    scores = {name: score(y, folds) for name, score in track(variants(X, rows, chosen["parameters"], chosen["rounds"]).items())}
    against = [(name, "chosen") for name in scores if name != "chosen"]
    found = bootstrap_rank_metrics(y, scores, groups=patients, n_replicates=500, differences=against)
    metrics: dict[str, Metric] = {
        f"all_encounters.out_of_fold.{name.replace(' - ', '_minus_')}.{kind}": metric(value, higher_is_better=True)
        for name, kinds in found.items() for kind, value in kinds.items()}
    for name, value in metrics.items():
        print(f"{name:80} {value.value:+.4f} ({value.low:+.4f} to {value.high:+.4f})")
    if options.json:
        print(f"written {write_measured(options.json, metrics, command=' '.join(['what_else.py', *sys.argv[1:]]))}")


if __name__ == "__main__":
    main()
