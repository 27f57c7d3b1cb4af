"""Build an image bound to its commit and evidence, list what is in it, and ask for known vulnerabilities."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carefolio.artefacts import sha256_file
from carefolio.chapters import repository_root
from carefolio.evidence import git_commit
from carefolio.exceptions import ProviderError
from container_scaling import engine

BUILD_S = 3600.0
SITE = "/app/site"


@dataclass(frozen=True)
class Image:
    """A built image: its name, size in megabytes and labels."""

    tag: str
    size_mb: float
    labels: Mapping[str, str]


def default_tag(project: str) -> str:
    """Name the image of a project.

    Parameters
    ----------
    project : str
        A folder in ``projects``, or a file in ``docker/services``.

    Returns
    -------
    str
        Such as ``carefolio/readmission:local``.
    """
    words = [word for word in project.split("-") if not word.isdecimal()]
    return f"carefolio/{words[0]}:local"


def evidence_sha256(project: str, root: Path) -> str:
    """Hash the evidence that an image is labelled with.

    Parameters
    ----------
    project : str
        Folder in ``projects``.
    root : Path
        The repository.

    Returns
    -------
    str
        SHA-256, or ``none`` where there is no evidence.
    """
    path = root / "projects" / project / "reports" / "evidence.json"
    return sha256_file(path) if path.is_file() else "none"


def build(project: str, *, tag: str, base: str, network: str | None = None, secrets: Mapping[str, Path | None] | None = None) -> Image:
    """Build the image of a project.

    Parameters
    ----------
    project : str
        A folder in ``projects``, or a file in ``docker/services``.
    tag : str
        Name of the image.
    base : str
        Image that the build starts from.
    network : str, optional
        Network of the build.
    secrets : mapping of str to Path, optional
        ``ca`` and ``pip``; they are mounted for the build and stay out of the image.

    Returns
    -------
    Image
        What was built.

    Raises
    ------
    ProviderError
        If there is no engine, or the build fails.
    """
    root = repository_root()
    values = {"PROJECT": project, "BASE": base, "COMMIT": git_commit(root), "EVIDENCE": evidence_sha256(project, root)}
    command = ["build", "--file", "docker/Dockerfile", "--tag", tag, *(["--network", network] if network else [])]
    command += [word for name, value in values.items() for word in ("--build-arg", f"{name}={value}")]
    command += [word for name, path in (secrets or {}).items() if path for word in ("--secret", f"id={name},src={path.resolve()}")]
    engine.run([*command, "."], timeout_s=BUILD_S, folder=root, environment={**os.environ, "DOCKER_BUILDKIT": "1"})
    return describe(tag)


def describe(tag: str) -> Image:
    """Describe an image that is there.

    Parameters
    ----------
    tag : str
        Its name.

    Returns
    -------
    Image
        Size and labels.
    """
    found = engine.inspect(tag, kind="image")
    return Image(tag, found["Size"] / 1e6, found["Config"]["Labels"] or {})


def packages(tag: str) -> dict[str, str]:
    """List the Python packages of an image.

    Parameters
    ----------
    tag : str
        Its name.

    Returns
    -------
    dict of str to str
        Name to version.
    """
    code = f"import importlib.metadata as m, json; print(json.dumps({{d.name: d.version for d in m.distributions(path=['{SITE}'])}}))"
    found: dict[str, str] = json.loads(engine.run(["run", "--rm", "--network", "none", "--read-only", "--entrypoint", "/python", tag, "-c",
    code]))
    return found


def write_sbom(tag: str, path: Path) -> int:
    """Write what an image holds as a CycloneDX document.

    Parameters
    ----------
    tag : str
        Name of the image.
    path : Path
        Destination, JSON.

    Returns
    -------
    int
        Packages in it.

    Raises
    ------
    ProviderError
        If cyclonedx-bom is not installed or fails.
    """
    found = packages(tag)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        listed = write_requirements(found, Path(folder))
        _tool(["cyclonedx_py", "requirements", str(listed), "--output-reproducible", "--of", "JSON", "-o", str(path)])
    return len(found)


def audit(tag: str) -> list[str]:
    """Ask for known vulnerabilities of the packages in an image.

    Parameters
    ----------
    tag : str
        Name of the image.

    Returns
    -------
    list of str
        One a vulnerability; empty if none is known.

    Raises
    ------
    ProviderError
        If pip-audit is not installed, or its data base does not know the packages: what was not looked up is not free of faults.
    """
    foreign = {name: version for name, version in packages(tag).items() if not name.startswith("carefolio")}
    with tempfile.TemporaryDirectory() as folder:
        listed = write_requirements(foreign, Path(folder))
        text = _tool(["pip_audit", "--requirement", str(listed), "--no-deps", "--disable-pip", "--progress-spinner", "off",
                      "--format", "json"], allowed=(0, 1))
    return read_audit(text)


def read_audit(text: str) -> list[str]:
    """Read what pip-audit found.

    Parameters
    ----------
    text : str
        Its JSON.

    Returns
    -------
    list of str
        One a vulnerability.

    Raises
    ------
    ProviderError
        If it could not look up a package.
    """
    found = json.loads(text)["dependencies"]
    if skipped := [package for package in found if package.get("skip_reason")]:
        raise ProviderError(f"{len(skipped)} of {len(found)} packages could not be looked up, so nothing can be said of them; the first: "
                            f"{skipped[0]['skip_reason']}. Run this where pypi.org itself can be reached.")
    return [f"{package['name']} {package['version']}: {problem['id']}" for package in found for problem in package["vulns"]]


def write_requirements(found: Mapping[str, str], folder: Path) -> Path:
    """Write packages as pip lists them.

    Parameters
    ----------
    found : mapping of str to str
        Name to version.
    folder : Path
        Where the file goes.

    Returns
    -------
    Path
        ``requirements.txt``.
    """
    path = folder / "requirements.txt"
    path.write_text("".join(f"{name}=={version}\n" for name, version in sorted(found.items())), encoding="utf-8")
    return path


def _tool(command: list[str], *, allowed: tuple[int, ...] = (0,)) -> str:
    done: Any = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False, timeout=600)
    if done.returncode not in allowed or (done.returncode and not done.stdout.strip().startswith("{")):
        raise ProviderError(f"{command[0]} ended with status {done.returncode}: {(done.stderr or done.stdout).strip()[-500:]} "
                            "It comes with carefolio-container-scaling[test].")
    return str(done.stdout)
