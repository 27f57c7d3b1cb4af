"""Gather what a Python program needs of an operating system, and nothing else: interpreter, standard library, shared libraries.

Runs inside the build. The result has no shell, no package manager and no pip; ``/python`` is the interpreter.
"""

import compileall
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from py_compile import PycInvalidationMode

LEFT_OUT = ("test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3", "pydoc_data", "site-packages", "dist-packages",
            "__pycache__", "config-*", "EXTERNALLY-MANAGED")
COPIED = ("/etc/ssl/certs/ca-certificates.crt", "/etc/nsswitch.conf", "/etc/ld.so.cache", "/usr/share/zoneinfo/UTC")
ACCOUNTS = {"etc/passwd": "app:x:65532:65532:app:/tmp:/sbin/nologin\n", "etc/group": "app:x:65532:\n"}


def main(root: Path) -> None:
    """Fill the root of an image whose ``app`` is there already.

    Parameters
    ----------
    root : Path
        Folder that becomes ``/``.
    """
    interpreter = Path(sys.executable).resolve()
    copy(interpreter, root)
    (root / "python").symlink_to(interpreter)
    stdlib = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(stdlib, inside(root, stdlib), ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=False)
    for path in map(Path, COPIED):
        if path.is_file():
            copy(path, root)
    copy_libraries(root, interpreter)
    for name, text in ACCOUNTS.items():
        inside(root, Path(name)).parent.mkdir(parents=True, exist_ok=True)
        inside(root, Path(name)).write_text(text, encoding="utf-8")
    for name in ("tmp", "proc", "sys", "dev"):
        inside(root, Path(name)).mkdir(exist_ok=True)
    inside(root, Path("tmp")).chmod(0o1777)
    for folder in (inside(root, stdlib), root / "app" / "site"):
        compileall.compile_dir(folder, quiet=2, workers=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
                               stripdir=str(root))


def inside(root: Path, path: Path) -> Path:
    """Give the place of a path in the image.

    Parameters
    ----------
    root : Path
        Folder that becomes ``/``.
    path : Path
        Absolute, or relative to ``/``.

    Returns
    -------
    Path
        Below ``root``.
    """
    return root / str(path).lstrip("/")


def copy(path: Path, root: Path) -> None:
    """Copy one file to the same place in the image, whatever links lead to it.

    Parameters
    ----------
    path : Path
        Absolute.
    root : Path
        Folder that becomes ``/``.
    """
    target = inside(root, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path.resolve(), target)
    target.chmod(path.stat().st_mode & 0o755)


def copy_libraries(root: Path, interpreter: Path) -> None:
    """Copy the system's libraries that the interpreter and any package are linked against.

    Parameters
    ----------
    root : Path
        Folder that becomes ``/``.
    interpreter : Path
        The program.
    """
    linked = [interpreter, *(path for path in root.rglob("*.so*") if path.is_file())]
    needed: set[str] = set()
    for path in linked:
        done = subprocess.run(["ldd", str(path)], capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
        needed |= set(re.findall(r"(?:=> )?(/\S+) \(0x", done.stdout))
    for name in sorted(needed):
        if not Path(name).is_relative_to(root):
            copy(Path(name), root)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
