"""Wrong answers that a person has read and grouped: how many of each group, and how many are still unread.

The groups stand in ``error_groups.toml`` by a hash of each text, so that no text is in the repository. They were read after the model was
trained, and decided nothing.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from carefolio.evidence import Metric, metric
from carefolio.runs import read_packaged_toml
from text_classifier.config import PROJECT
from text_classifier.curves import wrong
from text_classifier.features import TEST

if TYPE_CHECKING:
    import polars as pl

    from text_classifier.predictions import Predicted

FILE = "error_groups.toml"
HASH_DIGITS = 12
UNREAD = "unread"


def count_groups(task: str, examples: pl.DataFrame, kept: dict[str, list[Predicted]]) -> dict[str, Metric]:
    """Count the wrong answers on the test part by group.

    Parameters
    ----------
    task : str
        Name of the task.
    examples : polars.DataFrame
        Table of the task.
    kept : dict of str to list of Predicted
        Predictions by system, one a seed.

    Returns
    -------
    dict of str to Metric
        ``<task>.errors_read.<system>.<group>``, shares of all wrong answers of the seed that was read, ``unread`` ones too, and their
        number as ``wrong``; empty for the
        other tasks, and where none of that training's wrong answers was read, as with a twin.
    """
    read = read_packaged_toml(PROJECT, FILE)
    found = next((one for one in kept.get(read["system"], []) if one.record.get("seed") == read["seed"]), None)
    if task != read["task"] or found is None:
        return {}
    texts = wrong(examples, found, read["system"]).filter(part=TEST)["text"].to_list()
    groups = groups_of(texts, read)
    if set(groups) <= {UNREAD}:
        return {}
    names = [*(name for name, table in read.items() if isinstance(table, dict)), UNREAD]
    shares = {name: groups.count(name) / len(groups) for name in names} | {"wrong": len(groups)}
    return {f"{task}.errors_read.{read['system']}.{name}": metric(value, n=len(groups), higher_is_better=None)
            for name, value in shares.items()}


def groups_of(texts: list[str], read: dict[str, Any]) -> list[str]:
    """Look up the group of each text.

    Parameters
    ----------
    texts : list of str
        Texts that were answered wrongly.
    read : dict
        As ``error_groups.toml`` holds it.

    Returns
    -------
    list of str
        Name of a group, or ``unread``.
    """
    known = {digest: name for name, table in read.items() if isinstance(table, dict) for digest in table["texts"]}
    return [known.get(hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS], UNREAD) for text in texts]
