"""Passages to search: embeddings in safetensors, text in parquet, BM25 rebuilt when the index is opened (about two seconds)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from carefolio.artefacts import read_json, sha256_file, verify_seal
from carefolio.embeddings import Vectors
from carefolio.exceptions import ArtefactError
from notes_summarizer.leaflet.build import EMBEDDINGS, PASSAGES, RECORD, build_index
from notes_summarizer.leaflet.embeddings import MiniLM
from notes_summarizer.leaflet.ranking import Rows, bm25_scores, build_bm25, documents_with, fuse, top
from notes_summarizer.leaflet.settings import IndexSettings, SearchSettings

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Hit", "LeafletIndex", "Method", "Passage", "build_index"]

Method = Literal["hybrid", "bm25", "dense"]
BATCH = 64
"""Questions whose cosines are computed at once."""
Keep = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Passage:
    """A piece of an answer.

    Attributes
    ----------
    number : int
        Its row in the index.
    title : str
        What the page is about, and the kind of question.
    text : str
        Whole sentences or lists, one a line.
    url, source, focus, question_type : str
        Where it stands and what it is about.
    """

    number: int
    title: str
    text: str
    url: str
    source: str
    focus: str
    question_type: str


@dataclass(frozen=True)
class Hit:
    """A passage that was found.

    Attributes
    ----------
    passage : Passage
        The passage.
    score : float
        Comparable within one search only; higher is better.
    rank : int
        From 1.
    """

    passage: Passage
    score: float
    rank: int


@dataclass(frozen=True)
class Ranked:
    """Rows that a search found, and what a refusal is decided on.

    Attributes
    ----------
    rows : ndarray of int64
        Passages, best first.
    scores : ndarray of float64
        Theirs.
    similarity : float
        Highest cosine of the question and a passage or its title among those allowed.
    """

    rows: Rows
    scores: npt.NDArray[np.float64]
    similarity: float


class LeafletIndex:
    """Passages that can be searched.

    Parameters
    ----------
    passages : polars.DataFrame
        As `notes_summarizer.leaflet.passages.cut_passages` gives it.
    texts, titles : ndarray of float32, shapes (n_passages, 384) and (n_titles, 384)
        Embeddings; those of titles once a title.
    title_rows : ndarray of int64, shape (n_passages,)
        Row of ``titles`` of each passage.
    settings : IndexSettings
        How it was built.
    search : SearchSettings
        How it is searched.
    """

    def __init__(self, passages: pl.DataFrame, texts: Vectors, titles: Vectors, title_rows: Rows, *, settings: IndexSettings,
                 search: SearchSettings) -> None:
        self.passages, self.settings, self.search_settings = passages, settings, search
        self._arrays = (texts, titles, title_rows)
        self._title_weight = search.title_weight if search.with_title else 0.0
        self._vectors = (1 - self._title_weight) * texts + self._title_weight * titles[title_rows]
        self._text_words, self._title_words = (build_bm25(passages[column].to_list(), k1=search.bm25_k1, b=search.bm25_b)
                                               for column in ("text", "title"))
        self._held = documents_with(self._text_words)
        self.topics = np.array([focus.casefold() for focus in passages["focus"].to_list()])
        self._about: dict[tuple[str, str], list[int]] = {}
        for row, (topic, kind) in enumerate(zip(self.topics, passages["question_type"], strict=True)):
            self._about.setdefault((str(topic), kind), []).append(row)
        self._model = MiniLM(precision=settings.precision, max_tokens=settings.max_tokens, batch_tokens=settings.batch_tokens,
                             threads=settings.threads)

    @classmethod
    def open(cls, folder: Path, *, search: SearchSettings | None = None) -> LeafletIndex:
        """Open a finished index.

        Parameters
        ----------
        folder : Path
            Where `build_index` wrote it.
        search : SearchSettings, optional
            How to search; default is what `build_index` was last called with.

        Returns
        -------
        LeafletIndex
            Ready to be searched.

        Raises
        ------
        ArtefactError
            If a file is missing or altered.
        """
        import polars as pl
        from safetensors.numpy import load_file

        verify_seal(folder / RECORD)
        record = read_json(folder / RECORD)
        for name in (PASSAGES, EMBEDDINGS):
            got = sha256_file(folder / name) if (folder / name).is_file() else "no file"
            if got != record["files"][name]:
                raise ArtefactError(f"{folder / name} must have SHA-256 {record['files'][name]}; got {got}. Delete the folder and build "
                                    "the index again.")
        arrays = load_file(folder / EMBEDDINGS)
        texts = arrays["texts"].astype(np.float32)[arrays["text_rows"]]
        return cls(pl.read_parquet(folder / PASSAGES), texts, arrays["titles"].astype(np.float32), arrays["title_rows"],
                   settings=IndexSettings(**record["index"]), search=search or SearchSettings(**record["search"]))

    def search(self, question: str, *, k: int, method: Method = "hybrid") -> list[Hit]:
        """Find the passages nearest to a question.

        Parameters
        ----------
        question : str
            In plain words.
        k : int
            Most passages.
        method : {"hybrid", "bm25", "dense"}, default "hybrid"
            Which ranking.

        Returns
        -------
        list of Hit
            Best first; fewer where BM25 finds no shared word.
        """
        return self.hits(self.rank([question], k=k)[0][method])

    def hits(self, ranked: Ranked) -> list[Hit]:
        """Give the passages of a ranking.

        Parameters
        ----------
        ranked : Ranked
            From `rank`.

        Returns
        -------
        list of Hit
            Best first.
        """
        return [Hit(self.passage(int(row)), float(score), rank)
                for rank, (row, score) in enumerate(zip(ranked.rows, ranked.scores, strict=True), start=1)]

    def passage(self, row: int) -> Passage:
        """Give one passage.

        Parameters
        ----------
        row : int
            Its row.

        Returns
        -------
        Passage
            The passage.
        """
        values = self.passages.row(row, named=True)
        return Passage(row, *(values[name] for name in ("title", "text", "url", "source", "focus", "question_type")))

    def rank(self, questions: Sequence[str], *, k: int, without: Sequence[str] | None = None) -> list[dict[Method, Ranked]]:
        """Find rows for many questions by every method.

        Parameters
        ----------
        questions : sequence of str, length n
            In plain words.
        k : int
            Most passages.
        without : sequence of str, length n, optional
            A topic for each question whose passages are not searched, in lower case. The weights of words stay those of all passages.

        Returns
        -------
        list of dict of str to Ranked
            One a question, by method.
        """
        found = []
        for start in range(0, len(questions), BATCH):
            cosines = self._model.encode(questions[start:start + BATCH]) @ self._vectors.T
            for row, question in enumerate(questions[start:start + BATCH]):
                keep = None if without is None else self.topics != without[start + row]
                found.append(self._rank(question, cosines[row], k, keep))
        return found

    def _rank(self, question: str, cosines: Vectors, k: int, keep: Keep | None) -> dict[Method, Ranked]:
        settings, weight = self.search_settings, self._title_weight
        words = (1 - weight) * bm25_scores(self._text_words, question) + weight * bm25_scores(self._title_words, question)
        most = max(k, settings.candidates)
        dense, sparse = top(cosines, k=most, keep=keep), top(words, k=most, keep=keep, positive=True)
        similarity = float(cosines[dense[0]]) if len(dense) else -1.0
        rows, scores = fuse(dense[:settings.candidates], sparse[:settings.candidates], dense_weight=settings.dense_weight,
                            rank_constant=settings.rank_constant)
        return {"hybrid": Ranked(rows[:k], scores[:k], similarity),
                "dense": Ranked(dense[:k], cosines[dense[:k]].astype(np.float64), similarity),
                "bm25": Ranked(sparse[:k], words[sparse[:k]].astype(np.float64), similarity)}

    def searched_with(self, search: SearchSettings) -> LeafletIndex:
        """Give the same index, searched in another way.

        Parameters
        ----------
        search : SearchSettings
            How.

        Returns
        -------
        LeafletIndex
            Another view of the same arrays.
        """
        return LeafletIndex(self.passages, *self._arrays, settings=self.settings, search=search)

    def about(self, focus: str, question_type: str) -> list[int]:
        """List the passages about a topic and of a kind.

        Parameters
        ----------
        focus : str
            Name of the topic, any case.
        question_type : str
            Kind of question, such as ``"symptoms"``.

        Returns
        -------
        list of int
            Rows in the order of the index.
        """
        return self._about.get((focus.casefold(), question_type), [])

    def names_in(self, question: str) -> list[str]:
        """List the names of topics that stand in a question in full, and all runs of words in them.

        Parameters
        ----------
        question : str
            Any text.

        Returns
        -------
        list of str
            In lower case.
        """
        text = f" {' '.join(question.casefold().split())} "
        names = [topic.split() for topic in set(self.topics.tolist()) if topic in text]
        return [" ".join(words[start:stop]) for words in names for start in range(len(words)) for stop in range(start + 1, len(words) + 1)]

    def rarity(self, word: str) -> float:
        """Weigh a word by how few passages hold it.

        Parameters
        ----------
        word : str
            From `notes_summarizer.leaflet.ranking.tokens`.

        Returns
        -------
        float
            Inverse document frequency as BM25 has it; that of a word in no passage is the highest.
        """
        held = self._held.get(word, 0)
        return math.log1p((self.passages.height - held + 0.5) / (held + 0.5))
