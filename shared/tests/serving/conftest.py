"""A small model API, called in process or over a loopback socket."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel, ConfigDict, Field

from carefolio.serving import ServingSettings, create_app
from carefolio.serving.fields import Integer, Number
from carefolio.serving.settings import new_api_key

KEY, KEY_HASH = new_api_key()
SECRET_TEXT = "Jane Example, record 12345"
EXAMPLES = {"/v1/predict": {"typical": {"patients": [{"age_years": 70, "sex": "female", "creatinine_mg_dl": 1.1}]}}}


class Patient(BaseModel):
    model_config = ConfigDict(extra="forbid")

    age_years: Integer = Field(ge=0, le=120)
    sex: str = Field(pattern="^(female|male)$")
    creatinine_mg_dl: Number | None = None


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid")

    patients: list[Patient] = Field(min_length=1, max_length=100)


class Answer(BaseModel):
    risks: list[float]


def toy_router() -> APIRouter:
    router = APIRouter(prefix="/v1")

    @router.post("/predict")
    def predict(request: Request) -> Answer:
        return Answer(risks=[patient.age_years / 240 for patient in request.patients])

    @router.get("/patients/{patient_id}/risk")
    def risk(patient_id: int) -> Answer:
        return Answer(risks=[0.5])

    @router.get("/broken", include_in_schema=False)
    def broken() -> None:
        raise RuntimeError(SECRET_TEXT)

    return router


@pytest.fixture
def make_app() -> Callable[..., FastAPI]:
    """Build the toy app; keyword arguments go to the settings, ``app_arguments`` to ``create_app``."""

    def make(app_arguments: dict[str, Any] | None = None, **settings: Any) -> FastAPI:
        chosen = {"api_key_hashes": frozenset({KEY_HASH}), **settings}
        arguments: dict[str, Any] = {"title": "Toy", "version": "1", "description": "A toy.", "routers": [toy_router()],
                                     "ready": lambda: None, "examples": EXAMPLES} | (app_arguments or {})
        return create_app(settings=ServingSettings(**chosen), **arguments)

    return make


@pytest.fixture
def call() -> Callable[..., httpx.Response]:
    """Send one request to an app in process, with the right key unless other headers are given."""

    def send(app: FastAPI, method: str, path: str, *, client: tuple[str, int] = ("127.0.0.1", 50000), **options: Any) -> httpx.Response:
        options.setdefault("headers", {"X-API-Key": KEY})

        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=client)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as session:
                return await session.request(method, path, **options)

        return asyncio.run(exchange())

    return send


@pytest.fixture
def serve() -> Iterator[Callable[[FastAPI], str]]:
    """Serve an app with uvicorn on a free loopback port; gives its address."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(app: FastAPI) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        running.append((server, thread))
        deadline = time.monotonic() + 20
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        assert server.started
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(timeout=20)


@pytest.fixture
def api_key() -> str:
    """Give the key that ``make_app`` accepts."""
    return KEY
