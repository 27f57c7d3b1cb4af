"""Fit the score that chooses statements, on the training parts of MTS-Dialog (sections) and ACI-Bench (notes), and write selection.toml.

    CAREFOLIO_DATA_DIR=... python benchmarks/fit_selection.py

Ridge regression of the share of a statement's words that the written text holds on the features of ``summary.selection``. So that a
word's rate does not know the document it is used for, rates come from one half of the documents while the other half is fitted; the
rates that are written come from all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
import polars as pl

from carefolio.datasets.aci_bench import load_aci_bench
from carefolio.datasets.mts_dialog import load_mts_dialog
from carefolio.metrics.text import words
from notes_summarizer.summary.selection import features
from notes_summarizer.summary.sentences import split_sentences
from notes_summarizer.summary.turns import Said, Told, tell

PENALTY, LEAST_COUNT, PRIOR = 3.0, 15, 5.0

Document = tuple[str, list[Told], Counter[str]]


def main() -> None:
    """Fit both scores and write the file."""
    mts = load_mts_dialog().frame.filter(pl.col("part") == "train")
    aci = load_aci_bench().frame.filter(pl.col("part") == "train")
    tables = {"section": read(mts["section_header"].to_list(), mts["dialogue"].to_list(), mts["section_text"].to_list()),
              "note": read([""] * aci.height, aci["dialogue"].to_list(), aci["note"].to_list())}
    lines = ["# Made by benchmarks/fit_selection.py from the training parts of MTS-Dialog and ACI-Bench; not edited by hand."]
    for task, documents in tables.items():
        weights, rates = fit(documents)
        lines += [f"\n[{task}.weights]", *(f'"{name}" = {value:.4f}' for name, value in sorted(weights.items()))]
        lines += [f"\n[{task}.rates]", *(f'"{word}" = {value:.2f}' for word, value in sorted(rates.items()))]
    target = Path(str(files("notes_summarizer.summary").joinpath("selection.toml")))
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{target.name}: {target.stat().st_size} bytes")


def read(headers: Sequence[str], dialogues: Sequence[str], texts: Sequence[str]) -> list[Document]:
    """Make statements of conversations and count the words of what was written."""
    said = ([Said(sentence.number, sentence.speaker, sentence.safe) for sentence in split_sentences(dialogue)] for dialogue in dialogues)
    return [(header, tell(sentences), Counter(words(text))) for header, sentences, text in zip(headers, said, texts, strict=True)]


def fit(documents: Sequence[Document]) -> tuple[dict[str, float], dict[str, float]]:
    """Fit the weights, and the rates of words from all documents."""
    halves = (documents[::2], documents[1::2])
    rows, targets = [], []
    for one, other in (halves, halves[::-1]):
        rates = word_rates(one)
        for header, told, written in other:
            for place, statement in enumerate(told):
                rows.append(features(statement, place=place, count=len(told), header=header, rates=rates))
                targets.append(share(statement.text, written))
    names = sorted({name for row in rows for name in row})
    matrix = np.array([[row.get(name, 0.0) for name in names] for row in rows])
    weights = np.linalg.solve(matrix.T @ matrix + PENALTY * np.eye(len(names)), matrix.T @ np.array(targets))
    return dict(zip(names, weights.tolist(), strict=True)), word_rates(documents)


def word_rates(documents: Sequence[Document]) -> dict[str, float]:
    """Count, for each word, the documents that say it and those of them that write it."""
    said: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    for _, told, written in documents:
        spoken = {word for statement in told for word in words(statement.text)}
        said.update(spoken)
        kept.update(spoken & written.keys())
    base = sum(kept.values()) / sum(said.values())
    return {"": base} | {word: (kept[word] + PRIOR * base) / (count + PRIOR) for word, count in said.items()
                         if count >= LEAST_COUNT and word.isalpha() and word.isascii()}


def share(text: str, written: Counter[str]) -> float:
    """Give the share of a statement's words that the written text holds."""
    spoken = Counter(words(text))
    return (spoken & written).total() / max(1, spoken.total())


if __name__ == "__main__":
    main()
