"""Render the Kubernetes overlays, check them against the schemas of the API server, and hold them against this chapter's rules."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from carefolio.chapters import repository_root
from carefolio.deploy.steps import load_library
from carefolio.exceptions import ConfigError, ProviderError
from container_scaling.policy import name, problems

OVERLAYS = ("local", "aks", "eks")
FROM_ADD_ONS = {"SecretProviderClass"}
"""Kinds that a cluster's add-ons define; no published schema of Kubernetes has them."""
INSTALL = "carefolio-container-scaling[test]"


def overlay_folder(overlay: str) -> Path:
    """Find an overlay.

    Parameters
    ----------
    overlay : str
        Its name.

    Returns
    -------
    Path
        Its folder.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    folder = repository_root() / "docker" / "kubernetes" / "overlays" / overlay
    if not folder.is_dir():
        raise ConfigError(f"there is no overlay {overlay!r}; there are {', '.join(OVERLAYS)}.")
    return folder


def render(folder: Path) -> list[dict[str, Any]]:
    """Render a kustomization as ``kubectl apply`` would see it.

    Parameters
    ----------
    folder : Path
        Holds ``kustomization.yaml``.

    Returns
    -------
    list of dict
        The objects.

    Raises
    ------
    ProviderError
        If there is no kubectl or kustomize, or it refuses.
    """
    import yaml

    command = next(([path, *rest] for tool, rest in (("kubectl", ["kustomize"]), ("kustomize", ["build"])) if (path := shutil.which(tool))),
    None)
    if command is None:
        raise ProviderError("neither kubectl nor kustomize is on PATH; install one to render the manifests.")
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        raise ProviderError(f"{folder} cannot be rendered: {done.stderr.strip()[-800:]}")
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def schema_problems(manifests: Sequence[dict[str, Any]]) -> list[str]:
    """Check objects against the published schemas, unknown fields included; needs no network.

    Parameters
    ----------
    manifests : sequence of dict
        Objects.

    Returns
    -------
    list of str
        One sentence a breach.

    Raises
    ------
    ConfigError
        If kubernetes-validate is not installed.
    """
    library = load_library("kubernetes_validate", install=INSTALL)
    version, found = library.latest_version(), []
    for one in manifests:
        if one.get("kind") in FROM_ADD_ONS:
            continue
        try:
            library.validate(one, version, strict=True)
        except library.ValidationError as error:
            where = ".".join(str(part) for part in error.path)
            found.append(f"{name(one)}: {where}: {' '.join(str(error.message).split())[:300]}")
        except (library.SchemaNotFoundError, library.InvalidSchemaError) as error:
            found.append(f"{name(one)}: {' '.join(str(error).split())}")
    return found


def check_overlays(overlays: Sequence[str] = (), *, say: Callable[[str], None] = lambda _: None) -> list[str]:
    """Render and check overlays.

    Parameters
    ----------
    overlays : sequence of str, optional
        Their names; default all.
    say : callable, optional
        Told what was checked.

    Returns
    -------
    list of str
        What is wrong, each with its overlay.
    """
    found = []
    for overlay in overlays or OVERLAYS:
        objects = render(overlay_folder(overlay))
        wrong = [*schema_problems(objects), *problems(objects)]
        found += [f"{overlay}: {sentence}" for sentence in wrong]
        say(f"{overlay}: {len(objects)} objects, {len(wrong)} problems")
    return found
