"""Killed at every step, for real: a process of its own gets SIGKILL, the next one goes on, and the end is as if nothing had happened.

The killed process runs the same code as the command; only the point at which it kills itself is laid over from outside.
"""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from retraining.deployment import read_ledger, read_pointer
from retraining.journal import read_journal
from retraining.smoke import run_service
from retraining.state import fold
from retraining.store import Store

KILLED = """
import os, signal, sys
from pathlib import Path
from carefolio.config import load_config
from retraining import cycle, deployment
from retraining.config import RetrainingSettings
from retraining.protocol import load_protocol
from retraining.state import Context
from retraining.store import Store

folder, config, protocol, where = sys.argv[1:]

def die(*values, **named):
    os.kill(os.getpid(), signal.SIGKILL)

def killing(append):
    def _append(path, entries, **named):
        if where == f"before {named['step']}":
            die()
        found = append(path, entries, **named)
        if where == f"after {named['step']}":
            die()
        return found
    return _append

cycle.append = killing(cycle.append)
if where == "between ledger and pointer":
    write_json = deployment.write_json
    deployment.write_json = lambda path, value: die() if path.name == deployment.POINTER else write_json(path, value)
settings = load_config(RetrainingSettings, "retraining", file=Path(config))
with cycle.service_on_demand(Store(Path(folder)), settings.serving) as service:
    context = Context(Store(Path(folder)), settings, load_protocol(Path(protocol)), service, say=lambda words: None)
    print(cycle.run_cycle(context)["outcome"])
"""
STEPS = ("receive", "features", "validate", "drift", "outcomes", "decide", "teach", "gate", "ask", "approve", "deploy", "smoke", "close")
POINTS = [point for step in STEPS for point in ((f"before {step}", "between ledger and pointer", f"after {step}") if step == "deploy"
                                                else (f"before {step}", f"after {step}"))]


def content(store):
    """Give what a run has come to: all but times and measured latencies."""
    state = fold(read_journal(store.journal))
    gates = [[(gate["gate"], gate["passed"]) if gate["gate"] == "latency_p95_ms" else gate for gate in cycle["steps"]["gate"]["gates"]]
             for cycle in state.closed if "gate" in cycle["steps"]]
    return {"received": state.received, "models": [champion.sha256 for champion in state.line],
            "steps": [[(entry.batch, entry.step) for entry in read_journal(store.journal)]],
            "outcomes": [(cycle["batch"], cycle["outcome"], cycle["reason"]) for cycle in state.closed], "gates": gates,
            "releases": [(release.number, release.sha256, release.batch, release.reason) for release in read_ledger(store.deployment)],
            "pointer": read_pointer(store.deployment).number}


@pytest.fixture
def run_process(small_config, protocol, tmp_path):
    """Run a cycle in a process of its own, with the service of the test, up to a point."""
    path = tmp_path / "protocol.yaml"
    path.write_text(protocol.model_dump_json(), encoding="utf-8")

    def _run(folder: Path, address: str, where: str = "") -> int:
        import os

        done = subprocess.run([sys.executable, "-c", KILLED, str(folder), str(small_config), str(path), where], check=False, timeout=180,
                              env={**os.environ, "RETRAINING_SERVICE": address}, capture_output=True, text=True)
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        return done.returncode
    return _run


@pytest.mark.slow
def test_killed_at_every_step_it_ends_as_if_undisturbed(first_model, delivered, settings, run_process, tmp_path):
    folders = [tmp_path / name for name in ("undisturbed", "killed")]
    for folder in folders:
        shutil.copytree(first_model, folder)
        shutil.copytree(delivered, folder / "incoming")
    undisturbed, killed = map(Store, folders)
    with run_service(undisturbed.deployment, settings.serving) as address:
        assert run_process(undisturbed.folder, address) == 0
    with run_service(killed.deployment, settings.serving) as address:
        deaths = [run_process(killed.folder, address, where) for where in POINTS]
        if fold(read_journal(killed.journal)).batch is not None:
            assert run_process(killed.folder, address) == 0
        from carefolio.local_server import ask_server

        taken_over = json.loads(ask_server(f"{address}/release"))["taken_over"]
    assert deaths == [-signal.SIGKILL] * len(POINTS)
    assert content(killed) == content(undisturbed)
    assert content(killed)["outcomes"][-1][1] == "promoted"
    assert len(content(killed)["releases"]) == 2
    assert taken_over == 2, "the first model and the promotion, each once"
