"""``workflow story``: the closed loop once, with real processes; every step says what was really exchanged."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carefolio.config import load_config
from carefolio.exceptions import ConfigError
from carefolio.local_server import free_port, run_server
from clinical_workflow.config import PROJECT, WorkflowSettings
from clinical_workflow.models.apis import Models
from clinical_workflow.processes import START_TIMEOUT_S, Loop, run_chapter, run_loop
from clinical_workflow.smart.backend import HospitalError, Screened, open_access, screen
from clinical_workflow.start import open_charts, outputs

Say = Callable[[str], None]
REGISTRY = [sys.executable, "-c", "import sys; from model_registry.cli import main; sys.argv[0] = 'registry'; main()"]
REGISTRY_TIMEOUT_S = 900
_RUN = re.compile(r"\b[0-9a-f]{32}\b")
_FORM = re.compile(r'action="/cards/([^/"]+)/accept">.*?name="suggestion" value="([^"]+)"', re.DOTALL)
_TOKEN = re.compile(r'name="token" value="([^"]+)"')
_SUMMARY = re.compile(r"<h2>(.*?)</h2>")
_MADE = re.compile(r"<li>(.*?)</li>")


def tell(*, server: str, champion: bool, out: Path | None, keep: bool, say: Say) -> None:
    """Run the loop once.

    Parameters
    ----------
    server : {"auto", "node", "stand-in"}
        Who keeps the charts.
    champion : bool
        Take the model from MLflow by its alias, where chapter 06 is installed.
    out : Path, optional
        Folder for everything written.
    keep : bool
        Leave everything open until Ctrl-C.
    say : callable
        Told every step.
    """
    folder = out or outputs() / "story" / time.strftime("%Y%m%d-%H%M%S")
    with ExitStack() as stack:
        models = {"readmission": stack.enter_context(run_chapter("readmission"))}
        say(f"1 readmission API (chapter 02, its committed model): {models['readmission']}")
        if champion and (address := _open_champion(folder, stack, say)):
            models["champion"] = address
        for api in ("notes", "retinopathy"):
            models[api] = stack.enter_context(run_chapter(api))
            say(f"  {api} API: {models[api]}")
        charts = open_charts(server, stack, say=say)
        gate = ["gate.minimum_calls = 12", "gate.most_alerts_per_100 = 70.0", "gate.most_p95_ms = 5000.0", "data.made_up_patients = 16"]
        loop = stack.enter_context(run_loop(folder, models=models, charts=charts, over=gate))
        _act(loop, say)
        if keep:
            say(f"\nhospital: {loop.hospital}\nservice:  {loop.cds}/cds-services\nCtrl-C ends everything")
            while True:
                time.sleep(1)


def _open_champion(folder: Path, stack: ExitStack, say: Say) -> str | None:
    """Train, register and promote a model with chapter 06's command, and serve what the alias names; None where it is not installed."""
    if subprocess.run([*REGISTRY, "--help"], capture_output=True, check=False).returncode != 0:
        say("2 chapter 06 (MLflow) is not installed: the readmission API's committed model answers")
        return None
    run = folder / "registry"
    say("2 a model by its alias, with chapter 06's command (about a minute)")
    _registry("search", "readmission", "--quick", "--trials", "1", "--out", str(run))
    found = _RUN.search(_registry("show", "readmission", "--out", str(run)))
    if found is None:
        raise ConfigError(f"`registry show --out {run}` names no run; try `registry search readmission --quick` by itself.")
    say(f"  registry register readmission {found[0]} -> {_last_line(_registry('register', 'readmission', found[0], '--out', str(run)))}")
    say(f"  registry promote readmission -> {_last_line(_registry('promote', 'readmission', '--out', str(run)))}")
    port = free_port()
    command = [*REGISTRY, "serve", "--no-auth", "--port", str(port), "--out", str(run)]
    address = stack.enter_context(run_server(command, ready_url=f"http://127.0.0.1:{port}/health/ready", timeout_s=START_TIMEOUT_S))
    say(f"  the champion answers at {address}; its features come from chapter 02's API")
    return address


def _registry(*arguments: str) -> str:
    done = subprocess.run([*REGISTRY, *arguments], capture_output=True, text=True, timeout=REGISTRY_TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise ConfigError(f"`registry {arguments[0]}` ended with {done.returncode}: {_last_line(done.stderr)[:300]}")
    return done.stdout


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1].strip() if text.strip() else ""


@dataclass(frozen=True)
class _Browser:
    """Clicks through the hospital's pages without a browser."""

    client: Any

    def open(self, path: str) -> str:
        answer = self.client.get(path)
        if answer.status_code != 200:
            raise ConfigError(f"the hospital answered {answer.status_code} to {path}; see its log.")
        text: str = answer.text
        return text

    def send(self, path: str, page: str, **fields: str) -> str:
        found = _TOKEN.search(page)
        answer = self.client.post(path, data={"token": found[1] if found else "", **fields}, follow_redirects=True)
        if answer.status_code != 200:
            raise ConfigError(f"the hospital answered {answer.status_code} to {path}; see its log.")
        text: str = answer.text
        return text


def _act(loop: Loop, say: Say) -> None:
    import httpx

    try:
        with httpx.Client(base_url=loop.hospital, trust_env=False, timeout=60) as hospital, httpx.Client(
            base_url=loop.cds, trust_env=False, timeout=60, headers={"X-API-Key": loop.cds_key}) as service:
            _play(loop, hospital, service, say)
    except httpx.HTTPError as error:
        raise HospitalError(f"{error.request.url} gave no whole answer ({type(error).__name__}); a server of the loop may have ended. Give "
                            "the same command again.") from None


def _play(loop: Loop, hospital: Any, service: Any, say: Say) -> None:
    say(f"3 hospital {loop.hospital}: {hospital.get('/health').text}")
    browser = _Browser(hospital)
    patients = [one for one in re.findall(r'href="/patients/([^"]+)"', browser.open("/")) if one.startswith("made-up")]
    say(f"4 shadow mode: {len(patients)} discharges are begun; cards are kept in the ledger and shown to nobody")
    seen = [len(_FORM.findall(browser.open(f"/patients/{one}/discharge"))) for one in sorted(patients)]
    say(f"  cards on the pages: {sum(seen)}; in the ledger: {_service(service, 'readmission-risk')['cards']}")
    _open_gate(service, say)
    _accept_one(browser, sorted(patients), say)
    _stop(browser, service, sorted(patients)[0], say)
    night(loop, say)
    found = _service(service, "readmission-risk")
    say("9 monitor: " + ", ".join(f"{name} {found[name]}" for name in ("calls", "failed", "cards", "shown", "accepted", "overridden"))
        + f", p95 {found['p95_ms']:.0f} ms")
    say("For research and education. Not a medical device; every patient here is made up.")


def _service(service: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in service.get("/admin/monitor").json()["services"] if one["service"] == name)
    return found


def _open_gate(service: Any, say: Say) -> None:
    refused = service.put("/admin/switch", json={"service": "metformin-kidney", "mode": "show", "why": "story"})
    say(f"5 the gate refuses a service that has not been watched: {refused.status_code} {refused.json()['detail'][:110]}")
    opened = service.put("/admin/switch", json={"service": "readmission-risk", "mode": "show", "why": "story: the shadow log passes"})
    say(f"  and opens for the one that has: {opened.status_code} {opened.json()}")


def _accept_one(browser: _Browser, patients: list[str], say: Say) -> None:
    for patient in patients:
        page = browser.open(f"/patients/{patient}/discharge")
        if found := _FORM.search(page):
            summary = _SUMMARY.search(page)
            say(f"6 encounter-discharge of {patient}: card \"{summary[1] if summary else ''}\"")
            done = browser.send(f"/cards/{found[1]}/accept", page, suggestion=found[2])
            say("  accepted: " + "; ".join(_MADE.findall(done)))
            browser.send(f"/patients/{patient}/discharge", page)
            say(f"  the stay is over; inbox: {len(re.findall('/done', browser.open('/inbox')))} task(s)")
            return
    raise ConfigError("no discharge gave a card; lower cds.risk_threshold.")


def night(loop: Loop, say: Say) -> Screened:
    """Screen all charts as a SMART backend service does: a token of its own, photographs that wait graded by chapter 08's API.

    Parameters
    ----------
    loop : Loop
        Runs, with chapter 08's API among its models.
    say : callable
        Told what was found.

    Returns
    -------
    Screened
        What was found and written.
    """
    import asyncio

    import httpx

    settings = load_config(WorkflowSettings, PROJECT, file=loop.settings_file)

    async def _screen() -> Screened:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            access = await open_access(client, f"{loop.hospital}/fhir", loop.backend_key)
            return await screen(access, Models(settings.models, client), months=settings.cds.retina_months)

    found = asyncio.run(_screen())
    say(f"8 screening by night: {found.patients} charts, {len(found.gaps)} without a photograph in time; graded by chapter 08's API: "
        f"{', '.join(found.reports) or 'none waited'}")
    return found


def _stop(browser: _Browser, service: Any, patient: str, say: Say) -> None:
    service.put("/admin/switch", json={"mode": "off", "why": "story: kill switch"})
    cards = len(_SUMMARY.findall(browser.open(f"/patients/{patient}")))
    say(f"7 kill switch: the next call answers with {cards} cards, and no model is asked")
