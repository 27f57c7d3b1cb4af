"""How far the rules that measure faithfulness can be trusted: errors planted in notes that people wrote, and harmless rewordings.

A note is its own source; one sentence of a copy is changed. The share of planted errors with a new finding in the changed sentence is the
sensitivity of the rules to that kind of error, the share of harmless changes with one is their rate of false alarms. Both are measured
on the held-out parts, on which no rule was tuned. They say how the rules deal with these changes, not that they agree with a clinician:
an error that a language model makes need not look like one of these.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
import polars as pl

from carefolio.evidence import Metric, metric
from carefolio.metrics.faithfulness import Finding, unsupported
from carefolio.uncertainty import Interval
from notes_summarizer.evaluation.cases import KEY
from notes_summarizer.evaluation.intervals import draw, mean, ratio_interval
from notes_summarizer.evaluation.planting import ERRORS, HARMLESS, Change, Material, Planted
from notes_summarizer.evaluation.settings import EvaluationSettings
from notes_summarizer.summary.vocabulary import Vocabulary


def validate(cases: pl.DataFrame, settings: EvaluationSettings, *, vocabulary: Vocabulary,
             seed: int) -> tuple[dict[str, Metric], dict[str, Any], pl.DataFrame]:
    """Plant one change of every kind in every note, and see whether the rules find it.

    Parameters
    ----------
    cases : polars.DataFrame
        As `notes_summarizer.evaluation.cases.build_cases` gives them; only their references are used.
    settings : EvaluationSettings
        ``meter_documents``, replicates and level.
    vocabulary : Vocabulary
        Drugs and terms.
    seed : int
        Seed of the places of the changes and of the bootstrap.

    Returns
    -------
    metrics : dict of str to Metric
        ``meter.planted_<kind>.rules.sensitivity`` and ``meter.harmless_<kind>.rules.false_alarm_rate``.
    curves : dict
        The same as points, with the share of planted errors that a rule of the fitting kind found.
    planted : polars.DataFrame
        One row a change: key of the case, ``group`` (``planted`` or ``harmless``), ``kind``, ``text``, ``start``, ``end``, ``found`` and
        ``found_by`` (kinds of the findings).
    """
    rows = [row for case in _notes(cases, settings).iter_rows(named=True) for row in _changes(case, vocabulary, seed)]
    planted = pl.DataFrame(rows, infer_schema_length=None)
    metrics: dict[str, Metric] = {}
    points: list[dict[str, Any]] = []
    for (group, kind), part in planted.group_by("group", "kind", maintain_order=True):
        interval = _share_found(part, settings, seed)
        name = "sensitivity" if group == "planted" else "false_alarm_rate"
        metrics[f"meter.{group}_{kind}.rules.{name}"] = metric(interval, higher_is_better=group == "planted")
        points.append({"group": group, "kind": kind, "n": part.height, "by_rule": _by_rule(part),
                       **{bound: round(getattr(interval, bound), 6) for bound in ("value", "low", "high")}})
    return metrics, {"points": points, "documents": planted.select(KEY).n_unique()}, planted


def new_findings(source: str, change: Planted, *, terms: Collection[str]) -> list[Finding]:
    """Find what the rules report in a changed sentence; a text supports itself, so before the change they reported nothing.

    Parameters
    ----------
    source : str
        The note before the change.
    change : Planted
        The change.
    terms : collection of str
        Vocabulary.

    Returns
    -------
    list of Finding
        Those that begin in the changed sentence.
    """
    return [finding for finding in unsupported(source, change.text, terms=terms) if change.start <= finding.start < change.end]


def _notes(cases: pl.DataFrame, settings: EvaluationSettings) -> pl.DataFrame:
    limit = settings.meter_documents or cases.height
    return pl.concat([part.head(limit) for _, part in cases.group_by("data_set", "part", maintain_order=True)])


def _changes(case: dict[str, Any], vocabulary: Vocabulary, seed: int) -> list[dict[str, Any]]:
    material = Material(case["reference"], vocabulary.drugs)
    kinds: list[tuple[str, str, Change]] = [(group, kind, change) for group, changes in (("planted", ERRORS), ("harmless", HARMLESS))
                                           for kind, change in changes.items()]
    rows = []
    for place, (group, kind, change) in enumerate(kinds):
        made = change(material, np.random.default_rng([seed, place, *f"{case['part']} {case['id']}".encode()]))
        if made is not None and made.text != material.text:
            found = new_findings(material.text, made, terms=vocabulary.terms)
            rows.append({**{name: case[name] for name in KEY}, "group": group, "kind": kind, "text": made.text, "start": made.start,
                         "end": made.end, "found": bool(found), "found_by": sorted({finding.kind for finding in found})})
    return rows


def _share_found(part: pl.DataFrame, settings: EvaluationSettings, seed: int) -> Interval:
    draws = draw(part.select(pl.concat_str(KEY, separator=" ")).to_series().to_numpy(), settings, seed=seed)
    interval = ratio_interval(mean(part["found"].cast(pl.Float64).to_numpy()), draws)
    if interval is None:
        raise ValueError("a share of planted changes must be a number; got none.")
    return interval


def _by_rule(part: pl.DataFrame) -> dict[str, float]:
    """Give the share of changes that each rule found; several may find one."""
    kinds = part["found_by"].explode(empty_as_null=True, keep_nulls=True).drop_nulls().value_counts(sort=True)
    return {kind: round(count / part.height, 6) for kind, count in kinds.rows()}
