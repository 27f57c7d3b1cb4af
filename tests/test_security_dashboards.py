"""The security of every dashboard: how it is started, what a real one refuses, and that text of users is never markup or script."""

import asyncio
import importlib
import re
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise

import click
import httpx
import pytest
from click.testing import CliRunner

from carefolio.cli import main as carefolio_command
from carefolio.command import DASHBOARD_GUARDS, dashboard_command
from carefolio.local_server import free_port, run_server

from .security_apps import CHAPTERS, ROOT

SOURCES = sorted([*ROOT.glob("shared/src/**/*.py"), *ROOT.glob("projects/*/src/**/*.py")])
STRANGE = "http://elsewhere.example"
SECRET = "Jane Example, record 12345"
FAULTY = f"import streamlit as st\nst.write('before')\nst.file_uploader('A file')\nraise RuntimeError({SECRET!r})\n"
XSRF_COOKIE, XSRF_HEADER = "_streamlit_xsrf", "X-Xsrftoken"
RAW_HTML = {
    "shared/src/carefolio/dashboard.py": "a style sheet; its one value is a colour of the palette",
    "shared/src/carefolio/hub.py": "style sheets; without values, and that of dashboard.py",
    "projects/03-notes-summarizer/src/notes_summarizer/dashboard.py": "a style sheet without values",
    "projects/03-notes-summarizer/src/notes_summarizer/views/leaflet.py": "built by leaflet_html.py, shown below",
    "projects/03-notes-summarizer/src/notes_summarizer/views/summarise.py": "built by marked_note.py and statements.py; see the chapter's "
                                                                            "tests with a planted script",
    "projects/04-clinical-text-classifier/src/text_classifier/dashboard.py": "a style sheet without values",
    "projects/04-clinical-text-classifier/src/text_classifier/views/try_text.py": "built by word_marks.py, shown below",
    "projects/09-clinical-workflow/src/clinical_workflow/views/patient.py": "sends the browser on; shown below",
}
"""Where HTML is given to a page -> why no text of a user or a file can be markup in it."""
RAW_CALLS = re.compile(r"\bst\.html\(|unsafe_allow_html|unsafe_allow_javascript|components\.v1|\.iframe\(|Markup\(")
PLANTED = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


def options_of(command: list[str]) -> dict[str, str]:
    """Read the settings of a Streamlit command line; what stands behind ``--`` is the script's."""
    own = command[:command.index("--")] if "--" in command else command
    return {name.removeprefix("--"): value for name, value in pairwise(own) if name.startswith("--")}


def started_by(command: click.Command, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> list[str]:
    """Give the command line that a verb would run."""
    seen: list[list[str]] = []

    class _Done:
        returncode = 0

    monkeypatch.setattr("subprocess.run", lambda line, **options: seen.append(line) or _Done())
    result = CliRunner().invoke(command, list(arguments))
    assert len(seen) == 1, result.output
    return seen[0]


@pytest.mark.parametrize("folder", [*(chapter.folder for chapter in CHAPTERS), "hub"])
def test_every_page_is_started_with_all_guards_on_loopback(folder, monkeypatch):
    package = next((chapter.package for chapter in CHAPTERS if chapter.folder == folder), None)
    group = importlib.import_module(f"{package}.cli").main if package else carefolio_command
    options = options_of(started_by(group.commands["dashboard" if package else "hub"], monkeypatch, "--port", "8599"))
    assert (options["server.address"], options["server.port"]) == ("127.0.0.1", "8599")
    assert {name: options.get(name) for name in DASHBOARD_GUARDS} == DASHBOARD_GUARDS


def test_the_guards_are_the_strict_ones():
    assert {name: DASHBOARD_GUARDS[name] for name in ("server.enableXsrfProtection", "server.enableCORS", "browser.gatherUsageStats",
                                                      "client.showErrorDetails", "server.enableStaticServing")} == {
        "server.enableXsrfProtection": "true", "server.enableCORS": "true", "browser.gatherUsageStats": "false",
        "client.showErrorDetails": "none", "server.enableStaticServing": "false"}


def test_an_uploader_takes_no_more_than_the_api():
    from retinopathy.api import BODY_LIMIT_BYTES

    assert int(DASHBOARD_GUARDS["server.maxUploadSize"]) * 1024 * 1024 == BODY_LIMIT_BYTES
    uploading = {path.parts[len(ROOT.parts) + 1] for path in SOURCES if "file_uploader(" in path.read_text(encoding="utf-8")}
    assert uploading == {"08-retinopathy-detection"}, "another page with uploads: is its limit that of its API?"


def test_one_function_writes_the_command_line():
    writing = [path.relative_to(ROOT).as_posix() for path in SOURCES if re.search(r'"streamlit", "run"', path.read_text(encoding="utf-8"))]
    assert writing == ["shared/src/carefolio/command.py"]
    places = {ROOT, *(path.parent for path in SOURCES), *(chapter.home for chapter in CHAPTERS)}
    assert [place for place in places if (place / ".streamlit").exists()] == [], "settings of a file would be read too"


def test_the_page_in_an_image_has_the_same_guards():
    run = tomllib.loads((ROOT / "docker" / "services" / "hub.toml").read_text(encoding="utf-8"))["run"]
    options = options_of(run["arguments"])
    assert {name: options.get(name) for name in DASHBOARD_GUARDS} == DASHBOARD_GUARDS


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real page that fails with a secret in its message, started as every dashboard is."""
    script = tmp_path_factory.mktemp("page") / "faulty.py"
    script.write_text(FAULTY, encoding="utf-8")
    port = free_port()
    with run_server(dashboard_command(str(script), port=port), ready_url=f"http://127.0.0.1:{port}/_stcore/health") as address:
        yield address


@pytest.fixture(scope="module")
def talkative(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same page with the guards turned off: what the tests below would not tell from a guarded one must show here."""
    script = tmp_path_factory.mktemp("page") / "talkative.py"
    script.write_text(FAULTY, encoding="utf-8")
    port = free_port()
    off = {"server.enableXsrfProtection": "false", "server.enableCORS": "false", "client.showErrorDetails": "full"}
    line = dashboard_command(str(script), port=port)
    for name, value in off.items():
        line[line.index(f"--{name}") + 1] = value
    with run_server(line, ready_url=f"http://127.0.0.1:{port}/_stcore/health") as address:
        yield address


async def messages(address: str, origin: str | None, *, seconds: float = 3.0) -> bytes:
    """Open a page as the browser does over its WebSocket, run its script, and collect what comes; raises if the server refuses."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from websockets.asyncio.client import connect

    start, received = BackMsg(), b""
    start.rerun_script.query_string = ""
    async with connect(f"ws{address.removeprefix('http')}/_stcore/stream", origin=origin, subprotocols=["streamlit"], proxy=None,
                       max_size=None) as socket:
        await socket.send(start.SerializeToString())
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while b"RuntimeError" not in received or b"before" not in received:
                    received += await socket.recv()
    return received


def test_a_websocket_from_another_site_is_refused(faulty, talkative):
    from websockets.exceptions import InvalidStatus

    with pytest.raises(InvalidStatus) as refused:
        asyncio.run(messages(faulty, STRANGE))
    assert refused.value.response.status_code == 403
    assert b"before" in asyncio.run(messages(faulty, faulty)), "the page itself is let in"
    assert b"before" in asyncio.run(messages(talkative, STRANGE)), "without the guard the other site would be"


def test_a_fault_of_a_page_shows_nothing_of_itself(faulty, talkative):
    shown = asyncio.run(messages(faulty, faulty))
    assert b"before" in shown
    assert not any(word in shown for word in (SECRET.encode(), b"RuntimeError", b"Traceback", b"line 4"))
    assert SECRET.encode() in asyncio.run(messages(talkative, talkative)), "without the guard it would be seen"


def test_an_upload_without_the_token_of_the_page_is_refused(faulty, talkative):
    path, form = "/_stcore/upload_file/no-session/no-file", {"file": ("a.txt", b"x", "text/plain")}
    with httpx.Client(base_url=faulty, trust_env=False) as client:
        assert client.put(path, files=form).status_code == 403
        assert client.put(path, files=form, headers={XSRF_HEADER: "guessed"}).status_code == 403
        assert client.delete(path).status_code == 403
        client.get("/_stcore/health")
        token = client.cookies[XSRF_COOKIE]
        assert client.put(path, files=form, headers={XSRF_HEADER: token.strip('"')}).status_code == 400, "past the guard: no such session"
    assert httpx.put(talkative + path, files=form, trust_env=False).status_code == 400, "without the guard it would be past it"


def test_a_page_lends_nothing_to_another_site(faulty):
    with httpx.Client(base_url=faulty, trust_env=False) as client:
        for path in ("/", "/_stcore/health", "/_stcore/host-config", "/media/none.png", "/static/../../constraints.txt"):
            answer = client.get(path, headers={"Origin": STRANGE})
            assert "access-control-allow-origin" not in answer.headers, path
            assert "absl-py==" not in answer.text
        for path in ("/app/static/faulty.py", "/app/static/%2e%2e%2ffaulty.py", "/faulty.py", "/..%2f..%2fetc%2fpasswd",
                     "/component/../../x"):
            answer = client.get(path)
            assert SECRET not in answer.text and "root:x:" not in answer.text


def test_html_is_given_to_a_page_in_known_places_only():
    found = {path.relative_to(ROOT).as_posix() for path in SOURCES if RAW_CALLS.search(path.read_text(encoding="utf-8"))}
    assert found == set(RAW_HTML)
    assert RAW_CALLS.search('st.markdown(text, unsafe_allow_html=True)')


def test_a_script_in_a_leaflet_is_text():
    from notes_summarizer.leaflet.write import CitedPassage, Leaflet, LeafletSentence
    from notes_summarizer.views.leaflet_html import leaflet_html, passages_html, refusal_html

    sentence = made(LeafletSentence, section=PLANTED)
    passages = (made(CitedPassage, number=1), made(CitedPassage, number=1, url=f"javascript:alert(1)//{PLANTED}"))
    leaflet = made(Leaflet, kind="not found", sentences=(sentence,), passages=passages)
    for page in (leaflet_html(leaflet), passages_html(leaflet), refusal_html(leaflet)):
        assert "<script" not in page and "<img" not in page
        assert "&lt;script&gt;" in page
        assert 'href="javascript:' not in page


def made(kind: type, /, **values: object) -> object:
    """Make an instance of a record with the planted text in every field of text."""
    values_of = {"str": PLANTED, "int": 1, "bool": True, str: PLANTED, int: 1, bool: True}
    given = {name: values_of.get(about.type, ()) for name, about in kind.__dataclass_fields__.items()}
    return kind(**(given | ({"citations": (1,)} if "citations" in given else {}) | values))


def test_a_script_in_a_text_to_classify_is_text():
    from text_classifier.predictor import WordWeight
    from text_classifier.views.word_marks import marked_html

    page = marked_html(f"a {PLANTED} b", [WordWeight(PLANTED[:10], 2, 12, 0.5), WordWeight("<script>", 4, 12, -0.5)], read=20)
    assert "<script" not in page and "<img" not in page


def test_an_address_cannot_end_the_script_that_it_stands_in(monkeypatch):
    from clinical_workflow.views import patient

    shown: list[str] = []
    address = "https://hospital.example/</script><script>alert(1)</script>?a=\"'"
    monkeypatch.setattr(patient, "begin_launch", lambda *_, **__: (address, "state", None))
    monkeypatch.setattr(patient.st, "html", lambda text, **_: shown.append(text))
    monkeypatch.setattr(patient.st, "stop", lambda: None)
    monkeypatch.setattr(patient.st, "link_button", lambda *_: None)
    monkeypatch.setattr(patient, "_pending", dict)
    patient._begin("issuer", "launch")
    assert shown[0].count("<script>") == shown[0].count("</script>") == 1
    assert shown[0].replace("\\u003c", "<").count("</script>") == 3, "the address is all there"


def test_a_card_of_another_service_brings_no_markup_into_the_record():
    from clinical_workflow.hospital.pages import _templates
    from clinical_workflow.hospital.views import _MARKDOWN

    page = _MARKDOWN.render(f"**bold** {PLANTED} [go](javascript:alert(1)) ![x](data:text/html,<script>)")
    assert "<strong>bold</strong>" in page
    assert "<script" not in page and "<img" not in page and "javascript:" not in re.sub(r"\[go\]\(.*?\)", "", page)
    environment = _templates()
    assert environment.autoescape is True
    folder = ROOT / "projects/09-clinical-workflow/src/clinical_workflow/hospital/templates"
    unescaped = [found for path in sorted(folder.glob("*.html")) for found in re.findall(r"\{\{[^}]*\|\s*safe\s*\}\}", path.read_text())]
    assert unescaped == ["{{ card.html | safe }}"], "only what the Markdown above has rendered"
    assert "&lt;script&gt;" in environment.get_template("problem.html").render(
        token="t", user="u", disclaimer="d", here="/", title="t", detail=PLANTED)


def test_every_template_escapes():
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in SOURCES}
    templates = {name: text for name, text in texts.items() if re.search(r"\b(?:import|from) jinja2", text)}
    assert len(templates) == 2
    assert [name for name, text in templates.items() if len(re.findall(r"\bEnvironment\(", text)) != text.count("autoescape=True")] == []
