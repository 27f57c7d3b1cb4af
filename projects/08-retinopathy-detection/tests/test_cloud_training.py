"""SageMaker's contract for training: what is read from where, what is refused, and the reason in the file that the platform shows."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from carefolio.artefacts import write_json, write_text
from carefolio.config import load_config
from carefolio.exceptions import ArtefactError, ConfigError, DataUnavailableError
from retinopathy.cloud import container, training
from retinopathy.cloud.settings import Hyperparameters, read_hyperparameters
from retinopathy.config import PROJECT, RetinopathySettings

Contract = Callable[..., training.Places]


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    """Lay a root out as SageMaker does."""
    def lay_out(hyperparameters: object = None, *, hosts: int = 1) -> training.Places:
        places = training.find_places({"CAREFOLIO_ML_ROOT": str(tmp_path)})
        places.config.mkdir(parents=True)
        if hyperparameters is not None:
            (places.config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
        (places.config / "resourceconfig.json").write_text(json.dumps({"hosts": [f"algo-{number}" for number in range(hosts)]}))
        return places

    return lay_out


def run(places: training.Places, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Start the container's program as the platform does."""
    environment = {key: value for key, value in os.environ.items() if key != "CAREFOLIO_DATA_DIR"}
    environment |= {"CAREFOLIO_ML_ROOT": str(places.config.parents[1]), **variables}
    return subprocess.run([sys.executable, "-m", "retinopathy.cloud.container", "train", *options], env=environment, capture_output=True,
                          text=True, check=False)


def test_bad_hyperparameter_ends_the_program_with_its_reason_in_the_failure_file(contract):
    places = contract({"depth": "5"})
    done = run(places)
    assert done.returncode == ConfigError.exit_code
    reason = places.failure.read_text(encoding="utf-8")
    assert "hyperparameter `depth`" in reason and "Known: quick, synthetic, seed" in reason and "got '5'" in reason
    assert f"error: {reason}" in done.stderr
    assert "Traceback" not in done.stderr
    assert not places.model.exists()


def test_channel_with_half_a_data_set_is_not_topped_up_with_drawn_retinas(contract):
    places = contract({"quick": "true"})
    (places.data / "idrid").mkdir(parents=True)
    done = run(places, CAREFOLIO_OFFLINE="1")
    assert done.returncode == DataUnavailableError.exit_code, done.stderr
    assert "channel `training` lacks files of idrid" in places.failure.read_text(encoding="utf-8")
    assert not places.model.exists()


@pytest.mark.parametrize(("told", "fault"), [
    ({"seed": "minus one"}, r"`seed`.*valid integer.*got 'minus one'"), ({"seed": "-1"}, "`seed`.*greater than or equal to 0"),
    ({"quick": "perhaps"}, r"`quick`.*valid boolean.*got 'perhaps'"), ({"views": "0"}, r"features\.views"),
    ({"folds": "1"}, r"split\.folds"), ({"side": "33"}, r"preparation\.side"),
    (["seed"], "must hold an object of strings by name; got list")])
def test_what_is_told_is_checked_before_anything_is_read(contract, told, fault):
    places = contract(told)
    (places.data / "idrid").mkdir(parents=True)
    with pytest.raises(ConfigError, match=fault):
        training.run_training(places, {})
    assert places.failure.read_text(encoding="utf-8")


def test_channel_without_photographs_is_refused(contract):
    places = contract({})
    with pytest.raises(DataUnavailableError, match="must hold the folder idrid as CAREFOLIO_DATA_DIR does; got no such folder"):
        training.run_training(places, {})
    (places.data / "chests").mkdir(parents=True)
    with pytest.raises(DataUnavailableError, match="got chests"):
        training.run_training(places, {})


def test_more_than_one_machine_is_refused(contract):
    with pytest.raises(ConfigError, match="names 2 machines; this training runs on one"):
        training.run_training(contract({}, hosts=2), {})


def test_file_that_is_no_json_is_refused(contract):
    places = contract()
    (places.config / "hyperparameters.json").write_text("{")
    with pytest.raises(ArtefactError, match="is not valid JSON"):
        training.run_training(places, {})


def test_failure_that_nobody_expected_is_written_and_goes_on(contract, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("the disk is full " + "x" * 2000)

    monkeypatch.setattr(training, "train", fail)
    places = contract({})
    with pytest.raises(RuntimeError, match="the disk is full"):
        training.run_training(places, {})
    reason = places.failure.read_text(encoding="utf-8")
    assert reason.startswith("RuntimeError: the disk is full") and len(reason) == 1024


def test_command_line_wins_over_the_file(contract):
    places = contract({"seed": "1", "views": "2"})
    assert training.read_told(places, {"seed": "7"}) == Hyperparameters(seed=7, views=2)


def test_option_that_is_no_hyperparameter_is_refused(contract):
    done = run(contract({}), "--set", "seed")
    assert done.returncode == ConfigError.exit_code and "--set takes NAME=VALUE; got 'seed'" in done.stderr


def test_places_are_those_of_each_platform():
    plain = training.find_places({})
    assert [str(place) for place in (plain.config, plain.data, plain.model, plain.reports, plain.failure)] == [
        "/opt/ml/input/config", "/opt/ml/input/data/training", "/opt/ml/model", "/opt/ml/output/data", "/opt/ml/output/failure"]
    vertex = training.find_places({"AIP_MODEL_DIR": "gs://ours/jobs/1/model/"}, data=Path("/gcs/ours/data"))
    assert (vertex.model, vertex.data) == (Path("/gcs/ours/jobs/1/model"), Path("/gcs/ours/data"))
    azure = training.find_places({}, data=Path("in"), model=Path("out"), reports=Path("said"))
    assert (azure.data, azure.model, azure.reports) == (Path("in"), Path("out"), Path("said"))


def test_every_hyperparameter_reaches_the_settings():
    told = {"quick": "true", "seed": "3", "epochs": "6", "views": "2", "folds": "4", "max_rows": "50", "side": "160", "replicates": "30"}
    read = read_hyperparameters(told, where="a test")
    assert read.strings() == told | {"synthetic": "false"}
    settings = load_config(RetinopathySettings, PROJECT, quick=read.quick, seed=read.seed, over=read.over())
    assert settings.tuning.epochs == settings.benchmark.epochs == 6
    assert (settings.seed, settings.features.views, settings.split.folds, settings.split.max_rows, settings.preparation.side,
            settings.evaluation.replicates) == (3, 2, 4, 50, 160, 30)
    assert Hyperparameters().over() == {}


def test_only_the_data_sets_that_are_there_are_trained_on(tmp_path):
    (tmp_path / "idrid").mkdir()
    assert training.choose_parts(tmp_path, synthetic=False) == ["idrid"]
    (tmp_path / "retinamnist").mkdir()
    assert training.choose_parts(tmp_path, synthetic=False) == ["idrid", "retinamnist"]
    assert training.choose_parts(tmp_path / "nowhere", synthetic=True) == ["idrid", "retinamnist"]


def test_folders_of_the_command_line_and_of_vertex_ai_receive_what_was_made(tmp_path, monkeypatch):
    """The stages are stood in for; `test_cloud_container.py` runs the real ones."""
    seen: list[tuple[str, Any]] = []

    def write_data(settings: RetinopathySettings, out: Path, *, parts: list[str]) -> None:
        seen.append((os.environ["CAREFOLIO_DATA_DIR"], parts))
        write_json(out / "data" / "data.json", {"provenance": {"idrid": {"origin": "mirror"}}, "problems": {}})

    def write_grader(settings: RetinopathySettings, out: Path) -> None:
        write_text(out / "artefacts" / "grader.json", str(settings.seed))

    def write_report(settings: RetinopathySettings, out: Path, *, command: str, to_repository: bool) -> None:
        assert not to_repository
        write_text(out / "reports" / "figures" / "a.png", command)

    for name, stage in (("data", write_data), ("train", write_grader), ("evaluate", lambda *_: None), ("report", write_report)):
        monkeypatch.setattr(f"retinopathy.pipeline.{name}_stage", stage)
    for name, value in (("AIP_MODEL_DIR", str(tmp_path / "model")), ("CAREFOLIO_ML_ROOT", str(tmp_path / "ml")),
                        ("CAREFOLIO_DATA_DIR", "elsewhere"), ("CAREFOLIO_OFFLINE", "0"), ("CAREFOLIO_CACHE_DIR", "elsewhere")):
        monkeypatch.setenv(name, value)
    (tmp_path / "data" / "idrid").mkdir(parents=True)
    options = ["--data", str(tmp_path / "data"), "--reports", str(tmp_path / "said"), "--set", "seed=7"]
    result = CliRunner().invoke(container.main, ["train", *options])
    assert result.exit_code == 0, result.output
    assert seen == [(str(tmp_path / "data"), ["idrid"])]
    assert (tmp_path / "model" / "grader.json").read_text() == "7"
    assert (tmp_path / "said" / "figures" / "a.png").read_text() == training.COMMAND
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "model", "said"], "no data left behind, no failure"
