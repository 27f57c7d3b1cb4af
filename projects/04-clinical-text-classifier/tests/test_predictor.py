"""The served model: the same answer alone and among others, words found where they stand, altered files refused."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from carefolio.artefacts import read_json, seal, write_json
from carefolio.exceptions import ArtefactError
from text_classifier.artefacts import RECORD_FILE, find_artefacts, served_folders, task_folders
from text_classifier.predictor import MOST_SPANS, Classified, Predictor

TEXT = "Doctor: Any allergies? Patient: Penicillin gives me a rash since yesterday."


@pytest.fixture(scope="module")
def predictor(tiny_artefacts: Path) -> Predictor:
    """Give the tiny model."""
    return Predictor.open(tiny_artefacts / "headers")


def test_probabilities_are_of_all_labels_and_sum_to_one(predictor: Predictor) -> None:
    for answer in predictor.classify([TEXT, "pain"]):
        assert tuple(answer.probabilities) == predictor.labels
        assert sum(answer.probabilities.values()) == pytest.approx(1)
        assert answer.probability == max(answer.probabilities.values()) == answer.probabilities[answer.label]
        assert not answer.truncated


def test_a_text_gets_the_same_answer_alone_and_among_others(predictor: Predictor) -> None:
    others = ["pain", "fever " * 300, "What do you take at home?", TEXT]
    assert predictor.classify(others)[-1] == predictor.classify([TEXT])[0]
    assert predictor.classify([]) == []


def test_a_higher_temperature_makes_answers_less_sure(predictor: Predictor) -> None:
    warmer = Predictor(predictor.session, predictor.tokenizer, dict(predictor.record) | {"temperature": 6.0}, "", 1)
    assert warmer.classify([TEXT])[0].label == predictor.classify([TEXT])[0].label
    assert warmer.classify([TEXT])[0].probability < predictor.classify([TEXT])[0].probability


def test_only_the_first_tokens_are_read(predictor: Predictor) -> None:
    start = "pain " * predictor.record["max_tokens"]
    short, long = predictor.classify([start, start + TEXT])
    assert short.truncated
    assert long.truncated
    assert short.probabilities == long.probabilities
    assert max(word.end for word in predictor.words_that_matter(start + TEXT, most=500)) < len(start)


def test_an_uncertain_answer_abstains(predictor: Predictor) -> None:
    sure, unsure = (Classified("GENHX", probability, {}, False) for probability in (0.41, 0.39))
    assert predictor.threshold == 0.4
    assert not predictor.abstains(sure)
    assert predictor.abstains(unsure)
    without = Predictor(predictor.session, predictor.tokenizer, dict(predictor.record) | {"threshold_95": None}, "", 1)
    assert without.abstains(Classified("GENHX", 1.0, {}, False))


def test_words_stand_where_they_are_said_to_and_weigh_what_leaving_them_out_does(predictor: Predictor) -> None:
    words = predictor.words_that_matter(TEXT, most=50)
    assert {word.word for word in words} == {"Doctor", "Any", "allergies", "Patient", "Penicillin", "gives", "me", "a", "rash", "since",
                                             "yesterday"}
    assert all(TEXT[word.start:word.end] == word.word for word in words)
    assert [abs(word.weight) for word in words] == sorted((abs(word.weight) for word in words), reverse=True)
    whole = predictor.classify([TEXT])[0]
    for word in words:
        left = predictor.classify([TEXT[:word.start] + TEXT[word.end:]])[0]
        assert word.weight == pytest.approx(whole.probability - left.probabilities[whole.label], abs=1e-9)
    assert predictor.words_that_matter(TEXT, most=3) == words[:3]
    assert predictor.words_that_matter("?!", most=3) == []


def test_a_long_text_is_searched_in_two_steps(tiny_artefacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = Predictor.open(tiny_artefacts / "headers")
    asked: list[int] = []
    run = Predictor._probabilities
    monkeypatch.setattr("text_classifier.predictor.MOST_SPANS", 8)
    monkeypatch.setattr(Predictor, "_probabilities", lambda self, rows: asked.append(len(rows)) or run(self, rows))
    words = predictor.words_that_matter("pain fever rash home " * 8 + "allergies", most=5)
    assert asked[0] == 1
    assert all(count <= 8 for count in asked)
    assert 1 <= len(words) <= 5
    assert MOST_SPANS == 48


@pytest.mark.parametrize("text", ["Fieber: 39°C, naïve Größe", "pain \U0001f912 fever", "a\u0301 pain", "x" * 19_000, "pain\t\r\nfever"])
def test_odd_texts_are_answered(predictor: Predictor, text: str) -> None:
    assert np.isfinite(list(predictor.classify([text])[0].probabilities.values())).all()
    assert all(text[word.start:word.end] == word.word for word in predictor.words_that_matter(text))


def altered(tiny_artefacts: Path, tmp_path: Path) -> Path:
    """Copy the model to where it can be altered."""
    return shutil.copytree(tiny_artefacts / "headers", tmp_path / "headers")


@pytest.mark.parametrize("name", ["model.onnx", "embeddings.bin", "tokenizer.json", "model.json"])
def test_an_altered_or_missing_file_is_refused(tiny_artefacts: Path, tmp_path: Path, name: str) -> None:
    folder = altered(tiny_artefacts, tmp_path)
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ArtefactError, match="was changed or cut short"):
        Predictor.open(folder)
    (folder / name).unlink()
    with pytest.raises(ArtefactError, match="is missing"):
        Predictor.open(folder)


def test_files_of_two_exports_are_refused(tiny_artefacts: Path, tmp_path: Path) -> None:
    folder = altered(tiny_artefacts, tmp_path)
    (folder / "embeddings.bin").write_bytes((folder / "embeddings.bin").read_bytes() + b"\0")
    seal(folder / "embeddings.bin")
    with pytest.raises(ArtefactError, match="two exports"):
        Predictor.open(folder)


def test_a_record_without_what_is_needed_and_a_broken_network_are_refused(tiny_artefacts: Path, tmp_path: Path) -> None:
    folder = altered(tiny_artefacts, tmp_path)
    record = read_json(folder / RECORD_FILE)
    seal(write_json(folder / RECORD_FILE, {name: value for name, value in record.items() if name != "temperature"}))
    with pytest.raises(ArtefactError, match="has no temperature"):
        Predictor.open(folder)
    (folder / "model.onnx").write_bytes(b"not a network")
    digest = seal(folder / "model.onnx").read_text(encoding="utf-8").split()[0]
    seal(write_json(folder / RECORD_FILE, record | {"files": record["files"] | {"model.onnx": digest}}))
    with pytest.raises(ArtefactError, match="cannot be opened by ONNX Runtime"):
        Predictor.open(folder)


def test_a_model_that_changed_in_memory_is_not_ready(predictor: Predictor) -> None:
    predictor.check()
    changed = Predictor(predictor.session, predictor.tokenizer, predictor.record, "", 1, expected=(1.0, 0.0, 0.0))
    with pytest.raises(ArtefactError, match="start the server again"):
        changed.check()


def test_the_predictor_needs_no_torch() -> None:
    code = "import sys, text_classifier.predictor, text_classifier.api; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_artefacts_are_found_in_order(home: Path, tiny_artefacts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_artefacts() == home / "artefacts"
    last = home.parents[1] / "outputs" / "text_classifier" / "full" / "artefacts"
    shutil.copytree(tiny_artefacts, last)
    assert find_artefacts() == last
    assert list(task_folders(last)) == ["headers"]
    for chosen in (tiny_artefacts, tiny_artefacts.parent):
        monkeypatch.setenv("CAREFOLIO_ARTEFACTS", str(chosen))
        assert find_artefacts() == tiny_artefacts
    with pytest.raises(ArtefactError, match="is missing a model"):
        served_folders(home)
