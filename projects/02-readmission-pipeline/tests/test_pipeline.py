"""The verbs on the twin: what a run leaves behind, what it refuses, and that a broken one leaves nothing half-written."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result

from carefolio.artefacts import verify_seal
from carefolio.claims import find_problems
from carefolio.datasets.diabetes130_twin import make_diabetes130_twin
from carefolio.evidence import is_synthetic, read_evidence
from carefolio.exceptions import ArtefactError, EvidenceError
from carefolio.model_card import card_problems
from carefolio.runs import publish
from readmission.features import PATIENT
from readmission.model import MODEL_FILE, load_model

Command = Callable[[list[str]], Result]


def test_a_run_writes_evidence_figures_card_and_sealed_model(small_run: Path) -> None:
    evidence = read_evidence(small_run / "reports" / "evidence.json")
    assert is_synthetic(evidence)
    assert evidence.metrics["all_encounters.test.lightgbm.roc_auc"].n == evidence.split.parts["test"]
    assert {"data", "tune", "fit", "evaluate"} <= set(evidence.durations_s)
    for figure in evidence.figures:
        assert (small_run / "reports" / figure.file).stat().st_size > 5_000
    assert len(verify_seal(small_run / "artefacts" / MODEL_FILE)) == 64


def test_the_card_has_no_blank_and_its_numbers_are_those_of_the_run(small_run: Path) -> None:
    path = small_run / "reports" / "model_card.md"
    evidence = read_evidence(small_run / "reports" / "evidence.json")
    text = path.read_text(encoding="utf-8")
    assert card_problems(text, file=path) == []
    problems = find_problems(text, file=path, evidence_by_project={"readmission": evidence}, references={}, project="readmission")
    assert [p for p in problems if "synthetic" not in p.message] == []
    assert any("synthetic" in p.message for p in problems), "figures of the twin must be marked as such"


def test_results_on_the_twin_are_never_published(small_run: Path, tmp_path: Path) -> None:
    from carefolio.evidence import write_evidence

    home = tmp_path / "projects" / "02-readmission-pipeline"
    with pytest.raises(EvidenceError, match="synthetic"):
        write_evidence(home / "reports" / "evidence.json", read_evidence(small_run / "reports" / "evidence.json"))
    assert not home.exists()


def test_publish_copies_every_file_of_a_run(small_run: Path, tmp_path: Path) -> None:
    publish(small_run, tmp_path)
    for name in ("artefacts", "reports"):
        copied = {p.relative_to(tmp_path): p.read_bytes() for p in (tmp_path / name).rglob("*") if p.is_file()}
        assert copied == {p.relative_to(small_run): p.read_bytes() for p in (small_run / name).rglob("*") if p.is_file()}
        assert copied


def test_the_same_seed_gives_the_same_model_and_split(small_run: Path, small_config: Path, invoke: Command, tmp_path: Path) -> None:
    for verb in ("data", "train"):
        assert invoke([verb, "--config", str(small_config), "--out", str(tmp_path)]).exit_code == 0
    for file in (f"artefacts/{MODEL_FILE}", "artefacts/readmission.json", "data/split.json"):
        assert (tmp_path / file).read_bytes() == (small_run / file).read_bytes()


def test_an_altered_model_is_refused(small_run: Path, tmp_path: Path) -> None:
    shutil.copytree(small_run / "artefacts", tmp_path / "artefacts")
    model = tmp_path / "artefacts" / MODEL_FILE
    model.write_text(model.read_text(encoding="utf-8").replace("leaf_value", "leaf_valve", 1), encoding="utf-8")
    with pytest.raises(ArtefactError, match="SHA-256"):
        load_model(tmp_path / "artefacts")


def _csv(folder: Path, frame: pl.DataFrame) -> Path:
    path = folder / "diabetic_data.csv"
    text = frame.with_columns(pl.col("max_glu_serum", "A1Cresult").cast(pl.String).replace("not_measured", "None"))
    text.write_csv(path, null_value="?")
    return path


def _truncated(frame: pl.DataFrame, folder: Path) -> Path:
    path = _csv(folder, frame)
    path.write_bytes(path.read_bytes()[:-40])
    return path


BAD_FILES = {
    "truncated": (_truncated, 6),
    "missing column": (lambda frame, folder: _csv(folder, frame.drop("num_medications")), 6),
    "wrong type": (lambda frame, folder: _csv(folder, frame.with_columns(pl.lit("many").alias("num_medications"))), 6),
    "out of range": (lambda frame, folder: _csv(folder, frame.with_columns(pl.lit(99).alias("time_in_hospital"))), 6),
    "duplicate encounter": (lambda frame, folder: _csv(folder, pl.concat([frame, frame.head(1)])), 6),
    "unknown label": (lambda frame, folder: _csv(folder, frame.with_columns(pl.lit("maybe").alias("readmitted"))), 6),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_gives_one_line_and_nothing_half_written(kind: str, small_config: Path, invoke: Command, tmp_path: Path) -> None:
    make, exit_code = BAD_FILES[kind]
    frame = make_diabetes130_twin(600, 1)
    out = tmp_path / "out"
    arguments = ["data", "--config", str(small_config), "--out", str(out), "--file"]
    result = invoke([*arguments, str(make(frame, tmp_path))])
    assert result.exit_code == exit_code, result.output
    errors = [line for line in result.output.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "Traceback" not in result.output
    assert [p for p in out.rglob("*") if p.is_file() and p.name != "durations.json"] == []
    assert invoke([*arguments, str(_csv(tmp_path, frame))]).exit_code == 0, "the next run on a good file recovers"


def test_a_patient_in_two_parts_stops_training(small_run: Path, small_config: Path, invoke: Command, tmp_path: Path) -> None:
    shutil.copytree(small_run / "data", tmp_path / "data")
    path = tmp_path / "data" / "table.parquet"
    table = pl.read_parquet(path)
    stays = table.filter(pl.col("all_encounters").is_not_null() & (pl.len().over(PATIENT) > 1))
    moved = (pl.col("encounter_id") == stays["encounter_id"][0])
    other = "test" if stays["all_encounters"][0] == "train" else "train"
    table.with_columns(pl.when(moved).then(pl.lit(other)).otherwise("all_encounters").alias("all_encounters")).write_parquet(path)
    result = invoke(["train", "--config", str(small_config), "--out", str(tmp_path)])
    assert result.exit_code == 7
    assert f"patients stand in more than one part, first '{stays[PATIENT][0]}'" in result.output
    assert not (tmp_path / "train").exists()


def test_a_stage_before_its_input_says_which_step_is_missing(small_config: Path, invoke: Command, tmp_path: Path) -> None:
    result = invoke(["evaluate", "--config", str(small_config), "--out", str(tmp_path)])
    assert result.exit_code == 8
    assert "data.json is missing" in result.output


def test_a_misspelt_setting_is_named(invoke: Command, tmp_path: Path) -> None:
    config = tmp_path / "wrong.toml"
    config.write_text("[tuning]\ntrails = 3\n", encoding="utf-8")
    result = invoke(["data", "--config", str(config), "--out", str(tmp_path)])
    assert result.exit_code == 3
    assert "tuning.trails" in result.output


def test_ctrl_c_leaves_the_last_good_model_in_place(small_run: Path, small_config: Path, twin_only: dict, tmp_path: Path) -> None:
    shutil.copytree(small_run, tmp_path / "run")
    before = (tmp_path / "run" / "artefacts" / MODEL_FILE).read_bytes()
    slow = tmp_path / "slow.toml"
    endless = small_config.read_text(encoding="utf-8").replace("trials = 2", "trials = 5000").replace("timeout_s = 20", "timeout_s = 300")
    slow.write_text(endless, encoding="utf-8")
    environment = {name: value for name, value in (os.environ | twin_only).items() if value is not None}
    environment.pop("CAREFOLIO_DATA_DIR", None)
    train = ["train", "--config", str(slow), "--out", str(tmp_path / "run")]
    heeding = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # a job in the background ignores it
    command = [sys.executable, "-c", f"{heeding}; from readmission.cli import main; main()", *train]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            assert any("trial 1" in line for line in process.stderr), "the search has begun"
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert (tmp_path / "run" / "artefacts" / MODEL_FILE).read_bytes() == before
    verify_seal(tmp_path / "run" / "artefacts" / MODEL_FILE)
    assert [p.name for p in (tmp_path / "run").rglob(".*") if p.is_file()] == []


def test_curves_hold_no_patient(small_run: Path) -> None:
    curves = json.loads((small_run / "reports" / "curves.json").read_text(encoding="utf-8"))
    table = pl.read_parquet(small_run / "data" / "table.parquet")
    identifiers = {str(i) for i in table["encounter_id"].to_list()} | {str(i) for i in table[PATIENT].to_list()}
    text = json.dumps(curves)
    assert "encounter_id" not in text
    assert not any(f" {identifier}," in text for identifier in list(identifiers)[:500] if len(identifier) > 5)
