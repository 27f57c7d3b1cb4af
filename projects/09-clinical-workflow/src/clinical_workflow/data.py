"""The published charts: Synthea, made by a program, nobody in them is real. Where they cannot be had, made-up inpatients with diabetes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from carefolio.artefacts import sha256_file
from carefolio.datasets.download import download
from carefolio.datasets.provenance import Origin
from carefolio.datasets.resolve import cache_dir, is_offline, mirror_dir
from carefolio.datasets.twin import say_synthetic
from carefolio.exceptions import DataIntegrityError, DataUnavailableError
from clinical_workflow.made_up import make_patients

NAME = "synthea_fhir_r4"
LIST = "synthea_fhir_r4.tsv"
ADDRESS = "https://raw.githubusercontent.com/smart-on-fhir/generated-sample-data/25ac8089f0464b8673c7669509dc0bb8f4883773/R4/SYNTHEA/{name}"
WHAT_IT_IS = "Synthea charts are made by a program; nobody in them is real, and they show plumbing, never how well a model does."


@dataclass(frozen=True)
class Bundles:
    """Charts as bytes by name, and where they came from."""

    content: dict[str, bytes]
    origin: Origin
    sha256: str


def listed_files() -> dict[str, tuple[int, str]]:
    """Read the list of published files.

    Returns
    -------
    dict of str to (int, str)
        Name to size in bytes and SHA-256.
    """
    lines = files("clinical_workflow").joinpath(LIST).read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return {name: (int(size), sha256) for name, size, sha256 in rows}


def load_bundles(*, limit: int = 0, allow_made_up: bool = False, made_up: int = 0, seed: int = 0, now: datetime | None = None) -> Bundles:
    """Load the published charts: from the mirror, the cache, or their publisher; else made-up ones, where the caller allows it.

    Parameters
    ----------
    limit : int, default 0
        How many, in the order of the list; 0 is all.
    allow_made_up : bool, default False
        Take made-up charts, and say so, instead of failing.
    made_up : int, default 0
        How many of those.
    seed : int, default 0
        Of those.
    now : datetime, optional
        The present of those.

    Returns
    -------
    Bundles
        Charts with their origin; the hash combines those of the files.

    Raises
    ------
    DataUnavailableError
        If no source has them and made-up ones are not allowed.
    DataIntegrityError
        If a file is not the one that the list names.
    """
    wanted = list(listed_files().items())[:limit or None]
    try:
        found = [_resolve(name, sha256) for name, (_, sha256) in wanted]
    except DataUnavailableError as error:
        if not allow_made_up or now is None:
            raise
        if made_up:
            say_synthetic(made_up, name=NAME, rows="charts", reason=str(error))
        return _made_up(made_up, seed, now)
    origins: list[Origin] = [origin for _, origin in found]
    origin = min(origins, key=("publisher", "cache", "mirror").index)
    return Bundles({path.name: path.read_bytes() for path, _ in found}, origin,
                   hashlib.sha256("".join(sha256 for _, (_, sha256) in wanted).encode()).hexdigest())


def _resolve(name: str, sha256: str) -> tuple[Path, Origin]:
    mirror, cached = mirror_dir(), cache_dir() / NAME / name
    places: list[tuple[Path | None, Origin]] = [(mirror / NAME / name if mirror else None, "mirror"), (cached, "cache")]
    for path, origin in places:
        if path is not None and path.is_file():
            if sha256_file(path) != sha256:
                raise DataIntegrityError(f"{NAME}: {path.name} in the {origin} is not the published file (wrong SHA-256); remove it, then "
                                         "run again.")
            return path, origin
    if is_offline():
        raise DataUnavailableError(f"{NAME}/{name} is neither in the mirror nor in the cache, and CAREFOLIO_OFFLINE turns the network off.")
    cached.parent.mkdir(parents=True, exist_ok=True)
    return download(ADDRESS.format(name=quote(name)), cached, sha256=sha256, title=name), "publisher"


def _made_up(count: int, seed: int, now: datetime) -> Bundles:
    charts = {f"made-up-{number:03d}.json": orjson.dumps(bundle) for number, bundle in enumerate(make_patients(count, seed=seed, now=now))}
    return Bundles(charts, "synthetic", hashlib.sha256(b"".join(charts.values())).hexdigest())


def parsed(bundles: Bundles) -> Iterator[dict[str, Any]]:
    """Give the charts as objects.

    Parameters
    ----------
    bundles : Bundles
        As `load_bundles` gives them.

    Yields
    ------
    dict
        A transaction bundle.
    """
    for content in bundles.content.values():
        yield orjson.loads(content)
