"""What costs nothing: the most frequent label, word counts, and frozen sentence embeddings, each with a linear layer at most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from carefolio.metrics.classification import multiclass_log_loss
from text_classifier.config import BaselineSettings
from text_classifier.features import TRAIN, VALID, label_names
from text_classifier.predictions import Predicted

if TYPE_CHECKING:
    import polars as pl


def fit_baseline(system: str, table: pl.DataFrame, settings: BaselineSettings, *, seed: int) -> Predicted:
    """Fit a baseline on train, choose its strength on validation, and predict validation and test.

    Parameters
    ----------
    system : {"majority", "tfidf_lr", "embeddings_lr"}
        Which.
    table : polars.DataFrame
        Examples, as `text_classifier.features.build_examples` gives them.
    settings : BaselineSettings
        Strengths that are tried, and sizes.
    seed : int
        Of the solver.

    Returns
    -------
    Predicted
        Probabilities of valid and test, and the number of parameters.
    """
    labels = label_names(table)
    if system == "majority":
        counts = np.array([table.filter(part=TRAIN, label=label).height for label in labels], dtype=np.float64)
        rest = table.filter(table["part"] != TRAIN)
        return Predicted.of(rest, labels, np.tile(counts / counts.sum(), (rest.height, 1)), parameters=0)
    inputs = _word_counts(table, settings) if system == "tfidf_lr" else _embeddings(table, settings)
    return _linear_layer(table, labels, inputs, settings.strengths, seed=seed)


def _word_counts(table: pl.DataFrame, settings: BaselineSettings) -> dict[str, Any]:
    """Weigh words, pairs of words and pieces of words; the vocabulary and its weights are those of train."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), max_features=settings.max_features)
    pieces = TfidfVectorizer(sublinear_tf=True, analyzer="char_wb", ngram_range=(2, 5), max_features=settings.max_features)
    weights = make_union(words, pieces).fit(table.filter(part=TRAIN)["text"].to_list())
    return {part: weights.transform(table.filter(part=part)["text"].to_list()) for part in table["part"].unique()}


def _embeddings(table: pl.DataFrame, settings: BaselineSettings) -> dict[str, Any]:
    from carefolio.embeddings import SentenceEncoder

    encoder = SentenceEncoder(max_tokens=settings.embedding_tokens)
    return {part: encoder.encode(table.filter(part=part)["text"].to_list()) for part in table["part"].unique()}


def _linear_layer(table: pl.DataFrame, labels: Sequence[str], inputs: dict[str, Any], strengths: Sequence[float], *,
                  seed: int) -> Predicted:
    """Fit a logistic regression for each strength; that of the lowest log loss on validation predicts."""
    from sklearn.linear_model import LogisticRegression

    answers = {part: table.filter(part=part)["label"].to_list() for part in (TRAIN, VALID)}
    fitted = {strength: LogisticRegression(C=strength, max_iter=2000, random_state=seed).fit(inputs[TRAIN], answers[TRAIN])
              for strength in strengths}
    losses = {strength: multiclass_log_loss(answers[VALID], model.predict_proba(inputs[VALID]), labels=labels)
              for strength, model in fitted.items()}
    strength = min(losses, key=lambda one: losses[one])
    rest = table.filter(table["part"] != TRAIN)
    probabilities = np.zeros((rest.height, len(labels)))
    for part in rest["part"].unique():
        probabilities[(rest["part"] == part).to_numpy()] = fitted[strength].predict_proba(inputs[part])
    return Predicted.of(rest, labels, probabilities, parameters=int(fitted[strength].coef_.size + fitted[strength].intercept_.size),
                        strength=strength, valid_log_losses={str(key): value for key, value in losses.items()})
