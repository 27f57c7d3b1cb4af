"""The fault pass, servers: one that takes a request and breaks off, in five ways, under every client of the house but one.

A client says in one line which server it was, well within its patience, or gives the answer by which its caller goes on. The one that is
missing here, chapter 03's providers, has ``test_providers_faults.py`` of its own; downloads that break off and go on are in
``shared/tests/datasets/test_resolve.py``, loads that count what fails in chapter 07's ``test_load.py``.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import HTTPException

from carefolio.exceptions import CarefolioError
from carefolio.local_server import ask_server

from .faults import WAYS, BadServer, bad_server

SILENCE_S = 0.5
PATIENCE_S = 12.0


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for half a second where the product waits for up to thirty; how long is no part of the fault."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setattr("carefolio.datasets.download.TIMEOUT_S", (SILENCE_S, SILENCE_S))
    monkeypatch.setattr("carefolio.datasets.download.ATTEMPTS", 1)
    monkeypatch.setattr("retraining.smoke.ask_server", partial(ask_server, timeout_s=SILENCE_S))
    monkeypatch.setattr("container_scaling.recorded.TIMEOUT_S", SILENCE_S)
    monkeypatch.setattr("container_scaling.health.TIMEOUT_S", SILENCE_S)
    monkeypatch.setattr("model_registry.places.PATIENCE_S", SILENCE_S)
    monkeypatch.setattr("clinical_workflow.hospital.store.NODE_TIMEOUT_S", SILENCE_S)
    monkeypatch.setattr("clinical_workflow.hospital.cds_client.TIMEOUT_S", SILENCE_S)
    monkeypatch.setattr("clinical_workflow.cds.clients.FETCH_TIMEOUT_S", SILENCE_S)


def a_local_server(server: BadServer, _: Path) -> Any:
    return ask_server(f"{server.address}/predict", b"{}", timeout_s=SILENCE_S)


def a_publisher(server: BadServer, folder: Path) -> Any:
    from carefolio.datasets.download import download

    return download(f"{server.address}/file.csv", folder / "file.csv", sha256="0" * 64)


def a_tracking_server(server: BadServer, _: Path) -> Any:
    from carefolio.tracking import log_run

    return log_run(tracking_uri=server.address, experiment="e", run_name="r", parameters={}, metrics={"m": 1.0})


def the_registry_of_chapter_06(server: BadServer, folder: Path) -> Any:
    from model_registry.tracking.delivery import deliver_or_fail
    from model_registry.tracking.journal import begin_run

    begin_run(folder / "journal", experiment="e", name="r", tags={})
    return deliver_or_fail(folder / "journal", server.address)


def the_service_of_chapter_05(server: BadServer, _: Path) -> Any:
    from retraining.smoke import refuses_nonsense

    return refuses_nonsense(server.address)


def the_metrics_of_chapter_07(server: BadServer, _: Path) -> Any:
    from container_scaling.live import read_text

    return read_text(server.address, timeout_s=SILENCE_S)


def the_service_of_chapter_07(server: BadServer, _: Path) -> Any:
    from container_scaling.recorded import ask
    from container_scaling.servers import Running

    return ask(Running((server.address,), {}, ()), "/model-card")


def the_storage_of_chapter_08(server: BadServer, _: Path) -> Any:
    from retinopathy.cloud.storage import fetch_model

    pytest.importorskip("google.auth")
    return fetch_model("gs://ours/model", ["grader.onnx"], environment={"STORAGE_EMULATOR_HOST": server.address}, timeout_s=SILENCE_S)


def the_models_of_chapter_09(server: BadServer, _: Path) -> Any:
    from clinical_workflow.config import ModelsSettings
    from clinical_workflow.models.apis import Models

    addresses = ModelsSettings(readmission=server.address, retinopathy="", notes="", champion="", timeout_s=SILENCE_S)
    return asking(lambda client: Models(addresses, client).readmission({}, reasons_from=1.0, reasons_shown=1))


def the_token_of_chapter_09(server: BadServer, _: Path) -> Any:
    from clinical_workflow.smart.backend import open_access

    return asking(lambda client: open_access(client, f"{server.address}/fhir", None))


def the_charts_of_chapter_09(server: BadServer, _: Path) -> Any:
    from clinical_workflow.smart.backend import Access

    return asking(lambda client: Access(client, f"{server.address}/fhir", "token").ask("GET", "Patient?_count=1000"))


def asking(ask: Callable[[httpx.AsyncClient], Awaitable[Any]]) -> Any:
    """Ask with a client of httpx, as the chapters' services do."""
    async def _ask() -> Any:
        async with httpx.AsyncClient(trust_env=False, timeout=SILENCE_S) as client:
            return await ask(client)

    return asyncio.run(_ask())


CLIENTS = {client.__name__: client for client in (
    a_local_server, a_publisher, a_tracking_server, the_registry_of_chapter_06, the_service_of_chapter_05, the_metrics_of_chapter_07,
    the_service_of_chapter_07, the_storage_of_chapter_08, the_models_of_chapter_09, the_token_of_chapter_09, the_charts_of_chapter_09)}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_server_that_breaks_off_is_said_in_one_line(client, way, tmp_path):
    begun = time.monotonic()
    with bad_server(way) as server, pytest.raises(CarefolioError) as caught:
        CLIENTS[client](server, tmp_path)
    assert time.monotonic() - begun < PATIENCE_S
    said = str(caught.value)
    assert "\n" not in said
    assert caught.value.exit_code > 1, "an own exit code"
    named = {"the_storage_of_chapter_08": "gs://ours/model", "the_models_of_chapter_09": "the readmission service"}
    assert named.get(client, server.address) in said
    assert not (tmp_path / "file.csv").exists()


def _registry_says_it_is_up(server: BadServer) -> Any:
    from model_registry.places import answers

    return answers(server.address)


def _replica_is_ready(server: BadServer) -> Any:
    from container_scaling.health import is_ready

    return is_ready(server.port, "/health/ready")


def _charts_are_there(server: BadServer) -> Any:
    from clinical_workflow.hospital.store import NodeStore

    return asking(lambda client: NodeStore(server.address, client).ask("GET", "Patient/1"))[0] == 200


def _decision_support_speaks(server: BadServer) -> Any:
    """Ask for cards: the page must say that decision support is silent, not that it has nothing to say."""
    from clinical_workflow.hospital import cds_client
    from clinical_workflow.smart.assertions import new_key

    settings = SimpleNamespace(base_url="http://hospital.example", cds_url=server.address)
    found, silent = asking(lambda client: cds_client.ask_services(
        SimpleNamespace(settings=settings, outside=client, discovered={}, key=new_key("k")), "patient-view", {"patientId": "1"}))
    assert found == []
    return silent != ["Decision support"]


QUESTIONS = [(ask, way) for ask in (_registry_says_it_is_up, _replica_is_ready, _charts_are_there, _decision_support_speaks) for way in WAYS
             if (ask, way) != (_replica_is_ready, "half_an_answer")]
"""Without the one that half an answer is enough for: the probe reads the status alone."""


@pytest.mark.parametrize(("ask", "way"), QUESTIONS, ids=[f"{ask.__name__.strip('_')}-{way}" for ask, way in QUESTIONS])
def test_a_server_that_breaks_off_is_taken_for_none(ask, way):
    begun = time.monotonic()
    with bad_server(way) as server:
        assert ask(server) is False
    assert time.monotonic() - begun < PATIENCE_S


def _keys_of_a_client(server: BadServer) -> Any:
    from clinical_workflow.cds.clients import KeyShelf

    return asking(lambda client: KeyShelf(60.0, client).find(f"{server.address}/jwks.json", "k"))


def _chart_of_a_call(server: BadServer) -> Any:
    from clinical_workflow.cds.prefetch import Reader, _get

    return asking(lambda client: _get(f"{server.address}/Patient/1", {}, Reader(client, frozenset(), SILENCE_S, 10)))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("ask", "status"), [(_keys_of_a_client, 503), (_chart_of_a_call, 412)],
                         ids=["keys_of_a_client", "chart_of_a_call"])
def test_a_server_that_breaks_off_behind_a_service_is_a_status_with_a_reason(ask, status, way):
    with bad_server(way) as server, pytest.raises(HTTPException) as caught:
        ask(server)
    assert caught.value.status_code == status
    assert caught.value.detail.endswith((".", "again."))
