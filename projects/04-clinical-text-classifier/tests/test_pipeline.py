"""The verbs on twins: what a run leaves behind, what it refuses, and that it goes on where it was stopped."""

import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from carefolio.artefacts import read_json, sha256_file
from carefolio.evidence import is_synthetic, read_evidence
from carefolio.exceptions import ArtefactError
from carefolio.model_card import card_problems
from carefolio.runs import publish
from text_classifier.artefacts import WEIGHT_FILES
from text_classifier.cli import main
from text_classifier.config import FOLDER, PARTS
from text_classifier.forgetting import draw_sample, probed_on

Command = Callable[[list[str]], Result]
SMALL = """
[features]
max_rows = 20
[baselines]
strengths = [1.0]
embedding_tokens = 16
[training]
curve_shares = [0.5, 1.0]
[training.max_tokens]
headers = 16
decisions = 16
specialties = 16
[systems.minilm_full]
base = "{encoder}"
epochs = 1
seeds = {{ headers = [0], decisions = [0], specialties = [0] }}
[systems.minilm_lora]
base = "{encoder}"
epochs = 1
seeds = {{ headers = [0] }}
[systems.smollm2_full]
base = "{gptj}"
method = "full"
learning_rate = 1e-4
batch = 8
accumulation = 2
epochs = 1
seeds = {{ headers = [0] }}
max_train_rows = 8
[systems.smollm2_lora]
base = "{gptj}"
epochs = 1
seeds = {{ headers = [0] }}
max_train_rows = 8
[evaluation]
replicates = 20
forgetting_texts = 1
forgetting_tokens = 16
[export]
tasks = ["headers", "decisions", "specialties"]
least_agreement = 0.0
sample_texts = 8
test_texts = 8
timed_texts = 2
repeats = 1
"""


@pytest.fixture(scope="module")
def invoke(twin_only: dict[str, str | None]) -> Command:
    """Call the command as a user would, where only twins can be had."""
    return lambda arguments: CliRunner().invoke(main, arguments, env=twin_only)


@pytest.fixture(scope="module")
def small_config(tmp_path_factory: pytest.TempPathFactory, make_gptj: Callable[..., Path], tiny_base: Path) -> Path:
    """Settings that run in seconds: the encoder is tiny, and so is the causal model, one of GPT-J's class."""
    folder = tmp_path_factory.mktemp("config")
    path = folder / "small.toml"
    path.write_text(SMALL.format(gptj=make_gptj(folder / "gptj"), encoder=tiny_base), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def small_run(tmp_path_factory: pytest.TempPathFactory, small_config: Path, invoke: Command) -> Path:
    """Folder of a whole run of all tasks."""
    out = tmp_path_factory.mktemp("run")
    result = invoke(["run", "--config", str(small_config), "--out", str(out)])
    assert result.exit_code == 0, result.output
    return out


def test_a_run_writes_evidence_figures_and_what_the_dashboard_reads(small_run: Path) -> None:
    evidence = read_evidence(small_run / "reports" / "evidence.json")
    assert is_synthetic(evidence)
    assert {record.name: record.origin for record in evidence.data} == dict.fromkeys(("mts_dialog", "pubmedqa", "mtsamples"), "synthetic")
    for figure in evidence.figures:
        assert (small_run / "reports" / figure.file).stat().st_size > 5_000
        assert len(figure.alt) > 30
    assert {path.name for path in (small_run / "reports").glob("*.json")} == {"evidence.json", *(f"{task}.json" for task in PARTS)}


def test_the_card_has_no_blank(small_run: Path) -> None:
    path = small_run / "reports" / "model_card.md"
    assert card_problems(path.read_text(encoding="utf-8"), file=path) == []


def test_every_task_has_an_export_whose_hashes_stand_in_the_evidence(small_run: Path) -> None:
    artefacts = read_evidence(small_run / "reports" / "evidence.json").artefacts
    assert {one.file for one in artefacts} == {f"artefacts/{task}/{name}" for task in PARTS for name in (*WEIGHT_FILES, "model.json")}
    assert [one.file for one in artefacts if sha256_file(small_run / one.file) != one.sha256] == []


@pytest.mark.parametrize("task", list(PARTS))
def test_the_export_is_that_of_the_best_encoder_on_validation(task: str, small_run: Path) -> None:
    record = read_json(small_run / "artefacts" / task / "model.json")
    metrics = read_evidence(small_run / "reports" / "evidence.json").metrics
    encoders = ("minilm_full", "minilm_lora") if task == "headers" else ("minilm_full",)
    accuracies = {name: metrics[f"{task}.valid.{name}.accuracy"].value for name in encoders}
    assert accuracies[record["system"]] == max(accuracies.values())
    assert record["valid_accuracy"] == pytest.approx(accuracies[record["system"]])
    assert record["base"]["kind"] == "encoder"
    assert {"temperature", "max_tokens", "threshold_95", "seed", "training"} <= set(record)
    for name in ("accuracy_change", "same_label", "speed_up", "batch32_speed_up"):
        assert metrics[f"{task}.test.served.{name}"] == metrics[f"{task}.test.{record['system']}_int8.{name}"]


def test_every_metric_of_quality_has_an_interval(small_run: Path) -> None:
    metrics = read_evidence(small_run / "reports" / "evidence.json").metrics
    judged = [name for name in metrics if ".test." in name and name.rpartition(".")[2] in ("accuracy", "macro_f1", "calibration_error")]
    assert len(judged) > 20
    assert [name for name in judged if metrics[name].low is None] == []


def test_forgetting_is_the_difference_of_two_probes_on_another_task(small_run: Path) -> None:
    metrics = read_evidence(small_run / "reports" / "evidence.json").metrics
    for system in ("minilm_full", "minilm_lora", "smollm2_full", "smollm2_lora"):
        tuned, untouched, change = (metrics[f"headers.forgetting.{system}.probe_accuracy{name}"] for name in ("", "_untouched", "_change"))
        assert change.value == pytest.approx(tuned.value - untouched.value)
        assert change.low <= change.value <= change.high
    bases = [metrics[f"headers.forgetting.{system}.probe_accuracy_untouched"].value for system in ("minilm_full", "minilm_lora")]
    assert bases[0] == bases[1]
    assert all(probed_on(task) != task for task in PARTS)


def test_a_probe_sees_no_test_text_and_at_most_so_many_of_a_label() -> None:
    rows = [(row, part, f"{label}") for row, (part, label) in enumerate((part, label) for part in ("train", "valid", "test")
                                                                         for label in "ab" for _ in range(40))]
    table = pl.DataFrame(rows, schema=["row", "part", "label"], orient="row")
    sample = draw_sample(table, 3, seed=0)
    assert sample.group_by("part").len().sort("part").rows() == [("train", 6), ("valid", 30)]
    assert sample.equals(draw_sample(table, 3, seed=0))


def test_a_second_train_makes_nothing_again(small_run: Path, small_config: Path, invoke: Command) -> None:
    made = {path: path.stat().st_mtime_ns for folder in ("train", "forgetting", "artefacts")
            for path in (small_run / folder).rglob("*") if path.is_file()}
    result = invoke(["train", "--config", str(small_config), "--out", str(small_run)])
    assert result.exit_code == 0, result.output
    assert {path: path.stat().st_mtime_ns for path in made} == made
    assert "minilm_full seed" not in result.output


def test_a_training_that_is_missing_is_made_again_alone(small_run: Path, small_config: Path, invoke: Command, tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(small_run, out)
    folder = out / "train" / "headers" / "smollm2_lora" / "seed0"
    before = pl.read_parquet(folder / "predictions.parquet")
    (folder / "done.json").unlink()
    result = invoke(["train", "--config", str(small_config), "--out", str(out)])
    assert result.exit_code == 0, result.output
    after = pl.read_parquet(folder / "predictions.parquet")
    assert before.select("row", "part").equals(after.select("row", "part"))
    assert after.drop("row", "part").to_numpy() == pytest.approx(before.drop("row", "part").to_numpy(), abs=1e-5)
    assert "smollm2_full" not in result.output


def test_what_is_committed_holds_no_text_of_the_data(small_run: Path) -> None:
    texts = [text for task in PARTS for text in pl.read_parquet(small_run / "features" / f"{task}.parquet")["text"]]
    for path in (small_run / "reports").glob("*.json"):
        content = path.read_text(encoding="utf-8")
        assert len(content) < 600_000
        assert [text for text in texts if text[:60] in content] == []


def test_results_on_twins_are_never_published(small_config: Path, small_run: Path, twin_only: dict, tmp_path: Path) -> None:
    home = tmp_path / "projects" / FOLDER
    home.mkdir(parents=True)
    shutil.copytree(small_run, tmp_path / "outputs" / "text_classifier" / "full")
    result = CliRunner().invoke(main, ["report", "--config", str(small_config)], env={**twin_only, "CAREFOLIO_HOME": str(tmp_path)})
    assert result.exit_code == 0, result.output
    assert list(home.iterdir()) == []


def test_publish_copies_reports_and_artefacts(small_run: Path, tmp_path: Path) -> None:
    publish(small_run, tmp_path)
    for name in ("artefacts", "reports"):
        copied = {path.relative_to(tmp_path): path.read_bytes() for path in (tmp_path / name).rglob("*") if path.is_file()}
        assert copied == {path.relative_to(small_run): path.read_bytes() for path in (small_run / name).rglob("*") if path.is_file()}
        assert copied


@pytest.mark.parametrize(("verb", "needed"), [("train", "data"), ("evaluate", "data"), ("report", "data")])
def test_a_stage_says_what_it_needs(verb: str, needed: str, small_config: Path, invoke: Command, tmp_path: Path) -> None:
    result = invoke([verb, "--config", str(small_config), "--out", str(tmp_path)])
    assert result.exit_code == ArtefactError.exit_code
    assert needed in result.output
