"""The local model, asked by real clients: the openai SDK, LangChain, and this package."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import openai
import pytest
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from carefolio.exceptions import ArtefactError, PrivacyError, ProviderError
from carefolio.local_server import free_port
from carefolio.privacy.canaries import assert_no_canary, make_canaries, plant
from carefolio.privacy.surrogates import Mapping
from notes_summarizer.prompting import Prompt
from notes_summarizer.providers.answer import Answer
from notes_summarizer.providers.chat import local_chat
from notes_summarizer.providers.connection import open_client
from notes_summarizer.providers.local import KEY_VARIABLE, MODEL, LocalEndpoint, find_model, local_server
from notes_summarizer.providers.open import Providers
from notes_summarizer.providers.settings import ProviderSettings

SETTINGS = ProviderSettings(order=("local",), timeout_s=60.0, stall_s=60.0, max_retries=0, backoff_s=0.0, max_output_tokens=24,
                            temperature=0.0, retry_temperature=0.7, openai_model="x", local_context_tokens=512, local_threads=1,
                            local_repeat_penalty=1.1, prices={})
SCHEMA = {"type": "object", "properties": {"ill": {"type": "boolean"}}, "required": ["ill"], "additionalProperties": False}
MESSAGES = [{"role": "system", "content": "Answer in a few words."}, {"role": "user", "content": "What is aspirin?"}]
PLAIN = Prompt("note_v1", "0", "Task: note.\nAnswer in a few words.", "What is aspirin?")
BOUND = Prompt("summary_v1", "0", "Task: summary.\nAnswer with JSON.", "Chest pain since two days. Is the patient ill?", SCHEMA)
LONG = Prompt("note_v1", "0", "Task: note.", "The patient has chest pain. " * 400)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[LocalEndpoint]:
    """One server for all tests here."""
    with local_server(SETTINGS, {}) as opened:
        yield opened


@pytest.fixture(scope="module")
def providers(endpoint: LocalEndpoint) -> Iterator[Providers]:
    """This package on that server."""
    with open_client(endpoint.base_url, SETTINGS) as client:
        yield Providers({"local": local_chat(endpoint, SETTINGS, client)}, SETTINGS)


def test_the_openai_sdk_is_answered(endpoint: LocalEndpoint) -> None:
    with openai.OpenAI(base_url=endpoint.base_url, api_key=endpoint.api_key, max_retries=0) as client:
        answer = client.chat.completions.create(model=endpoint.model, messages=MESSAGES, max_completion_tokens=8)  # type: ignore[call-overload]
        pieces = list(client.chat.completions.create(model=endpoint.model, messages=MESSAGES, max_completion_tokens=8, stream=True))
    assert answer.model == MODEL and answer.usage.completion_tokens == 8 and answer.choices[0].finish_reason == "length"
    assert len([piece for piece in pieces if piece.choices and piece.choices[0].delta.content]) > 1


def test_the_openai_sdk_is_held_to_a_schema(endpoint: LocalEndpoint) -> None:
    bound = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
    with openai.OpenAI(base_url=endpoint.base_url, api_key=endpoint.api_key, max_retries=0) as client:
        answer = client.chat.completions.create(model=endpoint.model, messages=MESSAGES, max_completion_tokens=64, temperature=0,
                                                response_format=bound)  # type: ignore[call-overload]
    assert set(json.loads(answer.choices[0].message.content)) == {"ill"}


def test_langchain_is_answered_whole_and_in_pieces(endpoint: LocalEndpoint) -> None:
    chat = ChatOpenAI(model=endpoint.model, base_url=endpoint.base_url, api_key=SecretStr(endpoint.api_key), max_tokens=8, temperature=0)
    messages = [SystemMessage("Answer in a few words."), HumanMessage("What is aspirin?")]
    pieces = [str(piece.text) for piece in chat.stream(messages)]
    assert chat.invoke(messages).text == "".join(pieces) != "" and len([piece for piece in pieces if piece]) > 1


def test_langchain_is_held_to_a_schema(endpoint: LocalEndpoint) -> None:
    chat = ChatOpenAI(model=endpoint.model, base_url=endpoint.base_url, api_key=SecretStr(endpoint.api_key), max_tokens=32, temperature=0)
    bound = chat.bind(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}})
    assert set(json.loads(bound.invoke("Is a patient with chest pain ill?").text)) == {"ill"}


def test_an_answer_says_who_wrote_it_and_counts_tokens(providers: Providers) -> None:
    text, answer = providers.ask(PLAIN, mapping=Mapping(), accept=str.strip)
    assert text == answer.text.strip() != "" and answer.attempts == () and answer.prompt == "note_v1"
    assert (answer.provider, answer.model, answer.cost_usd) == ("local", MODEL, 0.0)
    assert answer.input_tokens and answer.output_tokens and answer.output_tokens <= 24 and answer.cut is (answer.output_tokens == 24)


def test_pieces_are_the_answer(providers: Providers) -> None:
    *pieces, last = providers.stream(PLAIN, mapping=Mapping(), accept=str)
    assert isinstance(last, tuple)
    assert "".join(str(piece) for piece in pieces) == last[0] == last[1].text and len(pieces) > 1
    assert last[1].input_tokens and last[1].output_tokens


def test_the_same_question_has_the_same_answer(providers: Providers) -> None:
    first, second = (providers.ask(PLAIN, mapping=Mapping(), accept=str)[0] for _ in range(2))
    assert first == second


def test_a_schema_binds_the_answer_whole_and_in_pieces(providers: Providers) -> None:
    value, _ = providers.ask(BOUND, mapping=Mapping(), accept=json.loads)
    *pieces, last = providers.stream(BOUND, mapping=Mapping(), accept=json.loads)
    assert isinstance(last, tuple) and isinstance(last[1], Answer)
    assert set(value) == {"ill"} and last[0] == value and json.loads("".join(str(piece) for piece in pieces)) == value


def test_a_prompt_longer_than_the_window_is_refused_and_not_cut(providers: Providers) -> None:
    for ask in (providers.ask, lambda *a, **k: list(providers.stream(*a, **k))):
        with pytest.raises(ProviderError, match="local: the prompt is longer than the model's context window"):
            ask(LONG, mapping=Mapping(), accept=str)


def test_an_answer_cut_in_the_middle_of_json_is_tried_once_more_and_then_refused(providers: Providers) -> None:
    numbers = {"type": "array", "minItems": 40, "items": {"type": "integer"}}
    schema = {"type": "object", "properties": {"list": numbers}, "required": ["list"]}
    prompt = Prompt("summary_v1", "0", BOUND.system, BOUND.user, schema)
    with pytest.raises(ProviderError) as caught:
        providers.ask(prompt, mapping=Mapping(), accept=json.loads)
    assert str(caught.value).count("cut off at the most tokens") == 2


def test_the_guard_stands_before_the_chat_model_for_langchain_too(providers: Providers) -> None:
    mapping = Mapping()
    mapping.surrogate_for("Quillon Vasterby", "PERSON")
    chat = providers.chat("local", mapping=mapping)
    assert chat.invoke("What is aspirin?").text
    for ask in (chat.invoke, lambda text: list(chat.stream(text))):
        with pytest.raises(PrivacyError, match="PERSON_1"):
            ask("Who is Quillon Vasterby?")
    with pytest.raises(PrivacyError, match="must be text"):
        chat.invoke([HumanMessage([{"type": "text", "text": "Who is Quillon Vasterby?"}])])


def test_the_server_asks_for_its_key_and_shows_no_prompts(endpoint: LocalEndpoint) -> None:
    assert endpoint.api_key not in repr(endpoint)
    with openai.OpenAI(base_url=endpoint.base_url, api_key="wrong", max_retries=0) as client, pytest.raises(openai.AuthenticationError):
        client.chat.completions.create(model=endpoint.model, messages=MESSAGES)  # type: ignore[call-overload]
    for path in ("/slots", "/metrics"):
        address, headers = endpoint.base_url.removesuffix("/v1") + path, {"Authorization": f"Bearer {endpoint.api_key}"}
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=5)
        assert caught.value.code == 501


def test_the_server_listens_on_the_loopback_address_alone(endpoint: LocalEndpoint) -> None:
    address = urlsplit(endpoint.base_url)
    assert address.hostname == "127.0.0.1" and address.port
    listening = {line.split()[1] for table in ("tcp", "tcp6") if Path(f"/proc/net/{table}").exists()
                 for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:] if line.split()[3] == "0A"}
    if sys.platform == "linux":
        assert [entry.split(":")[0] for entry in listening if int(entry.split(":")[1], 16) == address.port] == ["0100007F"]
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", address.port), timeout=1):
        raise AssertionError


def test_the_server_writes_no_prompt_to_its_output(tmp_path: Path) -> None:
    port, canaries = free_port(), make_canaries()[:5]
    command = [sys.executable, "-m", "notes_summarizer.providers.llama", "--model", str(find_model({})), "--port", str(port),
               "--context", "512", "--threads", "1"]
    with (tmp_path / "output").open("wb") as output, subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=tmp_path,
                                                                      env={**os.environ, KEY_VARIABLE: "k"}) as process:
        try:
            wait_for(port, ready=True)
            with openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="k", max_retries=0) as client:
                client.chat.completions.create(model="x", messages=[{"role": "user", "content": plant("Repeat:", canaries)}], max_tokens=4)
                with pytest.raises(openai.BadRequestError):
                    client.chat.completions.create(model="x", messages=[{"role": "user", "content": plant("Repeat:", canaries) * 9}])
        finally:
            process.terminate()
    assert_no_canary({"what the server wrote": tmp_path}, canaries)


def test_the_server_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    script = ("import sys, time\nfrom notes_summarizer.providers.local import local_server\n"
              "from notes_summarizer.providers.settings import ProviderSettings\n"
              f"with local_server(ProviderSettings.model_validate_json({SETTINGS.model_dump_json()!r}), {{}}) as endpoint:\n"
              "    print(endpoint.base_url, flush=True)\n    time.sleep(60)\n")
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = urlsplit(process.stdout.readline().strip()).port
        process.send_signal(signal.SIGKILL)
    assert port
    wait_for(port, ready=False)


def test_a_file_that_llama_cannot_read_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    file = tmp_path / "broken.gguf"
    file.write_bytes(b"GGUF" + b"\0" * 64)
    with pytest.raises(ArtefactError, match=r"broken\.gguf cannot be served.*NOTES_LOCAL_MODEL"), \
            local_server(SETTINGS, {"NOTES_LOCAL_MODEL": str(file)}):
        raise AssertionError


def wait_for(port: int, *, ready: bool) -> None:
    """Wait until the server on a port is ready, or gone."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                state = True
        except urllib.error.HTTPError:
            state = None
        except OSError:
            state = False
        if state is ready:
            return
        time.sleep(0.1)
    raise AssertionError(f"the server on port {port} should be {'ready' if ready else 'gone'} by now")
