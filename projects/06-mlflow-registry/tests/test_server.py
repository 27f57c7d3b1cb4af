"""The server as a user starts it: it answers, keeps what it was told, and ends politely with all its processes."""

import os
import signal
import sqlite3
import subprocess
import time

import pytest
from mlflow import MlflowClient

from carefolio.command import command_line
from carefolio.exceptions import ConfigError
from carefolio.local_server import free_port
from carefolio.tracking import TrackingError
from model_registry import places
from model_registry.tracking import server

UP = command_line("model_registry", "up")


def wait_until(said, patience_s=240):
    """Wait for something to become true."""
    deadline = time.monotonic() + patience_s
    while not said():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.slow
def test_up_serves_until_it_is_ended_and_keeps_what_it_was_told(tmp_path):
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    for round_ in range(2):
        process = subprocess.Popen([*UP, "--port", str(port), "--out", str(tmp_path), "--workers", "1"], stdout=subprocess.PIPE, text=True)
        try:
            wait_until(lambda process=process: places.answers(address) or process.poll() is not None)
            client = MlflowClient(address)
            if round_ == 0:
                client.create_experiment("kept")
            assert client.get_experiment_by_name("kept") is not None
            line = process.stdout.readline()
            assert address in line
        finally:
            os.kill(process.pid, signal.SIGTERM)
            said, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert said.rstrip().endswith("stopped")
        wait_until(lambda: not server.listens(address), 20)


def test_a_port_that_is_taken_is_named(address, tmp_path):
    port = int(address.rpartition(":")[2])
    with pytest.raises(TrackingError, match="choose another --port"), server.run_tracking_server(tmp_path, port=port):
        pass


def test_the_database_lets_readers_read_while_one_writes(tmp_path):
    address = server.sqlite_uri(tmp_path)
    assert address.endswith("?timeout=120")
    with sqlite3.connect(tmp_path / "mlflow.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_variables_win_over_the_folder_and_a_missing_driver_is_named(tmp_path, monkeypatch):
    plan = server.plan_server(tmp_path, environment={server.DATABASE_VARIABLE: "postgresql://u:secret@h/d",
                                                     server.ARTEFACTS_VARIABLE: "s3://bucket/x"})
    assert "secret" not in " ".join(plan.command)
    assert plan.variables[server.ARTEFACTS_VARIABLE] == "s3://bucket/x"
    assert plan.variables["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert plan.variables["MLFLOW_SQLALCHEMYSTORE_POOL_SIZE"] == "45", "a request may ask for a second connection while it holds one"
    assert not (tmp_path / "mlflow.db").exists()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"carefolio-model-registry\[postgresql\]"):
        server.plan_server(tmp_path, environment={server.DATABASE_VARIABLE: "postgresql://u@h/d"})


def test_the_address_is_what_was_given_else_what_answers_else_the_last_run(address, tmp_path, monkeypatch):
    monkeypatch.setenv(places.URI_VARIABLE, "http://elsewhere")
    assert places.address_for("http://given", None) == "http://given"
    assert places.address_for(None, None) == "http://elsewhere"
    monkeypatch.delenv(places.URI_VARIABLE)
    monkeypatch.setattr(places, "DEFAULT_SERVER", address)
    assert places.address_for(None, None) == address
    monkeypatch.setattr(places, "DEFAULT_SERVER", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setattr(places, "outputs", lambda: tmp_path)
    with pytest.raises(ConfigError, match="registry run --quick"):
        places.address_for(None, None)
    (tmp_path / "quick" / "journal").mkdir(parents=True)
    with pytest.raises(ConfigError, match="no database"):
        places.address_for(None, None)
    server.sqlite_uri(tmp_path / "quick")
    assert str(tmp_path / "quick") in places.address_for(None, None)


def test_help_teaches_the_way_through(invoke):
    said = invoke("--help").output
    verbs = ("up", "search", "register", "promote", "rollback", "serve", "reproduce")
    assert [verb for verb in verbs if f"registry {verb}" not in said] == []
    assert "Not a medical device" in said
