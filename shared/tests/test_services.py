import sys
import time
from types import ModuleType

import click
import pytest

from carefolio import services as module
from carefolio.chapters import Chapter
from carefolio.exceptions import ConfigError
from carefolio.local_server import ask_server, free_port
from carefolio.services import Services, listens, usual_port, verbs_of

CLI = '''
import sys, http.server
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers(); self.wfile.write(b"ok")
        if self.path == "/end": import os; os._exit(0)
    def log_message(self, *_): pass
def main():
    arguments = sys.argv[1:]
    if arguments[0] == "dashboard": sys.exit("no results here")
    assert arguments == ["serve", "--port", arguments[2], "--no-auth"], arguments
    http.server.HTTPServer(("127.0.0.1", int(arguments[2])), Answer).serve_forever()
'''


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    """A chapter whose API answers everything with two letters, and whose dashboard does not start."""
    (tmp_path / "small_service").mkdir()
    (tmp_path / "small_service" / "__init__.py").write_text("")
    (tmp_path / "small_service" / "cli.py").write_text(CLI)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    commands = ModuleType("small_service.cli")
    commands.main = click.Group(commands=[click.Command(verb, params=[click.Option(["--port"], type=int, default=free_port())])
                                          for verb in ("serve", "dashboard", "run")])
    monkeypatch.setitem(sys.modules, "small_service.cli", commands)
    monkeypatch.setattr(module, "find_spec", lambda name: name)
    return Chapter(folder="01-small", package="small_service", command="small", activity="A", question="Q", home=tmp_path)


@pytest.fixture
def services():
    found = Services()
    yield found
    found.stop_all()


def test_only_what_can_be_opened_is_offered(chapter):
    assert verbs_of(chapter) == ("dashboard", "serve")


def test_a_chapter_that_is_not_installed_offers_nothing(chapter, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert verbs_of(chapter) == ()


def test_an_api_starts_on_its_port_answers_and_stops(chapter, services):
    port = usual_port(chapter, "serve")
    assert services.address(chapter, "serve") is None
    address = services.start(chapter, "serve")
    assert address == f"http://127.0.0.1:{port}/docs" == services.address(chapter, "serve")
    assert ask_server(address) == b"ok"
    assert services.start(chapter, "serve") == address, "it is not started twice"
    services.stop(chapter, "serve")
    assert services.address(chapter, "serve") is None
    assert not listens(port)


def test_a_port_that_is_taken_is_left_alone(chapter, services):
    services.start(chapter, "serve")
    assert usual_port(chapter, "serve") != next(iter(services._running.values())).port


def test_what_does_not_start_says_why(chapter, services):
    with pytest.raises(ConfigError, match=r"`small dashboard` did not start: .*no results here"):
        services.start(chapter, "dashboard")
    assert services.address(chapter, "dashboard") is None


def test_one_that_has_ended_by_itself_is_forgotten(chapter, services):
    address = services.start(chapter, "serve")
    assert ask_server(address.replace("/docs", "/end")) == b"ok"
    deadline = time.monotonic() + 10
    while listens(services._running[chapter.folder, "serve"].port) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert services.address(chapter, "serve") is None
