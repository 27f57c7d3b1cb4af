"""Made-up requests of every shape against the running API: it keeps to its own OpenAPI document.

Which columns a row may have is the champion's to say and not the document's, so a well-formed row of invented columns is refused by right.
"""

import subprocess
import sys

import pytest

from carefolio.local_server import free_port, run_server
from carefolio.serving.settings import new_api_key
from model_registry.api import ADDRESS_VARIABLE, FOLDER_VARIABLE, NAME_VARIABLE
from model_registry.tracking import aliases

CHECKS = ("not_a_server_error", "status_code_conformance", "response_schema_conformance", "content_type_conformance",
          "negative_data_rejection")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["readmission", "survival"])
def test_api_keeps_its_contract(name, first_run, tmp_path):
    version = aliases.register(first_run.address, name, first_run.run_id(name))
    aliases.promote(first_run.address, name, version.version, force=True)
    key, key_hash = new_api_key()
    port = free_port()
    env = {ADDRESS_VARIABLE: first_run.address, NAME_VARIABLE: name, FOLDER_VARIABLE: str(tmp_path / "served"),
           "CAREFOLIO_API_KEYS": key_hash, "CAREFOLIO_AUTH": "on", "CAREFOLIO_REQUESTS_PER_MINUTE": "1000000"}
    server = [sys.executable, "-m", "uvicorn", "model_registry.api:create_app", "--factory", "--host", "127.0.0.1", "--port", str(port)]
    with run_server(server, ready_url=f"http://127.0.0.1:{port}/health/ready", env=env, timeout_s=120) as address:
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json", "--header", f"X-API-Key: {key}",
                   "--checks", ",".join(CHECKS), "--phases", "examples,fuzzing", "--max-examples", "15", "--generation-deterministic",
                   "--no-color"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "Selected: 6/6" in done.stdout
