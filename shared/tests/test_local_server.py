import os
import socket
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from carefolio.local_server import ask_server, free_port, run_server

SERVER = """
import http.server, os, subprocess, sys, pathlib
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path(sys.argv[2]).write_text(f"{os.getpid()} {child.pid}")
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = os.environ["GREETING"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> bool:
    for _ in range(100):
        if not is_running(pid):
            return True
        time.sleep(0.02)
    return False


def test_a_server_answers_inside_the_block_and_ends_with_its_children(tmp_path):
    port, pids = free_port(), tmp_path / "pids"
    command = [sys.executable, "-c", SERVER, str(port), str(pids)]
    with run_server(command, ready_url=f"http://127.0.0.1:{port}/health", env={"GREETING": "ready"}) as url:
        assert url == f"http://127.0.0.1:{port}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url + "/any") as response:
            assert response.read() == b"ready"
        server, child = map(int, pids.read_text().split())
        assert is_running(server) and is_running(child)
    assert wait_until_gone(server) and wait_until_gone(child)
    assert os.getpid() != server


def test_a_server_ends_when_the_block_fails(tmp_path):
    port, pids = free_port(), tmp_path / "pids"
    command = [sys.executable, "-c", SERVER, str(port), str(pids)]
    with pytest.raises(KeyError), run_server(command, ready_url=f"http://127.0.0.1:{port}/", env={"GREETING": "x"}):
        raise KeyError("planted")
    assert wait_until_gone(int(pids.read_text().split()[0]))


def test_a_server_that_ends_by_itself_shows_its_output():
    with pytest.raises(RuntimeError, match=r"ended with status 3 before .* its output ends with: no database"), \
            run_server([sys.executable, "-c", "print('no database'); raise SystemExit(3)"], ready_url=f"http://127.0.0.1:{free_port()}/"):
        raise AssertionError("the block must not run")


def test_a_server_that_never_answers_is_given_up():
    with pytest.raises(RuntimeError, match=r"did not answer at .* within 0 s"), \
            run_server([sys.executable, "-c", "import time; time.sleep(60)"], ready_url=f"http://127.0.0.1:{free_port()}/", timeout_s=0.3):
        raise AssertionError("the block must not run")


def test_a_free_port_can_be_bound():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", free_port()))
        assert listener.getsockname()[0] == "127.0.0.1"


ECHO = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(b"well")
    def do_POST(self):
        self.answer(self.headers["Content-Type"].encode() + b": " + self.rfile.read(int(self.headers["Content-Length"])))
    def answer(self, body):
        self.send_response(200 if self.path == "/" else 404)
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def test_a_server_is_asked_past_any_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    port = free_port()
    with run_server([sys.executable, "-c", ECHO, str(port)], ready_url=f"http://127.0.0.1:{port}/") as address:
        assert ask_server(f"{address}/") == b"well"
        assert ask_server(f"{address}/", b"{}") == b"application/json: {}"
        assert ask_server(f"{address}/", b"x", content_type="image/png") == b"image/png: x"
        with pytest.raises(OSError, match="404"):
            ask_server(f"{address}/nothing")
