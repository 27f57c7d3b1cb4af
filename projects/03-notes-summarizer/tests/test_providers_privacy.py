"""Nothing about a patient leaves by a side door: not by errors, logs, traces, caches, proxies or a gateway, whatever a server does."""

import json
import logging
import threading
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import langsmith.utils
import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import CallbackManagerForLLMRun, get_usage_metadata_callback
from langchain_core.globals import set_llm_cache
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langsmith import tracing_context

from carefolio.exceptions import PrivacyError, ProviderError
from carefolio.privacy.canaries import assert_no_canary, make_canaries, plant
from carefolio.privacy.logs import PrivacyFilter
from carefolio.privacy.surrogates import Mapping
from notes_summarizer.prompting import Prompt
from notes_summarizer.providers.open import Providers, open_providers
from notes_summarizer.providers.settings import ProviderSettings

SETTINGS = ProviderSettings(order=("openai",), timeout_s=20.0, stall_s=20.0, max_retries=0, backoff_s=0.0, max_output_tokens=16,
                            temperature=0.0, retry_temperature=0.7, openai_model="small", local_context_tokens=512, local_threads=1,
                            local_repeat_penalty=1.1, prices={})
CANARIES = make_canaries()
MARKER = "a zebra in the note"
NOTE = plant("Chest pain for two days.", CANARIES)


class Echo(ThreadingHTTPServer):
    """Sends back what it was sent, with the status that is set: the worst that a server can do to an error message."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), EchoHandler)
        self.status = 400
        self.received: list[str] = []


class EchoHandler(BaseHTTPRequestHandler):
    """One request of any kind."""

    server: Echo

    def do_GET(self) -> None:
        self.do_POST()

    def do_CONNECT(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.server.received.append(f"{self.requestline}\n{self.headers}\n{content}")
        said = json.dumps(json.loads(content)["messages"]) if content.startswith("{") else ""
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}
        body = json.dumps({"id": "1", "object": "chat.completion", "created": 1, "model": "small", "choices": [choice]}
                          if self.server.status == 200 else {"error": {"message": said, "code": said, "type": said, "param": said}})
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


def serve() -> Iterator[Echo]:
    with Echo() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def echo() -> Iterator[Echo]:
    """The provider."""
    yield from serve()


@pytest.fixture
def trap() -> Iterator[Echo]:
    """Where nothing may arrive."""
    yield from serve()


@pytest.fixture
def mapping() -> Mapping:
    """All canaries taken out."""
    taken = Mapping()
    for canary in CANARIES:
        taken.surrogate_for(canary.value, canary.identifier_type)
    return taken


@pytest.fixture
def prompt(mapping: Mapping) -> Prompt:
    """The note without identifiers."""
    return Prompt("note_v1", "0", "Task: note.", f"<text-0123456789ab>\n{mapping.scrub(NOTE)}\n</text-0123456789ab>")


@pytest.fixture
def records() -> Iterator[list[logging.LogRecord]]:
    """All that is logged from DEBUG on, behind the filter, as a service would keep it."""
    kept: list[logging.LogRecord] = []
    handler = logging.Handler(logging.DEBUG)
    handler.emit = kept.append  # type: ignore[method-assign]
    handler.addFilter(PrivacyFilter())
    loggers = [logging.getLogger(name) for name in ("", "openai", "httpx2", "httpcore2", "langchain", "langchain_openai", "langsmith")]
    before = [one.level for one in loggers]
    loggers[0].addHandler(handler)
    for one in loggers:
        one.setLevel(logging.DEBUG)
    yield kept
    loggers[0].removeHandler(handler)
    for one, level in zip(loggers, before, strict=True):
        one.setLevel(level)


def at(server: Echo) -> dict[str, str]:
    return {"OPENAI_BASE_URL": f"http://127.0.0.1:{server.server_port}/v1", "OPENAI_API_KEY": "sk-test"}


def ask(providers: Providers, streaming: bool, prompt: Prompt, mapping: Mapping, accept: Any = str) -> Any:
    if streaming:
        return list(providers.stream(prompt, mapping=mapping, accept=accept))[-1]
    return providers.ask(prompt, mapping=mapping, accept=accept)


@pytest.mark.parametrize("streaming", [False, True])
def test_an_identifier_stops_the_prompt_before_it_is_sent(echo: Echo, mapping: Mapping, records: list[logging.LogRecord],
                                                          streaming: bool) -> None:
    with open_providers(SETTINGS, environment=at(echo)) as providers:
        for canary in CANARIES:
            with pytest.raises(PrivacyError, match="Nothing was sent") as caught:
                ask(providers, streaming, Prompt("note_v1", "0", "Task: note.", canary.sentence), mapping)
            assert_no_canary({"error": caught.value, "log": records, "provider": echo.received}, CANARIES)
    assert echo.received == []


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
def test_nothing_that_leaves_holds_a_canary_whatever_the_server_does(echo: Echo, mapping: Mapping, prompt: Prompt, streaming: bool,
                                                                    records: list[logging.LogRecord], status: int) -> None:
    echo.status = status

    def accept(text: str) -> str:
        logging.getLogger("langchain").warning("an answer about %s", mapping.reidentify(text))
        raise ValueError(f"no use: {mapping.reidentify(prompt.user)}")
    with open_providers(SETTINGS, environment=at(echo)) as providers, pytest.raises(ProviderError) as caught:
        ask(providers, streaming, prompt, mapping, accept)
    assert echo.received and len(records) > 3
    assert_no_canary({"error": caught.value, "log": records, "provider": echo.received}, CANARIES)


@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_an_error_quotes_neither_prompt_nor_answer(echo: Echo, status: int) -> None:
    echo.status = status
    with open_providers(SETTINGS, environment=at(echo)) as providers, pytest.raises(ProviderError) as caught:
        providers.ask(Prompt("note_v1", "0", "Task: note.", MARKER), mapping=Mapping(), accept=str)
    assert MARKER not in "".join(traceback.format_exception(caught.value)) and MARKER not in repr(vars(caught.value))
    assert caught.value.__cause__ is None and caught.value.__context__ is None


def test_a_fault_of_our_own_is_scrubbed_too(echo: Echo, mapping: Mapping, prompt: Prompt) -> None:
    echo.status = 200

    def accept(text: str) -> str:
        raise RuntimeError(mapping.reidentify(prompt.user))
    with open_providers(SETTINGS, environment=at(echo)) as providers, pytest.raises(PrivacyError, match="RuntimeError") as caught:
        providers.ask(prompt, mapping=mapping, accept=accept)
    assert_no_canary({"error": caught.value}, CANARIES)


@pytest.mark.parametrize("variables", [
    {"HTTP_PROXY": "{trap}", "HTTPS_PROXY": "{trap}", "ALL_PROXY": "{trap}", "OPENAI_PROXY": "{trap}"},
    {"OPENAI_API_BASE": "{trap}", "OPENAI_BASE_URL": "{trap}"},
    {"LANGSMITH_GATEWAY": "true", "LANGSMITH_GATEWAY_URL": "{trap}", "LANGSMITH_GATEWAY_API_KEY": "k", "LANGSMITH_API_KEY": "k"},
    {"LANGSMITH_TRACING": "true", "LANGCHAIN_TRACING_V2": "true", "LANGSMITH_ENDPOINT": "{trap}", "LANGSMITH_API_KEY": "k"}],
    ids=["proxy", "another address", "gateway", "tracing"])
def test_variables_of_the_libraries_lead_nowhere_else(echo: Echo, trap: Echo, mapping: Mapping, prompt: Prompt,
                                                      monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(trap=f"http://127.0.0.1:{trap.server_port}"))
        monkeypatch.setenv(name.lower(), value.format(trap=f"http://127.0.0.1:{trap.server_port}"))
    langsmith.utils.get_env_var.cache_clear()
    echo.status = 200
    with open_providers(SETTINGS, environment=at(echo)) as providers:
        ask(providers, False, prompt, mapping)
    langsmith.utils.get_env_var.cache_clear()
    assert len(echo.received) == 1 and trap.received == []


class Spy(BaseChatModel):
    """Tells which callbacks LangChain gave it, and whether LangSmith traces."""

    @property
    def _llm_type(self) -> str:
        return "spy"

    def _generate(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None,
                  **kwargs: Any) -> ChatResult:
        names = sorted(type(one).__name__ for one in run_manager.handlers) if run_manager else []
        return ChatResult(generations=[ChatGeneration(message=AIMessage(f"{names} {langsmith.utils.tracing_is_enabled()}"))])


@pytest.mark.parametrize("streaming", [False, True])
def test_no_tracer_and_no_callback_of_the_caller_hears_a_call(streaming: bool) -> None:
    spy = Spy(cache=False)
    providers = Providers({"extractive": spy}, SETTINGS)
    prompt = Prompt("note_v1", "0", "Task: note.", "Hello.")
    with get_usage_metadata_callback():
        assert spy.invoke("Hello.").text == "['UsageMetadataCallbackHandler'] False"
        with tracing_context(enabled="local"):
            assert spy._generate([]).generations[0].text == "[] local"
            assert ask(providers, streaming, prompt, Mapping())[0] == "[] False"


@pytest.mark.parametrize("name", ["openai", "extractive"])
def test_no_cache_of_langchain_keeps_a_prompt(echo: Echo, mapping: Mapping, prompt: Prompt, name: str) -> None:
    echo.status = 200
    cache = InMemoryCache()
    set_llm_cache(cache)
    try:
        with open_providers(SETTINGS, names=[name], environment=at(echo)) as providers:
            ask(providers, False, prompt, mapping)
            providers.chat(name, mapping=mapping).invoke([("system", prompt.system), ("user", prompt.user)])
    finally:
        set_llm_cache(None)
    assert cache._cache == {}


def test_an_answer_given_by_a_thread_has_the_identifiers_of_its_own_request(echo: Echo) -> None:
    echo.status = 200
    said: dict[str, str] = {}

    def one(name: str) -> None:
        mapping = Mapping()
        mapping.surrogate_for(name, "PERSON")
        prompt = Prompt("note_v1", "0", "Task: note.", mapping.scrub(f"The patient is {name}."))
        with pytest.raises(ProviderError) as caught:
            providers.ask(prompt, mapping=mapping, accept=lambda text: int(name))
        said[name] = str(caught.value)
    with open_providers(SETTINGS, environment=at(echo)) as providers:
        threads = [threading.Thread(target=one, args=(name,)) for name in ("Quillon Vasterby", "Ysolde Krantwell")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(said) == 2 and all("PERSON_1" in text and name not in text for name, text in said.items())
