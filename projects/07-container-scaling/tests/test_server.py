"""What an image runs: read from a description, checked, and asked for its health."""

import json
import os
import subprocess
import sys

import pytest

from carefolio.exceptions import ConfigError
from container_scaling.health import is_ready
from container_scaling.server import create_app, main, read_service


def test_the_description_is_read_and_variables_win(tmp_path):
    path = tmp_path / "service.json"
    path.write_text(json.dumps({"run": {"app": "a.b:c"}, "port": 8001, "health": "/ready"}), encoding="utf-8")
    assert read_service({"CAREFOLIO_SERVICE": str(path)}) == {"run": {"app": "a.b:c"}, "port": 8001, "health": "/ready"}
    other = read_service({"CAREFOLIO_SERVICE": str(path), "CAREFOLIO_APP": "x:y", "CAREFOLIO_PORT": "9"})
    assert other["run"] == {"app": "x:y"}
    assert other["port"] == 9


@pytest.mark.parametrize(("variables", "message"), [
    ({"CAREFOLIO_SERVICE": "/nowhere.json"}, "nothing to serve"),
    ({"CAREFOLIO_SERVICE": "/nowhere.json", "CAREFOLIO_APP": "a:b", "CAREFOLIO_PORT": "0"}, "from 1 to 65535"),
    ({"CAREFOLIO_SERVICE": "/nowhere.json", "CAREFOLIO_APP": "a:b", "CAREFOLIO_PORT": "eighty"}, "whole number"),
])
def test_a_wrong_description_is_refused(variables, message):
    with pytest.raises(ConfigError, match=message):
        read_service(variables)


def test_an_app_without_a_factory_is_refused(monkeypatch):
    monkeypatch.setenv("CAREFOLIO_APP", "readmission.api")
    with pytest.raises(ConfigError, match="expected package"):
        create_app()


def test_what_is_loaded_at_the_start_is_left_out_of_collections():
    code = "import gc; from container_scaling.server import create_app; create_app(); print(gc.get_freeze_count())"
    env = {**os.environ, "CAREFOLIO_APP": "readmission.api:create_app", "CAREFOLIO_AUTH": "off", "CAREFOLIO_HOST": "127.0.0.1"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert int(done.stdout) > 10_000


def test_the_program_says_what_is_wrong_in_one_line(monkeypatch):
    monkeypatch.setenv("CAREFOLIO_APP", "a:b")
    monkeypatch.setenv("CAREFOLIO_WORKERS", "1000")
    with pytest.raises(SystemExit, match="error: CAREFOLIO_WORKERS='1000': expected a whole number from 1 to 64"):
        main()


def test_health_is_what_the_service_says(sleeper, capsys):
    port = int(sleeper.rpartition(":")[2])
    assert is_ready(port, "/ready")
    assert not is_ready(9, "/ready")
    assert "127.0.0.1:9" in capsys.readouterr().err
