"""Every app of the repository, opened in this process and asked byte by byte as a server would hand requests on."""

import ast
import importlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import anyio
import pytest
import yaml
from starlette.testclient import TestClient

from carefolio.artefacts import sha256_file, write_json
from carefolio.chapters import read_chapters
from carefolio.serving.settings import new_api_key

ROOT = Path(__file__).parents[1]
CHAPTERS = [chapter for chapter in read_chapters(ROOT) if chapter.home]
KEY, KEY_HASH = new_api_key()
UNGUARDED = {"clinical_workflow.hospital.app": "a mock record for one machine: its pages have sessions, its FHIR server tokens of its own"}
"""Apps that are not built by `carefolio.serving.create_app` -> why; they have tests of their own."""
PROBES = {"/health/live", "/health/ready", "/metrics"}
OPEN = {"readmission.deploy.container": {"/ping", "/invocations"}, "retinopathy.cloud.container": {"/ping", "/invocations"},
        "clinical_workflow.api": {"/cds-services"}}
"""App -> paths that answer without a key: the cloud's own guard stands before the containers, and CDS Hooks wants an open discovery."""
HOOK = {"hook": "encounter-discharge", "hookInstance": "b6a4d3a0-5d5c-4b53-9a2a-5a8e5a3e2f10", "prefetch": {"patient": {"id": "p"}},
        "context": {"userId": "Practitioner/one", "patientId": "p", "encounterId": "e"}}
BODIES = {"clinical_workflow.api": {"/cds-services/{service}": HOOK, "/admin/switch": {"service": "all", "mode": "off", "why": "a test"},
                                    "/cds-services/{service}/feedback": {"feedback": []}},
          "retinopathy.api": {"/grade": {"photo": "AAAA"}}, "retinopathy.cloud.container": {"/invocations": {"photo": "AAAA"}}}
"""App -> path -> a body of the right form, where the OpenAPI document gives no example."""


@dataclass(frozen=True)
class Answer:
    """What an app answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


@dataclass(frozen=True)
class App:
    """An open app, its operations as its own document describes them, and where its audit log is."""

    name: str
    client: TestClient
    document: dict[str, Any]
    audit_log: Path

    def ask(self, method: str, target: str | bytes, *, key: str | None = KEY, headers: Iterable[tuple[str, str]] = (),
            body: bytes | Iterable[bytes] = b"") -> Answer:
        """Send a request; ``target`` and headers go as they are, and a body of several pieces has no declared length."""
        own = [("Host", "127.0.0.1:8000"), *([] if key is None else [("X-API-Key", key)]), *headers]
        assert self.client.portal is not None
        return self.client.portal.call(exchange, self.client.app, method, target, own, body)

    def send(self, path: str, value: Any, *, method: str = "POST", key: str | None = KEY) -> Answer:
        """Send JSON; text is sent as it is."""
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.ask(method, path, key=key, body=content, headers=[("Content-Type", "application/json")])

    def operations(self) -> list[tuple[str, str]]:
        """List (METHOD, path template) of the document."""
        return [(method.upper(), path) for path, item in self.document["paths"].items() for method in item]

    def bodies(self) -> list[tuple[str, str, Any]]:
        """List (method, path, a body that is understood) for every operation that takes JSON."""
        own, found = BODIES.get(self.name, {}), []
        for method, path in self.operations():
            content = self.document["paths"][path][method.lower()].get("requestBody", {}).get("content", {}).get("application/json")
            if content is not None:
                example = own[path] if path in own else next(iter(content["examples"].values()))["value"]
                found.append((method, filled(path), example))
        return found


def routes_of(app: Any) -> list[Any]:
    """List the routes of an app, those of included routers too."""
    return [inner for route in app.routes for inner in (routes_of(route.original_router) if hasattr(route, "original_router") else [route])]


def filled(path: str) -> str:
    """Put a service that exists, or a plain word, in place of the parameters of a path."""
    return path.replace("{service}", "readmission-risk")


async def exchange(app: Any, method: str, target: str | bytes, headers: Iterable[tuple[str, str]],
                    body: bytes | Iterable[bytes]) -> Answer:
    raw = target.encode() if isinstance(target, str) else target
    path, _, query = raw.partition(b"?")
    pieces = iter([body] if isinstance(body, bytes) else [*body, b""])
    length = [("Content-Length", str(len(body)))] if isinstance(body, bytes) and body else []
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http", "root_path": "",
             "path": unquote_to_bytes(path).decode("utf-8", "replace"), "raw_path": path, "query_string": query,
             "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in [*length, *headers]],
             "client": ("127.0.0.1", 50000), "server": ("127.0.0.1", 8000), "state": {}}
    sent: list[dict[str, Any]] = []

    async def _receive() -> dict[str, Any]:
        piece = next(pieces, None)
        if piece is None:
            await anyio.sleep_forever()  # the client waits for its answer
        return {"type": "http.request", "body": piece, "more_body": bool(piece) and not isinstance(body, bytes)}

    async def _send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, _receive, _send)
    found = {name.decode().lower(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], found, b"".join(message.get("body", b"") for message in sent[1:]))


def app_modules() -> list[str]:
    """Name every module of a chapter that builds an app, and of every chapter that has an ``api.py``."""
    found = []
    for chapter in CHAPTERS:
        source = chapter.home / "src"
        for path in sorted(source.rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            if any(isinstance(node, ast.FunctionDef) and node.name == "create_app" for node in tree.body):
                found.append(".".join(path.relative_to(source).with_suffix("").parts))
    return found


def environment_of(name: str, folder: Path) -> dict[str, str]:
    """Say what an app needs beside its key: committed artefacts, and folders of its own for what it writes."""
    home = {chapter.package: chapter.home for chapter in CHAPTERS}
    special = {"retraining.api": lambda: {"RETRAINING_DEPLOYMENT": str(home["retraining"] / "artefacts"), "RETRAINING_POLL_S": "3600"},
               "model_registry.api": lambda: kept_champion(home["model_registry"] / "artefacts" / "readmission", folder),
               "notes_summarizer.api": lambda: small_index(folder),
               "container_scaling.api": lambda: measured(folder),
               "clinical_workflow.api": lambda: {"CLINICAL_WORKFLOW_STATE": str(folder / "state")},
               "container_scaling.server": lambda: {"CAREFOLIO_APP": "container_scaling.api:create_app", **measured(folder)},
               "readmission.deploy.container": lambda: {"CAREFOLIO_ARTEFACTS": str(home["readmission"] / "artefacts")},
               "retinopathy.cloud.container": lambda: {"CAREFOLIO_ARTEFACTS": str(home["retinopathy"] / "artefacts")}}
    return special[name]() if name in special else {}


def small_index(folder: Path) -> dict[str, str]:
    """Make an index of a few made-up passages, so that leaflets are written and not only refused for want of one."""
    from carefolio.config import load_config
    from carefolio.datasets.medquad_twin import make_medquad_twin
    from notes_summarizer.config import PROJECT, NotesSettings
    from notes_summarizer.leaflet.index import build_index
    from notes_summarizer.train import index_folder

    build_index(make_medquad_twin(0).head(12), load_config(NotesSettings, PROJECT).leaflet, index_folder(folder))
    return {"CAREFOLIO_ARTEFACTS": str(folder)}


def measured(folder: Path) -> dict[str, str]:
    """Write service times for the calculator, whether or not the chapter has published some."""
    write_json(folder / "projects" / "07-container-scaling" / "reports" / "curves.json", {"service_ms": [1.0] * 10})
    return {"CAREFOLIO_HOME": str(folder)}


def kept_champion(artefacts: Path, folder: Path) -> dict[str, str]:
    """Lay out the committed champion as a server keeps it that has lost its registry."""
    about = json.loads((artefacts / "encoding.json").read_text(encoding="utf-8"))
    place = folder / "served" / "readmission-1"
    place.mkdir(parents=True)
    (place / "model.lgb").write_bytes((artefacts / "model.lgb").read_bytes())
    known = {name: about[name] for name in ("intercept", "slope", "features", "categories")}
    described = {"flavors": {"lightgbm": {}}, "metadata": {"carefolio": {**known, "example": {"age_years": 65}}}}
    (place / "MLmodel").write_text(yaml.safe_dump(described), encoding="utf-8")
    write_json(folder / "served" / "champion.json", {"name": "readmission", "version": "1", "run_id": "r", "place": place.name,
                                                     "sha256": sha256_file(place / "model.lgb")})
    return {"REGISTRY_TRACKING_URI": "http://127.0.0.1:9", "REGISTRY_MODEL": "readmission", "REGISTRY_POLL_S": "3600",
            "REGISTRY_SERVED_FOLDER": str(folder / "served")}


@contextmanager
def variables(name: str, folder: Path, **more: str) -> Iterator[None]:
    """Set what an app needs, and nothing that the caller's own environment says of servers."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("AUTH", "API_KEYS", "API_KEYS_FILE", "JWT_JWKS_FILE", "ARTEFACTS", "HOST", "AUDIT_LOG"):
            patch.delenv(f"CAREFOLIO_{variable}", raising=False)
        given = {"CAREFOLIO_HOME": str(ROOT), "CAREFOLIO_HOST": "127.0.0.1", "CAREFOLIO_API_KEYS": KEY_HASH, "CAREFOLIO_OFFLINE": "1",
                 "CAREFOLIO_REQUESTS_PER_MINUTE": "1000000", "CAREFOLIO_AUDIT_LOG": str(folder / "audit.jsonl"),
                 "NOTES_PROVIDERS": "extractive"}
        for variable, value in (given | environment_of(name, folder) | more).items():
            patch.setenv(variable, value)
        yield


@contextmanager
def opened(name: str, folder: Path, **more: str) -> Iterator[App]:
    """Open an app with all that it opens when it serves."""
    with variables(name, folder, **more), TestClient(importlib.import_module(name).create_app(), base_url="http://127.0.0.1") as client:
        document = client.get("/openapi.json", headers={"X-API-Key": KEY}).json()
        yield App(name, client, document, folder / "audit.jsonl")
