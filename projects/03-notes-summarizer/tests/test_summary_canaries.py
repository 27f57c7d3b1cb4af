"""No planted identifier reaches a prompt, a log, an error or a file; a firewall that lets one through makes these checks fail."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field

from carefolio.exceptions import PrivacyError, ProviderError
from carefolio.privacy import firewall as real
from carefolio.privacy.canaries import assert_no_canary, find_canaries, make_canaries, plant
from carefolio.privacy.firewall import Deidentified
from carefolio.privacy.policy import PrivacyPolicy
from carefolio.privacy.surrogates import Mapping
from notes_summarizer.providers.open import Providers
from notes_summarizer.providers.settings import ProviderSettings
from notes_summarizer.summary.extractive import ExtractiveChat
from notes_summarizer.summary.schema import LISTS
from notes_summarizer.summary.settings import SummarySettings
from notes_summarizer.summary.summarize import stream_summary, summarize, write_note, write_section

PROVIDERS = ProviderSettings(order=("openai",), timeout_s=5.0, stall_s=5.0, max_retries=0, backoff_s=0.0, max_output_tokens=64,
                             temperature=0.0, retry_temperature=0.7, openai_model="fake", local_context_tokens=512, local_threads=1,
                             local_repeat_penalty=1.1, prices={})
SETTINGS = SummarySettings(maximum_bytes=200_000, chunk_characters={"extractive": 40_000, "openai": 700},
                           maximum_items=dict.fromkeys(("extractive", "openai", "local"), 24),
                           item_characters=dict.fromkeys(("extractive", "openai", "local"), 400),
                           written_characters=5000, support_threshold=0.55, neighbours=1, foreign_share=0.08,
                           summary_prompt="summary_v1", section_prompt="section_v1", note_prompt="note_v1")
CANARIES = make_canaries()
NOTE = plant("HISTORY: A man with hypertension. He takes lisinopril 20 mg daily.\nPLAN: Start aspirin 81 mg.", CANARIES)
DIALOGUE = "Doctor: Any fever?\nPatient: No.\n" + "\n".join(f"Patient: {canary.sentence}" for canary in CANARIES)
EMPTY = json.dumps({name: [] for name in LISTS})


class Recorder(BaseChatModel):
    """Keeps all that it is sent, and gives it back in its errors if it is told to fail."""

    answer: str = EMPTY
    fails: bool = False
    received: list[str] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "recorder"

    def _generate(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None,
                  **kwargs: Any) -> ChatResult:
        sent = "\n".join(str(message.content) for message in messages)
        self.received.append(f"{sent}\n{kwargs}")
        if self.fails:
            raise TimeoutError(sent)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(self.answer))])


def run_all(model: BaseChatModel, *, text_answers: bool) -> None:
    providers = Providers({"openai": model}, PROVIDERS)
    if text_answers:
        write_section(DIALOGUE, "GENHX", providers, SETTINGS)
        write_note(DIALOGUE, providers, SETTINGS)
    else:
        summarize(NOTE, providers, SETTINGS)
        list(stream_summary(NOTE, providers, SETTINGS))


def leak_all(text: str, *, policy: PrivacyPolicy | None = None, mapping: Mapping | None = None) -> Deidentified:
    """Give a text back as it is, and know of nothing."""
    return Deidentified(text, (), mapping or Mapping())


def forget_to_replace(text: str, *, policy: PrivacyPolicy | None = None, mapping: Mapping | None = None) -> Deidentified:
    """Find the identifiers and leave them in the text."""
    found = real.firewall(text, policy=policy, mapping=mapping)
    return Deidentified(text, (), found.mapping)


@pytest.mark.parametrize("text_answers", [False, True])
def test_no_canary_reaches_prompt_log_or_file(text_answers: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                              caplog: pytest.LogCaptureFixture) -> None:
    for variable in ("HOME", "XDG_CACHE_HOME", "TMPDIR", "CAREFOLIO_CACHE_DIR"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    model = Recorder(answer="No fever." if text_answers else EMPTY)
    with caplog.at_level(logging.DEBUG):
        run_all(model, text_answers=text_answers)
    assert len(model.received) > 2
    assert "[PERSON_1" in "".join(model.received)
    assert_no_canary({"prompts": model.received, "log": caplog.records, "files": tmp_path}, CANARIES)


def test_no_canary_reaches_an_error(caplog: pytest.LogCaptureFixture) -> None:
    for model in (Recorder(fails=True), Recorder(answer=NOTE)):
        with caplog.at_level(logging.DEBUG), pytest.raises(ProviderError) as caught:
            summarize(NOTE, Providers({"openai": model}, PROVIDERS), SETTINGS)
        assert_no_canary({"error": caught.value, "log": caplog.records, "prompts": model.received}, CANARIES)


def test_canaries_come_back_to_the_reader_only() -> None:
    result = summarize(NOTE, Providers({"extractive": ExtractiveChat()}, PROVIDERS), SETTINGS)
    assert_no_canary({"answers": [answer.text for answer in result.answer], "entities": repr(result.entities)}, CANARIES)
    echoed = Recorder(answer=json.dumps(json.loads(EMPTY) | {"plan": [{"text": "Ask [PERSON_1].", "sources": []}]}))
    shown = summarize(NOTE, Providers({"openai": echoed}, PROVIDERS), SETTINGS).summary.plan[0]
    assert find_canaries({"shown": shown.text}, CANARIES)


def test_a_firewall_that_lets_everything_through_is_noticed_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notes_summarizer.summary.summarize.firewall", leak_all)
    model = Recorder()
    run_all(model, text_answers=False)
    with pytest.raises(PrivacyError, match="no planted identifier may leave the process"):
        assert_no_canary({"prompts": model.received}, CANARIES)


def test_a_firewall_that_forgets_to_replace_is_stopped_by_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notes_summarizer.summary.summarize.firewall", forget_to_replace)
    model = Recorder()
    with pytest.raises(PrivacyError, match="the prompt must hold no identifier") as caught:
        run_all(model, text_answers=False)
    assert model.received == []
    assert_no_canary({"error": caught.value}, CANARIES)
