"""What tuning costs the base's other abilities: how well its vectors still tell the labels of a task that it was not tuned on.

A model is asked for the vectors of its last layer, averaged over the tokens of a text, before and after tuning, and the same logistic
regression is fitted on each. Only the difference counts: a probe is no rival of a tuned model. The same is done for encoders and causal
models. Models tuned on ``headers`` are probed on ``specialties``, all others on ``headers``; the probe learns from a bounded number of
train texts of each label, and is judged on a bounded sample of validation. Test answers play no part.

Reference: Merchant A, Rahimtoroghi E, Pavlick E, Tenney I. What happens to BERT embeddings during fine-tuning? BlackboxNLP 2020.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from carefolio.artefacts import read_json, write_json
from carefolio.evidence import Metric, metric
from carefolio.parts import read_record
from carefolio.uncertainty import bootstrap_values
from text_classifier.config import EvaluationSettings, TextClassifierSettings
from text_classifier.features import TRAIN, VALID, read_examples
from text_classifier.train import DONE, Step, training_folder

if TYPE_CHECKING:
    import polars as pl

    from text_classifier.model import Opened

Vectors = npt.NDArray[np.float64]
FOLDER = "forgetting"
SEED = 0
"""Seed of the training that is probed."""
STRENGTH = 0.1
"""Inverse regularisation of the probe, on vectors of mean 0 and variance 1 in train."""
VALID_SHARE = 10
"""Validation texts in all, for each train text of a label."""
BATCH = 16
SCORES = ("probe_accuracy", "probe_accuracy_untouched", "probe_accuracy_change")


def probed_on(task: str) -> str:
    """Name the task on which a model is probed.

    Parameters
    ----------
    task : str
        Task that it was tuned on.

    Returns
    -------
    str
        Another one.
    """
    return "specialties" if task == "headers" else "headers"


def probe_all(settings: TextClassifierSettings, out: Path, *, step: Step) -> None:
    """Probe the first seed of every tuned system; what was probed before is not probed again.

    Parameters
    ----------
    settings : TextClassifierSettings
        Settings.
    out : Path
        Folder of the run, trained.
    step : callable
        Gives a context manager for a titled step.
    """
    tasks = read_record(out)["parts"]
    kept: dict[tuple[str, str], list[bool]] = {}
    for task in (task for task in tasks if probed_on(task) in tasks):
        sample = draw_sample(read_examples(out, probed_on(task)), settings.evaluation.forgetting_texts, seed=settings.seed)
        for name in (name for name, system in settings.systems.items() if SEED in system.seeds.get(task, ())):
            path, fingerprint = out / FOLDER / task / f"{name}.json", _fingerprint(settings, out, task, name, sample)
            if path.is_file() and read_json(path)["fingerprint"] == fingerprint:
                continue
            with step(f"{task} {name} probed on {probed_on(task)}"):
                write_json(path, _probe(settings, out, task, name, sample, kept) | {"fingerprint": fingerprint})


def draw_sample(examples: pl.DataFrame, texts: int, *, seed: int) -> pl.DataFrame:
    """Draw the texts of a probe.

    Parameters
    ----------
    examples : polars.DataFrame
        Table of the task that is probed on.
    texts : int
        Train texts of each label, at most; validation texts are ten times as many in all, at most.
    seed : int
        Of the draw.

    Returns
    -------
    polars.DataFrame
        Rows of train and valid, in the order of the table.
    """
    import polars as pl

    chance = np.random.default_rng(seed)
    train = [chance.permutation(rows["row"].to_numpy())[:texts]
             for rows in examples.filter(part=TRAIN).sort("label", "row").partition_by("label", maintain_order=True)]
    valid = chance.permutation(examples.filter(part=VALID)["row"].to_numpy())[:VALID_SHARE * texts]
    return examples.filter(pl.col("row").is_in(np.concatenate([*train, valid]).tolist()))


def read_forgetting(settings: EvaluationSettings, out: Path, task: str, best: str, *, seed: int) -> dict[str, Metric]:
    """State what the tuned systems of a task lost.

    Parameters
    ----------
    settings : EvaluationSettings
        Replicates and level.
    out : Path
        Folder of the run.
    task : str
        Task that the systems were tuned on.
    best : str
        The best of them on validation, named ``best`` too.
    seed : int
        Of the bootstrap.

    Returns
    -------
    dict of str to Metric
        ``<task>.forgetting.<system>.probe_accuracy``, ``probe_accuracy_untouched`` and ``probe_accuracy_change``, the last paired on the
        same texts; negative where tuning did harm.
    """
    found: dict[str, Metric] = {}
    for path in sorted((out / FOLDER / task).glob("*.json")):
        kept = read_json(path)
        right = np.array([kept["right"], kept["right_untouched"]], dtype=np.float64)

        def _three(weights: Vectors, right: Vectors = right) -> list[float]:
            tuned, untouched = right @ weights / weights.sum()
            return [tuned, untouched, tuned - untouched]

        intervals = bootstrap_values(_three, groups=kept["units"], n_replicates=settings.replicates, level=settings.level,
                                     random_state=seed)
        found |= {f"{task}.forgetting.{shown}.{name}": metric(interval, higher_is_better=True)
                  for shown in ([path.stem, "best"] if path.stem == best else [path.stem])
                  for name, interval in zip(SCORES, intervals, strict=True)}
    return found


def mean_vectors(opened: Opened, texts: Sequence[str], *, max_tokens: int, device: str = "cpu") -> Vectors:
    """Average the last layer's vectors over the tokens of each text.

    Parameters
    ----------
    opened : Opened
        A model, tuned or not; the layer for the labels is not used.
    texts : sequence of str, length n
        Any texts.
    max_tokens : int
        Longer texts lose their end.
    device : str, default "cpu"
        Where to compute.

    Returns
    -------
    ndarray of float64, shape (n, width)
        In the order of the texts.
    """
    import torch

    model = opened.model.to(device).eval()
    rows: list[Vectors] = []
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    with torch.inference_mode():
        for start in range(0, len(order), BATCH):
            given = opened.tokenizer([texts[place] for place in order[start:start + BATCH]], truncation=True, max_length=max_tokens,
                                     padding=True, return_tensors="pt").to(device)
            mask = given["attention_mask"]
            hidden = model(input_ids=given["input_ids"], attention_mask=mask, output_hidden_states=True).hidden_states[-1].double()
            rows.append(((hidden * mask.unsqueeze(-1)).sum(dim=1) / mask.sum(dim=1, keepdim=True)).cpu().numpy())
    vectors = np.concatenate(rows)
    return np.asarray(vectors[np.argsort(order)], dtype=np.float64)


def answers_right(sample: pl.DataFrame, vectors: Vectors) -> list[bool]:
    """Fit the probe on train and say which validation texts it gets right.

    Parameters
    ----------
    sample : polars.DataFrame
        ``part`` and ``label`` of n texts.
    vectors : ndarray, shape (n, width)
        Theirs.

    Returns
    -------
    list of bool
        One for each validation text.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, labels = (sample["part"] == TRAIN).to_numpy(), sample["label"].to_numpy()
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=2000)).fit(vectors[train], labels[train])
    return (probe.predict(vectors[~train]) == labels[~train]).tolist()


def _probe(settings: TextClassifierSettings, out: Path, task: str, system: str, sample: pl.DataFrame,
           kept: dict[tuple[str, str], list[bool]]) -> dict[str, Any]:
    """Probe a tuned model and its base; what the base gets right is kept for the next system of that base."""
    from carefolio.compute import choose_compute
    from text_classifier.model import load_model, open_base

    texts, device = sample["text"].to_list(), choose_compute("float32").device
    tokens = min(settings.evaluation.forgetting_tokens, settings.training.max_tokens[probed_on(task)])

    def right(opened: Opened) -> list[bool]:
        return answers_right(sample, mean_vectors(opened, texts, max_tokens=tokens, device=device))

    tuned, record = load_model(training_folder(out, task, system, SEED) / "model")
    key = (tuned.base.revision, probed_on(task))
    found = right(tuned)
    if key not in kept:
        kept[key] = right(open_base(tuned.base.name, record["labels"], seed=SEED))
    valid = sample.filter(part=VALID)
    return {"probed_on": probed_on(task), "train_texts": sample.height - valid.height, "units": valid["unit"].to_list(), "right": found,
            "right_untouched": kept[key]}


def _fingerprint(settings: TextClassifierSettings, out: Path, task: str, system: str, sample: pl.DataFrame) -> str:
    said = {"training": read_json(training_folder(out, task, system, SEED) / DONE), "tokens": settings.evaluation.forgetting_tokens,
            "sample": hashlib.sha256(sample.write_csv().encode()).hexdigest(), "strength": STRENGTH}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
