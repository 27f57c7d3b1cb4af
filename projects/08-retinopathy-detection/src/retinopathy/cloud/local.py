"""The rehearsal on this machine: the container's own ``train`` in a folder laid out as ``/opt/ml``, then its ``serve`` over the result.

They are the programs that the clouds start, as this user and on the loopback address.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from carefolio.artefacts import write_json
from carefolio.deploy.bundle import BUNDLE_NAME, unpack_bundle, write_bundle
from carefolio.deploy.container import INVOCATIONS, PING
from carefolio.deploy.steps import Action, Outcome, Plan, Step, run_steps
from carefolio.exceptions import ArtefactError, CarefolioError
from carefolio.local_server import ask_server, free_port, run_server
from retinopathy.cloud.settings import CloudSettings, LocalSettings
from retinopathy.cloud.specification import DATASETS, MODULE, sample_photo
from retinopathy.cloud.training import CHANNEL, ROOT_VARIABLE, find_places

TARGET = "local"
HOST = "127.0.0.1"
ROOT_FOLDER, SERVED_FOLDER = "ml", "served"
TOLERANCE = 1e-6
ANSWER_TIMEOUT_S = 60


def local_plan(settings: CloudSettings, *, data: Path | None = None) -> Plan:
    """Plan a rehearsal.

    Parameters
    ----------
    settings : CloudSettings
        Hyperparameters, port and patience.
    data : Path, optional
        Folder laid out as ``CAREFOLIO_DATA_DIR``; drawn retinas without one.

    Returns
    -------
    Plan
        From the channel to the end of the server.
    """
    told = settings.hyperparameters.strings() | ({} if data else {"synthetic": "true"})
    address = f"http://{HOST}:{settings.local.port or '(free port)'}"
    return Plan(TARGET, "", (
        Step("input", "files.write", {"root": ROOT_FOLDER, CHANNEL: str(data) if data else "(none: drawn retinas)",
                                      "hyperparameters": told}, "what is there from an earlier rehearsal is removed"),
        Step("training", "process.run", {"module": f"{MODULE} train", "timeout_s": settings.local.train_timeout_s},
             "one process; a minute if quick"),
        Step("model bundle", "bundle.write", {"file": BUNDLE_NAME}, "as SageMaker packs /opt/ml/model"),
        Step("model folder", "bundle.unpack", {"folder": SERVED_FOLDER}),
        Step("server", "process.start", {"module": f"{MODULE} serve", "address": address,
                                         "ready_timeout_s": settings.local.ready_timeout_s}, "one process; answers this machine only"),
        Step("health", "GET", {"url": f"{address}{PING}"}),
        Step("first answer", "POST", {"url": f"{address}{INVOCATIONS}", "Content-Type": "image/jpeg"},
             "sends a drawn retina; the answer must equal the one computed without the server"),
        Step("answer in Vertex AI's form", "POST instances", {"url": f"{address}{INVOCATIONS}", "Content-Type": "application/json"},
             "the same retina"),
        Step("end", "process.stop", {})))


def apply_local(plan: Plan, settings: LocalSettings, *, data: Path | None, folder: Path,
                say: Callable[[str], None] = lambda _: None) -> list[Outcome]:
    """Carry out a plan of `local_plan`; the server ends with this call.

    Parameters
    ----------
    plan : Plan
        What is to be done.
    settings : LocalSettings
        Port and patience.
    data : Path, optional
        As given to `local_plan`.
    folder : Path
        Receives the root, the bundle and the unpacked model.
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
    from retinopathy.cloud.container import SEALED

    root, port, photo = folder / ROOT_FOLDER, settings.port or free_port(), sample_photo()
    places, address = find_places({ROOT_VARIABLE: str(root)}), f"http://{HOST}:{port}"
    with ExitStack() as running:
        def start(step: Step) -> str:
            return running.enter_context(_serve(folder / SERVED_FOLDER, port=port, timeout_s=step.parameters["ready_timeout_s"]))

        def stop(_: Step) -> str:
            running.close()
            return "ended"

        actions: dict[str, Action] = {
            "files.write": partial(_lay_out, root, data),
            "process.run": partial(_train, root),
            "bundle.write": lambda step: f"SHA-256 {write_bundle(places.model, folder / step.parameters['file'], SEALED).sha256}",
            "bundle.unpack": lambda step: f"model {unpack_bundle(folder / BUNDLE_NAME, folder / SERVED_FOLDER, SEALED)[:12]}",
            "process.start": start,
            "GET": lambda step: ask_server(f"{address}{PING}").decode(),
            "POST": lambda step: _ask(f"{address}{INVOCATIONS}", places.model, photo, instances=False),
            "POST instances": lambda step: _ask(f"{address}{INVOCATIONS}", places.model, photo, instances=True),
            "process.stop": stop,
        }
        return run_steps(plan, actions, errors=(OSError, RuntimeError), say=say)


def _lay_out(root: Path, data: Path | None, step: Step) -> str:
    """Make the folders as SageMaker does: hyperparameters as strings, the channel's data sets by links."""
    shutil.rmtree(root, ignore_errors=True)
    places = find_places({ROOT_VARIABLE: str(root)})
    for made in (places.config, places.data, places.model, places.reports):
        made.mkdir(parents=True)
    write_json(places.config / "hyperparameters.json", step.parameters["hyperparameters"])
    found = [name for name in DATASETS if data and (data / name).is_dir()]
    for name in found:
        (places.data / name).symlink_to((data or root) / name, target_is_directory=True)
    return f"{len(found)} data sets" if data else "no photographs; retinas are drawn"


def _train(root: Path, step: Step) -> str:
    command = [sys.executable, "-m", *step.parameters["module"].split()]
    try:
        done = subprocess.run(command, env=os.environ | {ROOT_VARIABLE: str(root)}, timeout=step.parameters["timeout_s"], check=False)
    except subprocess.TimeoutExpired:
        raise CarefolioError(f"the training did not end within {step.parameters['timeout_s']:g} s; raise local.train_timeout_s.") from None
    failure = find_places({ROOT_VARIABLE: str(root)}).failure
    if done.returncode:
        reason = failure.read_text(encoding="utf-8") if failure.is_file() else "no reason was written; see above"
        raise CarefolioError(f"the training ended with status {done.returncode}: {reason}")
    return f"status {done.returncode}"


def _serve(model: Path, *, port: int, timeout_s: float) -> AbstractContextManager[str]:
    variables = {"SM_MODEL_DIR": str(model), "CAREFOLIO_ARTEFACTS": "", "CAREFOLIO_HOST": HOST, "SAGEMAKER_BIND_TO_PORT": str(port)}
    return run_server([sys.executable, "-m", MODULE, "serve"], ready_url=f"http://{HOST}:{port}{PING}", env=variables, timeout_s=timeout_s)


def _ask(url: str, model: Path, photo: bytes, *, instances: bool) -> str:
    """Ask for the grade of a photograph and hold it against the grader's own."""
    from retinopathy.artefacts import chosen_precision
    from retinopathy.cloud.container import Predictions
    from retinopathy.predictor import RetinaPredictor
    from retinopathy.schemas import GradeResponse

    body = json.dumps({"instances": [{"b64": base64.b64encode(photo).decode()}]}).encode() if instances else photo
    answer = ask_server(url, body, content_type="application/json" if instances else "image/jpeg", timeout_s=ANSWER_TIMEOUT_S)
    try:
        found = Predictions.model_validate_json(answer).predictions[0] if instances else GradeResponse.model_validate_json(answer)
    except ValidationError as error:
        raise ArtefactError(f"{url} gave an answer of {len(answer)} bytes that is no grade ({error.error_count()} faults).") from None
    expected = RetinaPredictor.open(model, precision=chosen_precision()).grade(photo)
    difference = abs((found.referable or 0.0) - (expected.referable or 0.0))
    if (found.gradable, found.grade) != (expected.gradable, expected.grade) or difference > TOLERANCE:
        raise ArtefactError(f"{url} answers grade {found.grade}, expected {expected.grade} as computed without the server; do both use the "
                            "same versions?")
    return f"grade {found.grade}, as without the server" if found.gradable else "not graded, as without the server"
