"""What a played deployment needs: a registry and an engine on this machine, and a service small enough to build and start in seconds.

The engine, the registry, Swarm's staged update and its going back are real; only the service is a stand-in for a chapter's image, with the
same port, the same paths, the same key in the same place, and two ways to be broken.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from carefolio.local_server import free_port, run_server

BASE = "python:3.11-slim"
API_KEY = "made-up-key-of-a-played-deployment"
DOCKERFILE = """ARG BASE
FROM ${BASE}
ARG PROJECT
ARG COMMIT
ARG EVIDENCE
LABEL org.opencontainers.image.revision="${COMMIT}" org.carefolio.project="${PROJECT}" org.carefolio.evidence.sha256="${EVIDENCE}"
COPY stand-in /app/site
EXPOSE 8000
HEALTHCHECK --interval=1s --start-period=5s --retries=2 CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/ready')"]
CMD ["python3", "/app/site/server.py"]
"""
SERVER = '''
import http.server, json, os
BROKEN = ""
EXAMPLE = {"requestBody": {"content": {"application/json": {"examples": {"one": {"value": {"age_years": 60}}}}}}}
KEY = open(os.environ["CAREFOLIO_API_KEYS_FILE"]).read()
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body):
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)
    def do_GET(self):
        self.answer(503 if BROKEN == "health" and self.path == "/health/ready" else 200, {"paths": {"/predict": {"post": EXAMPLE}}})
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(401 if self.headers.get("X-API-Key") != KEY else 500 if BROKEN == "predict" else 200, {})
http.server.ThreadingHTTPServer(("0.0.0.0", 8000), Handler).serve_forever()
'''
PACKAGE = "Metadata-Version: 2.1\nName: made-up-package\nVersion: 1.2.3\nLicense: Apache-2.0\n"


def lacking() -> str:
    """Say what a played deployment lacks on this machine; empty if nothing."""
    if not Path("/usr/bin/docker").exists() or shutil.which("docker-registry") is None or not Path("/usr/bin/gh").exists():
        return "needs Debian's docker.io, docker-registry and gh"
    if docker("info", check=False).returncode:
        return "no Docker engine answers"
    return "" if docker("image", "inspect", BASE, check=False).returncode == 0 else f"the engine has no {BASE}"


def docker(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Call Debian's client."""
    return subprocess.run(["/usr/bin/docker", *arguments], capture_output=True, text=True, check=check, timeout=120)


@contextmanager
def registry(folder: Path) -> Iterator[str]:
    """Run a registry on loopback; gives its address, and takes away what was built for it."""
    port = free_port()
    settings = folder / "registry.yml"
    settings.write_text(f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder / 'registry'}}}}}\n"
                        f"http: {{addr: '127.0.0.1:{port}'}}\n", encoding="utf-8")
    with run_server(["docker-registry", "serve", str(settings)], ready_url=f"http://127.0.0.1:{port}/v2/"):
        yield f"127.0.0.1:{port}"
        images = docker("image", "ls", "--quiet", "--filter", f"reference=127.0.0.1:{port}/*/*/*").stdout.split()
        docker("image", "rm", "--force", *images, check=False)


@contextmanager
def swarm(*services: str) -> Iterator[None]:
    """Take away what the play put into service, and the swarm if the play has made it."""
    before = docker("info", "--format", "{{.Swarm.LocalNodeState}}").stdout.strip()
    try:
        yield
    finally:
        docker("service", "rm", *services, check=False)
        if before == "inactive":
            docker("swarm", "leave", "--force", check=False)


def write_service(clone: Path, *, broken: str = "") -> None:
    """Put the stand-in for a chapter's service where the clone's build looks for it."""
    (clone / "docker").mkdir(exist_ok=True)
    (clone / "docker" / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    (clone / ".dockerignore").write_text("*\n!stand-in\n", encoding="utf-8")
    package = clone / "stand-in" / "made_up_package-1.2.3.dist-info"
    package.mkdir(parents=True, exist_ok=True)
    (package / "METADATA").write_text(PACKAGE, encoding="utf-8")
    (clone / "stand-in" / "server.py").write_text(SERVER.replace('BROKEN = ""', f'BROKEN = "{broken}"'), encoding="utf-8")
