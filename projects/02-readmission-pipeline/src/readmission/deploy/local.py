"""The rehearsal on this machine: the bundle unpacked, the container's own API over it, one made-up patient, and the end.

It is the same program that the clouds start, on the loopback address and as this user.
"""

import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from carefolio.deploy.steps import Action, Outcome, Plan, Step, run_steps
from carefolio.exceptions import ArtefactError
from carefolio.local_server import ask_server, free_port, run_server
from readmission.deploy.bundle import unpack_bundle, write_bundle
from readmission.deploy.settings import LocalSettings
from readmission.deploy.smoke import CONTENT_TYPE, read_risk, sample_columns, sample_request

TARGET = "local"
HOST = "127.0.0.1"
MODULE = "readmission.deploy.container"
TOLERANCE = 1e-12


def local_plan(settings: LocalSettings, model_sha256: str, *, keep: bool = False) -> Plan:
    """Plan a rehearsal.

    Parameters
    ----------
    settings : LocalSettings
        Port and patience.
    model_sha256 : str
        Names the model.
    keep : bool, default False
        Go on serving at the end until Ctrl-C.

    Returns
    -------
    Plan
        From the bundle to the end of the server.
    """
    address = f"http://{HOST}:{settings.port or '(free port)'}"
    last = Step("serve", "process.wait", {"until": "Ctrl-C"}) if keep else Step("end", "process.stop", {})
    return Plan(TARGET, model_sha256, (
        Step("model bundle", "bundle.write", {"file": "model.tar.gz"}, "less than a megabyte"),
        Step("model folder", "bundle.unpack", {"folder": "model", "model_sha256": model_sha256}),
        Step("server", "process.start", {"module": MODULE, "address": address, "ready_timeout_s": settings.ready_timeout_s},
             "one process; answers this machine only"),
        Step("health", "GET", {"url": f"{address}/ping"}),
        Step("first answer", "POST", {"url": f"{address}/invocations", "Content-Type": CONTENT_TYPE},
             "sends a made-up patient; the risk must equal the one computed without the server"),
        last))


def apply_local(plan: Plan, settings: LocalSettings, *, artefacts: Path, folder: Path, model_file_sha256: str,
                say: Callable[[str], None] = lambda _: None) -> list[Outcome]:
    """Carry out a plan of `local_plan`; the server ends with this call.

    Parameters
    ----------
    plan : Plan
        What is to be done.
    settings : LocalSettings
        Port and patience.
    artefacts : Path
        Folder of the sealed model.
    folder : Path
        Receives the bundle and the unpacked model.
    model_file_sha256 : str
        SHA-256 of the LightGBM file, which the answer must name.
    say : callable, optional
        Told about each finished step.

    Returns
    -------
    list of Outcome
        One a step.

    Raises
    ------
    CarefolioError
        If a step fails.
    """
    port = settings.port or free_port()
    address = f"http://{HOST}:{port}"
    with ExitStack() as running:
        def start(step: Step) -> str:
            return running.enter_context(_serve(folder / "model", port=port, timeout_s=step.parameters["ready_timeout_s"]))

        def stop(_: Step) -> str:
            running.close()
            return "ended"

        actions: dict[str, Action] = {
            "bundle.write": lambda step: f"SHA-256 {write_bundle(artefacts, folder / step.parameters['file']).sha256}",
            "bundle.unpack": lambda step: _unpack(folder, step),
            "process.start": start,
            "GET": lambda _: ask_server(f"{address}/ping").decode(),
            "POST": lambda _: _ask(f"{address}/invocations", artefacts, model_file_sha256),
            "process.wait": lambda _: _wait(address, say),
            "process.stop": stop,
        }
        return run_steps(plan, actions, errors=(OSError, RuntimeError), say=say)


def _serve(model: Path, *, port: int, timeout_s: float) -> Any:
    variables = {"CAREFOLIO_ARTEFACTS": str(model), "CAREFOLIO_HOST": HOST, "SAGEMAKER_BIND_TO_PORT": str(port)}
    return run_server([sys.executable, "-m", MODULE, "serve"], ready_url=f"http://{HOST}:{port}/ping", env=variables, timeout_s=timeout_s)


def _unpack(folder: Path, step: Step) -> str:
    found = unpack_bundle(folder / "model.tar.gz", folder / step.parameters["folder"])
    if found != step.parameters["model_sha256"]:
        raise ArtefactError(f"the bundle holds model {found}, expected {step.parameters['model_sha256']}; it changed while it was packed.")
    return "checked"


def _ask(url: str, artefacts: Path, model_file_sha256: str) -> str:
    from readmission.predictor import Predictor

    risk = read_risk(ask_server(url, sample_request(), content_type=CONTENT_TYPE), where=url, model_file_sha256=model_file_sha256)
    expected = Predictor.load(artefacts).predict([sample_columns()])[0]
    if abs(risk - expected) > TOLERANCE:
        raise ArtefactError(f"{url} answers {risk}, expected {expected} as computed without the server; do both use the same versions?")
    return f"risk {risk:.4f}, as without the server"


def _wait(address: str, say: Callable[[str], None]) -> str:
    say(f"answering at {address}/invocations; Ctrl-C ends it")
    signal.pause()
    return "ended"
