"""The model as one file: a ``model.tar.gz`` whose bytes depend on nothing but the model.

It holds the sealed files of a model (weights, manifest), their checksum files, and ``SHA256SUMS`` in the form that ``sha256sum --check``
reads. The SHA-256 of ``SHA256SUMS`` names the model everywhere in a deployment: unlike that of the archive it does not change with the
compressor.
"""

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from carefolio.artefacts import atomic_path, sha256_file, verify_seal
from carefolio.exceptions import ArtefactError

BUNDLE_NAME = "model.tar.gz"
SUMS_NAME = "SHA256SUMS"
MOST_BYTES = 1_000_000_000
"""What the files of a bundle may have together; an archive of a few kilobytes can hold a full disk."""


@dataclass(frozen=True)
class Bundle:
    """A written bundle: the file, its SHA-256, and the SHA-256 that names the model in it."""

    path: Path
    sha256: str
    model_sha256: str


def bundle_content(sealed: Sequence[str]) -> tuple[str, ...]:
    """List what a bundle holds.

    Parameters
    ----------
    sealed : sequence of str
        Names of the model's files.

    Returns
    -------
    tuple of str
        Those, their checksum files and ``SHA256SUMS``, in the order of the archive.
    """
    return (*sorted([*sealed, *(f"{name}.sha256" for name in sealed)]), SUMS_NAME)


def bundle_files(folder: Path, sealed: Sequence[str]) -> dict[str, bytes]:
    """Read what belongs into a bundle, after checking the seals.

    Parameters
    ----------
    folder : Path
        Holds the model's files and their ``.sha256``.
    sealed : sequence of str
        Names of the model's files.

    Returns
    -------
    dict of str to bytes
        Name to content, in the order of the archive.

    Raises
    ------
    ArtefactError
        If a file is missing or altered.
    """
    sums = "".join(f"{verify_seal(folder / name)}  {name}\n" for name in sealed)
    return {name: (folder / name).read_bytes() for name in bundle_content(sealed) if name != SUMS_NAME} | {SUMS_NAME: sums.encode()}


def model_sha256(folder: Path, sealed: Sequence[str]) -> str:
    """Name a model by what its files hold.

    Parameters
    ----------
    folder : Path
        Holds the sealed files.
    sealed : sequence of str
        Names of the model's files.

    Returns
    -------
    str
        SHA-256 of the bundle's ``SHA256SUMS``.

    Raises
    ------
    ArtefactError
        If a file is missing or altered.
    """
    return hashlib.sha256(bundle_files(folder, sealed)[SUMS_NAME]).hexdigest()


def write_bundle(folder: Path, path: Path, sealed: Sequence[str]) -> Bundle:
    """Pack a model; the same model gives the same bytes.

    Parameters
    ----------
    folder : Path
        Holds the sealed files.
    path : Path
        Destination, for example ``model.tar.gz``.
    sealed : sequence of str
        Names of the model's files.

    Returns
    -------
    Bundle
        The file and its hashes.

    Raises
    ------
    ArtefactError
        If a file is missing or altered.
    """
    content = bundle_files(folder, sealed)
    with (atomic_path(path) as temporary, temporary.open("wb") as raw,
          gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=9, mtime=0) as zipped,
          tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as archive):
        for name, data in content.items():
            entry = tarfile.TarInfo(name)  # owner 0, time 0
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))
    return Bundle(path, sha256_file(path), hashlib.sha256(content[SUMS_NAME]).hexdigest())


def unpack_bundle(path: Path, folder: Path, sealed: Sequence[str]) -> str:
    """Unpack a bundle and check every file in it.

    Parameters
    ----------
    path : Path
        What `write_bundle` wrote.
    folder : Path
        Destination; made if missing.
    sealed : sequence of str
        Names of the model's files.

    Returns
    -------
    str
        The model's SHA-256.

    Raises
    ------
    ArtefactError
        If the archive cannot be read, or holds other files or other bytes than it says.
    """
    try:
        with tarfile.open(path, "r:gz") as archive:
            found = set(archive.getnames())
            if found != set(bundle_content(sealed)):
                raise ArtefactError(f"{path} holds {sorted(found)}, expected {sorted(bundle_content(sealed))}; pack the model again.")
            if not all(member.isfile() for member in archive):
                raise ArtefactError(f"{path} holds a link or a device in place of a file; pack the model again.")
            if (size := sum(member.size for member in archive)) > MOST_BYTES:
                raise ArtefactError(f"{path} holds {size:,} bytes, expected at most {MOST_BYTES:,}; nothing was unpacked. Pack the model "
                                    "again.")
            archive.extractall(folder, filter="data")
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise ArtefactError(f"{path} cannot be unpacked: {error}. Pack the model again.") from None
    sums = (folder / SUMS_NAME).read_text(encoding="utf-8")
    if sums != "".join(f"{verify_seal(folder / name)}  {name}\n" for name in sealed):
        raise ArtefactError(f"{folder / SUMS_NAME} does not list the files beside it; pack the model again.")
    return hashlib.sha256(sums.encode()).hexdigest()
