"""Every metric of every system and part, with intervals over documents, and the points for figures and dashboard."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import polars as pl

from carefolio.evidence import Metric, metric
from carefolio.exceptions import EvidenceError
from carefolio.uncertainty import Interval
from notes_summarizer.evaluation import meter
from notes_summarizer.evaluation.bert import checkpoint
from notes_summarizer.evaluation.cases import CONVENTIONS, judged_parts
from notes_summarizer.evaluation.facts import KINDS
from notes_summarizer.evaluation.generate import FLOOR
from notes_summarizer.evaluation.human import ADDRESS
from notes_summarizer.evaluation.intervals import Draws, Floats, Ratio, draw, mean, quantile_interval, ratio_interval
from notes_summarizer.evaluation.published import published_error_rates, published_rouge
from notes_summarizer.evaluation.scores import OVERLAP, REFERENCE, score
from notes_summarizer.evaluation.settings import EvaluationSettings
from notes_summarizer.summary.vocabulary import vocabulary

SYSTEMS = {FLOOR: "the transcript itself", "extractive": "extractive rules", "local": "local model", "openai": "OpenAI-compatible",
           "azure-openai": "Azure OpenAI", REFERENCE: "written by a person"}
"""Names of systems and what they stand for."""
EXTRACTIVE = "extractive"
MEANS = {"flesch_kincaid": None, "smog": None, "compression": None, "novelty": None}
COSTS = {"cpu_seconds": False, "input_tokens": None, "output_tokens": None, "cost_usd": False, "failed_attempts": False}
"""Means over documents and their direction."""
DEFINITIONS = {
    "faithfulness": "Share of a note's sentences in which rules find no number, term of the vocabulary, negation or side that the "
                    "conversation does not support. Not agreement with a clinician.",
    "omission": "Share of the facts that reference and conversation share (numbers with units, terms of the vocabulary) and the note "
                "lacks. Not the omissions that clinicians counted in the published study: other facts, other notes, other judges.",
    "readability": "School years that a text asks for. Sections that are lists without full stops count as one long sentence; transcripts "
                   "are not graded.",
    "failed": "Share of cases in which the system gave no usable answer; they are scored as an empty note.",
    "latency": "Wall time a document, one after the other: identifiers taken out, every request, identifiers put back.",
    "cpu_seconds": "Processor time a document of this process and of the local model's server.",
}
HUMAN_SCORES = {
    "looked_at": {
        "mts_dialog": ["ID", "section_header", "section_text", "dialogue"],
        "aci_bench": ["dataset", "encounter_id", "dialogue", "note", "id", "doctor_name", "patient_gender", "patient_age",
                      "patient_firstname", "patient_familyname", "cc", "2nd_complaints"],
        "medquad": ["document", "source", "url", "focus", "question_id", "question_type", "question", "answer"]},
    "statement": "None of these columns is a person's judgement of a generated text. The publisher of MTS-Dialog keeps such judgements "
                 "apart, for 400 summaries of the validation part; benchmarks/human_scores.py compares the rules with them.",
    "address": ADDRESS,
}
"""Where judgements by people were looked for, and where they are."""
Progress = Callable[[str], AbstractContextManager[Any]]
Result = tuple[dict[str, Metric], dict[str, Any], dict[str, pl.DataFrame]]


def evaluate(cases: pl.DataFrame, candidates: pl.DataFrame, settings: EvaluationSettings, *, seed: int, progress: Progress) -> Result:
    """Judge all candidates, and the rules that judge their faithfulness.

    Parameters
    ----------
    cases : polars.DataFrame
        As `notes_summarizer.evaluation.cases.build_cases` gives them.
    candidates : polars.DataFrame
        As `notes_summarizer.evaluation.generate.generate` gives them.
    settings : EvaluationSettings
        Replicates, level, sizes.
    seed : int
        Seed of the bootstrap and of the planted errors.
    progress : callable
        Takes a title and gives a context, such as ``carefolio.command.step``.

    Returns
    -------
    metrics : dict of str to Metric
        By evidence id, ``<data set>.<part>.<system>.<metric>``.
    curves : dict
        Aggregates; no text of the data sets.
    tables : dict of str to polars.DataFrame
        ``scores``, one row a system and case with texts and scores; ``planted``, one row a planted change. Kept out of the repository.

    Raises
    ------
    EvidenceError
        If the transcript itself does not score what is published for it, so that the comparison with the published table would not hold.
    """
    words = vocabulary()
    scores = score(cases, candidates, settings, terms=words.terms, progress=progress)
    metrics: dict[str, Metric] = {}
    headers: list[dict[str, Any]] = []
    for data_set, part, rows in judged_parts(scores):
        found, by_header = _judge_part(rows, data_set, part, settings, seed=seed)
        metrics |= found
        headers += by_header
    with progress("the meter of faithfulness"):
        meter_metrics, meter_curves, planted = meter.validate(cases, settings, vocabulary=words, seed=seed)
    metrics |= meter_metrics | _alarms(metrics)
    curves = _curves(scores, settings) | {"floor": _check_floor(metrics), "by_header": headers, "meter": meter_curves}
    return metrics, curves, {"scores": scores, "planted": planted}


def _judge_part(rows: pl.DataFrame, data_set: str, part: str, settings: EvaluationSettings, *,
                seed: int) -> tuple[dict[str, Metric], list[dict[str, Any]]]:
    """Judge every system on one part; all on the same replicates."""
    by_system = {str(name): rows.filter(system=name).sort("part", "id") for name in rows["system"].unique(maintain_order=True)}
    first = next(iter(by_system.values()))
    draws = draw(first["source"].hash(seed=0).to_numpy(), settings, seed=seed)
    metrics: dict[str, Metric] = {}
    for system, table in by_system.items():
        found = _ratios(table, draws, CONVENTIONS[data_set].longest)
        if system not in (FLOOR, REFERENCE):
            found |= _times(table, draws)
        metrics |= {f"{data_set}.{part}.{system}.{name}": value for name, value in found.items()}
    for system, peer in _pairs(list(by_system)):
        leads = _leads(by_system[system], by_system[peer], draws, CONVENTIONS[data_set].longest)
        metrics |= {f"{data_set}.{part}.{system}_minus_{peer}.{name}": value for name, value in leads.items()}
    headers = _by_header(by_system, draws, settings) if part == "test" else []
    return metrics, headers


def _pairs(systems: list[str]) -> list[tuple[str, str]]:
    """Compare each system with the floor, and each other one with the rules that need no model."""
    judged = [name for name in systems if name not in (FLOOR, REFERENCE)]
    floor = [(name, FLOOR) for name in judged if FLOOR in systems]
    return floor + [(name, EXTRACTIVE) for name in judged if name != EXTRACTIVE and EXTRACTIVE in judged]


def _overlap_ratios(table: pl.DataFrame, longest: str) -> dict[str, Ratio]:
    if table["system"][0] == REFERENCE:
        return {}
    return {longest if name == "rouge_long" else name: mean(table[name].to_numpy()) for name in OVERLAP}


def _quality_ratios(table: pl.DataFrame) -> dict[str, Ratio]:
    sentences = _floats(table["sentences"])
    found = {"faithfulness": Ratio(sentences - _floats(table["flagged"]), sentences)}
    if table["system"][0] != REFERENCE:
        found["omission"] = Ratio(_floats(table["omitted"]), _floats(table["facts"]))
    return found


def _ratios(table: pl.DataFrame, draws: Draws, longest: str) -> dict[str, Metric]:
    """Measure what the text itself shows."""
    sentences = _floats(table["sentences"])
    ratios: dict[str, tuple[Ratio, bool | None]] = {name: (ratio, True) for name, ratio in _overlap_ratios(table, longest).items()}
    ratios |= {name: (ratio, name == "faithfulness") for name, ratio in _quality_ratios(table).items()}
    if table["system"][0] == FLOOR:
        return _estimate(ratios, draws)
    ratios |= {f"{kind}_findings_per_100_sentences": (Ratio(100 * _floats(table[kind]), sentences), False) for kind in KINDS}
    ratios |= {name: (mean(_floats(table[name])), better) for name, better in MEANS.items()}
    return _estimate(ratios, draws)


def _times(table: pl.DataFrame, draws: Draws) -> dict[str, Metric]:
    """Measure what the text cost; what nobody counted is left out."""
    ratios: dict[str, tuple[Ratio, bool | None]] = {name: (mean(_floats(table[name])), better) for name, better in COSTS.items()
                                                   if table[name].null_count() < table.height}
    ratios["failed"] = (mean((table["problem"] != "").cast(pl.Float64).to_numpy()), False)
    seconds = {f"latency_p{percent}_s": metric(quantile_interval(_floats(table["seconds"]), percent / 100, draws), higher_is_better=False)
               for percent in (50, 95)}
    return _estimate(ratios, draws) | seconds


def _leads(table: pl.DataFrame, peer: pl.DataFrame, draws: Draws, longest: str) -> dict[str, Metric]:
    """Measure the lead over a peer: overlap always, the counts of the rules where the peer wrote something itself."""
    own, other = _overlap_ratios(table, longest), _overlap_ratios(peer, longest)
    if peer["system"][0] != FLOOR:
        own, other = own | _quality_ratios(table), other | _quality_ratios(peer)
    found = {name: ratio_interval(own[name], draws, less=other[name]) for name in own}
    return {name: metric(interval, higher_is_better=name != "omission") for name, interval in found.items() if interval is not None}


def _estimate(ratios: dict[str, tuple[Ratio, bool | None]], draws: Draws) -> dict[str, Metric]:
    """Estimate ratios; a sample so small that a replicate has nothing to divide by gives the value without an interval."""
    found = {}
    for name, (ratio, better) in ratios.items():
        interval, divided_by = ratio_interval(ratio, draws), ratio.below.sum()
        if interval is not None:
            found[name] = metric(interval, higher_is_better=better)
        elif divided_by > 0:
            found[name] = metric(ratio.above.sum() / divided_by, n=int(ratio.below.astype(bool).sum()), higher_is_better=better)
    return found


def _by_header(by_system: dict[str, pl.DataFrame], draws: Draws, settings: EvaluationSettings) -> list[dict[str, Any]]:
    """Estimate ROUGE-1 of each system within each kind of section that is not rare."""
    headers = next(iter(by_system.values()))["header"]
    found = []
    for header, n in headers.value_counts(sort=True).rows():
        inside = (headers == header).cast(pl.Float64).to_numpy()
        for system, table in by_system.items():
            if n < settings.minimum_header_cases or system == REFERENCE:
                continue
            interval = ratio_interval(Ratio(_floats(table["rouge1"]) * inside, inside), draws)
            if interval is not None:
                found.append({"header": header, "system": system, "n": n, "rouge1": _point(interval)})
    return found


def _alarms(metrics: dict[str, Metric]) -> dict[str, Metric]:
    """Turn the faithfulness of the notes that people wrote into an upper bound of the rate of false alarms."""
    found = {}
    for name, value in metrics.items():
        data_set, part, system, what = name.split(".")
        if (system, what) == (REFERENCE, "faithfulness") and value.low is not None and value.high is not None:
            turned = {"value": 1 - value.value, "low": 1 - value.high, "high": 1 - value.low}
            found[f"meter.{data_set}_{part}.{REFERENCE}.alarm_rate"] = value.model_copy(update=turned | {"higher_is_better": False})
    return found


def _check_floor(metrics: dict[str, Metric]) -> list[dict[str, Any]]:
    """Set the transcript's own score beside what is published for it, to the printed digit, where all documents were judged."""
    found = []
    for data_set, part in (("aci_bench", "test1"), ("mts_dialog", "validation")):
        for line in published_rouge(data_set, part):
            for name, value in line.scores.items() if line.system == FLOOR else ():
                own = metrics.get(f"{data_set}.{part}.{FLOOR}.{name}")
                if own is None or own.n != line.n:
                    continue
                if round(100 * own.value, 1) != round(100 * value, 1):
                    raise EvidenceError(f"the transcripts of {data_set} {part} score {name} {100 * own.value:.2f} against their notes; "
                                        f"published is {100 * value:.1f} ({line.source}). The convention is not the published one.")
                found.append({"data_set": data_set, "part": part, "metric": name, "own": own.value, "published": value})
    return found


def _curves(scores: pl.DataFrame, settings: EvaluationSettings) -> dict[str, Any]:
    systems = scores["system"].unique(maintain_order=True).to_list()
    parts = judged_parts(scores.filter(system=systems[0]))
    cut = scores.filter(pl.col("system") != REFERENCE).group_by("data_set", "system", maintain_order=True).agg(pl.col("cut").mean())
    failures = scores.filter(pl.col("problem") != "").group_by("data_set", "part", "system", maintain_order=True).len()
    return {
        "systems": {name: SYSTEMS.get(name, name) for name in systems}, "level": settings.level,
        "parts": [{"data_set": data_set, "part": part, "n": rows.height} for data_set, part, rows in parts],
        "published": [vars(line) for data_set, part, _ in parts for line in published_rouge(data_set, part)],
        "published_error_rates": published_error_rates(), "definitions": DEFINITIONS, "human_scores": HUMAN_SCORES,
        "conventions": {name: vars(convention) for name, convention in CONVENTIONS.items()},
        "bertscore": checkpoint() | {"share_cut": cut.to_dicts()}, "failures": failures.to_dicts(),
    }


def _floats(values: pl.Series) -> Floats:
    return values.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _point(interval: Interval) -> dict[str, float]:
    return {name: round(getattr(interval, name), 6) for name in ("value", "low", "high")}
