"""Downloads that go on where they broke off, and single files taken out of a zip with a bounded size.

Nothing stands at its final path before its SHA-256 is right.
"""

import hashlib
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from carefolio.artefacts import atomic_path
from carefolio.exceptions import DataIntegrityError, DataUnavailableError

ATTEMPTS = 3
TIMEOUT_S = (3.05, 30.0)
"""Seconds to connect, and seconds without a byte; the first is short so that a machine without a network answers soon."""
CHUNK_BYTES = 1 << 16


def download(url: str, path: Path, *, sha256: str | None = None, title: str | None = None) -> Path:
    """Download a file; a broken connection is tried again from where it broke off.

    Parameters
    ----------
    url : str
        Address, http or https.
    path : Path
        Destination; it appears only when the file is complete and its hash right.
    sha256 : str, optional
        Expected SHA-256. Without it the caller has to check what it takes out of the file.
    title : str, optional
        What the progress bar says; default is the file's name.

    Returns
    -------
    Path
        The destination.

    Raises
    ------
    DataUnavailableError
        If the server cannot be reached, refuses, or breaks off at every attempt.
    DataIntegrityError
        If the file arrives with another hash at every attempt.
    """
    import pooch
    from requests.exceptions import RequestException

    pooch.get_logger().setLevel("WARNING")
    registry = {path.name: f"sha256:{sha256}" if sha256 else None}
    shelf = pooch.create(path=path.parent, base_url="", registry=registry, urls={path.name: url}, retry_if_failed=ATTEMPTS - 1)
    try:
        with tempfile.TemporaryFile() as part, _progress_bar(title or path.name) as bar:
            shelf.fetch(path.name, downloader=_resuming(part, bar))
    except RequestException as error:
        raise DataUnavailableError(f"{url} failed {ATTEMPTS} times, last with {_one_line(error)}") from None
    except ValueError as error:
        raise DataIntegrityError(f"{url} serves another file than the catalogue names: {_one_line(error)} "
                                 "Try again later; if it stays so the publisher has changed the file.") from None
    return path


def _resuming(part: IO[bytes], bar: Any) -> Callable[[str, str, Any], None]:
    """Make a pooch downloader that keeps what arrived in ``part`` and asks only for the rest at the next attempt."""
    import pooch
    from requests.exceptions import ConnectionError as RequestsConnectionError

    def inspect(response: Any, **_: Any) -> None:
        status = response.status_code
        if status in (200, 416):
            _empty(part)
        elif 400 <= status < 500 and status not in (408, 429):
            raise DataUnavailableError(f"{response.url} answered {status} {response.reason}")

    def downloader(url: str, output_file: str, _: Any) -> None:
        offset = part.seek(0, os.SEEK_END)
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={offset}-"} if offset else {})
        fetch = pooch.HTTPDownloader(progressbar=bar, chunk_size=CHUNK_BYTES, timeout=TIMEOUT_S, headers=headers,
                                     hooks={"response": inspect})
        try:
            fetch(url, part, None)
        except RequestsConnectionError as error:
            if _never_connected(error):
                raise DataUnavailableError(f"{url} cannot be reached (no network, or a proxy is needed)") from None
            raise
        part.seek(0)
        with Path(output_file).open("wb") as whole:
            shutil.copyfileobj(part, whole, CHUNK_BYTES)
        _empty(part)

    return downloader


def _never_connected(error: Exception) -> bool:
    from requests.exceptions import ConnectTimeout, ProxyError
    from urllib3.exceptions import NewConnectionError

    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, ConnectTimeout | ProxyError) or isinstance(reason, NewConnectionError)


def _empty(part: IO[bytes]) -> None:
    part.seek(0)
    part.truncate()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


@contextmanager
def _progress_bar(title: str) -> Iterator[Any]:
    """Show a bar on a terminal; anywhere else stay silent."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield _PoochBar(progress, progress.add_task(title, total=None))


class _PoochBar:
    """The four things that pooch asks of a progress bar, drawn by rich."""

    def __init__(self, progress: Any, task: Any) -> None:
        self._progress, self._task = progress, task

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "total":
            self._progress.update(self._task, total=value or None)
        else:
            super().__setattr__(name, value)

    def update(self, count: int) -> None:
        self._progress.advance(self._task, count)

    def reset(self) -> None:
        self._progress.update(self._task, completed=0)

    def close(self) -> None:
        self._progress.refresh()


def extract_member(archive: Path, member: str, path: Path, *, sha256: str, size: int) -> Path:
    """Take one file out of a zip, never more bytes than expected, and never to a path that the zip chooses.

    Parameters
    ----------
    archive : Path
        The zip.
    member : str
        Name inside the zip; if there is no such entry, the only entry whose last part is this name.
    path : Path
        Destination; it appears only when the hash is right.
    sha256 : str
        Expected SHA-256 of the member.
    size : int
        Expected size of the member in bytes.

    Returns
    -------
    Path
        The destination.

    Raises
    ------
    DataIntegrityError
        If the zip is broken, lacks the member, or the member has another size or hash.
    """
    try:
        with zipfile.ZipFile(archive) as bundle, atomic_path(path) as temporary:
            with bundle.open(_entry_name(bundle, member)) as source, temporary.open("wb") as sink:
                got = _copy_bounded(source, sink, size)
            if got != sha256:
                raise DataIntegrityError(f"{member} inside {archive.name} has SHA-256 {got}, expected {sha256}; "
                                         "nothing was kept. The publisher may have changed the file.")
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise DataIntegrityError(f"{archive.name} is not a whole zip ({_one_line(error)}); nothing was kept, run again.") from None
    return path


def _entry_name(bundle: zipfile.ZipFile, member: str) -> str:
    names = bundle.namelist()
    found = [name for name in names if name == member] or [name for name in names if name.rsplit("/", 1)[-1] == member]
    if len(found) != 1:
        raise DataIntegrityError(f"expected one {member} inside the zip, found {len(found)} among {', '.join(names[:8]) or 'no files'}; "
                                 "the publisher has changed the archive.")
    return found[0]


def _copy_bounded(source: IO[bytes], sink: IO[bytes], size: int) -> str:
    digest, copied = hashlib.sha256(), 0
    while chunk := source.read(CHUNK_BYTES):
        copied += len(chunk)
        if copied > size:
            raise DataIntegrityError(f"{source.name} is larger than the {size} bytes expected; nothing was kept.")
        digest.update(chunk)
        sink.write(chunk)
    return digest.hexdigest()
