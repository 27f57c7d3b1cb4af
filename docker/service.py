"""What an image is made of: ``docker/services/NAME.toml``, or a whole chapter where there is no such file.

Runs inside the build with the standard library alone: ``describe`` writes what pip reads, ``slim`` leaves out what a service never reads,
``furnish`` puts in place what it does read.
"""

import argparse
import compileall
import hashlib
import json
import re
import shutil
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any

SERVER = "carefolio-container-scaling"
DEFAULTS: dict[str, Any] = {"requirements": [], "alone": [], "own": [], "port": 8000, "health": "/health/ready", "keep": {}, "files": [],
"strip": [], "libraries": {}}
BULKY = ("tests", "__pycache__")


def read_service(name: str, context: Path) -> dict[str, Any]:
    """Read the description of a service.

    Parameters
    ----------
    name : str
        Of a file in ``docker/services``, or of a folder in ``projects``.
    context : Path
        The repository, as the build sees it.

    Returns
    -------
    dict
        ``requirements`` with their dependencies, packages that come ``alone`` or from this repository (``own``), ``run`` (an ``app`` or a
        ``module`` with ``arguments``), ``port``,
        ``health``, ``files`` below the repository, and what of a package to ``keep`` or ``strip``.
    """
    path, home = context / "docker" / "services" / f"{name}.toml", context / "projects" / name
    if path.is_file():
        return DEFAULTS | tomllib.loads(path.read_text(encoding="utf-8"))
    if not (home / "pyproject.toml").is_file():
        raise SystemExit(f"PROJECT={name!r}: neither docker/services/{name}.toml nor projects/{name} is in the build context.")
    project = tomllib.loads((home / "pyproject.toml").read_text(encoding="utf-8"))
    package = Path(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"][0]).name
    kept = [f"projects/{name}/{part}" for part in ("artefacts", "reports") if (home / part).is_dir()]
    return DEFAULTS | {"requirements": ["carefolio[serving]", project["project"]["name"]], "own": [SERVER], "files": kept,
                       "run": {"app": f"{package}.api:create_app"}}


def own_folders(names: list[str], context: Path) -> list[str]:
    """Find the folders of this repository that requirements lead to.

    Parameters
    ----------
    names : list of str
        Requirements, such as ``carefolio[serving]`` or ``numpy>=2``.
    context : Path
        The repository.

    Returns
    -------
    list of str
        For pip, relative to the repository, each once.
    """
    files = [*context.glob("shared/pyproject.toml"), *context.glob("projects/*/pyproject.toml")]
    known = {(project := tomllib.loads(path.read_text(encoding="utf-8"))["project"])["name"]: (path.parent, project) for path in files}
    found: set[str] = set()
    waiting = [bare_name(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name in known and name not in found:
            found.add(name)
            waiting += map(bare_name, known[name][1]["dependencies"])
    return sorted(f"./{known[name][0].relative_to(context).as_posix()}" for name in found)


def bare_name(requirement: str) -> str:
    """Take extras and versions off a requirement.

    Parameters
    ----------
    requirement : str
        Such as ``carefolio[serving]>=1``.

    Returns
    -------
    str
        Such as ``carefolio``.
    """
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0]


def describe(service: dict[str, Any], context: Path, folder: Path) -> None:
    """Write what pip reads.

    Parameters
    ----------
    service : dict
        As `read_service` gives it.
    context : Path
        The repository.
    folder : Path
        Receives ``requirements.txt``, ``alone.txt``, ``own.txt`` and the ``folders.txt`` that wheels are built from.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = {name: service[name] for name in ("requirements", "alone", "own")}
    lines["folders"] = own_folders([*service["requirements"], *service["own"]], context)
    for name, content in lines.items():
        (folder / f"{name}.txt").write_text("".join(f"{line}\n" for line in content), encoding="utf-8")


def furnish(service: dict[str, Any], context: Path, app: Path, *, evidence: str) -> None:
    """Copy the files of a service, check the evidence that the image is labelled with, and compile what has not been.

    Parameters
    ----------
    service : dict
        As `read_service` gives it.
    context : Path
        The repository, as the build sees it.
    app : Path
        Folder of the application; ``site`` in it holds the packages.
    evidence : str
        SHA-256 of the evidence, or ``none``.
    """
    found = "none"
    for name in service["files"]:
        source, target = context / name, app / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)
        if (record := source / "evidence.json" if source.is_dir() else source).name == "evidence.json" and record.is_file():
            found = hashlib.sha256(record.read_bytes()).hexdigest()
    if evidence not in (found, "none"):
        raise SystemExit(f"EVIDENCE={evidence}, but the evidence in the build context has {found}; build with `scaling image`.")
    (app / "service.json").write_text(json.dumps({name: service[name] for name in ("run", "port", "health")}), encoding="utf-8")
    fresh = [folder for folder in (app / "site").iterdir() if folder.is_dir() and not (folder / "__pycache__").exists()]
    for folder in fresh:
        compileall.compile_dir(folder, quiet=2, stripdir=str(app.parent), invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)


def slim(site: Path, service: dict[str, Any]) -> None:
    """Leave out tests, the parts of large packages that are not named, and symbol tables; put libraries where the loader looks.

    Parameters
    ----------
    site : Path
        Folder of packages, two below the root of the image.
    service : dict
        ``keep``: package to the names of entries that stay, wildcards allowed, none to take it out; ``libraries``: name of a shared library
        to where a package carries it; ``strip``: libraries that lose their symbol tables.
    """
    for name in BULKY:
        for folder in [path for path in site.rglob(name) if path.is_dir()]:
            shutil.rmtree(folder, ignore_errors=True)
    for library, pattern in service["libraries"].items():
        target = site.parents[1] / "usr" / "lib" / library
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(next(site.glob(pattern)), target)
    for package, kept in {"bin": [], **service["keep"]}.items():
        for entry in [path for path in (site / package).glob("*") if not any(fnmatch(path.name, pattern) for pattern in kept)]:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    for name in service["strip"]:
        drop_symbols(site / name)


def drop_symbols(path: Path) -> None:
    """Cut a 64-bit ELF file after what is loaded into memory: its symbol table and section headers serve debuggers only.

    Parameters
    ----------
    path : Path
        A shared library.
    """
    content = bytearray(path.read_bytes())
    if content[:5] != b"\x7fELF\x02":
        raise SystemExit(f"{path} is no 64-bit ELF file; take it out of `strip`.")
    table, size, count = (int.from_bytes(content[at:at + length], "little") for at, length in ((32, 8), (54, 2), (56, 2)))
    segments = [content[table + i * size:table + (i + 1) * size] for i in range(count)]
    end = max(int.from_bytes(segment[8:16], "little") + int.from_bytes(segment[32:40], "little") for segment in segments)
    content[40:48], content[60:64] = bytes(8), bytes(4)  # no section headers
    path.write_bytes(content[:end])


def main() -> None:
    """Read the command line; the verbs are the steps of the build."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verb", choices=["describe", "slim", "furnish"])
    parser.add_argument("name", help="of a file in docker/services, or of a folder in projects")
    parser.add_argument("folder", type=Path, help="written to")
    parser.add_argument("--context", type=Path, default=Path(), help="the repository")
    parser.add_argument("--evidence", default="none", help="SHA-256 of the evidence")
    arguments = parser.parse_args()
    if arguments.verb == "slim" and not (arguments.context / "docker" / "services" / f"{arguments.name}.toml").is_file():
        slim(arguments.folder, DEFAULTS)
        return
    service = read_service(arguments.name, arguments.context)
    if arguments.verb == "describe":
        describe(service, arguments.context, arguments.folder)
    elif arguments.verb == "slim":
        slim(arguments.folder, service)
    else:
        furnish(service, arguments.context, arguments.folder, evidence=arguments.evidence)


if __name__ == "__main__":
    main()
