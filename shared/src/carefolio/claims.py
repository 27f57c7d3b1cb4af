"""Numbers in documents come from evidence: markers that name what they show, filled and checked.

``<!--ev all_encounters.test.lightgbm.roc_auc ci.3f-->…<!--/ev-->`` shows a value of the project's evidence, with another
project's name and a slash in front a value of that one; ``<!--cite KEY-->…<!--/cite-->`` shows a published figure that stands with its
source in the project's ``references.toml``. Comments are invisible in rendered Markdown, so the text reads as if it were typed.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from carefolio import markdown
from carefolio.evidence import Evidence, Metric, is_synthetic
from carefolio.exceptions import EvidenceError

FEWEST_FOR_INTERVAL = 10
"""Cases below which a value may stand without the interval that a marker asks for, and says so."""

_MARKER = re.compile(r"<!--(?P<kind>ev|cite) +(?P<what>[^<>]*?) *-->(?P<text>(?:(?!<!--).)*)<!--/(?P=kind)-->", re.DOTALL)
_SHORT = re.compile(r"\{(ev|cite):\s*([^{}<>]+?)\s*\}")
_HALF = re.compile(r"<!--/?(?:ev|cite)\b[^>]*-->")
_FORMAT = re.compile(r"(?P<interval>ci)?(?P<spec>s|,?d|,?\.\d[f%])")
_REWRITE = "run `carefolio check --write`"


class Problem(NamedTuple):
    """What is wrong, where."""

    file: Path
    line: int
    message: str

    def __str__(self) -> str:
        """Give the form that editors can jump to.

        Returns
        -------
        str
            ``file:line: message``.
        """
        return f"{self.file}:{self.line}: {self.message}"


class _Marker(NamedTuple):
    line: int
    kind: str
    what: str
    text: str
    span: tuple[int, int]


def _markers(text: str) -> Iterator[_Marker]:
    visible = markdown.without_code(text)
    for match in _MARKER.finditer(visible):
        span = match.span("text")
        yield _Marker(text.count("\n", 0, match.start()) + 1, match["kind"], match["what"], text[slice(*span)], span)


def expand(text: str) -> str:
    """Write out the short form of markers, which TOML files use.

    Parameters
    ----------
    text : str
        With ``{ev:ID FORMAT}`` and ``{cite:KEY}``.

    Returns
    -------
    str
        The same with empty markers, for `fill`.
    """
    return _SHORT.sub(lambda match: f"<!--{match[1]} {match[2]}--><!--/{match[1]}-->", text)


def fill(text: str, evidence_by_project: Mapping[str, Evidence], references: Mapping[str, Mapping[str, str]], *,
         project: str | None, strict: bool = True) -> str:
    """Rewrite the text between markers from evidence and references; code blocks and inline code are left alone.

    Parameters
    ----------
    text : str
        The document.
    evidence_by_project : mapping
        Project name to its evidence.
    references : mapping
        Key to a table with ``value``, ``source`` and ``cohort``, as ``references.toml`` holds them.
    project : str or None
        The project whose ids need no prefix; None for a document above the projects.
    strict : bool, default True
        If False, a marker that cannot be filled keeps its text.

    Returns
    -------
    str
        The document, unchanged outside of markers.

    Raises
    ------
    EvidenceError
        If ``strict`` and a marker names something unknown or has a format that does not fit.
    """
    pieces, end = [], 0
    for marker in _markers(text):
        shown, problem = _resolve(marker, evidence_by_project, references, project)
        if shown is None and strict:
            raise EvidenceError(f"line {marker.line}: {problem}")
        pieces += [text[end:marker.span[0]], marker.text if shown is None else shown]
        end = marker.span[1]
    return "".join([*pieces, text[end:]])


def find_problems(text: str, *, file: Path, evidence_by_project: Mapping[str, Evidence],
                  references: Mapping[str, Mapping[str, str]], project: str | None) -> list[Problem]:
    """Find claims that the evidence does not carry.

    Parameters
    ----------
    text : str
        The document.
    file : Path
        Its name, for the messages.
    evidence_by_project : mapping
        Project name to its evidence.
    references : mapping
        Key to a table with ``value``, ``source`` and ``cohort``.
    project : str or None
        The project whose ids need no prefix.

    Returns
    -------
    list of Problem
        Unknown ids, stale text, values from synthetic data, markers that are open or that open a line, and numbers without a marker; in
        the order of lines.
    """
    problems = []
    for marker in _markers(text):
        shown, message = _resolve(marker, evidence_by_project, references, project)
        if shown is not None and shown != marker.text:
            message = f"`{marker.what}` is stale: expected {shown!r}, got {marker.text!r}; {_REWRITE}."
        elif shown is not None and marker.kind == "ev" and is_synthetic(evidence_by_project[_owner(marker.what, project) or ""]):
            message = f"`{marker.what}` comes from synthetic data; run the project on real data."
        if message:
            problems.append(Problem(file, marker.line, message))
    problems += [Problem(file, line, message) for line, message in _markup_problems(text)]
    problems += [Problem(file, line, f"{number!r} stands without a marker; write <!--ev ID FORMAT--><!--/ev--> or "
                         f"<!--cite KEY--><!--/cite--> and {_REWRITE}, or put it in backticks if it is no result.")
                 for line, number in markdown.unmarked_numbers(text)]
    return sorted(problems, key=lambda problem: problem.line)


def _markup_problems(text: str) -> Iterator[tuple[int, str]]:
    rest = _MARKER.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), markdown.without_code(text))
    for half in _HALF.finditer(rest):
        yield rest.count("\n", 0, half.start()) + 1, f"marker {half[0]} has no partner; write <!--ev ID FORMAT--><!--/ev-->."
    for line in markdown.lines_taken_as_html(text):
        yield line, "a marker opens the line, so Markdown shows the line as HTML; put a word in front of it."


def _owner(what: str, project: str | None) -> str | None:
    identifier = what.split(maxsplit=1)[0] if what else ""
    return identifier.partition("/")[0] if "/" in identifier else project


def _resolve(marker: _Marker, evidence_by_project: Mapping[str, Evidence], references: Mapping[str, Mapping[str, str]],
             project: str | None) -> tuple[str | None, str]:
    if marker.kind == "cite":
        if marker.what in references:
            return references[marker.what]["value"], ""
        return None, f"reference `{marker.what}` is not in references.toml{_meant(marker.what, list(references))}."
    words = marker.what.split()
    if len(words) != 2 or not (form := _FORMAT.fullmatch(words[1])):
        return None, f"marker `{marker.what}` needs an id and a format such as .3f, .1%, ,d, s or ci.3f."
    evidence = evidence_by_project.get(_owner(marker.what, project) or "")
    if evidence is None:
        return None, f"`{marker.what}`: no evidence of project {_owner(marker.what, project)!r}; known: {sorted(evidence_by_project)}."
    identifier = words[0].rpartition("/")[2]
    value = _look_up(identifier, evidence)
    if value is None:
        return None, f"`{identifier}` is not in the evidence of {evidence.project}{_meant(identifier, list(evidence.metrics))}."
    return _render(value, form, marker.what)


def _meant(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; is it `{near[0]}`?" if near else ""


def _look_up(identifier: str, evidence: Evidence) -> Any:
    match identifier.split("."):
        case ["data", name, ("rows" | "origin" | "sha256") as field]:
            return next((getattr(record, field) for record in evidence.data if record.name == name), None)
        case ["split", part]:
            return evidence.split.parts.get(part) if evidence.split else None
        case ["durations_s", step]:
            return {name.lower().replace(" ", "_"): seconds for name, seconds in evidence.durations_s.items()}.get(step)
        case ["config", *keys]:
            return _nested(evidence.config, keys)
        case ["environment", ("python" | "machine") as field]:
            return getattr(evidence.environment, field)
        case [("commit" | "created" | "command" | "seed") as field]:
            return getattr(evidence, field)
        case _:
            return evidence.metrics.get(identifier)


def _nested(table: Any, keys: list[str]) -> Any:
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return table


def _render(value: Any, form: re.Match[str], what: str) -> tuple[str | None, str]:
    spec, point = form["spec"], value.value if isinstance(value, Metric) else value
    if spec == "s":
        return (str(point), "") if not isinstance(value, Metric) else (None, f"`{what}`: a metric needs a number format such as .3f.")
    if isinstance(point, bool) or not isinstance(point, int | float):
        return None, f"`{what}`: {point!r} is not a number; use the format s."
    if spec.endswith("d") and point != int(point):
        return None, f"`{what}`: {point} is not a whole number; use the format ,.0f."
    if not form["interval"]:
        return _number(point, spec), ""
    if not isinstance(value, Metric) or value.low is None or value.high is None or value.level is None:
        if isinstance(value, Metric) and value.n < FEWEST_FOR_INTERVAL:
            return f"{_number(point, spec)} (no interval: n = {value.n})", ""
        return None, f"`{what}` has no interval; use the format {spec}."
    return f"{_number(point, spec)} ({100 * value.level:g} % CI {_number(value.low, spec)} to {_number(value.high, spec)})", ""


def _number(value: float, spec: str) -> str:
    shown = format(int(value) if spec.endswith("d") else value, spec)
    return shown.replace("%", " %")
