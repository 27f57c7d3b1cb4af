"""The API inside a container on SageMaker or Azure Machine Learning: ``GET /ping`` and ``POST /invocations`` on port 8080.

Both platforms check who is asking before a request arrives (IAM, or the endpoint's token), mount the model into the container
and speak this contract; SageMaker starts it with the argument ``serve``. Body limit, strict JSON, problem documents, request
ids, metrics and audit log are those of `carefolio.serving`. All other routes that would need a key stay closed unless
``CAREFOLIO_API_KEYS`` names one, and requests are not rationed here, because all of them come from one address.

Contract: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

import os
import sys
from functools import partial
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Body, FastAPI
from pydantic import Discriminator, Tag

from carefolio.deploy.container import INVOCATIONS, PING, build_ping, container_settings, run_container
from carefolio.deploy.container import model_folder as find_model
from carefolio.serving import create_app as create_guarded_app
from readmission.api import BODY_LIMIT_BYTES, DESCRIPTION, DISTRIBUTION
from readmission.model import MANIFEST_FILE
from readmission.predictor import Predictor
from readmission.schemas import EXAMPLES, PatientStay, PatientStays, Prediction, Predictions, ServedModel

model_folder = partial(find_model, manifest=MANIFEST_FILE)


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
    settings = container_settings(os.environ, body_limit_bytes=BODY_LIMIT_BYTES)
    return create_guarded_app(title="Readmission within 30 days", version=version(DISTRIBUTION), description=DESCRIPTION,
                              routers=[build_ping(predictor.check), _build_router(predictor)], ready=predictor.check, settings=settings,
                              examples={INVOCATIONS: EXAMPLES["/predict"] | EXAMPLES["/predict/batch"]},
                              open_paths=(PING, INVOCATIONS))


def _build_router(predictor: Predictor) -> APIRouter:
    router = APIRouter(tags=["container"])
    served = ServedModel(version=version(DISTRIBUTION), sha256=predictor.sha256)

    @router.post(INVOCATIONS, summary="Risk of one patient or of many")
    def invocations(question: Question) -> Prediction | Predictions:
        if isinstance(question, PatientStays):
            return Predictions(risks=predictor.predict([stay.columns() for stay in question.stays]), model=served)
        return Prediction(risk=predictor.predict([question.columns()])[0], model=served)

    return router


def main() -> None:
    """Serve until the platform stops the container; ``serve`` is the only argument there is."""
    if sys.argv[1:] not in ([], ["serve"]):
        raise SystemExit(f"this container only serves; got {' '.join(sys.argv[1:])!r}. Start it with `serve` or without arguments.")
    run_container("readmission.deploy.container:create_app")


if __name__ == "__main__":
    main()
