"""The loop with real processes: chapter 02's API, decision support, the hospital; launch and backend service over real HTTP."""

import asyncio
import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from clinical_workflow.processes import run_chapter, run_loop
from clinical_workflow.smart.app_launch import begin_launch, finish_launch, read_fhir
from clinical_workflow.smart.backend import open_access
from clinical_workflow.story import _accept_one, _Browser, _open_gate, _service, _stop, night

pytestmark = pytest.mark.slow
OVER = ["data.made_up_patients = 8", "data.bundles = 1", "gate.minimum_calls = 4", "gate.most_alerts_per_100 = 100.0",
        "gate.most_p95_ms = 20000.0"]


@pytest.fixture(scope="module")
def loop(tmp_path_factory):
    with (run_chapter("readmission") as readmission, run_chapter("retinopathy") as retinopathy,
          run_loop(tmp_path_factory.mktemp("loop"), models={"readmission": readmission, "retinopathy": retinopathy}, over=OVER) as one):
        yield one


def test_the_loop_closes(loop):
    said = []
    with httpx.Client(base_url=loop.hospital, trust_env=False, timeout=60) as hospital, httpx.Client(
            base_url=loop.cds, trust_env=False, timeout=60, headers={"X-API-Key": loop.cds_key}) as service:
        browser = _Browser(hospital)
        patients = [f"made-up-{number:03d}" for number in range(8)]
        assert all("accept" not in browser.open(f"/patients/{one}/discharge") for one in patients), "shadow mode"
        assert _service(service, "readmission-risk")["cards"] > 0
        _open_gate(service, said.append)
        _accept_one(browser, patients, said.append)
        seen = _service(service, "readmission-risk")
        assert (seen["accepted"], seen["failed"]) == (1, 0)
        assert "Task written" in said[3] and "Feedback stored by the service" in said[3] and "Audit line written" in said[3]
        _stop(browser, service, patients[0], said.append)
        assert "0 cards" in said[-1]


def test_the_dashboard_is_launched_and_reads_one_patient(loop):
    with httpx.Client(base_url=loop.hospital, trust_env=False, timeout=60) as hospital:
        page = hospital.get("/patients/made-up-000").text
        form = {"token": re.search(r'name="token" value="([^"]+)"', page)[1]}
        sent = hospital.post("/launch/workflow-dashboard/made-up-000", data=form)
        asked = parse_qs(urlsplit(sent.headers["location"]).query)
        address, state, pending = begin_launch(asked["iss"][0], asked["launch"][0], redirect_uri="http://127.0.0.1:8509/",
                                               allowed={f"{loop.hospital}/fhir"})
        back = hospital.get(address)
        assert back.headers["location"].startswith("http://127.0.0.1:8509/?")
        answer = parse_qs(urlsplit(back.headers["location"]).query)
        assert answer["state"] == [state]
        context = finish_launch(pending, answer["code"][0])
        assert context.patient == "made-up-000"
        assert read_fhir(context, "Patient/made-up-000")["id"] == "made-up-000"


def test_a_waiting_photograph_is_graded_by_chapter_08_in_the_night_and_only_once(loop):
    said = []
    first, second = night(loop, said.append), night(loop, said.append)
    assert set(first.gaps) == {f"made-up-{number:03d}" for number in range(8) if number % 3 != 1}
    assert [len(one.reports) for one in (first, second)] == [1, 0]
    assert first.reports[0] in said[0]
    assert "none waited" in said[1]

    async def _report():
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            return await (await open_access(client, f"{loop.hospital}/fhir", loop.backend_key)).ask("GET", first.reports[0])

    report = asyncio.run(_report())
    assert report["status"] == "preliminary"
    assert report["subject"] == {"reference": "Patient/made-up-002"}
