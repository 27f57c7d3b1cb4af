"""Models in MLflow's own form, written by its LightGBM and ONNX flavours and read without trusting what they say of themselves.

MLflow loads a model by importing the module that the model's own description names. Here the description is data: its flavour must be
one of two known here, its weights one file of a known name and hash, and nothing beside it may be a pickle or code.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm as lgb
import polars as pl
import yaml

from carefolio.artefacts import sha256_file
from carefolio.encoding import to_frame, to_matrix
from carefolio.exceptions import ArtefactError
from model_registry.features import Matrix
from model_registry.model import ReadmissionModel
from model_registry.survival import SurvivalModel

Model = ReadmissionModel | SurvivalModel
WEIGHTS = {"lightgbm": "model.lgb", "onnx": "model.onnx"}
"""The flavours that are read, and the one file of each that holds weights."""
LOADERS = {"lightgbm": "mlflow.lightgbm", "onnx": "mlflow.onnx"}
ALLOWED_SUFFIXES = (".lgb", ".onnx", ".json", ".yaml", ".yml", ".txt", ".md", "")
DESCRIPTION_FILE = "MLmodel"
METADATA = "carefolio"


@dataclass(frozen=True)
class Loaded:
    """A model that was read, the flavour it came in, and the SHA-256 of its weights."""

    model: Model
    flavour: str
    sha256: str
    example: dict[str, Any]

    def answer(self, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Predict rows that came as JSON.

        Parameters
        ----------
        rows : sequence of mapping
            Feature to value.

        Returns
        -------
        list
            A risk each, or for survival a list of probabilities each.
        """
        frame = to_frame(rows, self.model.features, self.model.categories)
        answers: list[Any] = self.model.predict(frame).tolist()
        return answers


def save_model(model: Model, folder: Path, *, example: pl.DataFrame, pip_requirements: Sequence[str]) -> str:
    """Write a model with signature, input example, requirements and what encodes its rows.

    Parameters
    ----------
    model : ReadmissionModel or SurvivalModel
        The model.
    folder : Path
        Destination; must not exist.
    example : polars.DataFrame
        A few made-up or aggregated rows; no patient's.
    pip_requirements : sequence of str
        Pinned; without them MLflow would take seconds to guess.

    Returns
    -------
    str
        SHA-256 of the weights.
    """
    matrix = to_matrix(example, model.features, model.categories)
    first = {name: value for name, value in example.select(model.features).row(0, named=True).items() if value is not None}
    metadata = {METADATA: {**model.metadata(), "example": first}}
    shared: dict[str, Any] = {"pip_requirements": list(pip_requirements), "metadata": metadata}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*type hint", category=UserWarning)  # MLflow warns about its own classes
        _write(model, folder, example, matrix, shared)
    return sha256_file(folder / WEIGHTS[flavour_of(model)])


def _write(model: Model, folder: Path, example: pl.DataFrame, matrix: Matrix, shared: dict[str, Any]) -> None:
    import mlflow.lightgbm
    import mlflow.onnx
    import onnx
    import pandas as pd
    from mlflow.models import infer_signature

    if isinstance(model, ReadmissionModel):
        frame = pd.DataFrame(matrix, columns=list(model.features))
        signature = infer_signature(frame, model.booster.predict(matrix))
        mlflow.lightgbm.save_model(model.booster, str(folder), signature=signature, input_example=frame, **shared)
    else:
        signature = infer_signature(matrix, model.predict(example).astype("float32"))
        mlflow.onnx.save_model(onnx.load_model_from_string(model.graph), str(folder), signature=signature, input_example=matrix,
                               save_as_external_data=False, **shared)


def flavour_of(model: Model) -> str:
    """Name the flavour that a model is stored in.

    Parameters
    ----------
    model : ReadmissionModel or SurvivalModel
        The model.

    Returns
    -------
    str
        A key of `WEIGHTS`.
    """
    return "lightgbm" if isinstance(model, ReadmissionModel) else "onnx"


def load_model(folder: Path, *, sha256: str) -> Loaded:
    """Read a model whose weights are those that were registered.

    Parameters
    ----------
    folder : Path
        In MLflow's form, as it came from the server.
    sha256 : str
        What the registry says of the weights.

    Returns
    -------
    Loaded
        Ready to predict.

    Raises
    ------
    ArtefactError
        If the flavour is not known here, a file is of a kind that is not read, or the weights are others.
    """
    description = _read_description(folder)
    flavour = _known_flavour(folder, description)
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix.lower() not in ALLOWED_SUFFIXES:
            raise ArtefactError(f"{path} is of a kind that is not read (allowed: {', '.join(filter(None, ALLOWED_SUFFIXES))}); a model "
                                "that needs it is refused. Register one of the flavours lightgbm or onnx.")
    weights = folder / WEIGHTS[flavour]
    got = sha256_file(weights) if weights.is_file() else "no file"
    if got != sha256:
        raise ArtefactError(f"{weights} has SHA-256 {got}, the registry says {sha256}; the stored model was changed. Register it again.")
    about = (description.get("metadata") or {}).get(METADATA)
    if not isinstance(about, dict):
        raise ArtefactError(f"{folder / DESCRIPTION_FILE} does not say how rows are encoded (metadata.{METADATA}); log it with "
                            "`registry search`.")
    try:
        return Loaded(_build(flavour, weights, about), flavour, got, about["example"])
    except (KeyError, TypeError, ValueError, lgb.basic.LightGBMError) as error:
        raise ArtefactError(f"{folder} holds no model of this chapter ({type(error).__name__}: {error}); log it again.") from None


def _read_description(folder: Path) -> dict[str, Any]:
    path = folder / DESCRIPTION_FILE
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ArtefactError(f"{path} cannot be read ({type(error).__name__}); expected MLflow's description of a model.") from None
    if not isinstance(found, dict) or not isinstance(found.get("flavors"), dict):
        raise ArtefactError(f"{path} names no flavours; expected MLflow's description of a model.")
    return found


def _known_flavour(folder: Path, description: dict[str, Any]) -> str:
    flavours = description["flavors"]
    known = [name for name in WEIGHTS if name in flavours]
    generic = flavours.get("python_function") or {}
    stranger = sorted(set(flavours) - set(WEIGHTS) - {"python_function"})
    if len(known) != 1 or stranger or generic.get("loader_module", LOADERS[known[0]]) != LOADERS[known[0]] or generic.get("code"):
        named = ", ".join(sorted(flavours)) or "none"
        raise ArtefactError(f"{folder} is of the flavours {named}, loader {generic.get('loader_module')!r}; expected exactly one of "
                            f"{', '.join(WEIGHTS)} with MLflow's own loader and no code. It is not loaded.")
    return known[0]


def _build(flavour: str, weights: Path, about: Mapping[str, Any]) -> Model:
    features = tuple(str(name) for name in about["features"])
    categories = {str(name): [str(value) for value in values] for name, values in about["categories"].items()}
    if flavour == "lightgbm":
        booster = lgb.Booster(model_file=weights)
        if tuple(booster.feature_name()) != features:
            raise ArtefactError(f"{weights} reads other features than its description lists; log it again.")
        return ReadmissionModel(booster, float(about["intercept"]), float(about["slope"]), features, categories)
    return SurvivalModel(weights.read_bytes(), features, categories, tuple(float(day) for day in about["times_days"]))
