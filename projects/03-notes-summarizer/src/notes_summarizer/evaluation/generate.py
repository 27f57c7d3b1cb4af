"""Let every system write a note for every case, one after the other, and keep each as soon as it is there.

A run that is stopped goes on where it was: what a system wrote for a case stands in a file of its own and is taken again as long as
the case, the prompt, the settings and the providers are the same. A system that fails is not left out: its note is empty, and so are
its scores.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import polars as pl
import psutil

from carefolio.exceptions import ProviderError, UnsuitableTextError
from notes_summarizer.evaluation.cases import KEY
from notes_summarizer.prompting import load_prompt
from notes_summarizer.providers.answer import Answer
from notes_summarizer.providers.open import Providers
from notes_summarizer.summary.settings import SummarySettings
from notes_summarizer.summary.summarize import write_note, write_section

FLOOR = "raw_transcript"
"""The system that writes nothing: its note is the conversation itself."""
COLUMNS = {
    "system": pl.String, "data_set": pl.String, "part": pl.String, "id": pl.String, "candidate": pl.String, "seconds": pl.Float64,
    "cpu_seconds": pl.Float64, "input_tokens": pl.Int64, "output_tokens": pl.Int64, "cost_usd": pl.Float64, "requests": pl.Int64,
    "failed_attempts": pl.Int64, "model": pl.String, "problem": pl.String,
}
"""Columns of the candidates; ``problem`` is empty unless the system failed, tokens and cost are null where nobody counted them."""
Progress = Callable[[str], AbstractContextManager[Any]]


def generate(cases: pl.DataFrame, providers_by_system: Mapping[str, Providers], settings: SummarySettings, *, folder: Path,
             progress: Progress, depends_on: str = "") -> pl.DataFrame:
    """Write what is missing, and give all candidates.

    Parameters
    ----------
    cases : polars.DataFrame
        As `notes_summarizer.evaluation.cases.build_cases` gives them.
    providers_by_system : mapping of str to Providers
        Who writes, by name of the system; give each one provider, or a fallback would write in its name.
    settings : SummarySettings
        How sections and notes are written.
    folder : Path
        Keeps one file a system.
    progress : callable
        Takes a title and gives a context, such as ``carefolio.command.step``.
    depends_on : str, default ""
        What else the notes depend on, such as the providers' settings as JSON: if it changes, kept notes are written anew.

    Returns
    -------
    polars.DataFrame
        One row a system and case, `COLUMNS`; the floor first.
    """
    rows = [_floor(case) for case in cases.iter_rows(named=True)]
    for system, providers in providers_by_system.items():
        with progress(f"notes by {system}"):
            rows += _generate(cases, system, providers, settings, folder / f"{system}.jsonl", depends_on)
    return pl.DataFrame(rows, schema=COLUMNS)


def _generate(cases: pl.DataFrame, system: str, providers: Providers, settings: SummarySettings, path: Path,
              depends_on: str) -> Iterator[dict[str, Any]]:
    from rich.console import Console
    from rich.progress import track

    kept = _read_kept(path)
    listed = track(list(cases.iter_rows(named=True)), description=system, transient=True, console=Console(stderr=True))
    with path.open("a", encoding="utf-8") as file:
        for case in listed:
            key = _fingerprint(case, system, providers, settings, depends_on)
            if key not in kept:
                kept[key] = _write(case, system, providers, settings)
                file.write(json.dumps({"fingerprint": key, **kept[key]}, ensure_ascii=False) + "\n")
                file.flush()
            yield {name: kept[key][name] for name in COLUMNS}


def _read_kept(path: Path) -> dict[str, dict[str, Any]]:
    """Read what was written before; a last line that was cut short is taken out of the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    whole = path.read_bytes().rpartition(b"\n")
    if whole[2]:
        with path.open("r+b") as file:
            file.truncate(len(whole[0]) + len(whole[1]))
    rows = [json.loads(line) for line in whole[0].splitlines() if line]
    return {row["fingerprint"]: row for row in rows}


def _fingerprint(case: dict[str, Any], system: str, providers: Providers, settings: SummarySettings, depends_on: str) -> str:
    """Name everything that the candidate depends on."""
    prompt = load_prompt(settings.section_prompt if case["task"] == "section" else settings.note_prompt)
    parts = [system, *providers.names, depends_on, settings.model_dump_json(), prompt.sha256, *(case[name] for name in KEY), case["task"],
             case["header"], case["source"]]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _write(case: dict[str, Any], system: str, providers: Providers, settings: SummarySettings) -> dict[str, Any]:
    """Let one system write one note, and measure what it took; whatever it cannot write is an empty note with its problem."""
    start, cpu, text, problem, answers = time.perf_counter(), _cpu_seconds(), "", "", []
    try:
        written = (write_section(case["source"], case["header"], providers, settings) if case["task"] == "section"
                   else write_note(case["source"], providers, settings))
        text, answers = written.text, written.answers
    except (ProviderError, UnsuitableTextError) as error:
        problem = str(error)
    seconds = time.perf_counter() - start
    return {"system": system, **{name: case[name] for name in KEY}, "candidate": text, "seconds": seconds,
            "cpu_seconds": max(_cpu_seconds() - cpu, 0.0), **_spent(answers), "problem": problem}


def _spent(answers: list[Answer]) -> dict[str, Any]:
    return {"input_tokens": _sum([answer.input_tokens for answer in answers]),
            "output_tokens": _sum([answer.output_tokens for answer in answers]), "cost_usd": _sum([answer.cost_usd for answer in answers]),
            "requests": len(answers), "failed_attempts": sum(len(answer.attempts) for answer in answers),
            "model": ", ".join(sorted({answer.model for answer in answers}))}


def _sum(values: list[Any]) -> Any:
    return None if not values or None in values else sum(values)


def _floor(case: dict[str, Any]) -> dict[str, Any]:
    spent = dict.fromkeys(("seconds", "cpu_seconds", "input_tokens", "output_tokens", "cost_usd", "requests", "failed_attempts"), 0)
    return {"system": FLOOR, **{name: case[name] for name in KEY}, "candidate": case["source"], **spent, "model": "", "problem": ""}


def _cpu_seconds() -> float:
    """Give the processor time of this process and of those that it started, a local model's server among them."""
    own = psutil.Process()
    times = [process.cpu_times() for process in [own, *own.children(recursive=True)]]
    return float(sum(time.user + time.system for time in times))
