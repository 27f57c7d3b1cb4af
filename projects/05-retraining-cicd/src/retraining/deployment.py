"""What is deployed: a pointer that a service follows, the models it may name, and a ledger with one file a release.

A release is written to the ledger first, by a name that can be taken once; then the pointer is moved in one step. Doing it again after a
kill finds the same ledger entry and writes the same pointer, so nothing is deployed twice.
"""

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from carefolio.artefacts import atomic_path, read_json, write_json
from carefolio.boosted import MANIFEST_FILE, TREES_FILE, BoostedModel, load_boosted
from carefolio.exceptions import ArtefactError, DataIntegrityError
from carefolio.serving.following import Follower
from retraining.journal import sync_folder

POINTER, LEDGER, MODELS = "release.json", "releases", "models"


@dataclass(frozen=True)
class Release:
    """What the pointer names: number, model and its hash, the batch of the cycle, why, and the journal's hash that decided it."""

    number: int
    model: str
    sha256: str
    batch: int
    reason: str
    decided: str


@dataclass(frozen=True)
class Served:
    """A release that answers, with its model in memory."""

    release: Release
    model: BoostedModel


def deploy(folder: Path, release: Release, model: Path, *, transferred: Callable[[Path], None] | None = None) -> None:
    """Deploy a release; doing it again changes nothing.

    Parameters
    ----------
    folder : Path
        Folder of the deployment.
    release : Release
        What to deploy; ``model`` in it is relative to the folder.
    model : Path
        Folder of the kept model.
    transferred : callable, optional
        Is given the folder of the deployed copy before the pointer moves; where faults are planted.

    Raises
    ------
    DataIntegrityError
        If the number was used for another release.
    """
    place = folder / release.model
    for name in (TREES_FILE, MANIFEST_FILE):
        with atomic_path(place / name) as temporary:
            shutil.copyfile(model / name, temporary)
    if transferred is not None:
        transferred(place)
    _write_ledger(folder / LEDGER / f"{release.number:04d}.json", release)
    write_json(folder / POINTER, asdict(release))
    sync_folder(folder)


def _write_ledger(path: Path, release: Release) -> None:
    if not path.is_file():
        write_json(path, asdict(release))
        sync_folder(path.parent)
    elif read_json(path) != asdict(release):
        raise DataIntegrityError(f"{path} says that release {release.number} is another one; nothing was deployed. Find out who wrote it "
                                 "before you go on.")


def read_pointer(folder: Path) -> Release:
    """Read what is deployed.

    Parameters
    ----------
    folder : Path
        Folder of the deployment.

    Returns
    -------
    Release
        The pointer.

    Raises
    ------
    ArtefactError
        If there is none, or it is not such a record.
    """
    content: Any = read_json(folder / POINTER)
    try:
        return Release(**content)
    except TypeError:
        raise ArtefactError(f"{folder / POINTER} is no release; expected {', '.join(Release.__dataclass_fields__)}. Deploy again.") \
            from None


def read_ledger(folder: Path) -> list[Release]:
    """Read all releases that there were.

    Parameters
    ----------
    folder : Path
        Folder of the deployment.

    Returns
    -------
    list of Release
        In order.
    """
    return [Release(**read_json(path)) for path in sorted((folder / LEDGER).glob("*.json"))]


def open_release(folder: Path, release: Release) -> Served:
    """Load the model that a release names, after its bytes were checked.

    Parameters
    ----------
    folder : Path
        Folder of the deployment.
    release : Release
        The release.

    Returns
    -------
    Served
        Ready to answer.

    Raises
    ------
    ArtefactError
        If the model lies elsewhere, is missing, altered or cut short.
    """
    place = (folder / release.model).resolve()
    if not place.is_relative_to(folder.resolve()) or not place.is_dir():
        raise ArtefactError(f"release {release.number} names the model {release.model}, which is not in {folder}; deploy again.")
    return Served(release, load_boosted(place, sha256=release.sha256))


def follow(folder: Path) -> Follower[Served]:
    """Follow the pointer of a deployment.

    Parameters
    ----------
    folder : Path
        Folder of the deployment.

    Returns
    -------
    Follower of Served
        Holds no release before its first look.
    """
    def _look(present: Served | None) -> Served | None:
        release = read_pointer(folder)
        return None if present is not None and present.release == release else open_release(folder, release)

    return Follower(_look, missing=lambda: ArtefactError(f"nothing is deployed in {folder}; `retraining cycle` deploys."))
