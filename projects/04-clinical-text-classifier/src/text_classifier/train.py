"""Fit the baselines, tune the systems, and keep what each predicts; what is there already is not made again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carefolio.artefacts import read_json, write_json
from carefolio.exceptions import ConfigError
from carefolio.parts import read_record
from carefolio.progress import progress_bar
from text_classifier.config import BASELINES, DECIDING, TextClassifierSettings
from text_classifier.features import TRAIN, VALID, build_examples, label_names, read_examples, write_examples
from text_classifier.predictions import Predicted, predictions_folder, write_predictions

if TYPE_CHECKING:
    import polars as pl

    from text_classifier.model import Opened

Step = Callable[[str], AbstractContextManager[Any]]
DONE = "done.json"
"""File that says what a finished training was made of."""
CURVE = "curve"
"""Folder of the trainings on shares of train."""


def make_examples(settings: TextClassifierSettings, out: Path) -> None:
    """Build and check the table and the split of every task of a run.

    Parameters
    ----------
    settings : TextClassifierSettings
        Settings.
    out : Path
        Folder of the run.
    """
    for task in read_record(out)["parts"]:
        write_examples(out, task, build_examples(task, out, settings.features, seed=settings.seed))


def trainings(settings: TextClassifierSettings, tasks: list[str]) -> Iterator[tuple[str, str, int, float]]:
    """List what is trained: task, system, seed, and share of train; the cheap ones first.

    Parameters
    ----------
    settings : TextClassifierSettings
        Settings.
    tasks : list of str
        Tasks of the run.

    Yields
    ------
    tuple of (str, str, int, float)
        Baselines, then tuned systems by seed, then the learning curve.
    """
    for task in tasks:
        yield from ((task, system, 0, 1.0) for system in BASELINES)
    seeds = sorted({seed for system in settings.systems.values() for task in tasks for seed in system.seeds.get(task, ())})
    for seed in seeds:
        for name, system in settings.systems.items():
            yield from ((task, name, seed, 1.0) for task in tasks if seed in system.seeds.get(task, ()))
    if settings.training.curve_task in tasks:
        for share in settings.training.curve_shares:
            if share < 1:
                yield settings.training.curve_task, settings.training.curve_system, 0, share


def train_all(settings: TextClassifierSettings, out: Path, *, step: Step) -> None:
    """Fit and tune all systems of a run.

    Parameters
    ----------
    settings : TextClassifierSettings
        Settings.
    out : Path
        Folder of the run.
    step : callable
        Gives a context manager for a titled step.

    Raises
    ------
    ConfigError
        If the learning curve names a system that is not there.
    """
    if settings.training.curve_system not in settings.systems:
        raise ConfigError(f"training.curve_system must be one of {', '.join(settings.systems)}; got {settings.training.curve_system!r}.")
    make_examples(settings, out)
    for task, system, seed, share in trainings(settings, read_record(out)["parts"]):
        folder = training_folder(out, task, system, seed, share)
        examples = read_examples(out, task)
        fingerprint = _fingerprint(settings, examples, task, system, seed, share)
        if (folder / DONE).is_file() and read_json(folder / DONE) == {"fingerprint": fingerprint}:
            continue
        title = f"{task} {system} seed {seed}" + (f" on {share:.0%} of train" if share < 1 else "")
        with step(title):
            if system in BASELINES:
                from text_classifier.baselines import fit_baseline

                predicted = fit_baseline(system, examples, settings.baselines, seed=settings.seed)
            else:
                predicted = tune(settings, examples, task, system, seed, folder, share=share, title=title)
            write_predictions(folder, predicted)
            write_json(folder / DONE, {"fingerprint": fingerprint})


def training_folder(out: Path, task: str, system: str, seed: int, share: float = 1.0) -> Path:
    """Name the folder of a training.

    Parameters
    ----------
    out : Path
        Folder of the run.
    task, system : str
        Names.
    seed : int
        Of the training.
    share : float, default 1.0
        Of train; below 1 for the learning curve.

    Returns
    -------
    Path
        It need not exist.
    """
    return predictions_folder(out, task, system, seed) if share == 1 else out / "train" / task / CURVE / f"{system}_{share:g}"


def tune(settings: TextClassifierSettings, examples: pl.DataFrame, task: str, system: str, seed: int, folder: Path, *, share: float = 1.0,
         title: str = "") -> Predicted:
    """Tune a system on a task, keep its weights, and predict validation and test.

    Parameters
    ----------
    settings : TextClassifierSettings
        Settings.
    examples : polars.DataFrame
        Table of the task.
    task, system : str
        Names.
    seed : int
        Of the new layer, order and dropout.
    folder : Path
        Of checkpoints and model.
    share : float, default 1.0
        Of train that is used.
    title : str, optional
        Beside the progress bar.

    Returns
    -------
    Predicted
        Probabilities, and what is known of the training.
    """
    from text_classifier.model import add_adapters, open_base, save_model
    from text_classifier.training.loop import Examples, fit

    labels, chosen = label_names(examples), settings.systems[system].for_task(task)
    train = at_most(thin(examples.filter(part=TRAIN), share, seed=settings.seed), chosen.max_train_rows, seed=settings.seed)
    opened = open_base(chosen.base, labels, seed=seed)
    if chosen.method == "lora":
        opened = add_adapters(opened, settings.lora)
    places = {label: place for place, label in enumerate(labels)}
    given = {part: Examples(table["text"].to_list(), [places[label] for label in table["label"]])
             for part, table in ((TRAIN, train), (VALID, examples.filter(part=VALID)))}
    with progress_bar(title) as advance:
        record = fit(opened, given[TRAIN], given[VALID], settings.training, chosen, folder / "checkpoint", seed=seed,
                     max_tokens=settings.training.max_tokens[task], advance=advance)
    record |= {"task": task, "system": system, "seed": seed, "share": share}
    if share == 1:
        save_model(opened, folder / "model", record)
    _drop_checkpoint(folder / "checkpoint")
    return _predict(opened, examples, record)


def thin(table: pl.DataFrame, share: float, *, seed: int) -> pl.DataFrame:
    """Draw a share of each label's rows, at least one of each; a larger share holds the smaller one.

    Parameters
    ----------
    table : polars.DataFrame
        Rows with ``label``.
    share : float
        Above 0, at most 1.
    seed : int
        Of the draw.

    Returns
    -------
    polars.DataFrame
        In the order of the table.
    """
    chance = np.random.default_rng(seed)
    kept: list[int] = []
    for _, rows in sorted(table.group_by("label", maintain_order=True), key=lambda item: item[0]):
        drawn = chance.permutation(rows["row"].to_numpy())
        kept += drawn[:max(1, round(share * len(drawn)))].tolist()
    return table.filter(table["row"].is_in(kept))


def at_most(table: pl.DataFrame, rows: int, *, seed: int) -> pl.DataFrame:
    """Draw so many rows.

    Parameters
    ----------
    table : polars.DataFrame
        Rows.
    rows : int
        To keep; 0 = all.
    seed : int
        Of the draw.

    Returns
    -------
    polars.DataFrame
        In the order of the table.
    """
    if not 0 < rows < table.height:
        return table
    kept = np.random.default_rng(seed).permutation(table["row"].to_numpy())[:rows]
    return table.filter(table["row"].is_in(kept.tolist()))


def _predict(opened: Opened, examples: pl.DataFrame, record: dict[str, Any]) -> Predicted:
    """Ask the tuned model for validation and test; its temperature is that of the lowest log loss on validation."""
    from carefolio.compute import Compute
    from carefolio.metrics.temperature import fit_temperature
    from text_classifier.training.loop import predict

    rest = examples.filter(examples["part"] != TRAIN)
    logits = predict(opened, rest["text"].to_list(), max_tokens=record["max_tokens"], compute=Compute(record["device"], "float32"))
    valid = (rest["part"] == VALID).to_numpy()
    temperature = fit_temperature(logits[valid], rest.filter(part=VALID)["label"].to_list(), labels=list(opened.labels))
    scaled = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    return Predicted.of(rest, opened.labels, scaled / scaled.sum(axis=1, keepdims=True), **record, temperature=temperature,
                        base={"name": opened.base.name, "revision": opened.base.revision, "kind": opened.base.kind})


def _drop_checkpoint(folder: Path) -> None:
    for path in folder.glob("*"):
        path.unlink()
    folder.rmdir()


def _fingerprint(settings: TextClassifierSettings, examples: pl.DataFrame, task: str, system: str, seed: int, share: float) -> str:
    said: dict[str, Any] = {"examples": hashlib.sha256(examples.write_csv().encode()).hexdigest(), "seed": seed, "share": share,
                            "names": [task, system]}
    if system in settings.systems:
        chosen = settings.systems[system].for_task(task)
        said |= {"training": settings.training.model_dump(mode="json", include=set(DECIDING)),
                 "max_tokens": settings.training.max_tokens[task],
                 "system": chosen.model_dump(mode="json", exclude={"seeds"}, exclude_defaults=True),
                 "lora": settings.lora.model_dump(mode="json") if chosen.method == "lora" else None}
    else:
        said["baselines"] = settings.baselines.model_dump(mode="json")
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
