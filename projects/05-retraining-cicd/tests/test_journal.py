"""The journal: a chain that shows every change, and an append that is whole or not at all."""

import json

import pytest

from carefolio.exceptions import DataIntegrityError
from retraining.journal import FIRST, append, copy_prefix, read_journal


@pytest.fixture
def journal(tmp_path):
    path, entries = tmp_path / "state" / "journal.jsonl", []
    for number in range(4):
        entries = append(path, entries, batch=5, step=f"step {number}", result={"value": number / 3, "text": "ä"})
    return path


def test_what_was_written_is_read(journal):
    entries = read_journal(journal)
    assert [entry.step for entry in entries] == ["step 0", "step 1", "step 2", "step 3"]
    assert entries[1].result == {"value": 1 / 3, "text": "ä"}
    assert json.loads(journal.read_bytes().splitlines()[0])["previous"] == FIRST
    assert read_journal(journal.with_name("none.jsonl")) == []


def test_nan_is_not_written_and_the_journal_stays(journal):
    before = journal.read_bytes()
    with pytest.raises(ValueError, match="not JSON compliant"):
        append(journal, read_journal(journal), batch=5, step="bad", result={"value": float("nan")})
    assert journal.read_bytes() == before
    assert sorted(path.name for path in journal.parent.iterdir()) == ["journal.jsonl"]


@pytest.mark.parametrize(("damage", "place", "words"), [
    (lambda lines: [*lines[:3], lines[3][:-20]], "line 4", "not a whole entry"),
    (lambda lines: [*lines[:3], lines[3][:-1]], "line 4", "not a whole entry"),
    (lambda lines: [lines[0], lines[1].replace(b'"step 1"', b'"step 9"'), *lines[2:]], "line 2", "the hash does not hold"),
    (lambda lines: [lines[0], *lines[2:]], "line 2", "does not follow"),
    (lambda lines: [lines[1], lines[0], *lines[2:]], "line 1", "does not follow"),
    (lambda lines: [*lines, b"[]\n"], "line 5", "not a whole entry"),
    (lambda lines: [*lines, b"\xff\xfe\n"], "line 5", "not a whole entry"),
])
def test_a_damaged_journal_is_refused_with_the_place(journal, damage, place, words):
    journal.write_bytes(b"".join(damage(journal.read_bytes().splitlines(keepends=True))))
    with pytest.raises(DataIntegrityError, match=f"{place}: .*{words}"):
        read_journal(journal)


def test_another_journal_begins_with_the_same_lines(journal, tmp_path):
    copy_prefix(journal, tmp_path / "other.jsonl", 2)
    assert [entry.hash for entry in read_journal(tmp_path / "other.jsonl")] == [entry.hash for entry in read_journal(journal)[:2]]
