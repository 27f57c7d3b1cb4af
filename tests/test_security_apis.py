"""The security of every API of the repository: the same table over each app, found by convention, asked as a stranger would.

What one layer does by itself is shown in ``shared/tests/serving``; here it is shown that no chapter's app has lost a layer.
"""

import ast
import asyncio
import importlib
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from carefolio.local_server import free_port, run_server
from carefolio.serving import auth
from carefolio.serving.headers import SECURITY_HEADERS
from carefolio.serving.settings import new_api_key

from .security_apps import (
    CHAPTERS,
    HOOK,
    KEY,
    KEY_HASH,
    OPEN,
    PROBES,
    ROOT,
    UNGUARDED,
    Answer,
    App,
    app_modules,
    exchange,
    filled,
    measured,
    opened,
    routes_of,
    variables,
)

MODULES = [name for name in app_modules() if name not in UNGUARDED]
WRONG = new_api_key()[0]
STRANGE = "http://elsewhere.example"
LARGEST = 32 * 1024 * 1024
DEEP_LIST, DEEP_DICT = b"[" * 900 + b"]" * 900, b'{"a":' * 900 + b"1" + b"}" * 900
HOSTILE = [DEEP_LIST, DEEP_DICT, b"1" + b"0" * 400, b"-1e308", b"1e-400", b'"' + b"x" * 100_000 + b'"', b'"\\u0000"', b'"\\ud800"',
           '"\u202e<script>alert(1)</script>"'.encode(), b"null", b"true", b"[]", b"{}", b"[null]", b'{"__proto__": {"a": 1}}', b'""']
ESCAPES = ["/../../../../etc/passwd", "/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2f..%2fetc%2fpasswd", "//etc/passwd", "/%00",
           "/a%00.json", "/..%5c..%5cconstraints.txt", "/....//....//constraints.txt", "/%252e%252e%252fconstraints.txt",
           "/static/../../constraints.txt",
           "/%c0%ae%c0%ae/constraints.txt", "/file:///etc/passwd", "/" + "a" * 60_000, "/" + "a/" * 5_000]
SECRETS_OF_A_FILE = ("root:x:", "absl-py==", "Traceback", 'File "', "site-packages", "create_app")


@pytest.fixture(scope="module", params=MODULES)
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Each app once, open for all tests of this module."""
    with opened(request.param, tmp_path_factory.mktemp("app")) as found:
        yield found


@pytest.fixture(scope="module")
def unguarded_hooks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Decision support with authentication off, so that bodies of hooks are read."""
    with opened("clinical_workflow.api", tmp_path_factory.mktemp("hooks"), CAREFOLIO_AUTH="off") as found:
        yield found


def is_problem(answer: Answer) -> bool:
    """Say whether an error is a problem document, or FHIR's own form of one, that gives nothing of the machine away."""
    kind = answer.headers.get("content-type", "")
    return kind in ("application/problem+json", "application/fhir+json") and not any(word in answer.text for word in SECRETS_OF_A_FILE)


def test_every_chapter_with_an_api_is_under_test():
    with_api = {f"{chapter.package}.api" for chapter in CHAPTERS if (chapter.home / "src" / chapter.package / "api.py").is_file()}
    assert with_api <= set(MODULES)
    assert set(UNGUARDED) <= set(app_modules()), "an exception that is not needed"
    for name in app_modules():
        source = (ROOT / "projects").glob(f"*/src/{name.replace('.', '/')}.py")
        guarded = "create_guarded_app(" in next(source).read_text(encoding="utf-8")
        assert guarded or name in UNGUARDED or name == "container_scaling.server", f"{name} builds an app of its own"


def test_the_document_hides_no_route(app):
    inner = getattr(app.client.app, "app", app.client.app) if app.name == "container_scaling.server" else app.client.app
    routes = {(method, route.path) for route in routes_of(inner) for method in route.methods}
    assert routes - {("GET", "/openapi.json"), ("HEAD", "/openapi.json")} == set(app.operations())


def test_every_route_but_the_open_ones_needs_a_key(app):
    opened_paths = PROBES | OPEN.get(app.name, set())
    asked = [("GET", "/openapi.json"), *app.operations()]
    for method, path in asked:
        for key in (None, WRONG, "", KEY_HASH, "é" * 30):
            answer = app.ask(method, filled(path), key=key)
            if path in opened_paths:
                assert answer.status != 401, path
            else:
                assert (answer.status, is_problem(answer)) == (401, True), (method, path, answer.status)
                assert "www-authenticate" in answer.headers
    closed = [path for _, path in asked if path not in opened_paths]
    assert closed, "something is closed"
    assert app.ask("GET", "/openapi.json").status == 200


def test_no_key_is_written_down(app, caplog):
    with caplog.at_level(logging.DEBUG):
        answers = [app.ask("GET", path, key=key) for path in ("/openapi.json", "/model-card", "/nowhere") for key in (WRONG, KEY)]
        answers += [app.send(path, {"planted": 1}, key=WRONG) for _, path, _ in app.bodies()]
    said = caplog.text + "".join(answer.text + str(answer.headers) for answer in answers) + app.ask("GET", "/metrics").text
    record = app.audit_log.read_text(encoding="utf-8")
    assert '"/model-card"' in record
    for secret in (WRONG, KEY, KEY_HASH, auth.hashlib.sha256(WRONG.encode()).hexdigest()):
        assert secret not in said
        assert secret not in record


def test_a_key_is_compared_with_every_accepted_one_in_constant_time(monkeypatch):
    compared: list[Any] = []
    monkeypatch.setattr(auth.hmac, "compare_digest", lambda one, other: bool(compared.append(1)) or one == other)
    pairs = [new_api_key() for _ in range(5)]
    hashes = tuple(key_hash for _, key_hash in pairs)
    for key in (pairs[0][0], pairs[-1][0]):
        assert auth._check_key(key, hashes).startswith("key:")
    with pytest.raises(auth.HTTPException):
        auth._check_key(WRONG, hashes)
    assert len(compared) == 3 * len(hashes), "the first that fits must not end the search"


@pytest.mark.parametrize("name", MODULES)
def test_guesses_are_rationed(name, tmp_path):
    with variables(name, tmp_path, CAREFOLIO_REQUESTS_PER_MINUTE="3"):
        app = importlib.import_module(name).create_app()
        own = [("Host", "127.0.0.1"), ("X-API-Key", WRONG)]
        answers = [asyncio.run(exchange(app, "GET", "/openapi.json", own, b"")) for _ in range(4)]
    assert [answer.status for answer in answers] == [401, 401, 401, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert is_problem(answers[-1])


@pytest.mark.parametrize("name", MODULES)
def test_without_keys_only_names_of_this_machine_are_answered(name, tmp_path):
    """A page of another site whose name leads to loopback would else be of one origin with the server."""
    with variables(name, tmp_path, CAREFOLIO_AUTH="off"):
        app = importlib.import_module(name).create_app()
        for host, status in (("127.0.0.1:8000", 200), ("localhost", 200), ("elsewhere.example:8000", 403),
                             ("127.0.0.1.elsewhere.example", 403)):
            assert asyncio.run(exchange(app, "GET", "/openapi.json", [("Host", host)], b"")).status == status
        for path in OPEN.get(name, ()):
            assert asyncio.run(exchange(app, "GET", path, [("Host", "elsewhere.example")], b"")).status == 403, "open paths too"


def test_a_body_over_the_limit_is_refused_declared_or_not(app):
    for method, path, _ in app.bodies():
        declared = app.ask(method, path, headers=[("Content-Type", "application/json"), ("Content-Length", str(LARGEST))])
        counted = app.ask(method, path, headers=[("Content-Type", "application/json")], body=[b" " * 1024 * 1024] * 32)
        assert [(answer.status, is_problem(answer)) for answer in (declared, counted)] == [(413, True)] * 2, path


def test_a_body_of_another_kind_is_refused(app):
    for method, path, example in app.bodies():
        content = json.dumps(example).encode()
        for kind in ("text/plain", "application/x-www-form-urlencoded", "text/html", "application/xml", "",
                     "application/json;charset=" + "x" * 9000):
            answer = app.ask(method, path, headers=[("Content-Type", kind)], body=content if kind.count(";") == 0 else content[:-1])
            assert answer.status in (400, 401, 415, 422), (path, kind, answer.status)
            assert is_problem(answer)
        packed = app.ask(method, path, headers=[("Content-Type", "application/json"), ("Content-Encoding", "gzip")], body=content)
        assert packed.status == 415


@pytest.mark.parametrize(("body", "statuses"), [
    (b"[" * 200_000 + b"]" * 200_000, {400}), (b'{"a":' * 80_000, {400}), (b"{", {400}), (b"\xff\xfe", {400}), (b"NaN", {422}),
    (b'{"a": NaN}', {422}), (b'{"a": [Infinity]}', {422}), (b'{"a": -Infinity}', {422}), (b'{"a": 1e999}', {422}), (b"\x00", {400}),
    (DEEP_LIST, {400, 401, 422}), (DEEP_DICT, {400, 401, 422}), (b"[" + b"{}," * 100_000 + b"{}]", {401, 422}),
    (b"{" + b",".join(b'"k%d":1' % place for place in range(30_000)) + b"}", {422}), (b"null", {401, 422}), (b"", {401, 422}),
])
def test_json_that_is_none_or_too_much_is_refused(app, body, statuses):
    for method, path, _ in app.bodies():
        answer = app.send(path, body, method=method)
        assert answer.status in statuses, (path, answer.status, answer.text[:200])
        assert is_problem(answer)


def planted(example: Any, marker: str) -> Iterator[Any]:
    """Put a marker in place of every value of a body in turn, and beside the keys of every object."""
    yield marker
    if isinstance(example, dict):
        yield {**example, marker: 1}
        for key, value in example.items():
            yield from ({**example, key: changed} for changed in planted(value, marker))
    elif isinstance(example, list) and example:
        yield from ([changed, *example[1:]] for changed in planted(example[0], marker))


def hostile_bodies(example: Any) -> Iterator[bytes]:
    """Write a body with each hostile value at each place."""
    for body in planted(example, "@@"):
        text = json.dumps(body).encode()
        yield from (text.replace(b'"@@"', value) for value in HOSTILE if not (b'"@@":' in text and value[:1] != b'"'))


def test_no_value_at_any_place_breaks_an_app(app, caplog):
    caplog.set_level(logging.CRITICAL)
    for method, path, example in app.bodies():
        for body in hostile_bodies(example):
            answer = app.send(path, body, method=method)
            assert answer.status < 500, (path, body[:200], answer.text[:300])
            assert answer.headers["x-content-type-options"] == "nosniff"


def test_no_value_at_any_place_breaks_a_hook(unguarded_hooks):
    for service in ("readmission-risk", *(one["id"] for one in json.loads(unguarded_hooks.ask("GET", "/cds-services").text)["services"])):
        for body in hostile_bodies(HOOK):
            answer = unguarded_hooks.send(f"/cds-services/{service}", body)
            assert answer.status in (200, 400, 404, 412, 422, 503), (service, body[:200], answer.text[:300])


def test_every_answer_has_the_headers_and_none_names_the_server(app):
    asked = [("GET", "/openapi.json", KEY), ("GET", "/health/live", None), ("GET", "/nowhere", KEY), ("GET", "/openapi.json", WRONG),
             ("DELETE", "/model-card", KEY), *((method, filled(path), KEY) for method, path in app.operations())]
    for method, path, key in asked:
        answer = app.ask(method, path, key=key, headers=[("Origin", STRANGE), ("Host", "planted.example")])
        for name, value in SECURITY_HEADERS.items():
            assert answer.headers.get(name.lower()) == value, (method, path, name)
        assert not {"server", "x-powered-by", "access-control-allow-origin", "set-cookie", "location"} & set(answer.headers), (method, path)
        assert "planted.example" not in answer.text + str(answer.headers) and STRANGE not in answer.text


def test_no_other_site_is_let_in(app):
    for method, path in app.operations():
        for origin in (STRANGE, "null", "http://127.0.0.1.elsewhere.example"):
            answer = app.ask("OPTIONS", filled(path), headers=[("Origin", origin), ("Access-Control-Request-Method", method),
                                                               ("Access-Control-Request-Headers", "x-api-key")])
            assert answer.status in (400, 405), (path, answer.status)
            assert "access-control-allow-origin" not in answer.headers
            assert answer.headers["x-content-type-options"] == "nosniff"


def test_other_methods_are_refused(app):
    for path, item in app.document["paths"].items():
        for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "BREW"} - {name.upper() for name in item}:
            answer = app.ask(method, filled(path))
            assert answer.status == 405, (method, path, answer.status)
            assert set(answer.headers["allow"].split(", ")) <= {name.upper() for name in item} | {"HEAD"}


def test_no_address_leads_out_of_the_app(app):
    templates = {path.partition("{")[0] for _, path in app.operations() if "{" in path}
    targets = [*ESCAPES, *(begin + escape.lstrip("/") for begin in templates for escape in ESCAPES)]
    for method in ("GET", "POST", "PUT"):
        for target in targets:
            answer = app.ask(method, target)
            assert answer.status in (401, 404, 405, 422), (method, target[:80], answer.status)
            assert is_problem(answer)


def test_long_headers_and_queries_change_nothing(app):
    many = [(f"X-Many-{place}", "v" * 100) for place in range(300)]
    for headers in ([("X-Request-ID", "x" * 60_000)], [("X-Request-ID", "../../etc/passwd\t<script>")],
                    [("Accept", "text/" + "a" * 60_000)],
                    [("Authorization", "Bearer " + "a" * 60_000)], [("Cookie", "a=b; " * 5_000)], many):
        answer = app.ask("GET", "/health/live?" + "q=1&" * 5_000, headers=headers)
        assert answer.status == 200
        assert all(value[:20] not in str(answer.headers) for _, value in headers)


def test_a_server_says_nothing_of_itself_and_outlives_what_is_no_request(tmp_path):
    """One chapter's own command on a real socket; the others start their servers with the same function."""
    port = free_port()
    code = "import sys; from container_scaling.cli import main; sys.argv[0] = 'scaling'; main()"
    env = {**measured(tmp_path), "CAREFOLIO_API_KEYS": KEY_HASH, "CAREFOLIO_AUTH": "on", "CAREFOLIO_AUDIT_LOG": ""}
    line = [sys.executable, "-c", code, "serve", "--port", str(port)]
    with run_server(line, ready_url=f"http://127.0.0.1:{port}/health/ready", env=env) as at, \
            httpx.Client(base_url=at, trust_env=False) as client:
        for raw in (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x00\x00", b"GET / HTTP/9.9\r\n\r\n",
                    b"POST /plan HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
                    b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000 + b"\r\n" * 2,
                    b"POST /plan HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
                    b"0\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n"):
            said = asyncio.run(say(port, raw))
            assert b" 200 " not in said.split(b"\r\n")[0]
            assert b"Traceback" not in said and b"server:" not in said.lower()
        for path in ("/health/live", "/model-card", "/nowhere"):
            assert "server" not in client.get(path).headers
        assert client.get("/health/live").status_code == 200


async def say(port: int, raw: bytes) -> bytes:
    """Send bytes to a port and read what comes back within a moment."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    try:
        return await asyncio.wait_for(reader.read(65536), timeout=3)
    except (TimeoutError, ConnectionError):
        return b""
    finally:
        writer.close()


def test_every_server_is_started_without_naming_itself():
    started = {path: text for path in [*ROOT.glob("shared/src/**/*.py"), *ROOT.glob("projects/*/src/**/*.py")]
               if ("uvicorn.run(" in (text := path.read_text(encoding="utf-8")) or ('"uvicorn", ' in text and '"--factory"' in text))}
    assert len(started) >= 5
    quiet = ("server_header=False", '"--no-server-header"')
    own = {ROOT / "shared" / "src" / "carefolio" / "testing.py": "a server of tests"}
    assert [path.name for path, text in started.items() if path not in own and not any(word in text for word in quiet)] == []
    assert all(ast.parse(text) for text in started.values())


def test_the_audit_log_is_for_its_owner_alone(app):
    assert Path(app.audit_log).stat().st_mode & 0o077 == 0
