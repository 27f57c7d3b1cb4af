"""Training inside a container, by SageMaker's contract: everything comes from and goes to ``/opt/ml``.

==========================================  =========================================================================
``input/config/hyperparameters.json``       strings by name; see `retinopathy.cloud.settings.Hyperparameters`
``input/config/resourceconfig.json``        the machines; there must be one
``input/data/training/``                    ``idrid/`` and ``retinamnist/``, laid out as below ``CAREFOLIO_DATA_DIR``
``model/``                                  the sealed grader
``output/data/``                            evidence and figures
``output/failure``                          why it failed
==========================================  =========================================================================

``CAREFOLIO_ML_ROOT`` names another root. Azure Machine Learning and Vertex AI name the folders on the command line, and Vertex AI the
model's in ``AIP_MODEL_DIR``. Photographs are read, and kept neither in the model nor in the output.

Contract: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo.html
"""

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from carefolio.artefacts import read_json
from carefolio.exceptions import CarefolioError, ConfigError, DataUnavailableError
from retinopathy.cloud.settings import Hyperparameters, read_hyperparameters

ROOT, ROOT_VARIABLE = "/opt/ml", "CAREFOLIO_ML_ROOT"
CHANNEL = "training"
FAILURE_CHARACTERS = 1024
COMMAND = "python -m retinopathy.cloud.container train"


@dataclass(frozen=True)
class Places:
    """Where a training finds and leaves its files."""

    config: Path
    data: Path
    model: Path
    reports: Path
    failure: Path


def find_root(environment: Mapping[str, str]) -> Path:
    """Say where the contract's folders are.

    Parameters
    ----------
    environment : mapping of str to str
        Variables of the process.

    Returns
    -------
    Path
        ``$CAREFOLIO_ML_ROOT`` or ``/opt/ml``.
    """
    return Path(environment.get(ROOT_VARIABLE) or ROOT)


def find_places(environment: Mapping[str, str], *, data: Path | None = None, model: Path | None = None,
                reports: Path | None = None) -> Places:
    """Say where a training finds and leaves its files.

    Parameters
    ----------
    environment : mapping of str to str
        Variables of the process.
    data, model, reports : Path, optional
        Folders that the command line names.

    Returns
    -------
    Places
        The model's folder is that of the command line, of ``AIP_MODEL_DIR``, or of the contract.
    """
    root, vertex = find_root(environment), environment.get("AIP_MODEL_DIR")
    return Places(config=root / "input" / "config", data=data or root / "input" / "data" / CHANNEL,
                  model=model or (mounted(vertex) if vertex else root / "model"), reports=reports or root / "output" / "data",
                  failure=root / "output" / "failure")


def mounted(uri: str) -> Path:
    """Say where Vertex AI mounts a place in Cloud Storage.

    Parameters
    ----------
    uri : str
        Such as ``gs://bucket/model/``.

    Returns
    -------
    Path
        Such as ``/gcs/bucket/model``; a plain path stays as it is.
    """
    return Path("/gcs") / uri.removeprefix("gs://") if uri.startswith("gs://") else Path(uri)


def run_training(places: Places, told: Mapping[str, str]) -> None:
    """Train as the platform asks; where that fails, say why in the file that the platform reads.

    Parameters
    ----------
    places : Places
        Where everything is.
    told : mapping of str to str
        Hyperparameters of the command line; they win over the file.

    Raises
    ------
    CarefolioError
        If something that was given does not fit; ``output/failure`` has the same words.
    """
    try:
        train(places, read_told(places, told))
    except Exception as error:
        reason = str(error) if isinstance(error, CarefolioError) else f"{type(error).__name__}: {error}"
        places.failure.parent.mkdir(parents=True, exist_ok=True)
        places.failure.write_text(reason[:FAILURE_CHARACTERS], encoding="utf-8")
        raise


def read_told(places: Places, told: Mapping[str, str]) -> Hyperparameters:
    """Read what the platform asks for.

    Parameters
    ----------
    places : Places
        Where everything is.
    told : mapping of str to str
        Hyperparameters of the command line; they win over the file.

    Returns
    -------
    Hyperparameters
        Checked.

    Raises
    ------
    ConfigError
        If one is not known or not what it should be, or there is more than one machine.
    """
    resources, file = places.config / "resourceconfig.json", places.config / "hyperparameters.json"
    hosts = read_json(resources).get("hosts", []) if resources.is_file() else []
    if len(hosts) > 1:
        raise ConfigError(f"{resources} names {len(hosts)} machines; this training runs on one. Ask for one instance.")
    found = read_json(file) if file.is_file() else {}
    if not isinstance(found, dict):
        raise ConfigError(f"{file} must hold an object of strings by name; got {type(found).__name__}.")
    return read_hyperparameters(found | dict(told), where=str(file) if file.is_file() else "the command line")


def choose_parts(data: Path, *, synthetic: bool) -> list[str]:
    """Say which parts of the chapter the channel has data for.

    Parameters
    ----------
    data : Path
        Folder of the channel.
    synthetic : bool
        Whether drawn retinas may stand in.

    Returns
    -------
    list of str
        Names of parts; all, where drawn retinas may stand in.

    Raises
    ------
    DataUnavailableError
        If there is nothing to train a grader on.
    """
    from retinopathy.config import PARTS

    if synthetic:
        return list(PARTS)
    parts = [part for part, names in PARTS.items() if all((data / name).is_dir() for name in names)]
    if "idrid" not in parts:
        there = ", ".join(sorted(path.name for path in data.iterdir())) if data.is_dir() else "no such folder"
        raise DataUnavailableError(f"channel `{CHANNEL}`, {data}, must hold the folder idrid as CAREFOLIO_DATA_DIR does; got "
                                   f"{there or 'an empty folder'}. Upload the data set there, or rehearse with the hyperparameter "
                                   "synthetic = true.")
    return parts


def train(places: Places, hyperparameters: Hyperparameters) -> None:
    """Run the chapter's stages, and hand the grader and the reports over.

    Parameters
    ----------
    places : Places
        Where everything is.
    hyperparameters : Hyperparameters
        What was told.

    Raises
    ------
    DataUnavailableError
        If the channel lacks photographs and no drawn ones may stand in.
    CarefolioError
        If a stage fails.
    """
    from carefolio.config import load_config
    from retinopathy import pipeline
    from retinopathy.config import PROJECT, RetinopathySettings

    parts = choose_parts(places.data, synthetic=hyperparameters.synthetic)
    settings = load_config(RetinopathySettings, PROJECT, quick=hyperparameters.quick, seed=hyperparameters.seed,
                           over=hyperparameters.over())
    with tempfile.TemporaryDirectory(prefix="retinopathy-") as scratch:
        out = Path(scratch) / "run"
        _take_data_from(places.data, cache=Path(scratch) / "cache")
        pipeline.data_stage(settings, out, parts=parts)
        if not hyperparameters.synthetic:
            refuse_drawn(out)
        pipeline.train_stage(settings, out)
        pipeline.evaluate_stage(settings, out)
        pipeline.report_stage(settings, out, command=COMMAND, to_repository=False)
        for name, folder in (("reports", places.reports), ("artefacts", places.model)):
            copy_files(out / name, folder)


def _take_data_from(data: Path, *, cache: Path) -> None:
    """Let the data sets come from the channel alone, not from this user's cache or the network."""
    os.environ.pop("CAREFOLIO_DATA_DIR", None)
    if data.is_dir():
        os.environ["CAREFOLIO_DATA_DIR"] = str(data)
    os.environ.update(CAREFOLIO_OFFLINE="1", CAREFOLIO_CACHE_DIR=str(cache))


def refuse_drawn(out: Path) -> None:
    """Stop a training on drawn retinas that nobody asked for.

    Parameters
    ----------
    out : Path
        Folder of the run, with its data.

    Raises
    ------
    DataUnavailableError
        If a data set is made up, or a part had to be left out.
    """
    from carefolio.parts import read_record, refuse_missing_parts

    refuse_missing_parts(out)
    drawn = [name for name, found in read_record(out)["provenance"].items() if found["origin"] == "synthetic"]
    if drawn:
        raise DataUnavailableError(f"channel `{CHANNEL}` lacks files of {', '.join(drawn)}, and drawn retinas are not what was asked for; "
                                   "the log says which. Upload the whole data set, or rehearse with the hyperparameter synthetic = true.")


def copy_files(source: Path, folder: Path) -> None:
    """Copy all files below a folder; what a platform has mounted there need not know renaming.

    Parameters
    ----------
    source : Path
        Folder of finished files.
    folder : Path
        Destination.
    """
    for path in sorted(source.rglob("*")):
        if path.is_file():
            target = folder / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
