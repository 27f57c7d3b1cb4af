"""A run survives the server: it is killed in mid-run and brought back, and nothing is missing or double."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from mlflow import MlflowClient

from carefolio.exceptions import ArtefactError
from carefolio.local_server import ask_server, free_port
from carefolio.tracking import TrackingError
from model_registry.tracking import journal as journals
from model_registry.tracking.delivery import LOCK_FILE, deliver, deliver_or_fail, run_id_of
from model_registry.tracking.server import plan_server
from model_registry.train import failed_if_cut_off


def begin(folder, **options):
    return journals.begin_run(folder, experiment="outage", name="run", tags={"commit": "abc"}, **options)


@contextmanager
def killable_server(folder, port):
    """A server that the test ends without a chance to tidy up."""
    plan = plan_server(folder, port=port, workers=1)
    process = subprocess.Popen(plan.command, env=os.environ | dict(plan.variables), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               start_new_session=True)

    def kill():
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    deadline = time.monotonic() + 240
    try:
        while True:
            try:
                ask_server(f"{plan.address}/health")
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.2)
        yield plan.address, kill
    finally:
        kill()


@pytest.mark.slow
def test_a_server_killed_in_mid_run_loses_no_metric(tmp_path):
    port, server, folder = free_port(), tmp_path / "server", tmp_path / "journal"
    steps = list(range(300))
    with killable_server(server, port) as (address, kill):
        parent = begin(folder)
        for step in steps:
            journals.log_metrics(parent, [("loss", 1 / (1 + step), step)])
            if step == 100:
                assert deliver(folder, address).left == 0
            if step == 150:
                kill()
            if step in (160, 299):
                done = deliver(folder, address)
                assert done.left > 0
                assert "no tracking server answers" in done.reason
        child = begin(folder, parent=parent.name)
        journals.log_parameters(child, {"a": 1})
        journals.end_run(child)
        journals.end_run(parent)
        with pytest.raises(TrackingError, match="nothing is lost"):
            deliver_or_fail(folder, address)
    with killable_server(server, port) as (address, _):
        assert deliver(folder, address).left == 0
        client = MlflowClient(address)
        history = client.get_metric_history(run_id_of(parent), "loss")
        assert [point.step for point in sorted(history, key=lambda point: point.step)] == steps
        assert [point.value for point in sorted(history, key=lambda point: point.step)] == [1 / (1 + step) for step in steps]
        assert client.get_run(run_id_of(parent)).info.status == "FINISHED"
        assert client.get_run(run_id_of(child)).data.tags["mlflow.parentRunId"] == run_id_of(parent)


def test_what_is_sent_twice_is_stored_once(address, tmp_path):
    journal = begin(tmp_path)
    journals.log_metrics(journal, [("m", 0.1 * step, step) for step in range(5)])
    journals.log_parameters(journal, {"a": 1})
    assert deliver(tmp_path, address).delivered == 3
    first = run_id_of(journal)
    state = journals.read_state(journal)
    journals.write_state(journal, state | {"delivered": 0, "run_id": None})
    assert deliver(tmp_path, address).left == 0
    assert run_id_of(journal) == first, "a run whose creation was not acknowledged is found again"
    assert len(MlflowClient(address).get_metric_history(first, "m")) == 5


def test_times_are_those_of_the_measurement(address, tmp_path):
    journal = begin(tmp_path, started_ms=1_700_000_000_000)
    journals.log_metrics(journal, [("m", 1.0, 0)], at_ms=1_700_000_000_500)
    journals.end_run(journal, ended_ms=1_700_000_001_000)
    deliver(tmp_path, address)
    run = MlflowClient(address).get_run(run_id_of(journal))
    assert (run.info.start_time, run.info.end_time) == (1_700_000_000_000, 1_700_000_001_000)
    assert MlflowClient(address).get_metric_history(run.info.run_id, "m")[0].timestamp == 1_700_000_000_500


def test_two_processes_do_not_deliver_the_same_journal(address, tmp_path):
    begin(tmp_path)
    with (tmp_path / LOCK_FILE).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = deliver(tmp_path, address)
        assert (done.delivered, done.left) == (0, 1)
        assert "another process" in done.reason
    assert deliver(tmp_path, address).left == 0


def test_a_run_that_is_cut_off_is_marked_as_failed(tmp_path):
    journal = begin(tmp_path)
    with pytest.raises(KeyboardInterrupt), failed_if_cut_off(journal):
        raise KeyboardInterrupt
    assert journals.read_entries(journal)[-1]["status"] == "FAILED"


def test_nothing_is_raised_for_a_server_that_never_was(tmp_path):
    begin(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    done = deliver(tmp_path, f"http://127.0.0.1:{port}")
    assert (done.delivered, done.left) == (0, 1)


def test_a_line_cut_off_by_a_crash_is_left_out_and_a_damaged_one_is_named(tmp_path):
    journal = begin(tmp_path)
    journals.log_metrics(journal, [("m", 1.0, 0)])
    path = journal / journals.ENTRIES_FILE
    path.write_bytes(path.read_bytes() + b'{"do":"met')
    assert [entry["do"] for entry in journals.read_entries(journal)] == ["create", "metrics"]
    path.write_bytes(b"no json\n" + path.read_bytes())
    with pytest.raises(ArtefactError, match=r"entries\.jsonl:1 is not JSON"):
        journals.read_entries(journal)


def test_a_number_that_is_none_is_refused_before_it_is_written(tmp_path):
    journal = begin(tmp_path)
    with pytest.raises(ValueError, match="JSON"):
        journals.log_metrics(journal, [("m", float("nan"), 0)])
    assert len(journals.read_entries(journal)) == 1


def test_a_file_is_kept_as_it_was(address, tmp_path):
    journal, file = begin(tmp_path / "journal"), tmp_path / "a.txt"
    file.write_text("before")
    journals.log_file(journal, file, folder="f")
    file.write_text("after")
    deliver(tmp_path / "journal", address)
    got = MlflowClient(address).download_artifacts(run_id_of(journal), "f/a.txt", str(tmp_path))
    assert Path(got).read_text() == "before"
    with pytest.raises(ArtefactError, match=r"none\.txt is missing"):
        journals.log_file(journal, tmp_path / "none.txt")


def test_a_run_that_crashed_is_ended_as_failed(address, tmp_path):
    ended, crashed = begin(tmp_path), begin(tmp_path)
    journals.end_run(ended)
    assert journals.end_unfinished(tmp_path) == 1
    deliver(tmp_path, address)
    assert MlflowClient(address).get_run(run_id_of(crashed)).info.status == "FAILED"


def test_the_verb_delivers_what_waits(address, tmp_path, invoke):
    journal = begin(tmp_path / "journal")
    journals.end_run(journal)
    assert "2 entries delivered" in invoke("deliver", "--out", tmp_path, "--tracking-uri", address).output
    assert "0 entries delivered" in invoke("deliver", "--out", tmp_path, "--tracking-uri", address).output


@pytest.mark.slow
def test_a_search_goes_on_without_its_server_and_says_where_entries_wait(small_config, invoke, tmp_path, address):
    dead = f"http://127.0.0.1:{free_port()}"
    said = invoke("search", "survival", "--config", small_config, "--out", tmp_path, "--tracking-uri", dead, exit_code=10).output
    assert said.count("the search goes on") == 1
    assert "registry deliver" in said
    assert json.loads((tmp_path / "result" / "survival.json").read_text())["metrics"]
    assert "entries delivered" in invoke("deliver", "--out", tmp_path, "--tracking-uri", address).output


def test_importing_the_journal_needs_no_mlflow():
    code = "import sys, model_registry.tracking.journal, model_registry.tracking.delivery; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
