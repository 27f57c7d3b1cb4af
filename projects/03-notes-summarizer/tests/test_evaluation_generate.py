import json
from contextlib import nullcontext
from dataclasses import dataclass

import polars as pl
import pytest

from carefolio.datasets.aci_bench_twin import make_aci_bench_twin
from carefolio.datasets.mts_dialog_twin import make_mts_dialog_twin
from carefolio.exceptions import PrivacyError, ProviderError, UnsuitableTextError
from notes_summarizer.evaluation import generate
from notes_summarizer.evaluation.cases import build_cases
from notes_summarizer.evaluation.settings import EvaluationSettings
from notes_summarizer.providers.answer import Answer, Attempt
from notes_summarizer.summary.settings import SummarySettings
from notes_summarizer.summary.summarize import Written

SETTINGS = EvaluationSettings(max_sections=2, max_notes=1, meter_documents=0, minimum_header_cases=1, replicates=100, level=0.95,
                              max_output_tokens=64,
                              bert_batch=8)
SUMMARY = SummarySettings.model_construct(section_prompt="section_v1", note_prompt="note_v1", maximum_bytes=1000)


@dataclass
class FakeProviders:
    """Stands in for the open providers; keeps what it was asked."""

    names: tuple[str, ...]
    asked: list[str]


@pytest.fixture
def cases():
    return build_cases(make_mts_dialog_twin(0), make_aci_bench_twin(0), SETTINGS)


@pytest.fixture
def writes(monkeypatch):
    """Let sections and notes be the first line of the conversation, or what a test wants instead."""
    special: dict[str, object] = {}

    def write(dialogue, providers):
        providers.asked.append(dialogue)
        found = special.get(dialogue)
        if isinstance(found, BaseException):
            raise found
        failed = (Attempt(providers.names[0], "timed out", 0.5),)
        return Written(dialogue.splitlines()[0], [Answer("", providers.names[0], "m1", "section_v1", 10, 5, 0.0, 0.1, failed)] * 2, [])

    monkeypatch.setattr(generate, "write_section", lambda dialogue, header, providers, settings: write(dialogue, providers))
    monkeypatch.setattr(generate, "write_note", lambda dialogue, providers, settings: write(dialogue, providers))
    return special


def run(cases, folder, systems=("extractive",), settings=SUMMARY):
    providers = {name: FakeProviders((name,), []) for name in systems}
    found = generate.generate(cases, providers, settings, folder=folder, progress=nullcontext)
    return found, {name: len(fake.asked) for name, fake in providers.items()}


def test_every_system_writes_every_case_and_the_floor_is_the_transcript(cases, writes, tmp_path):
    found, asked = run(cases, tmp_path, ("extractive", "local"))
    assert found.columns == list(generate.COLUMNS)
    assert dict(found.group_by("system", maintain_order=True).len().rows()) == {"raw_transcript": 7, "extractive": 7, "local": 7}
    assert asked == {"extractive": 7, "local": 7}
    assert found.filter(system="raw_transcript")["candidate"].to_list() == cases["source"].to_list()
    row = found.filter(system="local").row(0, named=True)
    assert (row["input_tokens"], row["output_tokens"], row["cost_usd"], row["requests"], row["failed_attempts"]) == (20, 10, 0, 2, 2)
    assert row["seconds"] > 0 <= row["cpu_seconds"]
    assert (row["model"], row["problem"]) == ("m1", "")


def test_a_second_run_asks_nobody_and_gives_the_same(cases, writes, tmp_path):
    first, _ = run(cases, tmp_path)
    second, asked = run(cases, tmp_path)
    assert asked == {"extractive": 0}
    assert second.equals(first)


def test_a_stopped_run_goes_on_where_it_was(cases, writes, tmp_path):
    writes[cases["source"][4]] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run(cases, tmp_path)
    writes.clear()
    found, asked = run(cases, tmp_path)
    assert asked == {"extractive": 3}
    assert found.filter(system="extractive")["candidate"].to_list() == [text.splitlines()[0] for text in cases["source"]]


def test_a_line_that_was_cut_short_is_written_again(cases, writes, tmp_path):
    first, _ = run(cases, tmp_path)
    path = tmp_path / "extractive.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    second, asked = run(cases, tmp_path)
    assert asked == {"extractive": 1}
    assert second["candidate"].equals(first["candidate"])
    assert len([json.loads(line) for line in path.read_text().splitlines()]) == 7


@pytest.mark.parametrize("change", ["settings", "source", "provider", "else"])
def test_what_a_candidate_depends_on_makes_it_void(cases, writes, tmp_path, change):
    run(cases, tmp_path)
    settings = SUMMARY.model_copy(update={"maximum_bytes": 2000}) if change == "settings" else SUMMARY
    other = cases.with_columns(source=pl.col("source") + " Bye.") if change == "source" else cases
    providers = FakeProviders(("extractive", "local") if change == "provider" else ("extractive",), [])
    generate.generate(other, {"extractive": providers}, settings, folder=tmp_path, progress=nullcontext,
                      depends_on="{}" if change == "else" else "")
    assert len(providers.asked) == 7


@pytest.mark.parametrize("error", [ProviderError("local: timed out. Raise timeout_s."), UnsuitableTextError("the note is empty.")])
def test_a_failure_is_an_empty_note_with_its_problem(cases, writes, tmp_path, error):
    writes[cases["source"][2]] = error
    found, _ = run(cases, tmp_path)
    rows = found.filter(system="extractive")
    assert rows.height == 7
    assert rows.filter(pl.col("problem") != "").select("candidate", "problem", "cost_usd", "requests").rows() == [("", str(error), None, 0)]


def test_a_leak_stops_everything(cases, writes, tmp_path):
    writes[cases["source"][0]] = PrivacyError("an identifier would leave")
    with pytest.raises(PrivacyError):
        run(cases, tmp_path)
