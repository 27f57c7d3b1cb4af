import os
import shutil
import socket
import subprocess
import sys
import threading

import pytest
from mlflow import MlflowClient

from carefolio import tracking
from carefolio.exceptions import ArtefactError, CarefolioError, ConfigError

RUN = {"experiment": "readmission", "run_name": "quick", "parameters": {"seed": 0}, "metrics": {"all.test.lightgbm.roc_auc": 0.66}}


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory):
    path = tmp_path_factory.mktemp("template") / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def store(empty_database, tmp_path):
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


def test_finished_run_is_stored_with_all_its_parts(store, tmp_path):
    figure = tmp_path / "figure.txt"
    figure.write_text("a figure")
    parameters = {f"parameter_{number}": number for number in range(150)} | {"nested": {"a": [1, 2]}}
    run_id = tracking.log_run(tracking_uri=store, experiment="readmission", run_name="full", parameters=parameters,
                              metrics=RUN["metrics"], artefacts=[figure], tags={"commit": "abc"})
    client = MlflowClient(tracking_uri=store)
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "full"
    assert run.data.metrics == {"all.test.lightgbm.roc_auc": 0.66}
    assert run.data.params == {name: str(value) for name, value in parameters.items()}
    assert run.data.tags["commit"] == "abc"
    assert [file.path for file in client.list_artifacts(run_id)] == ["figure.txt"]
    assert list((tmp_path / "mlartifacts").rglob("figure.txt"))
    second = tracking.log_run(tracking_uri=store, **RUN)
    assert client.get_run(second).info.experiment_id == run.info.experiment_id


def test_without_an_address_nothing_happens(monkeypatch):
    monkeypatch.setattr(tracking, "available", lambda: False)
    assert tracking.log_run(tracking_uri=None, **RUN) is None


def test_missing_mlflow_says_how_to_install_it(monkeypatch, store):
    monkeypatch.setattr(tracking, "available", lambda: False)
    with pytest.raises(ConfigError, match=r"carefolio\[tracking\]"):
        tracking.log_run(tracking_uri=store, **RUN)


def test_availability_follows_the_import_system(monkeypatch):
    assert tracking.available()
    monkeypatch.setattr(tracking.importlib.util, "find_spec", lambda name: None)
    assert not tracking.available()


def test_server_that_is_down_is_named_in_one_line_without_its_password():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(tracking.TrackingError, match="no tracking server answers") as caught:
        tracking.log_run(tracking_uri=f"http://user:hunter2@127.0.0.1:{port}", **RUN)
    assert f"http://127.0.0.1:{port}" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 10
    assert isinstance(caught.value, CarefolioError)


def test_server_that_hangs_up_is_given_up_after_bounded_tries(monkeypatch):
    monkeypatch.setitem(tracking.BOUNDED, "MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setitem(tracking.BOUNDED, "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    accepted = []

    def hang_up(listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            accepted.append(1)
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=hang_up, args=(listener,), daemon=True)
        thread.start()
        with pytest.raises(tracking.TrackingError, match="failed: ") as caught:
            tracking.log_run(tracking_uri=f"http://user:hunter2@127.0.0.1:{listener.getsockname()[1]}", **RUN)
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert 2 <= len(accepted) <= 5


def test_run_that_cannot_be_completed_is_marked_as_failed(store):
    with pytest.raises(tracking.TrackingError, match="a bad name"):
        tracking.log_run(tracking_uri=store, **(RUN | {"metrics": {"a bad name\x00": 1.0}}))
    client = MlflowClient(tracking_uri=store)
    experiment = client.get_experiment_by_name("readmission")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FAILED"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_metric_that_is_not_finite_is_refused(store, value):
    with pytest.raises(ValueError, match=r"all\.test\.lightgbm\.roc_auc must be finite"):
        tracking.log_run(tracking_uri=store, **(RUN | {"metrics": {"all.test.lightgbm.roc_auc": value}}))


def test_missing_artefact_is_refused_before_anything_is_logged(tmp_path):
    with pytest.raises(ArtefactError, match=r"none\.onnx is missing"):
        tracking.log_run(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}", **RUN, artefacts=[tmp_path / "none.onnx"])
    assert not (tmp_path / "mlflow.db").exists()


def test_environment_is_left_as_it_was(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "7")
    monkeypatch.delenv("DO_NOT_TRACK", raising=False)
    tracking.log_run(tracking_uri=store, **RUN)
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "7"
    assert "DO_NOT_TRACK" not in os.environ


def test_a_client_of_ones_own_has_bounded_patience_and_plain_errors(store):
    before = dict(os.environ)
    with tracking.tracking_client(store) as client:
        assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
        made = tracking.find_or_create_experiment(client, "ours", store)
        assert tracking.find_or_create_experiment(client, "ours", store) == made
    assert dict(os.environ) == before
    with pytest.raises(tracking.TrackingError, match="failed: ") as caught, tracking.tracking_client(store) as client:
        client.get_run("none")
    assert "\n" not in str(caught.value)


def test_importing_the_module_does_not_import_mlflow():
    code = "import sys, carefolio.tracking; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
