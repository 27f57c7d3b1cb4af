"""GitHub's and Azure DevOps' interfaces on loopback, as far as the workflows use them: they keep what they are told."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from carefolio.testing import serve_handler

Table = dict[str, Any]


@dataclass
class Services:
    """What was asked, and what there is: open pull requests, started workflows, and the rules of the environment ``production``."""

    address: str = ""
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    pulls: list[Table] = field(default_factory=list)
    started: list[Table] = field(default_factory=list)
    rules: list[Table] = field(default_factory=lambda: [{"type": "required_reviewers"}])
    approvals: list[Table] = field(default_factory=list)
    archives: dict[str, Path] = field(default_factory=dict)

    def keep_artifact(self, name: str, folder: Path) -> None:
        """Keep a folder as the artifact that a run of this repository has left."""
        self.archives[name] = Path(shutil.make_archive(str(folder.with_name(f"{name}-kept")), "zip", folder))

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Table) -> tuple[int, Any]:
        """Answer as GitHub (paths below ``/repos``) or as Azure DevOps does."""
        if path.endswith("/environments/production"):
            return 200, {"name": "production", "protection_rules": self.rules}
        if path.endswith("/approvals"):
            return 200, self.approvals
        if path.endswith("/actions/artifacts"):
            return 200, {"artifacts": self._listed(query["name"][0])}
        if path.endswith("/zip"):
            return 200, next(iter(self.archives.values())).read_bytes()
        if path.endswith("/dispatches"):
            self.started.append({"workflow": path.split("/")[-2], **body})
            return 204, None
        if path.startswith("/repos/") and "/pulls" in path:
            return self._github_pull(method, path, query, body)
        return self._azure_pull(method, path, query, body) if path.endswith("/pullrequests") or "/pullrequests/" in path else (404, {})

    def _listed(self, name: str) -> list[Table]:
        """List an artifact of this repository's main branch behind one that a fork has left."""
        ours = {"head_branch": "main", "repository_id": 1, "head_repository_id": 1}
        found = [{"id": 8, "expired": False, "workflow_run": ours}] if name in self.archives else []
        return [{"id": 9, "expired": False, "workflow_run": {**ours, "head_repository_id": 2}}, *found]

    def _github_pull(self, method: str, path: str, query: dict[str, list[str]], body: Table) -> tuple[int, Any]:
        if method == "GET":
            return 200, [pull for pull in self.pulls if f"example:{pull['head']}" in query["head"]]
        if method == "POST":
            if not {"title", "head", "base", "body"} <= set(body):
                return 422, {"message": "Validation Failed"}
            self.pulls.append({"number": len(self.pulls) + 1, "html_url": f"https://github.com{path[6:-1]}/{len(self.pulls) + 1}", **body})
            return 201, self.pulls[-1]
        pull = self.pulls[int(path.rsplit("/", 1)[1]) - 1]
        pull.update(body)
        return 200, pull

    def _azure_pull(self, method: str, path: str, query: dict[str, list[str]], body: Table) -> tuple[int, Any]:
        if query.get("api-version") != ["7.1"]:
            return 400, {"message": "no version"}
        if method == "GET":
            wanted = query["searchCriteria.sourceRefName"]
            return 200, {"value": [pull for pull in self.pulls if pull["sourceRefName"] in wanted]}
        if method == "POST":
            if len(body["description"]) > 4000 or not body["sourceRefName"].startswith("refs/heads/"):
                return 400, {"message": "refused"}
            self.pulls.append({"pullRequestId": len(self.pulls) + 1, **body})
            return 201, self.pulls[-1]
        self.pulls[int(path.rsplit("/", 1)[1]) - 1].update(body)
        return 200, {}


@contextmanager
def serve() -> Iterator[Services]:
    """Serve on a free port of the loopback address, also as the proxy through which `gh` asks."""
    services = Services()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = re.sub("^/api/v3", "", parts.path)
            services.requests.append((self.command, path, self.headers.get("Authorization", "")))
            status, answer = services.answer(self.command, path, parse_qs(parts.query), json.loads(raw) if raw else {})
            content = b"" if answer is None else answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = handle_any  # noqa: N815 - the names that the standard library looks for

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing."""

    with serve_handler(Handler) as address:
        services.address = address
        yield services
