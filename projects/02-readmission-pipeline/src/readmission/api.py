"""The model as an API: one patient, many patients, and why.

``POST /predict`` runs on the event loop, the other two in threads. One prediction takes about as long as handing it to a thread
and back, and Python runs one of the two at a time anyway: measured with 16 clients, a thread for each prediction halved the
number answered a second and helped nobody. A batch or an explanation takes long enough to make other clients wait.
"""

import json
import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, FastAPI

from carefolio.command import DISCLAIMER
from carefolio.config import project_home
from carefolio.serving import ServingSettings
from carefolio.serving import create_app as create_guarded_app
from carefolio.serving.settings import is_loopback, new_api_key
from readmission.config import FOLDER
from readmission.predictor import Predictor
from readmission.schemas import EXAMPLES, FIRST_STAY, Explanation, PatientStay, PatientStays, Prediction, Predictions, Reason, ServedModel

DISTRIBUTION = "carefolio-readmission"
BODY_LIMIT_BYTES = 4 * 1024 * 1024
DESCRIPTION = ("Risk of being in hospital again within 30 days of a discharge, for inpatients with diabetes. "
               "Trained on US hospitals of 1999-2008; not for patients who died or went to hospice. " + DISCLAIMER)


def create_app() -> FastAPI:
    """Build the API with the model of ``$CAREFOLIO_ARTEFACTS``, or else the committed one.

    Returns
    -------
    FastAPI
        Settings come from the environment (see `carefolio.serving.settings`); a body may have 4 MiB unless that says otherwise,
        room for a batch of 1,000 stays with one or two earlier ones each.

    Raises
    ------
    ArtefactError
        If the model is missing or altered: a server without a model does not start.
    ConfigError
        If the settings do not fit.
    """
    settings = ServingSettings.from_environment({"CAREFOLIO_BODY_LIMIT_BYTES": str(BODY_LIMIT_BYTES), **os.environ})
    folder = artefacts_folder()
    predictor = Predictor.load(folder)
    card = folder.parent / "reports" / "model_card.md"
    return create_guarded_app(title="Readmission within 30 days", version=version(DISTRIBUTION), description=DESCRIPTION,
                              routers=[_build_router(predictor)], ready=predictor.check, settings=settings,
                              model_card=card if card.is_file() else None, examples=EXAMPLES)


def artefacts_folder() -> Path:
    """Find the folder of the model to serve.

    Returns
    -------
    Path
        ``$CAREFOLIO_ARTEFACTS``, or ``artefacts`` in the project's folder. The model card is taken from ``reports`` beside it.
    """
    chosen = os.environ.get("CAREFOLIO_ARTEFACTS")
    return Path(chosen) if chosen else project_home(FOLDER) / "artefacts"


def server_environment(environment: Mapping[str, str], *, host: str, out: Path | None, no_auth: bool) -> tuple[dict[str, str], str]:
    """Work out the variables of a server that is started by hand.

    Parameters
    ----------
    environment : mapping
        What is set already; it wins over what would be made up here.
    host : str
        Address to bind.
    out : Path, optional
        Folder of a run whose model is served in place of the committed one.
    no_auth : bool
        Ask for no key; `ServingSettings` allows that on loopback only.

    Returns
    -------
    variables : dict of str to str
        To lay over the environment.
    key : str
        What a client sends in ``X-API-Key``: a key made now if none is configured and the address is loopback, ``$API_KEY`` where
        the user has configured some, empty where none is asked for.
    """
    variables = {"CAREFOLIO_HOST": host} | ({"CAREFOLIO_ARTEFACTS": str(out.resolve() / "artefacts")} if out else {})
    if no_auth or environment.get("CAREFOLIO_AUTH") == "off":
        return variables | {"CAREFOLIO_AUTH": "off"}, ""
    configured = any(environment.get(f"CAREFOLIO_{name}") for name in ("API_KEYS", "API_KEYS_FILE", "JWT_JWKS_FILE"))
    if configured or not is_loopback(host):
        return variables, "$API_KEY"
    key, key_hash = new_api_key()
    return variables | {"CAREFOLIO_API_KEYS": key_hash}, key


def curl_line(host: str, port: int, key: str) -> str:
    """Write a command that asks the server for one prediction.

    Parameters
    ----------
    host : str
        Address of the server.
    port : int
        Its port.
    key : str
        As `server_environment` gives it.

    Returns
    -------
    str
        One line for a POSIX shell; the patient is made up.
    """
    header = f' -H "X-API-Key: {key}"' if key else ""
    body = json.dumps(FIRST_STAY, separators=(",", ":"))
    return f"curl -s http://{host}:{port}/predict -H 'Content-Type: application/json'{header} -d '{body}'"


def _build_router(predictor: Predictor) -> APIRouter:
    """Build the three routes of a model.

    Parameters
    ----------
    predictor : Predictor
        A loaded model.

    Returns
    -------
    APIRouter
        ``/predict``, ``/predict/batch`` and ``/explain``.
    """
    router = APIRouter(tags=["model"])
    served = ServedModel(version=version(DISTRIBUTION), sha256=predictor.sha256)

    @router.post("/predict", summary="Risk of one patient")
    async def predict(patient: PatientStay) -> Prediction:
        return Prediction(risk=predictor.predict([patient.columns()])[0], model=served)

    @router.post("/predict/batch", summary="Risks of up to 1,000 patients")
    def predict_batch(patients: PatientStays) -> Predictions:
        return Predictions(risks=predictor.predict([stay.columns() for stay in patients.stays]), model=served)

    @router.post("/explain", summary="Risk of one patient and what it is made of")
    def explain(patient: PatientStay) -> Explanation:
        found = predictor.explain(patient.columns())
        reasons = [Reason(**reason) for reason in found.reasons]
        return Explanation(risk=found.risk, log_odds=found.log_odds, baseline_log_odds=found.baseline, reasons=reasons, model=served)

    return router
