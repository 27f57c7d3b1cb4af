"""The provider without a language model: it picks sentences of the text by rules and answers like a chat model.

It reads the same messages as every other provider and knows its task from the first line of the system message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from notes_summarizer.summary.picking import pick_lists
from notes_summarizer.summary.sentences import SPEAKER_NAMES, split_sentences
from notes_summarizer.summary.turns import Said
from notes_summarizer.summary.writing import write_note, write_section

MODEL = "rules"
_TASK = re.compile(r"Task: ([a-z]+)\.")
_BLOCK = re.compile(r"^<(text-[0-9a-f]{12})>\n(.*)\n</\1>$", re.DOTALL | re.MULTILINE)
_LINE = re.compile(rf"S(?P<number>\d+)\. (?:(?P<speaker>{SPEAKER_NAMES}): )?(?P<text>.*)")
_NUMBERED = re.compile(r"^S?(\d+)\. (.+)$", re.MULTILINE)
_HEADER = re.compile(r"^Section: ([^\s(]+)", re.MULTILINE)
_BOUNDS = re.compile(r"At most (\d+) items in a list, at most (\d+) characters")


class ExtractiveChat(BaseChatModel):
    """A chat model that is none: rules that choose sentences, always the same answer for the same prompt."""

    @property
    def _llm_type(self) -> str:
        return "extractive"

    def _generate(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None,
                  **kwargs: Any) -> ChatResult:
        message = AIMessage(answer(messages), response_metadata={"model_name": MODEL})
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None,
                **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        for piece in re.findall(r"\s*\S+|\s+\Z", answer(messages)):
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
            if run_manager:
                run_manager.on_llm_new_token(piece, chunk=chunk)
            yield chunk


def answer(messages: list[BaseMessage]) -> str:
    """Answer a prompt.

    Parameters
    ----------
    messages : list of BaseMessage
        A system message that begins with ``Task: <name>.`` and a user message; what it is about stands between two lines with a tag.

    Returns
    -------
    str
        JSON for a summary or leaflet, else plain text.

    Raises
    ------
    ValueError
        If the prompt names no task that the rules know.
    """
    text = "\n\n".join(str(message.content) for message in messages)
    task = _TASK.match(text.lstrip())
    name = task.group(1) if task else ""
    if name == "summary":
        return pick_lists(_said(text), **_bounds(text)).model_dump_json()
    if name == "section":
        header = _HEADER.search(text)
        return write_section(_said(text), header.group(1) if header else "")
    if name == "note":
        return write_note(_said(text))
    if name == "leaflet":
        lines = [{"number": int(match.group(1)), "text": match.group(2)} for match in _NUMBERED.finditer(text)]
        return json.dumps({"sentences": lines}, ensure_ascii=False)
    raise ValueError("the prompt must begin with 'Task: summary.', 'Task: section.', 'Task: note.' or 'Task: leaflet.'; it does not. "
                     "The rules answer no other question: choose another provider for it.")


def _bounds(text: str) -> dict[str, int]:
    """Read the bounds of a draft that the prompt states."""
    match = _BOUNDS.search(text)
    items, characters = match.groups() if match else ("8", "200")
    return {"maximum_items": int(items), "item_characters": int(characters)}


def _said(text: str) -> list[Said]:
    """Read what stands between the tags: numbered lines of a note, or turns of a conversation, which are cut into sentences."""
    block = _BLOCK.search(text)
    lines = block.group(2).split("\n") if block else []
    numbered = [match for line in lines if (match := _LINE.fullmatch(line))]
    if len(numbered) == len(lines):
        return [Said(int(match["number"]), match["speaker"] or "", match["text"]) for match in numbered]
    return [Said(sentence.number, sentence.speaker, sentence.safe) for sentence in split_sentences("\n".join(lines))]
