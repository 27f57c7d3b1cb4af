"""What `retinopathy cloud` does for each target: specify, check, write, and rehearse on this machine."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from carefolio.artefacts import atomic_path, write_json, write_text
from carefolio.deploy.azureml import render_yaml
from carefolio.exceptions import ConfigError
from retinopathy.cloud.azureml import check_azureml, specify_azureml
from retinopathy.cloud.local import local_plan
from retinopathy.cloud.sagemaker import check_sagemaker, specify_sagemaker
from retinopathy.cloud.settings import TARGETS, CloudSettings
from retinopathy.cloud.specification import PHOTO_FILE, REQUEST_FILE, Specification, list_commands, sample_photo
from retinopathy.cloud.vertex import check_vertex, specify_vertex

SPECIFY: dict[str, Callable[..., Specification]] = {"sagemaker": specify_sagemaker, "azureml": specify_azureml, "vertex": specify_vertex}
CHECK = {"sagemaker": check_sagemaker, "azureml": check_azureml, "vertex": check_vertex}


def specify(target: str, settings: CloudSettings, *, data: Path | None = None,
            environment: Mapping[str, str] | None = None) -> Specification:
    """Say what would be done; touches neither network nor files.

    Parameters
    ----------
    target : {"local", "sagemaker", "azureml", "vertex"}
        Where to.
    settings : CloudSettings
        Names and sizes.
    data : Path, optional
        With ``local``: folder of the photographs; drawn ones without.
    environment : mapping of str to str, optional
        Holds identities; used in place of ``os.environ``.

    Returns
    -------
    Specification
        Plan and documents.

    Raises
    ------
    ConfigError
        If the target is not known.
    """
    if target not in TARGETS:
        raise ConfigError(f"target {target!r} is not known; expected one of {', '.join(TARGETS)}.")
    if target == "local":
        return Specification(local_plan(settings, data=data), {})
    return SPECIFY[target](settings, environment=os.environ if environment is None else environment)


def check(specification: Specification) -> str:
    """Check the documents with the cloud's own description of its interface; no network is used.

    Parameters
    ----------
    specification : Specification
        Result of `specify`.

    Returns
    -------
    str
        What was found.

    Raises
    ------
    ArtefactError
        If a document does not fit.
    ConfigError
        If a setting or a library is missing, or there is nothing to check.
    """
    plan = specification.plan
    if plan.target not in CHECK:
        raise ConfigError(f"--check goes with a cloud, got --target {plan.target}; --apply rehearses on this machine.")
    if plan.missing:
        raise ConfigError(f"{plan.target}: nothing was checked, because settings are missing: {'; '.join(plan.missing)}.")
    return CHECK[plan.target](specification.documents)


def write_specification(specification: Specification, folder: Path) -> list[Path]:
    """Write plan, documents, command lines and a drawn photograph.

    Parameters
    ----------
    specification : Specification
        Result of `specify`.
    folder : Path
        Destination.

    Returns
    -------
    list of Path
        The files.
    """
    plan = specification.plan
    files = [write_json(folder / "plan.json", plan.to_dict())]
    if plan.target not in SPECIFY:
        return files
    as_yaml = render_yaml({name: content for name, content in specification.documents.items() if name.endswith(".yml")})
    as_json = {name: json.dumps(content, indent=1) + "\n" for name, content in specification.documents.items() if name not in as_yaml}
    if specification.request is not None:
        as_json[REQUEST_FILE] = json.dumps(specification.request) + "\n"
    files += [write_text(folder / name, text) for name, text in {**as_yaml, **as_json}.items()]
    files.append(write_text(folder / "commands.txt", list_commands(plan.steps, title=f"{plan.target}: training and endpoint")))
    with atomic_path(folder / PHOTO_FILE) as temporary:
        temporary.write_bytes(sample_photo())
    return [*files, folder / PHOTO_FILE]


def refuse_apply(specification: Specification) -> ConfigError:
    """Say why a plan is not carried out, and who does.

    Parameters
    ----------
    specification : Specification
        Of a cloud.

    Returns
    -------
    ConfigError
        To be raised.
    """
    plan = specification.plan
    first = next(step.action for step in plan.steps if step.name == "training job")
    return ConfigError(f"--apply is not offered for {plan.target}, which was never tried on an account; write the files with --out FOLDER "
                       f"and give the command lines of commands.txt there yourself. The one that trains: {first}")
