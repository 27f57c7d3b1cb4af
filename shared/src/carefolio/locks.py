"""Locks of the kernel's: however its process ends, it lets go. On a machine or a file system without them, work goes on without."""

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from carefolio.exceptions import BusyError


def try_lock(descriptor: int, *, wait: bool = False) -> bool:
    """Lock an open file.

    Parameters
    ----------
    descriptor : int
        Of the file; closing it lets go.
    wait : bool, default False
        Whether to wait for another one that holds it.

    Returns
    -------
    bool
        False if another one holds it.
    """
    try:
        import fcntl
    except ModuleNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:
        return True  # this file system knows no locks
    return True


@contextmanager
def hold_file(path: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold a lock file for as long as the block runs; it names its holder, and goes with it.

    Parameters
    ----------
    path : Path
        File in the folder that is to be held.
    wait : bool, default False
        Whether to wait for another process that holds it.

    Yields
    ------
    None
        Nobody else holds it in the block.

    Raises
    ------
    BusyError
        If another process does and is not waited for; the message says which.
    """
    descriptor = _take(path, wait=wait)
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, _own_name().encode())
        yield
    finally:
        with suppress(OSError):
            path.unlink()
        os.close(descriptor)


def _take(path: Path, *, wait: bool) -> int:
    """Open the file and lock it; again if its last holder removed it in between."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if not try_lock(descriptor, wait=wait):
            holder = os.pread(descriptor, 1000, 0).decode(errors="replace").strip() or "another process"
            os.close(descriptor)
            raise BusyError(f"{path.parent} is in use by {holder}; wait until it has ended, or name another folder with --out. "
                            "Nothing was done.")
        if _stands_at(path, descriptor):
            return descriptor
        os.close(descriptor)


def _stands_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _own_name() -> str:
    """Name this process and its command, in one line."""
    words = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    return f"process {os.getpid()} ({' '.join(words.split())[:300]})"
