"""Model cards from a project's ``card.toml`` and its evidence: HTI-1 source attributes, CHAI fields, TRIPOD+AI checklist."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from carefolio.claims import Problem, expand, fill
from carefolio.command import DISCLAIMER
from carefolio.evidence import Evidence, is_synthetic
from carefolio.exceptions import EvidenceError

MODEL_KEYS = ("name", "version", "developer", "contact", "licence", "summary")
_BLANK = re.compile(r"[\s.…?–-]*|n/?a\.?|tbd|todo|xxx", re.IGNORECASE)
_UNFINISHED = re.compile(rf"{_BLANK.pattern}|to be (?:written|done|decided|added)\.?", re.IGNORECASE)


class Attribute(NamedTuple):
    """One thing that a card has to answer."""

    id: str
    label: str
    topic: str
    source: str = ""


def hti1_attributes() -> tuple[Attribute, ...]:
    """List the source attributes of a predictive decision support intervention.

    Returns
    -------
    tuple of Attribute
        The 31 of 45 CFR 170.315(b)(11)(iv)(B), in its order.
    """
    return tuple(Attribute(row["id"], f"(B){row['paragraph']}", row["topic"]) for row in _table("hti1", "attribute"))


def chai_fields() -> tuple[Attribute, ...]:
    """List the fields of the applied model card of the Coalition for Health AI.

    Returns
    -------
    tuple of Attribute
        Fields in the schema's order; ``source`` names where the answer is taken from if not from ``[chai]``.
    """
    return tuple(Attribute(row["id"], row["element"], row["topic"], row.get("from", "")) for row in _table("chai", "field"))


def tripod_ai_items() -> tuple[Attribute, ...]:
    """List the items of the TRIPOD+AI checklist.

    Returns
    -------
    tuple of Attribute
        The 27 items; the ids are the item numbers.
    """
    return tuple(Attribute(row["id"], row["title"], row["topic"]) for row in _table("tripod_ai", "item"))


@cache
def _table(name: str, key: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = tomllib.loads(files("carefolio").joinpath("data", f"{name}.toml").read_text(encoding="utf-8"))[key]
    return rows


def _sections() -> dict[str, tuple[str, tuple[Attribute, ...]]]:
    return {"chai": ("CHAI applied model card", chai_fields()), "hti1": ("HTI-1 source attributes", hti1_attributes()),
            "tripod_ai": ("TRIPOD+AI checklist", tripod_ai_items())}


def card_template() -> str:
    """Write a ``card.toml`` with every key to answer and nothing answered.

    Returns
    -------
    str
        TOML; each key follows a comment that says what is asked.
    """
    lines = ["[model]", *(f'{key} = ""' for key in MODEL_KEYS)]
    for section, (_, attributes) in _sections().items():
        lines += ["", f"[{section}]"]
        for attribute in attributes:
            if not attribute.source:
                lines += [f"# {attribute.label}: {attribute.topic}", f'{attribute.id} = ""']
    return "\n".join(lines) + "\n"


def render_card(card: Mapping[str, Any], evidence: Evidence, references: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """Write the model card; the same inputs give the same text.

    Parameters
    ----------
    card : mapping
        What ``card.toml`` holds: ``[model]``, ``[hti1]``, ``[chai]`` and ``[tripod_ai]``. In an answer ``{ev:ID FORMAT}`` and
        ``{cite:KEY}`` become markers as `carefolio.claims` fills them.
    evidence : Evidence
        The record of the run that the card speaks of.
    references : mapping, optional
        What ``references.toml`` holds.

    Returns
    -------
    str
        Markdown.

    Raises
    ------
    EvidenceError
        If an answer is missing or blank, a key is unknown, or a marker names something that the evidence does not hold.
    """
    _check_keys(card)
    parts = [f"# Model card: {card['model']['name']}", f"> {DISCLAIMER}"]
    if is_synthetic(evidence):
        parts.append("> **Made on synthetic data.** The figures below say nothing about real patients.")
    parts.append(_summary(card["model"], evidence))
    for section, (title, attributes) in _sections().items():
        answers = {**card[section], **_taken_over(card["model"])} if section == "chai" else card[section]
        rows = [f"| `{item.id}` | {item.label}: {item.topic} | {_cell(answers[item.id])} |" for item in attributes]
        parts.append("\n".join([f"## {title}", "", "| id | asked | answer |", "|---|---|---|", *rows]))
    text = expand("\n\n".join(parts) + "\n")
    try:
        return fill(text, {evidence.project: evidence}, references or {}, project=evidence.project)
    except EvidenceError as error:
        raise EvidenceError(f"model card of {evidence.project}, {error}") from None


def _check_keys(card: Mapping[str, Any]) -> None:
    expected = {name: {item.id for item in items if not item.source} for name, (_, items) in _sections().items()}
    expected["model"] = set(MODEL_KEYS)
    unknown = sorted(set(card) - set(expected))
    unknown += [f"{section}.{key}" for section, keys in expected.items() for key in sorted(set(card.get(section, {})) - keys)]
    if unknown:
        raise EvidenceError(f"card.toml holds unknown keys: {', '.join(unknown)}; "
                            "carefolio.model_card.card_template() lists the known ones.")
    blank = [f"{section}.{key}" for section, keys in expected.items() for key in sorted(keys)
             if _BLANK.fullmatch(str(card.get(section, {}).get(key, "")))]
    if blank:
        raise EvidenceError(f"card.toml leaves {len(blank)} answers blank: {', '.join(blank)}; "
                            "answer each, and where nothing applies say why.")


def _taken_over(model: Mapping[str, str]) -> dict[str, str]:
    known = {f"model.{key}": value for key, value in model.items()} | {"evidence.created": "{ev:created s}"}
    known["model.version"] = f"`{model['version']}`"
    return {field.id: known[field.source] for field in chai_fields() if field.source}


def _summary(model: Mapping[str, str], evidence: Evidence) -> str:
    data = "; ".join(f"{record.name}, {{ev:data.{record.name}.rows ,d}} rows, origin {{ev:data.{record.name}.origin s}}, "
                     f"SHA-256 `{record.sha256[:12]}`" for record in evidence.data)
    rows = {"Name": model["name"], "Version": f"`{model['version']}`", "Developer": model["developer"], "Contact": model["contact"],
            "Licence": model["licence"], "What it does": model["summary"], "Run of": "{ev:created s}, commit {ev:commit s}",
            "Data": data, "Machine": "{ev:environment.machine s}"}
    if evidence.split:
        parts = ", ".join(f"{name} {{ev:split.{name} ,d}}" for name in evidence.split.parts)
        rows["Split"] = f"by {evidence.split.unit}: {parts}; file SHA-256 `{evidence.split.sha256[:12]}`"
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {_cell(value)} |" for name, value in rows.items())])


def _cell(answer: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", " ".join(str(answer).split()))


def card_problems(text: str, *, file: Path) -> list[Problem]:
    """Find what a written model card lacks.

    Parameters
    ----------
    text : str
        The card.
    file : Path
        Its name, for the messages.

    Returns
    -------
    list of Problem
        A missing disclaimer, and each missing, doubled or blank answer.
    """
    problems = [] if DISCLAIMER in text else [Problem(file, 1, "the disclaimer is missing; render the card with the project's `report`.")]
    lines = text.splitlines()
    for title, attributes in _sections().values():
        start = lines.index(f"## {title}") if f"## {title}" in lines else None
        if start is None:
            problems.append(Problem(file, 1, f"section {title!r} is missing; render the card with the project's `report`."))
            continue
        stop = next((i for i in range(start + 1, len(lines)) if lines[i].startswith("## ")), len(lines))
        rows = _rows(lines, start, stop)
        for item in attributes:
            line, answers = rows.get(item.id, (start + 1, []))
            if len(answers) != 1 or _UNFINISHED.fullmatch(answers[0]):
                state = "missing" if not answers else "given twice" if len(answers) > 1 else "blank"
                problems.append(Problem(file, line, f"{title}: `{item.id}` ({item.label}) is {state}; answer it in card.toml."))
    return problems


def _rows(lines: list[str], start: int, stop: int) -> dict[str, tuple[int, list[str]]]:
    rows: dict[str, tuple[int, list[str]]] = {}
    for number in range(start, stop):
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", lines[number])]
        if len(cells) == 5 and (match := re.fullmatch(r"`(\w+)`", cells[1])):
            rows.setdefault(match[1], (number + 1, []))[1].append(cells[3])
    return rows
