"""Build the index: passages, then embeddings in shards, so that a build that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carefolio.artefacts import atomic_path, read_json, seal, sha256_file, verify_seal, write_json
from carefolio.datasets.content import content_sha256
from carefolio.datasets.medquad import COLUMNS
from carefolio.exceptions import ArtefactError
from carefolio.packaged_models import MINILM
from notes_summarizer.leaflet.embeddings import MiniLM
from notes_summarizer.leaflet.passages import cut_passages
from notes_summarizer.leaflet.settings import IndexSettings, LeafletSettings

if TYPE_CHECKING:
    import polars as pl

Progress = Callable[[int, int], None]
"""Takes how much is done, and of how much."""

RECORD, PASSAGES, EMBEDDINGS = "index.json", "passages.parquet", "embeddings.safetensors"
FORM = 1
"""Raised when passages are cut or embedded in another way, so that older indexes are built again."""


def build_index(answers: pl.DataFrame, settings: LeafletSettings, folder: Path, *, progress: Progress | None = None) -> None:
    """Cut, embed and write the passages; nothing is done where the same index stands already.

    Parameters
    ----------
    answers : polars.DataFrame
        As ``carefolio.datasets.medquad.load_medquad`` gives it.
    settings : LeafletSettings
        ``index`` decides what is built, ``search`` is noted for `LeafletIndex.open`.
    folder : Path
        Where it is written. A build that was stopped leaves its shards there and goes on with them.
    progress : callable, optional
        Called with the number of texts embedded and of all.

    Raises
    ------
    ArtefactError
        If the embedding model is missing or altered.
    """
    chosen = choose_answers(answers, most=settings.index.max_answers)
    key = _key(chosen, settings.index)
    if not _is_finished(folder, key):
        passages = cut_passages(chosen, words=settings.index.passage_words)
        _write_embeddings(passages, settings.index, folder, shards=folder / f"shards-{key[:16]}", progress=progress or _quietly)
        with atomic_path(folder / PASSAGES) as path:
            passages.write_parquet(path)
    record = {"form": FORM, "key": key, "answers": chosen.height, "index": settings.index.model_dump(),
              "search": settings.search.model_dump(), "files": {name: sha256_file(folder / name) for name in (PASSAGES, EMBEDDINGS)}}
    seal(write_json(folder / RECORD, record))
    shutil.rmtree(folder / f"shards-{key[:16]}", ignore_errors=True)


def choose_answers(answers: pl.DataFrame, *, most: int) -> pl.DataFrame:
    """Take whole documents, in the order of a hash of their place, until there are enough answers.

    Parameters
    ----------
    answers : polars.DataFrame
        With ``document``.
    most : int
        Answers to take; 0 takes all.

    Returns
    -------
    polars.DataFrame
        The rows of the documents that were taken, in their order.
    """
    import polars as pl

    if not most or answers.height <= most:
        return answers
    counts = dict(answers.group_by("document").len().iter_rows())
    taken, total = [], 0
    for document in sorted(counts, key=lambda name: hashlib.sha256(name.encode()).hexdigest()):
        if total >= most:
            break
        taken.append(document)
        total += counts[document]
    return answers.filter(pl.col("document").is_in(taken))


def _key(answers: pl.DataFrame, settings: IndexSettings) -> str:
    """Hash all that decides what an index holds."""
    decides = {"form": FORM, "data": content_sha256(answers.select(COLUMNS)), "model": MINILM.files,
               "settings": settings.model_dump(exclude={"threads", "batch_tokens", "shard_passages"})}
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


def _is_finished(folder: Path, key: str) -> bool:
    record = folder / RECORD
    if not record.is_file() or not record.with_name(f"{RECORD}.sha256").is_file():
        return False
    try:
        verify_seal(record)
        files = read_json(record)["files"] if read_json(record)["key"] == key else {}
    except (ArtefactError, KeyError):
        return False
    return bool(files) and all((folder / name).is_file() and sha256_file(folder / name) == sha256 for name, sha256 in files.items())


def _moved(progress: Progress, before: int, total: int, done: int, _: int) -> None:
    """Pass on the progress of a part as that of the whole."""
    progress(before + done, total)


def _quietly(done: int, total: int) -> None:
    """Show nothing."""


def _write_embeddings(passages: pl.DataFrame, settings: IndexSettings, folder: Path, *, shards: Path, progress: Progress) -> None:
    from safetensors.numpy import save_file

    model = MiniLM(precision=settings.precision, max_tokens=settings.max_tokens, batch_tokens=settings.batch_tokens,
                   threads=settings.threads)
    unique = {column: np.unique(passages[column].to_numpy(), return_inverse=True) for column in ("title", "text")}
    total, done, arrays = sum(len(texts) for texts, _ in unique.values()), 0, {}
    for column, (texts, rows) in unique.items():
        arrays[f"{column}s"] = _embed_in_shards([str(text) for text in texts], model, shards, f"{column}s", size=settings.shard_passages,
                                                progress=partial(_moved, progress, done, total))
        arrays[f"{column}_rows"] = rows.astype(np.int64)
        done += len(texts)
    with atomic_path(folder / EMBEDDINGS) as path:
        save_file(arrays, path)


def _embed_in_shards(texts: Sequence[str], model: MiniLM, folder: Path, name: str, *, size: int, progress: Progress) -> Any:
    """Embed texts in pieces; a piece that was written before is read instead."""
    from safetensors.numpy import load_file, save_file

    pieces, total = [], len(texts)
    for start in range(0, len(texts), size):
        path = folder / f"{name}-{size}-{start:07d}.safetensors"
        if not path.is_file():
            vectors = model.encode(texts[start:start + size], progress=partial(_moved, progress, start, total))
            with atomic_path(path) as temporary:
                save_file({"vectors": vectors.astype(np.float16)}, temporary)
        pieces.append(load_file(path)["vectors"])
        progress(min(start + size, total), total)
    return np.concatenate(pieces)
