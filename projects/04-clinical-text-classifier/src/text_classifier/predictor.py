"""A tuned model as the service uses it: texts in, probabilities out, without torch.

Every text is given to the network by itself. The int8 network scales its activations by the largest one of what it is given, so in a
batch the answer to a text would depend a little on the texts beside it, and on how far it is padded. Alone, a text always gets the same
answer, and no time goes into padding.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as runtime
from tokenizers import Encoding, Tokenizer

from carefolio.artefacts import read_json, verify_seal
from carefolio.exceptions import ArtefactError
from text_classifier.artefacts import MODEL_FILE, RECORD_FILE, TOKENIZER_FILE, WEIGHT_FILES

Floats = NDArray[np.float64]
TEXT_INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})
MOST_SPANS = 48
"""Spans that are left out at a time; a longer text is searched twice, in spans of words and then in the words of the strongest."""
_WORD = re.compile(r"\w+(?:[-'’.]\w+)*")
_UNREADABLE = (runtime.Fail, runtime.InvalidArgument, runtime.InvalidGraph, runtime.InvalidProtobuf, runtime.NoSuchFile,
               runtime.NotImplemented)
_SELF_CHECK = "Doctor: Do you have any allergies? Patient: Penicillin gives me a rash."


@dataclass(frozen=True)
class Classified:
    """The answer to one text; ``truncated`` says that the end of it was not read."""

    label: str
    probability: float
    probabilities: dict[str, float]
    truncated: bool


@dataclass(frozen=True)
class WordWeight:
    """What a word does to the label: the label's probability with it minus without it. It stands at ``text[start:end]``."""

    word: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True)
class Predictor:
    """A loaded model; make it with `open`.

    Attributes
    ----------
    session : onnxruntime.InferenceSession
        The network.
    tokenizer : tokenizers.Tokenizer
        Cuts at ``max_tokens`` and pads nothing.
    record : mapping
        What ``model.json`` holds.
    sha256 : str
        Of the network.
    threads : int
        Threads of one run of the network.
    expected : tuple of float
        Probabilities of a made-up text when the model was opened.
    """

    session: onnxruntime.InferenceSession
    tokenizer: Tokenizer
    record: Mapping[str, Any]
    sha256: str
    threads: int
    expected: tuple[float, ...] = ()

    @classmethod
    def open(cls, folder: Path, *, threads: int = 1) -> Self:
        """Read a sealed model and classify a made-up text with it, so that the first request is as fast as the next.

        Parameters
        ----------
        folder : Path
            Holds what `text_classifier.export.export_onnx` writes.
        threads : int, default 1
            Threads of one run of the network. A server answers several requests at a time, so one is best there.

        Returns
        -------
        Predictor
            Warm.

        Raises
        ------
        ArtefactError
            If a file is missing, altered, of another export, or not such a model.
        """
        record = _read_record(folder)
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
        tokenizer.no_padding()
        tokenizer.enable_truncation(record["max_tokens"])
        cold = cls(_open_session(folder / MODEL_FILE, threads), tokenizer, record, record["files"][MODEL_FILE], threads)
        return cls(cold.session, tokenizer, record, cold.sha256, threads, expected=cold._self_check())

    @property
    def labels(self) -> tuple[str, ...]:
        """Give the labels in the order of the network's outputs.

        Returns
        -------
        tuple of str
            One an output.
        """
        return tuple(self.record["labels"])

    @property
    def threshold(self) -> float | None:
        """Give the probability from which enough answers were right on the validation part.

        Returns
        -------
        float or None
            None if there is no such probability.
        """
        return self.record.get("threshold_95")

    def classify(self, texts: Sequence[str]) -> list[Classified]:
        """Classify texts.

        Parameters
        ----------
        texts : sequence of str
            Any number.

        Returns
        -------
        list of Classified
            In the same order. A text gets the same answer whatever stands beside it.
        """
        encodings = self.tokenizer.encode_batch(list(texts))
        probabilities = self._probabilities([encoding.ids for encoding in encodings])
        return [self._describe(row, truncated=bool(encoding.overflowing)) for row, encoding in zip(probabilities, encodings, strict=True)]

    def abstains(self, answer: Classified) -> bool:
        """Say whether an answer is too uncertain to be used without a person.

        Parameters
        ----------
        answer : Classified
            As `classify` gives it.

        Returns
        -------
        bool
            True below the threshold, and always where validation gave no threshold.
        """
        return self.threshold is None or answer.probability < self.threshold

    def words_that_matter(self, text: str, *, most: int = 10) -> list[WordWeight]:
        """Find the words without which the label would be less, or more, probable.

        Parameters
        ----------
        text : str
            Any text; what lies past ``max_tokens`` is not read, so no word there matters.
        most : int, default 10
            Words to give at most.

        Returns
        -------
        list of WordWeight
            Strongest first, by the size of ``weight``; a negative one speaks against the label.
        """
        encoding = self.tokenizer.encode(text)
        whole = self._probabilities([encoding.ids])[0]
        label, words = int(whole.argmax()), _words(text, encoding)

        def _without(spans: list[list["_Word"]]) -> Floats:
            left = [_leave_out(encoding.ids, span) for span in spans]
            return np.asarray(whole[label] - self._probabilities(left)[:, label], dtype=np.float64)

        if len(words) > MOST_SPANS:
            spans = [words[i:i + math.ceil(len(words) / MOST_SPANS)] for i in range(0, len(words), math.ceil(len(words) / MOST_SPANS))]
            strongest = np.argsort(-np.abs(_without(spans)), kind="stable")[:max(1, MOST_SPANS // len(spans[0]))]
            words = [word for place in sorted(strongest) for word in spans[place]]
        weights = _without([[word] for word in words])
        order = np.argsort(-np.abs(weights), kind="stable")[:most]
        return [WordWeight(text[words[i].start:words[i].end], words[i].start, words[i].end, float(weights[i])) for i in order]

    def check(self) -> None:
        """Classify the made-up text again.

        Raises
        ------
        ArtefactError
            If the model in memory no longer gives what it gave when it was opened.
        """
        got = self._self_check()
        if got != self.expected:
            raise ArtefactError(f"the model of {self.record['task']} in memory gives {got}, expected {self.expected} as when it was "
                                "opened; start the server again.")

    def _self_check(self) -> tuple[float, ...]:
        return tuple(self.classify([_SELF_CHECK])[0].probabilities.values())

    def _probabilities(self, rows: Sequence[Sequence[int]]) -> Floats:
        logits = np.array([self._logits(ids) for ids in rows], dtype=np.float64).reshape(len(rows), len(self.labels))
        powers = np.exp((logits - logits.max(axis=1, keepdims=True)) / self.record["temperature"])
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float64)

    def _logits(self, ids: Sequence[int]) -> NDArray[np.float32]:
        given = np.array([ids], dtype=np.int64)
        feed = {"input_ids": given, "attention_mask": np.ones_like(given), "token_type_ids": np.zeros_like(given)}
        names = [node.name for node in self.session.get_inputs()]
        result: NDArray[np.float32] = self.session.run(None, {name: feed[name] for name in names})[0][0]
        return result

    def _describe(self, probabilities: Floats, *, truncated: bool) -> Classified:
        best = int(probabilities.argmax())
        return Classified(self.labels[best], float(probabilities[best]), dict(zip(self.labels, probabilities.tolist(), strict=True)),
                          truncated)


@dataclass(frozen=True)
class _Word:
    """A word at ``text[start:end]``, and its tokens."""

    start: int
    end: int
    tokens: tuple[int, ...]


def _words(text: str, encoding: Encoding) -> list[_Word]:
    """List the words that were read, each with its tokens."""
    owner = np.full(len(text) + 1, -1, dtype=np.int64)
    places = [match.span() for match in _WORD.finditer(text)]
    for number, (start, end) in enumerate(places):
        owner[start:end] = number
    tokens: dict[int, list[int]] = {}
    for position, (start, end) in enumerate(encoding.offsets):
        if end > start and owner[start] >= 0:
            tokens.setdefault(int(owner[start]), []).append(position)
    return [_Word(*places[number], tuple(positions)) for number, positions in tokens.items()]


def _leave_out(ids: Sequence[int], words: Sequence[_Word]) -> list[int]:
    gone = {position for word in words for position in word.tokens}
    return [token for position, token in enumerate(ids) if position not in gone]


def _read_record(folder: Path) -> dict[str, Any]:
    verify_seal(folder / RECORD_FILE)
    record: dict[str, Any] = read_json(folder / RECORD_FILE)
    needed = ("task", "labels", "temperature", "max_tokens", "files")
    missing = [name for name in needed if name not in record]
    if missing:
        raise ArtefactError(f"{folder / RECORD_FILE} has no {', '.join(missing)}; expected {', '.join(needed)}. Export the model again "
                            "with `textclass evaluate`.")
    for name in WEIGHT_FILES:
        got = verify_seal(folder / name)
        if got != record["files"].get(name):
            raise ArtefactError(f"{folder / name} has SHA-256 {got}, expected {record['files'].get(name)} by {RECORD_FILE}; the files are "
                                "of two exports. Restore the folder as a whole or export the model again.")
    return record


def _open_session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except _UNREADABLE as error:
        raise ArtefactError(f"{path} cannot be opened by ONNX Runtime {onnxruntime.__version__}: {' '.join(str(error).split())[:200]} "
                            "Export the model again.") from None
    strange = {node.name for node in session.get_inputs()} - TEXT_INPUTS
    if strange:
        raise ArtefactError(f"{path} wants {', '.join(sorted(strange))}, expected no input but {', '.join(sorted(TEXT_INPUTS))}. Export an "
                            "encoder such as MiniLM.")
    return session
