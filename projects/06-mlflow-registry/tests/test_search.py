"""What a search leaves on a real server, and that its result does not depend on who ran the trials."""

import json
from pathlib import Path

import polars as pl
import pytest
from mlflow import MlflowClient

from carefolio.artefacts import verify_seal
from carefolio.evidence import read_evidence
from carefolio.exceptions import ConfigError
from carefolio.model_card import card_problems
from model_registry import model, tuning
from model_registry.names import CARDS
from model_registry.report import parameter_importance
from model_registry.tracking.runs import list_runs, read_record


def test_trials_are_nested_in_their_search_with_parameters_and_folds(first_run):
    searches = {run.run_id: run for run in list_runs(first_run.address, "readmission", nested=False)}
    trials = [run for run in list_runs(first_run.address, "readmission", nested=True) if run.parent == first_run.run_id()]
    assert searches[first_run.run_id()].status == "FINISHED"
    assert len(trials) == 4
    assert {run.status for run in trials} == {"FINISHED"}
    client = MlflowClient(first_run.address)
    for run in trials:
        assert {"learning_rate", "num_leaves"} <= set(run.parameters)
        folds = client.get_metric_history(run.run_id, "search.train.cv.fold")
        assert [point.step for point in sorted(folds, key=lambda point: point.step)] == [0, 1]
        assert run.metrics["search.train.cv.mean"] == pytest.approx(sum(point.value for point in folds) / 2)


def test_a_search_names_the_hash_of_every_byte_it_read(first_run):
    run = next(run for run in list_runs(first_run.address, "readmission", nested=False) if run.run_id == first_run.run_id())
    data = json.loads((first_run.out / "data" / "readmission.json").read_text())
    assert run.inputs == {"diabetes130": data["provenance"]["sha256"], "readmission split": data["split"]["sha256"],
                          "readmission table": data["table_sha256"]}
    assert run.tags["carefolio.synthetic"] == "true"
    (inputs,) = [MlflowClient(first_run.address).get_run(run.run_id).inputs.dataset_inputs]
    assert all(len(item.dataset.digest) == 36 for item in inputs), "MLflow's limit; the whole hash stands in a tag"


@pytest.mark.parametrize("name", ["readmission", "survival"])
def test_a_search_keeps_what_it_takes_to_make_it_again(first_run, name, tmp_path):
    record, files = read_record(first_run.address, first_run.run_id(name), tmp_path)
    assert {path.name for path in files.iterdir()} >= {"record.json", "requirements.txt", f"{name}.json"}
    assert record["experiment"] == name
    assert len(record["commit"]) == 40
    assert record["packages"]["lightgbm"]
    assert "carefolio" not in record["packages"]
    assert f"lightgbm=={record['packages']['lightgbm']}" in (files / "requirements.txt").read_text().splitlines()


def test_evidence_and_card_are_artefacts_of_the_run(first_run, tmp_path):
    client = MlflowClient(first_run.address)
    for name, card in CARDS.items():
        names = {item.path for item in client.list_artifacts(first_run.run_id(name), "reports")}
        assert {"reports/evidence.json", "reports/registry.json"} <= names
        assert {path for path in names if "model_card" in path} == {f"reports/{card}"}, "its own card, not the other's"
        kept = client.download_artifacts(first_run.run_id(name), f"reports/{card}", str(tmp_path))
        assert card_problems(Path(kept).read_text(encoding="utf-8"), file=tmp_path) == []
    evidence = read_evidence(first_run.out / "reports" / "evidence.json")
    run = client.get_run(first_run.run_id())
    ours = {key: value.value for key, value in evidence.metrics.items() if key.startswith("readmission.test.")}
    assert {key: value for key, value in run.data.metrics.items() if key in ours} == ours
    assert evidence.metrics["readmission.test.lightgbm.roc_auc"].low is not None


def test_a_logged_model_has_signature_example_and_pinned_requirements(first_run):
    client = MlflowClient(first_run.address)
    for name, flavour in (("readmission", "lightgbm"), ("survival", "onnx")):
        run = client.get_run(first_run.run_id(name))
        folder = first_run.out / "models" / name
        text = (folder / "MLmodel").read_text()
        assert f"{flavour}:" in text
        assert "signature:" in text
        assert "input_example.json" in text
        assert not [path for path in folder.rglob("*") if path.suffix in (".pkl", ".pickle", ".joblib")]
        assert all("==" in line for line in (folder / "requirements.txt").read_text().split())
        logged = client.get_logged_model(run.data.tags["carefolio.model_id"])
        assert logged.source_run_id == run.info.run_id
        assert logged.status == "READY"


def test_workers_find_what_one_process_finds(first_run, small_config, invoke, tmp_path):
    invoke("search", "readmission", "--config", small_config, "--out", tmp_path, "--tracking-uri", "none", "--engine", "dask",
           "--workers", "2")
    before, after = (json.loads((out / "result" / "readmission.json").read_text()) for out in (first_run.out, tmp_path))
    assert before["metrics"] == after["metrics"]
    assert [trial["values"] for trial in before["trials"]] == [trial["values"] for trial in after["trials"]]
    assert before["model_sha256"] == after["model_sha256"]


def test_the_first_trial_is_the_model_as_its_library_comes(first_run):
    trials = json.loads((first_run.out / "train" / "readmission.json").read_text())["trials"]
    assert trials[0]["parameters"] == pytest.approx(model.START)
    assert trials[1]["parameters"] != trials[0]["parameters"]
    evidence = read_evidence(first_run.out / "reports" / "evidence.json").metrics
    means = [sum(trial["values"]) / len(trial["values"]) for trial in trials]
    assert evidence["readmission.search.first.roc_auc"].value == means[0]
    assert evidence["readmission.search.best.roc_auc"].value == max(means)
    assert evidence["readmission.search.all.trials"].value == 4


def test_artefacts_are_sealed_and_whole(first_run):
    for name, weights in (("readmission", "model.lgb"), ("survival", "model.onnx")):
        folder = first_run.out / "artefacts" / name
        assert verify_seal(folder / weights) == json.loads((first_run.out / "train" / f"{name}.json").read_text())["model_sha256"]
        verify_seal(folder / "encoding.json")
        assert set(json.loads((folder / "encoding.json").read_text())) >= {"features", "categories"}


def test_an_unknown_engine_is_refused():
    with pytest.raises(ConfigError, match="local, dask"), tuning.engine("spark"):
        pass


def test_importance_finds_the_parameter_that_mattered_and_is_silent_on_few_trials():
    trials = [{"parameters": {"C": 10.0 ** (i % 4 - 3), "time_varying": i % 8 > 3}, "values": [0.5 + 0.1 * (i % 4)]} for i in range(12)]
    shares = parameter_importance("survival", trials, seed=0)
    assert next(iter(shares)) == "C"
    assert parameter_importance("survival", trials[:2], seed=0) == {}


def test_the_example_is_nobodys_row(first_run):
    about = json.loads((first_run.out / "models" / "readmission" / "input_example.json").read_text())
    table = pl.read_parquet(first_run.out / "data" / "readmission" / "data" / "table.parquet")
    ages = table["age_years"].drop_nulls()
    assert about["data"][0][about["columns"].index("age_years")] == pytest.approx(ages.median(), abs=10)
