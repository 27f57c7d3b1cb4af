"""How fast are the services under load? Signed calls at a fixed rate against real processes; writes ``reports/measured/latency.json``.

Arrivals are open-loop: a call is sent when its time has come, whether or not the one before has been answered, and its latency counts from
that time. Decision support, chapter 02's API and this load share one machine, so what it reports is an upper bound. The note summary is
measured alone, one call after another: it takes identifiers out first, which is another kind of work. ``--quick`` prints and keeps nothing.
"""

import asyncio
import itertools
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import numpy as np

from carefolio.artefacts import write_json
from carefolio.config import load_config, project_home
from carefolio.evidence import Metric, metric
from carefolio.local_server import free_port, run_server
from carefolio.measured import write_measured
from clinical_workflow.cds.clients import sign_call
from clinical_workflow.cds.services import SERVICES
from clinical_workflow.cds.switch import set_mode
from clinical_workflow.config import FOLDER, PROJECT, BenchmarkSettings, ClientSettings, WorkflowSettings
from clinical_workflow.fhir.chart import contained_resources
from clinical_workflow.fhir.terms import RXNORM
from clinical_workflow.made_up import make_patients
from clinical_workflow.processes import Loop, run_chapter, run_loop
from clinical_workflow.smart.assertions import new_key, public_keys

ISSUER = "urn:benchmark"
LOADED = ("readmission-risk", "retinopathy-screening", "metformin-kidney")
WARM_UP = 60
NOTES = 20
KINDS = {"encounters": "Encounter", "conditions": "Condition", "medications": "MedicationRequest", "laboratory": "Observation",
         "procedures": "Procedure", "documents": "DocumentReference"}


def main() -> None:
    """Measure, print and keep."""
    quick = "--quick" in sys.argv
    settings = load_config(WorkflowSettings, PROJECT, quick=quick)
    key, port = new_key("load-1"), free_port()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        write_json(folder / "keys" / "jwks.json", public_keys(key))
        publish = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder / "keys")]
        jku = f"http://127.0.0.1:{port}/jwks.json"
        stack.enter_context(run_server(publish, ready_url=jku))
        models = {api: stack.enter_context(run_chapter(api)) for api in ("readmission", "notes")}
        client = ClientSettings(issuer=ISSUER, jku=jku, fhir_servers=())
        loop = stack.enter_context(run_loop(folder, models=models, over=["data.made_up_patients = 5", "data.bundles = 1"],
                                            clients=[client]))
        set_mode(loop.state, "all", "show")
        found = asyncio.run(measure(loop, key, jku, settings))
    for metric_id, value in found.items():
        print(f"{metric_id:60s} {value.value:10.1f}   n = {value.n}")
    if not quick:
        print(write_measured(project_home(FOLDER) / "reports" / "measured" / "latency.json", found,
                             command="python projects/09-clinical-workflow/benchmarks/latency.py"))


def calls_for(chart: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Write a call of every service about a made-up patient, the whole chart in its prefetch."""
    found = contained_resources(chart)
    patient = next(one for one in found if one["resourceType"] == "Patient")
    prefetch: dict[str, Any] = {name: {"resourceType": "Bundle", "type": "searchset", "entry": [
        {"resource": one} for one in found if one["resourceType"] == kind]} for name, kind in KINDS.items()}
    prefetch |= {"patient": patient, "reports": None, "orders": None}
    draft = {"resourceType": "MedicationRequest", "id": "draft", "status": "draft", "intent": "order",
             "subject": {"reference": f"Patient/{patient['id']}"},
             "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "861007", "display": "metformin 500 MG"}]}}
    context = {"userId": "Practitioner/load", "patientId": patient["id"], "encounterId": f"{patient['id']}-now",
               "selections": ["MedicationRequest/draft"],
               "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": draft}]}}
    return {name: {"hook": one.hook, "context": context, "prefetch": {key: prefetch[key] for key in one.prefetch}}
            for name, one in SERVICES.items()}


async def measure(loop: Loop, key: Any, jku: str, settings: WorkflowSettings) -> dict[str, Metric]:
    """Warm up, send the load, and ask for some notes."""
    charts = [calls_for(chart) for chart in make_patients(settings.benchmark.patients, seed=settings.seed, now=datetime.now(UTC))]
    jobs = itertools.cycle([(name, chart[name]) for chart in charts for name in LOADED])
    async with httpx.AsyncClient(base_url=loop.cds, trust_env=False, timeout=60, limits=httpx.Limits(max_connections=200)) as client:
        async def _send(name: str, body: dict[str, Any], due: float) -> tuple[str, float, int]:
            now = int(time.time())
            claims = {"iss": ISSUER, "aud": f"{loop.cds}/cds-services/{name}", "iat": now, "exp": now + 120, "jti": str(uuid4())}
            headers = {"Authorization": f"Bearer {sign_call(claims, key=key, jku=jku)}"}
            answer = await client.post(f"/cds-services/{name}", json=body | {"hookInstance": str(uuid4())}, headers=headers)
            return name, 1000 * (time.perf_counter() - due), answer.status_code

        for _ in range(WARM_UP):
            await _send(*next(jobs), time.perf_counter())
        loaded = await send_at_rate(jobs, _send, settings.benchmark)
        notes = [await _send("note-summary", charts[number % len(charts)]["note-summary"], time.perf_counter()) for number in range(NOTES)]
    return as_metrics(loaded, "load") | as_metrics(notes, "alone")


async def send_at_rate(jobs: Any, send: Any, settings: BenchmarkSettings) -> list[tuple[str, float, int]]:
    """Send calls at a fixed rate."""
    begun, tasks = time.perf_counter() + 0.5, []
    for number in range(int(settings.requests_per_second * settings.seconds)):
        due = begun + number / settings.requests_per_second
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(send(*next(jobs), due)))
    return await asyncio.gather(*tasks)


def as_metrics(answers: list[tuple[str, float, int]], how: str) -> dict[str, Metric]:
    """Give median and 95th percentile of each service, and of all; and how many failed."""
    found = {}
    names = sorted({name for name, *_ in answers})
    for label, chosen in [("all", names), *((name, [name]) for name in names)]:
        times = [ms for name, ms, _ in answers if name in chosen]
        service = label.replace("-", "_")
        found |= {f"service.{how}.{service}.latency_p{part}_ms": metric(float(np.percentile(times, part)), n=len(times),
                                                                        higher_is_better=False)
                  for part in (50, 95)}
    failed = sum(status != 200 for *_, status in answers)
    return found | {f"service.{how}.all.failed": metric(failed, n=len(answers), higher_is_better=False)}


if __name__ == "__main__":
    main()
