"""What the machine refuses, such as to write on a full disk, said in one line: which file, why, and what to do.

Errors of the operating system come from Python with a number, from compiled libraries often as a text alone; both are understood.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from carefolio.exceptions import MachineError

WRITING = "while writing "
"""Begins the note that `carefolio.artefacts.atomic_path` adds to an error: it names the file, which the error itself often does not."""
_AGAIN = "and run the same command again"
_ELSEWHERE = "or name a folder that can be written: --out for results, CAREFOLIO_CACHE_DIR for downloads, TMPDIR for what is in between"
REASONS = {
    errno.ENOSPC: ("no space is left to write it", f"Make room {_AGAIN}"),
    errno.EDQUOT: ("the quota of this user is used up", f"Make room {_AGAIN}"),
    errno.EFBIG: ("it would be larger than a file of this process may be", f"Raise the limit (`ulimit -f`) {_AGAIN}"),
    errno.EROFS: ("the file system is read-only", f"Make it writable, {_ELSEWHERE}"),
    errno.EACCES: ("permission is denied", f"Correct the rights, {_ELSEWHERE}"),
    errno.EPERM: ("permission is denied", f"Correct the rights, {_ELSEWHERE}"),
}
_TEXTS = {"database or disk is full": errno.ENOSPC, "attempt to write a readonly database": errno.EROFS,
          "No usable temporary directory": errno.EROFS} | {os.strerror(number): number for number in REASONS}
_ABOUT_A_FILE = (errno.EACCES, errno.EPERM)
"""These are said of much else, such as ports; without a file they are left as they are."""


def explain(error: BaseException) -> MachineError | None:
    """Say in one line what the machine refused.

    Parameters
    ----------
    error : BaseException
        Anything that was raised.

    Returns
    -------
    MachineError or None
        None if the error is not of the machine but of the program.
    """
    for one in _chain(error):
        number, file = _number(one), _file(error) or _file(one)
        if number is not None and (file or number not in _ABOUT_A_FILE):
            reason, what_to_do = REASONS[number]
            return MachineError(f"{file or 'a temporary file'}: {reason}{_free(file, number)}. {what_to_do}. What was finished before is "
                                "kept, and nothing stands there half-written.")
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Give an error and what it was raised from."""
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__


def _number(error: BaseException) -> int | None:
    number = getattr(error, "errno", None)
    if number in REASONS:
        return number
    text = str(error)
    return next((number for said, number in _TEXTS.items() if said in text), None)


def _file(error: BaseException) -> Path | None:
    """Find the file: noted by the one who wrote it, else named by the operating system."""
    noted = [note.removeprefix(WRITING) for note in getattr(error, "__notes__", ()) if note.startswith(WRITING)]
    named = getattr(error, "filename", None)
    return Path(noted[0]) if noted else Path(named) if isinstance(named, str | os.PathLike) else None


def _free(file: Path | None, number: int) -> str:
    place = next((folder for folder in file.absolute().parents if folder.is_dir()), None) if file else None
    return f" ({shutil.disk_usage(place).free / 1e6:.1f} MB free)" if place and number == errno.ENOSPC else ""
