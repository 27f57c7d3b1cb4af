"""The API inside a container on SageMaker or Azure Machine Learning: ``GET /ping`` and ``POST /invocations`` on port 8080.

Both platforms check who is asking before a request arrives (IAM, or the endpoint's token), mount the model into the container
and speak this contract; SageMaker starts it with the argument ``serve``. Body limit, strict JSON, problem documents, request
ids, metrics and audit log are those of `carefolio.serving`. All other routes that would need a key stay closed unless
``CAREFOLIO_API_KEYS`` names one, and requests are not rationed here, because all of them come from one address.

Contract: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

import os
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Body, FastAPI, HTTPException
from pydantic import Discriminator, Tag

from carefolio.exceptions import ArtefactError
from carefolio.serving import ServingSettings
from carefolio.serving import create_app as create_guarded_app
from carefolio.serving.settings import new_api_key
from readmission.api import BODY_LIMIT_BYTES, DESCRIPTION, DISTRIBUTION
from readmission.model import MANIFEST_FILE
from readmission.predictor import Predictor
from readmission.schemas import EXAMPLES, PatientStay, PatientStays, Prediction, Predictions, ServedModel

PING, INVOCATIONS = "/ping", "/invocations"
PORT = 8080
MODEL_MOUNT = "/opt/ml/model"
MODEL_VARIABLES = ("CAREFOLIO_ARTEFACTS", "SM_MODEL_DIR", "AZUREML_MODEL_DIR")
REQUESTS_PER_MINUTE = 1_000_000


def one_or_many(body: Any) -> str:
    """Tell a request about one patient from one about many.

    Parameters
    ----------
    body : Any
        The parsed JSON.

    Returns
    -------
    str
        ``many`` if it has ``stays``, else ``one``.
    """
    return "many" if isinstance(body, dict) and "stays" in body else "one"


Question = Annotated[Annotated[PatientStay, Tag("one")] | Annotated[PatientStays, Tag("many")], Discriminator(one_or_many), Body()]


def create_app() -> FastAPI:
    """Build the container's API with the model that the platform has mounted.

    Returns
    -------
    FastAPI
        Further settings come from the environment (see `carefolio.serving.settings`).

    Raises
    ------
    ArtefactError
        If the model is missing or altered: a container without a model does not start.
    ConfigError
        If the settings do not fit.
    """
    predictor = Predictor.load(model_folder(os.environ))
    # A key that nobody has: the platform is the guard of the two routes, and nothing else is open by accident.
    defaults = {"CAREFOLIO_BODY_LIMIT_BYTES": str(BODY_LIMIT_BYTES), "CAREFOLIO_REQUESTS_PER_MINUTE": str(REQUESTS_PER_MINUTE),
                "CAREFOLIO_API_KEYS": new_api_key()[1]}
    settings = ServingSettings.from_environment(defaults | dict(os.environ))
    return create_guarded_app(title="Readmission within 30 days", version=version(DISTRIBUTION), description=DESCRIPTION,
                              routers=[_build_router(predictor)], ready=predictor.check, settings=settings,
                              examples={INVOCATIONS: EXAMPLES["/predict"] | EXAMPLES["/predict/batch"]},
                              open_paths=(PING, INVOCATIONS))


def model_folder(environment: Mapping[str, str]) -> Path:
    """Find the model that the platform has put into the container.

    Parameters
    ----------
    environment : mapping of str to str
        Variables of the process.

    Returns
    -------
    Path
        The only folder with a manifest at or below that of the first variable of `MODEL_VARIABLES`, or ``/opt/ml/model``.

    Raises
    ------
    ArtefactError
        If there is none, or more than one.
    """
    root = Path(next((environment[name] for name in MODEL_VARIABLES if environment.get(name)), MODEL_MOUNT))
    found = sorted(path.parent for path in root.rglob(MANIFEST_FILE))
    if len(found) != 1:
        raise ArtefactError(f"{root} holds {len(found)} models, expected one {MANIFEST_FILE} at or below it; "
                            f"mount a bundle there or set {' or '.join(MODEL_VARIABLES)}.")
    return found[0]


def _build_router(predictor: Predictor) -> APIRouter:
    router = APIRouter(tags=["container"])
    served = ServedModel(version=version(DISTRIBUTION), sha256=predictor.sha256)

    @router.get(PING, summary="The model answers as it did when it was loaded")
    async def ping() -> dict[str, str]:
        try:
            predictor.check()
        except ArtefactError as error:
            raise HTTPException(503, "The model does not answer as it did; replace the container.") from error
        return {"status": "healthy"}

    @router.post(INVOCATIONS, summary="Risk of one patient or of many")
    def invocations(question: Question) -> Prediction | Predictions:
        if isinstance(question, PatientStays):
            return Predictions(risks=predictor.predict([stay.columns() for stay in question.stays]), model=served)
        return Prediction(risk=predictor.predict([question.columns()])[0], model=served)

    return router


def main() -> None:
    """Serve until the platform stops the container; ``serve`` is the only argument there is."""
    import uvicorn

    if sys.argv[1:] not in ([], ["serve"]):
        raise SystemExit(f"this container only serves; got {' '.join(sys.argv[1:])!r}. Start it with `serve` or without arguments.")
    host = os.environ.get("CAREFOLIO_HOST") or "0.0.0.0"  # noqa: S104 - a container is reached from outside
    port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT") or PORT)
    uvicorn.run("readmission.deploy.container:create_app", factory=True, host=host, port=port, log_level="info", access_log=False)


if __name__ == "__main__":
    main()
