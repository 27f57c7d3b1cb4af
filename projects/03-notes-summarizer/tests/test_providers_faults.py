"""Providers that fail, on a real server that does what it is told: a clear answer each time, and the next provider is asked."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from langchain_core.messages import BaseMessage

from carefolio.exceptions import ProviderError
from carefolio.local_server import free_port
from carefolio.privacy.surrogates import Mapping
from notes_summarizer.prompting import Prompt
from notes_summarizer.providers.answer import Answer
from notes_summarizer.providers.open import Providers, Restart, open_providers
from notes_summarizer.providers.settings import Price, ProviderSettings

SETTINGS = ProviderSettings(order=("openai",), timeout_s=20.0, stall_s=20.0, max_retries=1, backoff_s=0.01, max_output_tokens=16,
                            temperature=0.0, retry_temperature=0.7, openai_model="small", local_context_tokens=512, local_threads=1,
                            local_repeat_penalty=1.1, prices={"small": Price(input_usd_per_million=1.0, output_usd_per_million=4.0)})
IMPATIENT = SETTINGS.model_copy(update={"timeout_s": 0.3, "stall_s": 0.3, "max_retries": 0})
PROMPT = Prompt("summary_v1", "0", "Task: summary.", "The note: zebra.")
SCHEMA = {"type": "object", "properties": {"plan": {"type": "string"}}, "required": ["plan"]}
USAGE = {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}
Act = Callable[["Handler"], None]


class Server(ThreadingHTTPServer):
    """Acts in the order of its script, and keeps what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[Act] = []
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.done = threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: clients leave."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        self.server.script.pop(0)(self)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""

    def reply(self, status: int, body: bytes, *, content_type: str = "application/json", length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": content_type, "Content-Length": str(length or len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def events(self, *pieces: str, end: bool = True) -> None:
        """Begin a stream, and end it or not."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        chunks = [{"choices": [{"index": 0, "delta": {"role": "assistant", "content": piece}, "finish_reason": None}]} for piece in pieces]
        if end:
            chunks += [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}, {"choices": [], "usage": USAGE}]
        for chunk in chunks:
            whole = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "small"} | chunk
            self.wfile.write(f"data: {json.dumps(whole)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n" if end else b"")
        self.wfile.flush()


def status(code: int, **headers: str) -> Act:
    return lambda handler: handler.reply(code, json.dumps({"error": {"message": "zebra", "type": "x", "code": None}}).encode(), **headers)


def good(text: str = "fine", finish: str = "stop") -> Act:
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text}}
    return completion({"choices": [choice], "usage": USAGE})


def completion(content: dict[str, Any]) -> Act:
    whole = {"id": "1", "object": "chat.completion", "created": 1, "model": "small"} | content
    return lambda handler: handler.reply(200, json.dumps(whole).encode())


def raw(body: bytes, content_type: str = "application/json", length: int | None = None) -> Act:
    return lambda handler: handler.reply(200, body, content_type=content_type, length=length)


def stall(*pieces: str) -> Act:
    """Begin to stream, then say nothing more."""
    def act(handler: Handler) -> None:
        if pieces:
            handler.events(*pieces, end=False)
        handler.server.done.wait(10)
    return act


def trickle(handler: Handler) -> None:
    """Send a byte now and then, for ever: each in time, the whole never."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    while not handler.server.done.wait(0.05):
        try:
            handler.wfile.write(b" ")
        except OSError:
            return


def events(*pieces: str, end: bool = True) -> Act:
    return lambda handler: handler.events(*pieces, end=end)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server with an empty script."""
    with Server() as opened:
        thread = threading.Thread(target=opened.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield opened
        opened.done.set()
        opened.shutdown()
        thread.join()


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules that answer anything."""
    def answer(messages: list[BaseMessage]) -> str:
        return "by rules"
    monkeypatch.setattr("notes_summarizer.summary.extractive.answer", answer)


def opened(server: Server, settings: ProviderSettings = SETTINGS, names: tuple[str, ...] = ("openai",)) -> Any:
    return open_providers(settings, names=names, environment={"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "sk-test"})


def ask(providers: Providers, streaming: bool, accept: Callable[[str], Any] = str, prompt: Prompt = PROMPT) -> tuple[Any, Answer]:
    if not streaming:
        return providers.ask(prompt, mapping=Mapping(), accept=accept)
    *_, last = providers.stream(prompt, mapping=Mapping(), accept=accept)
    assert isinstance(last, tuple)
    return last


def test_an_answer_has_its_tokens_and_its_cost(server: Server) -> None:
    server.script = [good(), events("fi", "ne")]
    with opened(server) as providers:
        whole, pieces = ask(providers, False)[1], ask(providers, True)[1]
    for answer in (whole, pieces):
        assert (answer.text, answer.provider, answer.model, answer.cut) == ("fine", "openai", "small", False)
        assert (answer.input_tokens, answer.output_tokens) == (1000, 500) and answer.cost_usd == pytest.approx(0.003)
    path, headers, body = server.requests[0]
    assert path == "/v1/chat/completions" and headers["authorization"] == "Bearer sk-test" and headers["accept-encoding"] == "identity"
    assert body["messages"] == [{"role": "system", "content": "Task: summary."}, {"role": "user", "content": "The note: zebra."}]
    assert body["max_completion_tokens"] == 16 and body["temperature"] == 0.0 and "response_format" not in body


def test_a_schema_goes_with_the_request(server: Server) -> None:
    server.script = [good('{"plan": ""}'), events('{"plan": ', '""}')]
    with opened(server) as providers:
        for streaming in (False, True):
            prompt = Prompt("summary_v1", "0", PROMPT.system, PROMPT.user, SCHEMA)
            assert ask(providers, streaming, json.loads, prompt)[0] == {"plan": ""}
    for _, _, body in server.requests:
        assert body["response_format"]["type"] == "json_schema" and body["response_format"]["json_schema"]["schema"] == SCHEMA


def test_azure_is_asked_at_its_path_with_its_key_and_version(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_BASE", "http://127.0.0.1:9/openai")
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", "another")
    server.script = [good(), events("fine")]
    environment = {"AZURE_OPENAI_ENDPOINT": server.url, "AZURE_OPENAI_API_KEY": "az-test", "AZURE_OPENAI_DEPLOYMENT": "small",
                   "OPENAI_API_VERSION": "2024-10-21"}
    with open_providers(SETTINGS, names=["azure-openai"], environment=environment) as providers:
        answers = [ask(providers, streaming)[1] for streaming in (False, True)]
    for path, headers, _ in server.requests:
        assert path == "/openai/deployments/small/chat/completions?api-version=2024-10-21"
        assert headers["api-key"] == "az-test" and "az-test" not in headers.get("authorization", "")
    assert [(one.provider, one.cost_usd) for one in answers] == [("azure-openai", pytest.approx(0.003))] * 2


PASSING: list[tuple[Act, str]] = [
    (status(500), "HTTP 500"), (status(503), "HTTP 503"), (status(408), "HTTP 408"), (status(409), "HTTP 409"),
    (status(429, Retry_After="0"), "HTTP 429, too many requests"),
    (raw(b'{"id": ', length=1000), "connection broke off"), (lambda handler: handler.connection.close(), "connection broke off"),
]
LASTING: list[tuple[Act, str]] = [
    (status(400), "HTTP 400"), (status(401), "HTTP 401, it does not accept the key"), (status(403), "HTTP 403"), (status(404), "HTTP 404"),
    (status(307, Location="http://127.0.0.1:9/"), "HTTP 307, a redirect, which is not followed"),
    (raw(b"{" + b" " * 10_000_000), "far longer than the most tokens"),
]


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(("act", "words"), PASSING, ids=[words for _, words in PASSING])
def test_what_passes_is_tried_again(server: Server, act: Act, words: str, streaming: bool) -> None:
    server.script = [act, events("fine") if streaming else good()]
    with opened(server) as providers:
        text, answer = ask(providers, streaming)
    assert text == "fine" and [(one.provider, words in one.problem) for one in answer.attempts] == [("openai", True)]


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(("act", "words"), LASTING, ids=[words for _, words in LASTING])
def test_what_lasts_is_not_tried_again_and_the_next_provider_is_asked(server: Server, act: Act, words: str, streaming: bool,
                                                                      rules: None) -> None:
    server.script = [act]
    with opened(server, names=("openai", "extractive")) as providers:
        text, answer = ask(providers, streaming)
    assert (text, answer.provider, answer.cost_usd, len(server.requests)) == ("by rules", "extractive", 0.0, 1)
    assert words in answer.attempts[0].problem and "zebra" not in answer.attempts[0].problem


@pytest.mark.parametrize(("act", "words"), [
    (completion({"choices": []}), "no answer that can be read"), (completion({"choices": None}), "no answer that can be read"),
    (completion({"choices": [{"index": 0}]}), "no answer that can be read"), (raw(b'{"choices": [zebra'), "no answer that can be read"),
    (raw(b"<html>zebra</html>", "text/html"), "no answer that can be read"), (raw(b"\xff\xfe\x00"), "no answer that can be read"),
    (raw(b"[1, 2]"), "no answer that can be read"), (good(""), "the answer is empty"), (good("x", "content_filter"), "content filter")])
def test_an_answer_that_is_none_is_told(server: Server, act: Act, words: str) -> None:
    server.script = [act, act]
    with opened(server) as providers, pytest.raises(ProviderError, match=words) as caught:
        ask(providers, False)
    assert "zebra" not in str(caught.value)


@pytest.mark.parametrize(("act", "words"), [
    (raw(b"zebra \xff\xfe zebra\n\n" * 9, "text/event-stream"), "broke off|is empty|can be read"),
    (raw(b"data: zebra\n\n", "text/event-stream"), "can be read"), (raw(b"data: 7\n\n", "text/event-stream"), "can be read"),
    (raw(b'data: {"choices": "zebra"}\n\n', "text/event-stream"), "can be read"),
    (raw(b'data: {"error": {"message": "zebra"}}\n\n', "text/event-stream"), "error in the middle"),
    (raw(b"<html>zebra</html>", "text/html"), "broke off|is empty|can be read"),
    (raw(b"data: " + b"z" * 10_000_000, "text/event-stream"), "far longer"), (events("half", end=False), "broke off before its end")])
@pytest.mark.parametrize("bound", [False, True])
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
def test_a_stream_that_is_none_is_told(server: Server, act: Act, words: str, bound: bool) -> None:
    server.script = [act] * 4
    with opened(server) as providers, pytest.raises(ProviderError, match=words) as caught:
        ask(providers, True, prompt=Prompt("summary_v1", "0", PROMPT.system, PROMPT.user, SCHEMA if bound else None))
    assert "zebra" not in str(caught.value)


@pytest.mark.parametrize(("act", "streaming"), [
    (stall(), False), (stall(), True), (stall("half"), True), (trickle, False), (trickle, True)],
    ids=["silence", "silence streaming", "half", "trickle", "trickle streaming"])
def test_a_server_that_takes_too_long_is_left(server: Server, act: Act, streaming: bool, rules: None) -> None:
    server.script = [act]
    with opened(server, IMPATIENT, ("openai", "extractive")) as providers:
        text, answer = ask(providers, streaming)
    assert text == "by rules" and answer.attempts[0].problem == "no whole answer in time" and answer.attempts[0].seconds < 5


def test_a_stream_that_breaks_off_restarts_with_the_next_provider(server: Server, rules: None) -> None:
    server.script = [events("half ", "an answer", end=False)]
    with opened(server, SETTINGS.model_copy(update={"max_retries": 0}), ("openai", "extractive")) as providers:
        *items, last = providers.stream(PROMPT, mapping=Mapping(), accept=str)
    assert items == ["half ", "an answer", Restart("extractive", "the answer broke off before its end"), "by", " rules"]
    assert isinstance(last, tuple) and last[0] == "by rules"


def test_an_answer_of_no_use_is_asked_for_once_more_at_another_temperature(server: Server) -> None:
    server.script = [good("zebra"), good('{"plan": "rest"}')]
    with opened(server) as providers:
        value, answer = ask(providers, False, json.loads)
    assert value == {"plan": "rest"}
    assert [one.problem for one in answer.attempts] == ["the answer cannot be used: it is not JSON (character 0)"]
    assert [body["temperature"] for _, _, body in server.requests] == [0.0, 0.7]


def test_a_stream_of_no_use_restarts_with_the_same_provider(server: Server) -> None:
    server.script = [events("zebra"), events('{"plan":', ' ""}')]
    with opened(server) as providers:
        *items, last = providers.stream(PROMPT, mapping=Mapping(), accept=json.loads)
    words = "the answer cannot be used: it is not JSON (character 0)"
    assert items == ["zebra", Restart("openai", words), '{"plan":', ' ""}']
    assert isinstance(last, tuple) and last[0] == {"plan": ""} and [one.problem for one in last[1].attempts] == [words]


@pytest.mark.parametrize("streaming", [False, True])
def test_a_server_that_is_not_there_is_told(streaming: bool, rules: None) -> None:
    environment = {"OPENAI_BASE_URL": f"http://127.0.0.1:{free_port()}/v1"}
    with open_providers(SETTINGS, names=["openai", "extractive"], environment=environment) as providers:
        answer = ask(providers, streaming)[1]
    assert answer.provider == "extractive" and [one.problem for one in answer.attempts] == ["no connection", "no connection"]


def test_the_wait_that_a_server_asks_for_is_kept(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.script = [status(429, Retry_After="3"), good()]
    waits: list[float] = []
    with opened(server) as providers, monkeypatch.context() as patch:
        patch.setattr("notes_summarizer.providers.open.time.sleep", waits.append)
        ask(providers, False)
    assert waits == [0.0, 3.0]


def test_an_answer_that_ends_at_the_most_tokens_says_so(server: Server) -> None:
    server.script = [good("half", "length")]
    with opened(server) as providers:
        assert ask(providers, False)[1].cut


def test_a_reader_that_leaves_ends_the_request(server: Server) -> None:
    ended = threading.Event()

    def act(handler: Handler) -> None:
        handler.events("a", end=False)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and not ended.is_set():
            try:
                handler.wfile.write(b": still here\n\n" * 1000)
            except OSError:
                ended.set()
    server.script = [act]
    with opened(server) as providers:
        stream = providers.stream(PROMPT, mapping=Mapping(), accept=str)
        assert next(stream) == "a"
        stream.close()  # type: ignore[attr-defined]
        assert ended.wait(5)


def test_all_that_failed_is_named_with_what_to_do(server: Server) -> None:
    server.script = [status(503), status(401)]
    words = r"openai: HTTP 503 .*; openai: HTTP 401.*NOTES_PROVIDERS"
    with opened(server) as providers, pytest.raises(ProviderError, match=words) as caught:
        ask(providers, False)
    assert caught.value.__cause__ is None and caught.value.__context__ is None
