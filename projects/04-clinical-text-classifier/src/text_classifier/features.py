"""From data sets to the tasks: one table each of texts with labels, in parts that share no text and no group.

``headers`` keeps the official parts of MTS-Dialog, both tests together, and drops from train what stands in a later part. ``decisions``
keeps PubMedQA's official test. ``specialties`` divides the groups of near-duplicates of MTSamples so that each label stands in all parts
where it has groups enough.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carefolio.exceptions import SchemaError
from carefolio.parts import read_table, write_table
from carefolio.splits import check_no_duplicate_rows_across_parts, check_no_group_overlap, make_split
from text_classifier.config import FeatureSettings

if TYPE_CHECKING:
    import polars as pl

    from carefolio.splits import Split

TRAIN, VALID, TEST = "train", "valid", "test"
ORDER = (TEST, VALID, TRAIN)
"""A text that stands in several parts stays in the first of these."""


def build_examples(task: str, out: Path, settings: FeatureSettings, *, seed: int) -> pl.DataFrame:
    """Build the table of a task from the data of a run, and check that nothing leaks.

    Parameters
    ----------
    task : {"headers", "decisions", "specialties"}
        Name of the task.
    out : Path
        Folder of the run.
    settings : FeatureSettings
        Shares of the parts.
    seed : int
        Of the draw of groups, and of rows where there are more than ``max_rows``.

    Returns
    -------
    polars.DataFrame
        ``row``, ``part`` (train, valid or test), ``unit`` (what is split and resampled), ``text``, ``label`` and ``source`` (the
        publisher's part), sorted by row.

    Raises
    ------
    LeakageError
        If a text or a unit stands in two parts.
    SchemaError
        If a label of valid or test is not in train.
    """
    import polars as pl

    table = BUILDERS[task](out, settings, seed).with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    if settings.max_rows:
        chance = np.random.default_rng(seed)
        kept = [chance.permutation(rows["row"].to_numpy())[:settings.max_rows] for rows in table.partition_by("part")]
        table = table.filter(pl.col("row").is_in(np.concatenate(kept).tolist()))
        table = table.filter((pl.col("part") == TRAIN) | pl.col("label").is_in(table.filter(part=TRAIN)["label"].unique().to_list()))
    check_examples(table, task=task)
    return table


def check_examples(table: pl.DataFrame, *, task: str) -> None:
    """Check the parts of a task.

    Parameters
    ----------
    table : polars.DataFrame
        As `build_examples` gives it.
    task : str
        Named in the errors.

    Raises
    ------
    LeakageError
        If a text or a unit stands in two parts.
    SchemaError
        If a part is empty, or a label of valid or test is not in train.
    """
    missing = {TRAIN, VALID, TEST} - set(table["part"])
    if missing:
        raise SchemaError(f"{task}: every part needs rows; {', '.join(sorted(missing))} has none. Use more data or other shares.")
    check_no_group_overlap(table["unit"].to_numpy(), table["part"].to_numpy())
    check_no_duplicate_rows_across_parts(table.select(_plain("text")), table["part"].to_numpy())
    known = set(table.filter(part=TRAIN)["label"])
    unknown = Counter(label for label in table["label"] if label not in known)
    if unknown:
        label, count = unknown.most_common(1)[0]
        raise SchemaError(f"{task}: every label must be in train; {len(unknown)} label(s) of {unknown.total()} row(s) are not, most often "
                          f"{label!r} ({count}). Move rows of it to train, or leave them out.")


def read_examples(out: Path, task: str) -> pl.DataFrame:
    """Read the table of a task.

    Parameters
    ----------
    out : Path
        Folder of the run.
    task : str
        Name of the task.

    Returns
    -------
    polars.DataFrame
        As `build_examples` gave it.
    """
    import polars as pl

    return pl.read_parquet(out / "features" / f"{task}.parquet")


def write_examples(out: Path, task: str, table: pl.DataFrame) -> Split:
    """Keep the table of a task and its split.

    Parameters
    ----------
    out : Path
        Folder of the run.
    task : str
        Name of the task.
    table : polars.DataFrame
        As `build_examples` gives it.

    Returns
    -------
    Split
        Rows of each part, also kept as JSON.
    """
    write_table(out / "features" / f"{task}.parquet", table)
    unit = "group of near-duplicates" if task == "specialties" else "text"
    split = make_split(table["row"].to_numpy(), table["part"].to_numpy(), unit=unit)
    split.save(out / "features" / f"{task}.split.json")
    return split


def label_names(table: pl.DataFrame) -> list[str]:
    """List the labels of a task.

    Parameters
    ----------
    table : polars.DataFrame
        As `build_examples` gives it.

    Returns
    -------
    list of str
        Those of train, sorted.
    """
    return sorted(set(table.filter(part=TRAIN)["label"]))


def _headers(out: Path, settings: FeatureSettings, seed: int) -> pl.DataFrame:
    import polars as pl

    names = {"train": TRAIN, "validation": VALID, "test1": TEST, "test2": TEST}
    frame = read_table(out, "mts_dialog")
    table = frame.select(pl.col("part").cast(pl.String).replace_strict(names).alias("part"),
                         pl.concat_str(pl.col("part").cast(pl.String), pl.lit(":"), pl.col("id").cast(pl.String)).alias("unit"),
                         pl.col("dialogue").alias("text"), pl.col("section_header").cast(pl.String).alias("label"),
                         pl.col("part").cast(pl.String).alias("source"))
    return _first_part_only(table)


def _decisions(out: Path, settings: FeatureSettings, seed: int) -> pl.DataFrame:
    import polars as pl

    frame = read_table(out, "pubmedqa")
    official = frame["part"].cast(pl.String).to_list()
    labels = frame["decision"].cast(pl.String).to_list()
    inside = [row for row, part in enumerate(official) if part == "train"]
    valid = _draw_by_label([labels[row] for row in inside], settings.valid_share, seed)
    parts = [TEST] * len(official)
    for place, row in enumerate(inside):
        parts[row] = VALID if place in valid else TRAIN
    return frame.select(pl.Series("part", parts), pl.col("pubmed_id").alias("unit"),
                        pl.concat_str("question", pl.lit("\n"), "context").alias("text"), pl.Series("label", labels),
                        pl.Series("source", official))


def _specialties(out: Path, settings: FeatureSettings, seed: int) -> pl.DataFrame:
    import polars as pl

    frame = read_table(out, "mtsamples")
    labels = frame["specialty"].cast(pl.String).to_list()
    groups = frame["group"].to_list()
    parts = divide_groups(groups, labels, {TEST: settings.test_share, VALID: settings.valid_share}, minimum_groups=settings.minimum_groups,
                          seed=seed)
    return frame.select(pl.Series("part", parts), pl.col("group").cast(pl.String).alias("unit"), "text", pl.Series("label", labels),
                        pl.lit("mtsamples").alias("source"))


def divide_groups(groups: Sequence[Any], labels: Sequence[str], shares: dict[str, float], *, minimum_groups: int, seed: int) -> list[str]:
    """Divide groups so that each label is in every part about by its share, rare labels first.

    Parameters
    ----------
    groups : sequence, length n
        What must not be divided.
    labels : sequence of str, length n
        Label of each row.
    shares : dict of str to float
        Share of each part but train, of a label's rows.
    minimum_groups : int
        A label of fewer groups stays in train with all of its rows' groups.
    seed : int
        Of the order in which groups are taken.

    Returns
    -------
    list of str
        Part of each row.
    """
    rows: dict[str, dict[Any, int]] = {}
    for group, label in zip(groups, labels, strict=True):
        rows.setdefault(label, {}).setdefault(group, 0)
        rows[label][group] += 1
    chance = np.random.default_rng(seed)
    part = {group: TRAIN for label, own in rows.items() if len(own) < minimum_groups for group in own}
    for label in sorted(rows, key=lambda name: (len(rows[name]), name)):
        own, total = rows[label], sum(rows[label].values())
        left = [group for group in sorted(own, key=str) if group not in part]
        chance.shuffle(left)
        for name, share in shares.items() if len(own) >= minimum_groups else ():
            have, wanted = sum(own[group] for group in own if part.get(group) == name), max(1.0, share * total)
            while left and have < wanted and (len(left) > 1 or any(part.get(group) == TRAIN for group in own)):
                group = left.pop()
                part[group] = name
                have += own[group]
        part |= dict.fromkeys(left, TRAIN)
    return [part[group] for group in groups]


def _draw_by_label(labels: Sequence[str], share: float, seed: int) -> set[int]:
    chance = np.random.default_rng(seed)
    places = {label: [place for place, own in enumerate(labels) if own == label] for label in sorted(set(labels))}
    return {int(place) for own in places.values() for place in chance.permutation(own)[:max(1, round(share * len(own)))]}


def _first_part_only(table: pl.DataFrame) -> pl.DataFrame:
    """Drop rows whose text stands in a part that comes first in `ORDER`."""
    import polars as pl

    ranks = {name: rank for rank, name in enumerate(ORDER)}
    rank = pl.col("part").replace_strict(ranks)
    return table.filter(rank == rank.min().over(_plain("text")))


def _plain(column: str) -> pl.Expr:
    import polars as pl

    return pl.col(column).str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()


BUILDERS: dict[str, Callable[[Path, FeatureSettings, int], pl.DataFrame]] = {
    "headers": _headers, "decisions": _decisions, "specialties": _specialties}
