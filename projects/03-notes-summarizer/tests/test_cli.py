"""The verbs for one text: a note summarised, de-identified, a question answered, and what is refused."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from carefolio.exceptions import ArtefactError, ConfigError, UnsuitableTextError
from notes_summarizer.cli import main
from notes_summarizer.schemas import NOTE


@pytest.fixture
def note(tmp_path: Path) -> Path:
    """Write the example note to a file."""
    path = tmp_path / "note.txt"
    path.write_text(NOTE, encoding="utf-8")
    return path


def test_summarize_prints_lists_with_sentence_numbers(note: Path) -> None:
    result = CliRunner().invoke(main, ["summarize", str(note)])
    assert result.exit_code == 0, result.output
    for expected in ("MEDICATIONS", "metformin 500 mg", "penicillin", "FOLLOW-UP", "research and education"):
        assert expected in result.output
    assert max(map(len, result.output.splitlines())) <= 100


def test_summarize_prints_json_as_the_api_gives_it(note: Path) -> None:
    result = CliRunner().invoke(main, ["summarize", str(note), "--json"])
    body = json.loads(result.output)
    assert body["work"][0]["provider"] == "extractive"
    assert {identifier["identifier_type"] for identifier in body["identifiers"]} >= {"PERSON", "MRN"}
    for statement in body["summary"]["medications"]:
        for source in statement["sources"]:
            assert NOTE[source["start"]:source["end"]] == source["text"]


def test_deidentify_reads_standard_input() -> None:
    result = CliRunner().invoke(main, ["deidentify", "-"], input=NOTE)
    assert result.exit_code == 0, result.output
    assert "Whitcombe" not in result.output
    assert "00-48213" not in result.output
    assert "metformin 500 mg" in result.output


@pytest.mark.parametrize(("content", "message"), [
    (b"", "must hold text"), (b"   \n ", "must hold text"),
    (b"\xff\xfe\x00note", "UTF-8"), (b"note \x00 with a zero byte " * 20, "control"),
    ("Der Patient klagt seit drei Tagen über Husten und Fieber. Er nimmt keine Medikamente ein. ".encode() * 3, "English"),
])
def test_what_is_no_note_is_refused_in_one_line(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_bytes(content)
    result = CliRunner().invoke(main, ["summarize", str(path)])
    assert result.exit_code == UnsuitableTextError.exit_code, result.output
    assert message.lower() in result.output.lower()
    assert len(result.output.splitlines()) == 1


def test_a_remote_provider_without_an_address_says_which_variable_is_missing(note: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    result = CliRunner().invoke(main, ["summarize", str(note), "--provider", "openai"])
    assert result.exit_code == ConfigError.exit_code
    assert "OPENAI_API_KEY" in result.output


def test_leaflet_answers_from_the_index_of_a_run(small_run: Path) -> None:
    result = CliRunner().invoke(main, ["leaflet", "What is the best way to file my tax return?", "--out", str(small_run)])
    assert result.exit_code == 0, result.output
    assert result.output.startswith("No leaflet:")


def test_leaflet_without_an_index_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREFOLIO_ARTEFACTS", "")
    result = CliRunner().invoke(main, ["leaflet", "What is asthma?", "--out", str(tmp_path)])
    assert result.exit_code == ArtefactError.exit_code
    assert "notes run --quick" in result.output


def test_the_installed_command_works_without_a_network(note: Path) -> None:
    command = Path(sys.executable).with_name("notes")
    done = subprocess.run([str(command), "summarize", str(note)], capture_output=True, text=True, check=False, timeout=120,
                          env={**os.environ, "HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"})
    assert done.returncode == 0, done.stderr
    assert "metformin" in done.stdout
