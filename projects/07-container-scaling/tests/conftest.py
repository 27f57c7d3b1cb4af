"""A small service that answers in a known time, and a small run of the whole chapter."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from carefolio.local_server import free_port, run_server
from container_scaling.cli import main

SMALL = """
replicates = 50
[payloads]
requests = 20
synthetic_patients = 500
[load]
seconds = 2
warm_up_s = 0.2
users = 4
fractions = [0.3]
rounds = 1
replicas = [1]
workers = []
batch_sizes = [4]
peer_rounds = 0
[soak]
seconds = 3
"""
SLEEPER = '''
"""Answers after a while, to one request at a time."""
import asyncio, json

LOCK = asyncio.Lock()

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    status = 200
    if scope["path"] == "/predict":
        order = json.loads(body)
        async with LOCK:
            await asyncio.sleep(order["seconds"])
        status = order.get("status", 200)
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})
'''


@pytest.fixture(scope="session")
def sleeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a service that sleeps as long as a request says, one request at a time, and answers with the status that it asks for."""
    folder = tmp_path_factory.mktemp("sleeper")
    (folder / "sleeper.py").write_text(SLEEPER, encoding="utf-8")
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "sleeper:app", "--app-dir", str(folder), "--port", str(port), "--log-level", "warning"]
    with run_server(command, ready_url=f"http://127.0.0.1:{port}/ready") as address:
        yield address


@pytest.fixture(scope="session")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Requests for `sleeper`: 5 ms each."""
    path = tmp_path_factory.mktemp("orders") / "orders.jsonl"
    path.write_text(f"{json.dumps({'seconds': 0.005})}\n" * 3, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def small_run(twin_only: dict[str, str | None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small run, as a user would start it where only a twin can be had."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "small.toml").write_text(SMALL, encoding="utf-8")
    result = CliRunner().invoke(main, ["run", "--config", str(folder / "small.toml"), "--out", str(folder)], env=twin_only)
    assert result.exit_code == 0, result.output
    return folder
