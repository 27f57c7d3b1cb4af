"""The source bundle of AWS Elastic Beanstalk, for its platform that runs Docker Compose."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

from carefolio.artefacts import atomic_path
from carefolio.chapters import repository_root
from carefolio.exceptions import ConfigError

DIGEST = re.compile(r"[\w.:/-]+@sha256:[0-9a-f]{64}")
EPOCH = (1980, 1, 1, 0, 0, 0)
CONTENT = ("docker-compose.yml", ".ebextensions/carefolio.config", "haproxy/haproxy.cfg")
FORBIDDEN = ("privileged", "network_mode", "pid", "ipc", "devices", "cap_add")


def contents(image: str) -> dict[str, str]:
    """Put together the files of a bundle.

    Parameters
    ----------
    image : str
        By digest, so that every instance runs the same bytes.

    Returns
    -------
    dict of str to str
        Name in the archive to text.

    Raises
    ------
    ConfigError
        If the image is not named by digest, or the composition breaks a rule.
    """
    if not DIGEST.fullmatch(image):
        raise ConfigError(f"{image!r} is not an image by digest; expected registry/name@sha256:<64 digits>, as `docker push` prints it.")
    home = repository_root() / "docker"
    files = {name: (home / ("elastic-beanstalk" if not name.startswith("haproxy") else "") / name).read_text(encoding="utf-8")
             for name in CONTENT}
    files["docker-compose.yml"] = files["docker-compose.yml"].replace("${IMAGE}", image)
    if wrong := composition_problems(files["docker-compose.yml"]):
        raise ConfigError(f"docker-compose.yml: {'; '.join(wrong)}.")
    return files


def composition_problems(text: str) -> list[str]:
    """Say what the platform or this house would refuse in a composition.

    Parameters
    ----------
    text : str
        YAML.

    Returns
    -------
    list of str
        One sentence a breach.
    """
    import yaml

    services: dict[str, dict[str, Any]] = yaml.safe_load(text)["services"]
    found = [f"{name} builds on the instance; name an image" for name, service in services.items() if "build" in service]
    found += [f"{name} sets {key}" for name, service in services.items() for key in FORBIDDEN if key in service]
    found += [f"{name} does not set {key}" for name, service in services.items() for key in ("read_only", "cap_drop", "security_opt",
    "user")
              if not service.get(key)]
    published = [port for service in services.values() for port in service.get("ports", [])]
    return found if published == ["80:8080"] else [*found, f"published ports are {published}, expected only 80:8080"]


def write_archive(path: Path, image: str) -> list[str]:
    """Write a bundle; the same image gives the same bytes.

    Parameters
    ----------
    path : Path
        Destination, ending in ``.zip``.
    image : str
        By digest.

    Returns
    -------
    list of str
        What is in it.
    """
    files = contents(image)
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(files.items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, text)
    return sorted(files)
