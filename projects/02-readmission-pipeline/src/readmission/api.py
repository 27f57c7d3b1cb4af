"""The model as an API: one patient, many patients, and why.

``POST /predict`` runs on the event loop, the other two in threads. One prediction takes about as long as handing it to a thread
and back, and Python runs one of the two at a time anyway: measured with 16 clients, a thread for each prediction halved the
number answered a second and helped nobody. A batch or an explanation takes long enough to make other clients wait.
"""

import os
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, FastAPI

from carefolio.command import DISCLAIMER
from carefolio.config import project_home
from carefolio.serving import ServingSettings
from carefolio.serving import create_app as create_guarded_app
from readmission.config import FOLDER
from readmission.predictor import Predictor
from readmission.schemas import EXAMPLES, Explanation, PatientStay, PatientStays, Prediction, Predictions, Reason, ServedModel

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
