"""An append-only record of who asked for what, when, and how it ended; chained by hashes, free of bodies and identifiers.

One JSON object a line: ``time`` (UTC), ``request_id``, ``method``, ``route`` (the template, never the path, which may hold an
identifier), ``status``, ``duration_ms``, ``subject`` (a keyed hash, or null), ``previous`` and ``hash``. Each hash covers its
record and the hash before it, so a changed, removed, added or moved line shows in ``verify_audit_log``. What that cannot show
is a cut at the end: keep ``last_hash`` or the counter ``carefolio_audit_records_total`` somewhere else to see it. Without a key,
who can write the file can also compute a new chain, and a guessed subject can be confirmed; with ``CAREFOLIO_AUDIT_KEY_FILE``
both need the key.

A record is handed to the operating system before its response is sent, so it outlives a crash of the process; where that fails
the client gets 500 and no result. The file is forced to disk (fsync) once a second and at shutdown, so a power cut can cost the
last second. One process writes one file: give each worker its own with ``{pid}`` in the path.
"""

import hashlib
import hmac
import json
import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carefolio.exceptions import ConfigError, DataIntegrityError

FIRST = "0" * 64
_LONGEST_RECORD = 4096


@dataclass(frozen=True)
class AuditSummary:
    """What ``verify_audit_log`` found: the number of records and the last hash, both worth keeping elsewhere."""

    records: int
    last_hash: str


class AuditLog:
    """An open audit log; it opens at the first record and goes on with the chain that it finds.

    Parameters
    ----------
    path : Path
        JSON lines file; ``{pid}`` in it is replaced by the process id.
    key : bytes, optional
        Secret of the seal.
    """

    def __init__(self, path: Path, *, key: bytes | None = None) -> None:
        self.path = Path(str(path).replace("{pid}", str(os.getpid())))
        self._key = key
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._last_hash = FIRST
        self._unsynced = False

    def open(self) -> None:
        """Open the file and take up its chain; does nothing if it is open.

        Raises
        ------
        ConfigError
            If the file cannot be written or another process has it.
        DataIntegrityError
            If its last line is not a whole record.
        """
        if self._descriptor is not None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigError(f"CAREFOLIO_AUDIT_LOG: {self.path} cannot be opened: {error.strerror}. Give a writable path.") from None
        try:
            _lock_file(descriptor, self.path)
            self._last_hash = _last_hash(self.path)
        except Exception:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def append(self, record: dict[str, Any]) -> None:
        """Add a record to the chain.

        Parameters
        ----------
        record : dict
            JSON values; ``previous`` and ``hash`` are added.

        Raises
        ------
        OSError
            If it cannot be written whole, for example on a full disk.
        """
        with self._lock:
            self.open()
            assert self._descriptor is not None
            text = _encode({**record, "previous": self._last_hash})
            new_hash = _seal(text, self._key)
            line = text[:-1] + b',"hash":"' + new_hash.encode() + b'"}\n'
            size = os.fstat(self._descriptor).st_size
            written = os.write(self._descriptor, line)
            if written != len(line):
                os.ftruncate(self._descriptor, size)
                raise OSError(f"audit record cut short in {self.path}: {written} of {len(line)} bytes; free space on the disk.")
            self._last_hash = new_hash
            self._unsynced = True

    def sync(self) -> None:
        """Force what was written to disk, if there is anything new."""
        if self._unsynced and self._descriptor is not None:
            self._unsynced = False
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Force everything to disk and close the file."""
        with self._lock:
            self.sync()
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def hash_subject(self, subject: str) -> str:
        """Hash the name of who asked, so that records of one subject can be told to belong together.

        Parameters
        ----------
        subject : str
            As ``auth`` names it.

        Returns
        -------
        str
            32 hexadecimal characters.
        """
        return hmac.new(self._key or b"carefolio", subject.encode(), hashlib.sha256).hexdigest()[:32]


def verify_audit_log(path: Path, *, key: bytes | None = None, last_hash: str | None = None) -> AuditSummary:
    """Check the chain of an audit log.

    Parameters
    ----------
    path : Path
        The JSON lines file.
    key : bytes, optional
        Secret of the seal, if it was written with one.
    last_hash : str, optional
        Hash that was kept elsewhere; a log that was cut before it fails.

    Returns
    -------
    AuditSummary
        Number of records and last hash.

    Raises
    ------
    DataIntegrityError
        Naming the first line that does not hold.
    """
    previous, count, seen = FIRST, 0, last_hash in (None, FIRST)
    with path.open("rb") as file:
        for count, line in enumerate(file, start=1):
            previous = _verify_line(line, previous, key, f"{path}, line {count}")
            seen = seen or previous == last_hash
    if not seen:
        raise DataIntegrityError(f"{path} ends after {count} records without the hash {last_hash}; records are missing at its end. "
                                 "Restore the file from a backup.")
    return AuditSummary(records=count, last_hash=previous)


def _verify_line(line: bytes, previous: str, key: bytes | None, where: str) -> str:
    try:
        record = json.loads(line)
        claimed = str(record.pop("hash"))
        before = record["previous"]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataIntegrityError(f"{where}: not a whole audit record; the file was cut or edited here.") from None
    if before != previous:
        raise DataIntegrityError(f"{where}: does not follow the record before it; a record was removed, added or moved.")
    if not hmac.compare_digest(claimed, _seal(_encode(record), key)):
        raise DataIntegrityError(f"{where}: the hash does not hold; the record was changed, or the key is another one.")
    return claimed


def _encode(record: dict[str, Any]) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode()


def _seal(text: bytes, key: bytes | None) -> str:
    return hmac.new(key, text, hashlib.sha256).hexdigest() if key else hashlib.sha256(text).hexdigest()


def _last_hash(path: Path) -> str:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            return FIRST
        file.seek(max(0, size - _LONGEST_RECORD))
        tail = file.read()
    try:
        if not tail.endswith(b"\n"):
            raise ValueError("no end of line")
        return str(json.loads(tail.splitlines()[-1])["hash"])
    except (ValueError, KeyError, TypeError):
        raise DataIntegrityError(f"audit log {path} does not end in a whole record; move it aside and keep it, "
                                 "and a new one is started.") from None


def _lock_file(descriptor: int, path: Path) -> None:
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise ConfigError(f"audit log {path} is written by another process; give each worker its own with {{pid}} in "
                          "CAREFOLIO_AUDIT_LOG.") from None
