"""The same runs on a hospital's parts: PostgreSQL for the database, S3 (moto) or Azure Blob (Azurite) for artefacts, all real processes."""

import base64
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from carefolio.local_server import free_port, run_server
from model_registry.tracking import aliases
from model_registry.tracking.delivery import deliver
from model_registry.tracking.journal import STATE_FILE, list_journals, read_state
from model_registry.tracking.models import load_model
from model_registry.tracking.postgresql import find_program, run_postgresql, wait_for_port
from model_registry.tracking.runs import list_runs, read_record
from model_registry.tracking.server import ARTEFACTS_VARIABLE, DATABASE_VARIABLE, plan_server, run_tracking_server

BUCKET = "registry"
pytestmark = pytest.mark.slow


def azurite_binary() -> str | None:
    """Find npm's azurite: $CAREFOLIO_NODE_MODULES, node_modules here or above, or the PATH."""
    roots = [Path(os.environ["CAREFOLIO_NODE_MODULES"])] if os.environ.get("CAREFOLIO_NODE_MODULES") else []
    roots += [folder / "node_modules" for folder in (Path.cwd(), *Path(__file__).resolve().parents)]
    return next((str(root / ".bin" / "azurite-blob") for root in roots if (root / ".bin" / "azurite-blob").exists()),
                shutil.which("azurite-blob"))


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """Address, with its password, of a running PostgreSQL of this test's own."""
    if find_program("initdb") is None:
        pytest.skip("PostgreSQL is not here; `apt-get install postgresql` brings it")
    with run_postgresql() as address:
        yield address


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    """Variables of a running moto with a bucket."""
    import boto3

    port = free_port()
    variables = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1",
                 "MLFLOW_S3_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
    code = "from moto.server import main; main()"
    command = [sys.executable, "-c", code, "-H", "127.0.0.1", "-p", str(port)]
    with run_server(command, ready_url=f"http://127.0.0.1:{port}/moto-api/") as url:
        client = boto3.client("s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing")
        client.create_bucket(Bucket=BUCKET)
        yield variables | {ARTEFACTS_VARIABLE: f"s3://{BUCKET}/artefacts"}
        assert client.list_objects_v2(Bucket=BUCKET)["KeyCount"] > 0, "artefacts went there"


@pytest.fixture(scope="module")
def azure(tmp_path_factory) -> Iterator[dict[str, str]]:
    """Variables of a running Azurite with a container."""
    if azurite_binary() is None:
        pytest.skip("azurite-blob is not here; run `npm install --no-save azurite@3.36.0`")
    from azure.storage.blob import BlobServiceClient

    account, key, port = "carefolio", base64.b64encode(secrets.token_bytes(48)).decode(), free_port()
    command = [str(azurite_binary()), "--inMemoryPersistence", "--blobHost", "127.0.0.1", "--blobPort", str(port), "--skipApiVersionCheck",
               "--disableTelemetry", "--silent"]
    process = subprocess.Popen(command, cwd=tmp_path_factory.mktemp("azurite"), env=os.environ | {"AZURITE_ACCOUNTS": f"{account}:{key}"},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    connection = f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={key};BlobEndpoint=http://127.0.0.1:{port}/{account};"
    try:
        wait_for_port(process, port)
        container = BlobServiceClient.from_connection_string(connection).create_container(BUCKET)
        yield {"AZURE_STORAGE_CONNECTION_STRING": connection,
               ARTEFACTS_VARIABLE: f"wasbs://{BUCKET}@{account}.blob.core.windows.net/artefacts"}
        assert next(iter(container.list_blobs()), None) is not None, "artefacts went there"
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.mark.parametrize("store", ["s3", pytest.param("azure", marks=pytest.mark.azurite)])
def test_a_recorded_search_goes_whole_to_postgresql_and_an_object_store(store, postgresql, first_run, request, tmp_path):
    variables = request.getfixturevalue(store) | {DATABASE_VARIABLE: postgresql}
    journals = tmp_path / "journal"
    shutil.copytree(first_run.out / "journal", journals, ignore=shutil.ignore_patterns(STATE_FILE))
    with run_tracking_server(tmp_path / "server", environment=variables) as address:
        assert deliver(journals, address).left == 0
        run_id = _search_of(journals, "readmission")
        assert len([run for run in list_runs(address, "readmission", nested=True) if run.parent == run_id]) == 4
        record, files = read_record(address, run_id, tmp_path / "record")
        assert record["experiment"] == "readmission"
        assert (files / "requirements.txt").is_file()
        version = aliases.promote(address, "readmission", aliases.register(address, "readmission", run_id).version, force=True)
        loaded = aliases.download(address, version, tmp_path / "model")
        here = load_model(first_run.out / "models" / "readmission", sha256=version.sha256)
        assert loaded.answer([loaded.example]) == here.answer([here.example])
    with psycopg.connect(postgresql) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from metrics where run_uuid = %s", (run_id,))
        assert cursor.fetchone()[0] >= 10
    assert not (tmp_path / "server" / "mlflow.db").exists()


def test_a_password_stands_in_no_command(postgresql, tmp_path):
    plan = plan_server(tmp_path, environment={DATABASE_VARIABLE: postgresql})
    assert postgresql.split(":")[2].partition("@")[0] not in " ".join(plan.command)
    assert plan.variables[DATABASE_VARIABLE] == postgresql


def _search_of(journals: Path, name: str) -> str:
    parents = [path for path in list_journals(journals) if f'"experiment":"{name}"' in (path / "entries.jsonl").read_text()
               and '"parent":null' in (path / "entries.jsonl").read_text()]
    return str(read_state(parents[0])["run_id"])


def test_compose_opens_ports_on_loopback_only_and_holds_no_password():
    import yaml

    services = yaml.safe_load((Path(__file__).parents[1] / "compose.yaml").read_text())["services"]
    ports = [port for service in services.values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert "${REGISTRY_DATABASE_PASSWORD:?" in services["database"]["environment"]["POSTGRES_PASSWORD"]
    plan = plan_server(Path(), environment={DATABASE_VARIABLE: "postgresql://u@h/d"})
    pool = {name: value for name, value in plan.variables.items() if "_SQLALCHEMYSTORE_" in name}
    assert pool.items() <= services["tracking"]["environment"].items(), "the pool of `registry up`"
    assert all(":" in service["image"] and not service["image"].endswith(":latest") for service in services.values())
