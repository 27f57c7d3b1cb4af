"""What a model's program inside a container has in common on SageMaker, Azure Machine Learning and Vertex AI.

All three check who is asking before a request arrives (IAM, or the endpoint's token). SageMaker's contract, ``GET /ping`` and
``POST /invocations`` on port 8080, is spoken on the others too, which take any paths and port. Routes other than these two stay closed
unless ``CAREFOLIO_API_KEYS`` names a key, and requests are not rationed, because all of them come from one address.

Contract: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fastapi import APIRouter, HTTPException

from carefolio.exceptions import ArtefactError
from carefolio.serving import ServingSettings
from carefolio.serving.settings import new_api_key

PING, INVOCATIONS = "/ping", "/invocations"
PORT = 8080
MODEL_MOUNT = "/opt/ml/model"
MODEL_VARIABLES = ("CAREFOLIO_ARTEFACTS", "SM_MODEL_DIR", "AZUREML_MODEL_DIR")
REQUESTS_PER_MINUTE = 1_000_000


def model_folder(environment: Mapping[str, str], *, manifest: str, mount: str = MODEL_MOUNT) -> Path:
    """Find the model that the platform has put into the container.

    Parameters
    ----------
    environment : mapping of str to str
        Variables of the process.
    manifest : str
        Name of a file that stands beside every model.
    mount : str, default "/opt/ml/model"
        Where it is if no variable of `MODEL_VARIABLES` says so.

    Returns
    -------
    Path
        The only folder with a manifest at or below that of the first variable of `MODEL_VARIABLES`, or ``mount``.

    Raises
    ------
    ArtefactError
        If there is none, or more than one.
    """
    root = Path(next((environment[name] for name in MODEL_VARIABLES if environment.get(name)), mount))
    found = sorted(path.parent for path in root.rglob(manifest))
    if len(found) != 1:
        raise ArtefactError(f"{root} holds {len(found)} models, expected one {manifest} at or below it; "
                            f"mount a bundle there or set {' or '.join(MODEL_VARIABLES)}.")
    return found[0]


def container_settings(environment: Mapping[str, str], *, body_limit_bytes: int) -> ServingSettings:
    """Read the settings of a server that a platform guards.

    Parameters
    ----------
    environment : mapping of str to str
        Variables of the process; they win over the defaults here.
    body_limit_bytes : int
        Largest request body.

    Returns
    -------
    ServingSettings
        With a key that nobody has: the platform is the guard of the open routes, and nothing else is open by accident.

    Raises
    ------
    ConfigError
        If a variable does not fit.
    """
    defaults = {"CAREFOLIO_BODY_LIMIT_BYTES": str(body_limit_bytes), "CAREFOLIO_REQUESTS_PER_MINUTE": str(REQUESTS_PER_MINUTE),
                "CAREFOLIO_API_KEYS": new_api_key()[1]}
    return ServingSettings.from_environment(defaults | dict(environment))


def build_ping(check: Callable[[], None], paths: Sequence[str] = (PING,)) -> APIRouter:
    """Build the route by which a platform asks whether the container is well.

    Parameters
    ----------
    check : callable
        Raises ``ArtefactError`` while the model does not answer as it should; called on the event loop, so keep it short.
    paths : sequence of str, default ("/ping",)
        Where the platform asks.

    Returns
    -------
    APIRouter
        Answers 200, or 503.
    """
    router = APIRouter(tags=["container"])

    async def _ping() -> dict[str, str]:
        try:
            check()
        except ArtefactError as error:
            raise HTTPException(503, "The model does not answer as it did; replace the container.") from error
        return {"status": "healthy"}

    for path in paths:
        router.add_api_route(path, _ping, methods=["GET"], summary="The model answers as it did when it was loaded")
    return router


def run_container(target: str, *, port_variables: Sequence[str] = ("SAGEMAKER_BIND_TO_PORT",)) -> None:
    """Serve until the platform stops the container.

    Parameters
    ----------
    target : str
        ``"package.module:create_app"``.
    port_variables : sequence of str, default ("SAGEMAKER_BIND_TO_PORT",)
        Where a platform names another port than 8080; the first that is set counts.
    """
    import uvicorn

    host = os.environ.get("CAREFOLIO_HOST") or "0.0.0.0"  # noqa: S104 - a container is reached from outside
    port = next((int(os.environ[name]) for name in port_variables if os.environ.get(name)), PORT)
    uvicorn.run(target, factory=True, host=host, port=port, log_level="info", access_log=False, server_header=False)
