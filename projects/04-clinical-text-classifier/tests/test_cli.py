"""The verbs for one text and one base: a text classified, a model of GPT-J's class tuned, and what is refused."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from carefolio.exceptions import ArtefactError, UnsuitableTextError
from text_classifier.cli import main
from text_classifier.schemas import DIALOGUE

SMALL = """
[features]
max_rows = 20
[training.max_tokens]
headers = 16
decisions = 16
specialties = 16
"""


@pytest.fixture
def served(tiny_artefacts: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Serve the tiny encoder."""
    monkeypatch.setenv("CAREFOLIO_ARTEFACTS", str(tiny_artefacts))
    return tiny_artefacts


@pytest.fixture
def dialogue(tmp_path: Path) -> Path:
    """Write the example conversation to a file."""
    path = tmp_path / "conversation.txt"
    path.write_text(DIALOGUE, encoding="utf-8")
    return path


def test_help_names_every_verb_and_says_what_this_is_not() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for expected in ("classify", "tune", "data", "train", "evaluate", "report", "run", "serve", "dashboard", "Not a medical device"):
        assert expected in result.output
    for verb in main.commands:
        assert CliRunner().invoke(main, [verb, "--help"]).exit_code == 0


def test_help_loads_nothing_heavy() -> None:
    code = ("import sys\nfrom text_classifier.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n"
            "    heavy = {'torch', 'transformers', 'onnxruntime', 'numpy', 'polars', 'sklearn', 'streamlit'} & set(sys.modules)\n"
            "    print('heavy:', sorted(heavy))\n")
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
        seconds.append(time.perf_counter() - start)
        assert done.stdout.splitlines()[-1] == "heavy: []"
    assert min(seconds) < 5


def test_classify_prints_labels_words_and_the_disclaimer(served: Path, dialogue: Path) -> None:
    result = CliRunner().invoke(main, ["classify", str(dialogue)])
    assert result.exit_code == 0, result.output
    for expected in ("ALLERGY", "GENHX", "words that mattered:", "Not a medical device"):
        assert expected in result.output


def test_classify_prints_json_from_standard_input(served: Path) -> None:
    result = CliRunner().invoke(main, ["classify", "-", "--json"], input=DIALOGUE)
    assert result.exit_code == 0, result.output
    body = json.loads(result.output)
    assert sum(body["probabilities"].values()) == pytest.approx(1)
    assert body["probability"] == max(body["probabilities"].values()) == body["probabilities"][body["label"]]
    assert {one["word"] for one in body["words"]} <= set(re.findall(r"\w+", DIALOGUE))


@pytest.mark.parametrize(("content", "message"), [
    (b"", "letter"), (b"   \n ", "letter"), (b"\xff\xfe\x00note", "UTF-8"), (b"note \x00 with a zero byte", "control character"),
    (b"cough " * 175_000, "20,000 characters; got 1,050,000"),
])
def test_what_is_no_text_is_refused_in_one_line(content: bytes, message: str, served: Path, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    result = CliRunner().invoke(main, ["classify", str(path)])
    assert result.exit_code == UnsuitableTextError.exit_code, result.output
    assert message in result.output
    assert len(result.output.splitlines()) == 1


def test_a_task_without_a_model_is_named(served: Path, dialogue: Path) -> None:
    result = CliRunner().invoke(main, ["classify", str(dialogue), "--task", "decisions"])
    assert result.exit_code == ArtefactError.exit_code
    assert "no model of decisions" in result.output
    assert "textclass run --quick" in result.output


def test_classify_without_any_model_says_how_to_make_one(home: Path, dialogue: Path) -> None:
    result = CliRunner().invoke(main, ["classify", str(dialogue)])
    assert result.exit_code == ArtefactError.exit_code
    assert "textclass run --quick" in result.output


@pytest.mark.parametrize("method", ["lora", "full"])
def test_tune_takes_a_folder_with_a_model_of_the_class_of_gptj(method: str, make_gptj: Callable[..., Path], twin_only: dict,
                                                               tmp_path: Path) -> None:
    from text_classifier.model import load_model

    config, base, out = tmp_path / "small.toml", make_gptj(tmp_path / "gptj"), tmp_path / "run"
    config.write_text(SMALL, encoding="utf-8")
    given = ["--config", str(config), "--out", str(out)]
    runner = CliRunner(env=twin_only)
    assert runner.invoke(main, ["data", *given, "--task", "headers"]).exit_code == 0
    result = runner.invoke(main, ["tune", *given, "--base-model", str(base), "--method", method, "--epochs", "1", "--batch", "4"])
    assert result.exit_code == 0, result.output
    assert f"gptj_{method} on headers: accuracy" in result.output
    opened, record = load_model(out / "tuned" / "headers" / f"gptj_{method}" / "seed0" / "model")
    assert (opened.base.kind, record["adapters"]) == ("causal", method == "lora")


def test_tune_without_data_says_what_to_run_first(make_gptj: Callable[..., Path], tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["tune", "--base-model", str(make_gptj(tmp_path / "gptj")), "--out", str(tmp_path / "run")])
    assert result.exit_code == ArtefactError.exit_code
    assert "textclass data" in result.output
