"""The plan of a deployment, for each target, and the one function that the command line calls."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from carefolio.artefacts import sha256_file, write_json
from carefolio.deploy.steps import Outcome, Plan
from carefolio.evidence import read_evidence
from carefolio.exceptions import ArtefactError, ConfigError
from readmission.deploy import bundle
from readmission.deploy.azureml import apply_azureml, write_files
from readmission.deploy.azureml_files import azureml_plan
from readmission.deploy.local import apply_local, local_plan
from readmission.deploy.sagemaker import apply_sagemaker
from readmission.deploy.sagemaker_steps import sagemaker_plan, sagemaker_teardown
from readmission.deploy.settings import DeploySettings
from readmission.model import MODEL_FILE

TARGETS = ("local", "sagemaker", "azureml")
METRIC = "all_encounters.test.lightgbm."
METRICS = ("roc_auc", "average_precision", "brier_score", "calibration_slope")


def build_plan(target: str, settings: DeploySettings, model_sha256: str, *, metrics: Mapping[str, float] | None = None,
               environment: Mapping[str, str] | None = None, keep: bool = False, teardown: bool = False) -> Plan:
    """Say what a deployment would do; touches neither network nor files.

    Parameters
    ----------
    target : {"local", "sagemaker", "azureml"}
        Where to.
    settings : DeploySettings
        Names and sizes.
    model_sha256 : str
        Names the model (see `readmission.deploy.bundle`).
    metrics : mapping of str to float, optional
        Measured values for the model registry.
    environment : mapping of str to str, optional
        Holds identities; used in place of ``os.environ``.
    keep : bool, default False
        For ``local``: go on serving.
    teardown : bool, default False
        For ``sagemaker``: the removal instead.

    Returns
    -------
    Plan
        Steps in order, and what is missing to apply them.

    Raises
    ------
    ConfigError
        If the target is not known or an option does not go with it.
    """
    source = os.environ if environment is None else environment
    for option, given, only in (("--keep", keep, "local"), ("--teardown", teardown, "sagemaker")):
        if given and target != only:
            raise ConfigError(f"{option} goes with --target {only}, got --target {target}.")
    if target == "local":
        return local_plan(settings.local, model_sha256, keep=keep)
    if target == "azureml":
        return azureml_plan(settings.name, settings.azureml, model_sha256, environment=source)
    if target != "sagemaker":
        raise ConfigError(f"target {target!r} is not known; expected one of {', '.join(TARGETS)}.")
    if teardown:
        return sagemaker_teardown(settings.name, settings.sagemaker, model_sha256)
    return sagemaker_plan(settings.name, settings.sagemaker, model_sha256, metrics=metrics or {}, environment=source)


def read_metrics(artefacts: Path) -> dict[str, float]:
    """Read the values that go to a model registry.

    Parameters
    ----------
    artefacts : Path
        Folder of the model; its evidence is ``reports/evidence.json`` beside it.

    Returns
    -------
    dict of str to float
        Values of `METRICS` on the held-out patients; empty if there is no evidence or it is about other files.
    """
    path = artefacts.parent / "reports" / "evidence.json"
    if not path.is_file():
        return {}
    evidence = read_evidence(path)
    if sha256_file(artefacts / MODEL_FILE) not in {record.sha256 for record in evidence.artefacts}:
        return {}
    return {name: evidence.metrics[METRIC + name].value for name in METRICS if METRIC + name in evidence.metrics}


def write_plan(plan: Plan, settings: DeploySettings, folder: Path) -> list[Path]:
    """Write a plan, and for ``azureml`` the files it names, to be read, kept or used by other tools.

    Parameters
    ----------
    plan : Plan
        Result of `build_plan`.
    settings : DeploySettings
        As given to it.
    folder : Path
        Destination.

    Returns
    -------
    list of Path
        The files.
    """
    files = [write_json(folder / "plan.json", plan.to_dict())]
    return files + write_files(settings.name, settings.azureml, plan.model_sha256, folder) if plan.target == "azureml" else files


def apply_plan(plan: Plan, settings: DeploySettings, *, artefacts: Path, folder: Path,
               say: Callable[[str], None] = lambda _: None) -> list[Outcome]:
    """Carry out a plan.

    Parameters
    ----------
    plan : Plan
        Result of `build_plan`.
    settings : DeploySettings
        As given to it.
    artefacts : Path
        Folder of the sealed model.
    folder : Path
        Receives what is written on the way.
    say : callable, optional
        Told about each finished step.

    Returns
    -------
    list of Outcome
        One a step.

    Raises
    ------
    ArtefactError
        If the model was altered, or is not the one of the plan.
    ConfigError
        If a library or a setting is missing.
    CarefolioError
        If a step fails.
    """
    if bundle.model_sha256(artefacts) != plan.model_sha256:
        raise ArtefactError(f"{artefacts} holds another model than the plan, which is for {plan.model_sha256}; make the plan again.")
    sha256 = sha256_file(artefacts / MODEL_FILE)
    if plan.target == "local":
        return apply_local(plan, settings.local, artefacts=artefacts, folder=folder, model_file_sha256=sha256, say=say)
    if plan.target == "azureml":
        write_files(settings.name, settings.azureml, plan.model_sha256, folder)
        return apply_azureml(plan, settings.azureml, artefacts=artefacts, folder=folder, model_file_sha256=sha256,
                             environment=os.environ, say=say)
    packed = bundle.write_bundle(artefacts, folder / bundle.BUNDLE_NAME)
    return apply_sagemaker(plan, settings.sagemaker, bundle=packed.path, model_file_sha256=sha256, say=say)
