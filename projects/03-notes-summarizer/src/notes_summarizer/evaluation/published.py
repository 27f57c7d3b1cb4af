"""Figures that others published, to be set beside our own; they stand in ``published.toml`` with their sources."""

import functools
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

PACKAGE = "notes_summarizer.evaluation"
ROUGE = ("rouge1", "rouge2", "rouge_l", "rouge_lsum")


@dataclass(frozen=True)
class PublishedRouge:
    """One line of a published table.

    Attributes
    ----------
    data_set, part : str
        What was judged.
    n : int
        Documents.
    model : str
        Who wrote the notes, in words.
    system : str
        Our system that does the same; empty if none does.
    scores : dict of str to float
        By name of our metric, each in [0, 1].
    source : str
        Where it stands.
    """

    data_set: str
    part: str
    n: int
    model: str
    system: str
    scores: dict[str, float]
    source: str


def published_rouge(data_set: str, part: str) -> list[PublishedRouge]:
    """Give the published lines of one part.

    Parameters
    ----------
    data_set, part : str
        For example ``"aci_bench"`` and ``"test1"``.

    Returns
    -------
    list of PublishedRouge
        In the order of the file; empty where nothing is published.
    """
    return [_line(row) for row in _read()["rouge"] if (row["data_set"], row["part"]) == (data_set, part)]


def published_error_rates() -> list[dict[str, Any]]:
    """Give the shares of errors that clinicians counted in generated notes elsewhere.

    Returns
    -------
    list of dict
        ``what``, ``value`` (percent), ``n`` (sentences) and ``source``. They were counted by hand and are no yardstick for the
        rules used here.
    """
    return list(_read()["clinicians"])


def _line(row: dict[str, Any]) -> PublishedRouge:
    scores: dict[str, float] = {name: round(row[name] / 100, 4) for name in ROUGE if name in row}
    return PublishedRouge(row["data_set"], row["part"], row["n"], row["model"], row.get("system", ""), scores, row["source"])


@functools.cache
def _read() -> dict[str, Any]:
    return tomllib.loads(files(PACKAGE).joinpath("published.toml").read_text(encoding="utf-8"))
