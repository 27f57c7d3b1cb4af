"""Made-up requests of every shape against the running API: it keeps to its own OpenAPI document.

Whether bytes are a photograph no schema can say, so that refusing them is no breach: `positive_data_acceptance` is left out.
"""

import subprocess
import sys
from pathlib import Path

from carefolio.local_server import free_port, run_server
from carefolio.serving.settings import new_api_key

CHECKS = ("not_a_server_error", "status_code_conformance", "response_schema_conformance", "content_type_conformance",
          "negative_data_rejection")


def test_api_keeps_its_contract(exported: Path, tmp_path: Path) -> None:
    key, key_hash = new_api_key()
    port = free_port()
    env = {"CAREFOLIO_ARTEFACTS": str(exported), "CAREFOLIO_API_KEYS": key_hash, "CAREFOLIO_AUTH": "on",
           "CAREFOLIO_REQUESTS_PER_MINUTE": "1000000"}
    server = [sys.executable, "-m", "uvicorn", "retinopathy.api:create_app", "--factory", "--host", "127.0.0.1", "--port", str(port)]
    with run_server(server, ready_url=f"http://127.0.0.1:{port}/health/ready", env=env, timeout_s=120) as address:
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json", "--header", f"X-API-Key: {key}",
                   "--checks", ",".join(CHECKS), "--phases", "examples,fuzzing", "--max-examples", "15", "--generation-deterministic",
                   "--no-color"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "Selected: 5/5" in done.stdout
