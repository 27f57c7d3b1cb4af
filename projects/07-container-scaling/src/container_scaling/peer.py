"""The peer: the same booster behind ``mlflow models serve``, one process on the same core, asked with rows that are encoded already."""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from carefolio.artefacts import read_json, write_text
from carefolio.deploy.steps import load_library
from carefolio.exceptions import ArtefactError
from carefolio.local_server import free_port, run_server
from container_scaling.load import pinned
from container_scaling.servers import Running, listener

MODEL_FILE, MANIFEST_FILE = "readmission.lgb.txt", "readmission.json"
FORMS = {"mlflow": "dataframe_split", "mlflow_tensor": "inputs"}
"""A signature with named columns, which is what MLflow's documentation shows for tables, and a bare array, which is faster."""
START_S = 240.0
INSTALL = "carefolio-container-scaling[peer]"
TOLERANCE = 1e-6


def encode(reasons: Sequence[Mapping[str, Any]], manifest: Mapping[str, Any]) -> list[float | None]:
    """Put the features that the service says it used into the order and the numbers that the booster reads.

    Parameters
    ----------
    reasons : sequence of mapping
        ``feature`` and ``value`` of every feature, as ``/explain`` answers.
    manifest : mapping
        ``features`` in order, and ``categories`` of those that are texts.

    Returns
    -------
    list of float or None
        One a feature; None is not known.
    """
    values = {reason["feature"]: reason["value"] for reason in reasons}
    return [_number(values[name], manifest["categories"].get(name)) for name in manifest["features"]]


def _number(value: Any, categories: Sequence[str] | None) -> float | None:
    if categories is None:
        return None if value is None else float(value)
    return float(categories.index(value)) if value in categories else None


def calibrated(probability: float, manifest: Mapping[str, Any]) -> float:
    """Give the risk that belongs to the booster's own probability.

    Parameters
    ----------
    probability : float
        Of the booster.
    manifest : mapping
        Holds ``calibration``.

    Returns
    -------
    float
        What the service answers for the same patient.
    """
    margin = math.log(probability / (1 - probability))
    return 1 / (1 + math.exp(-(manifest["calibration"]["intercept"] + manifest["calibration"]["slope"] * margin)))


def write_rows(rows: Sequence[Sequence[float | None]], manifest: Mapping[str, Any], form: str, folder: Path) -> Path:
    """Write requests for MLflow, one row each.

    Parameters
    ----------
    rows : sequence of sequence
        Encoded rows.
    manifest : mapping
        Names the columns.
    form : str
        A value of `FORMS`.
    folder : Path
        Where the file goes.

    Returns
    -------
    Path
        One JSON body a line.
    """
    bodies = ({form: {"columns": manifest["features"], "data": [row]} if form == "dataframe_split" else [row]} for row in rows)
    return write_text(folder / f"{form}.jsonl", "".join(f"{json.dumps(body, separators=(',', ':'))}\n" for body in bodies))


@contextmanager
def serve_mlflow(artefacts: Path, row: Sequence[float | None], form: str, *, cores: Sequence[int] = ()) -> Iterator[Running]:
    """Save the booster as an MLflow model and serve it with one worker.

    Parameters
    ----------
    artefacts : Path
        Folder of the readmission model.
    row : sequence of float or None
        An encoded row, for the signature.
    form : str
        A value of `FORMS`.
    cores : sequence of int, optional
        Cores that it may use.

    Yields
    ------
    Running
        Ready.

    Raises
    ------
    ConfigError
        If MLflow is not installed.
    """
    flavour, models = (load_library(name, install=INSTALL) for name in ("mlflow.lightgbm", "mlflow.models"))
    import lightgbm
    import numpy as np
    import pandas as pd

    manifest = read_json(artefacts / MANIFEST_FILE)
    matrix = np.array([[math.nan if value is None else value for value in row]])
    example = pd.DataFrame(matrix, columns=manifest["features"]) if form == "dataframe_split" else matrix
    with tempfile.TemporaryDirectory() as folder:
        booster = lightgbm.Booster(model_file=artefacts / MODEL_FILE)
        flavour.save_model(booster, f"{folder}/model", signature=models.infer_signature(example, np.array([0.1])),
                           pip_requirements=["mlflow", "lightgbm"])
        port = free_port()
        command = [*pinned(cores), sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", f"{folder}/model", "--env-manager",
                   "local", "--workers", "1", "--host", "127.0.0.1", "--port", str(port)]
        variables = {"MLFLOW_DISABLE_TELEMETRY": "true", "OMP_NUM_THREADS": "1",
                     "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        with run_server(command, ready_url=f"http://127.0.0.1:{port}/ping", env=variables, timeout_s=START_S) as address:
            yield Running((address,), {}, (listener(port),))


def check_same_model(answer: Mapping[str, Any], risk: float, manifest: Mapping[str, Any]) -> None:
    """Refuse to compare servers that do not run the same model.

    Parameters
    ----------
    answer : mapping
        Of MLflow.
    risk : float
        What the service answers for the same patient.
    manifest : mapping
        Holds ``calibration``.

    Raises
    ------
    ArtefactError
        If the two do not agree.
    """
    got = calibrated(float(answer["predictions"][0]), manifest)
    if abs(got - risk) > TOLERANCE:
        raise ArtefactError(f"MLflow's answer stands for a risk of {got}, the service says {risk}; they do not run the same model.")
