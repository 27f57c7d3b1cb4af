"""Sentence embeddings: length, order, cutting, and batches of like length."""

import numpy as np
import pytest

from carefolio.embeddings import DIMENSIONS, SentenceEncoder, batches_of_like_length


def test_vectors_have_length_one_and_keep_their_order():
    encoder = SentenceEncoder()
    together = encoder.encode(["a much longer text about a sore knee and what to do about it", "an itchy rash", ""])
    assert together.shape == (3, DIMENSIONS)
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-5)
    assert together[1] == pytest.approx(encoder.encode(["an itchy rash"])[0], abs=1e-5)


def test_texts_of_like_meaning_lie_closer():
    rash, skin, tax = SentenceEncoder().encode(["an itchy rash", "skin that itches", "tax return"])
    assert rash @ skin > rash @ tax + 0.2


def test_no_texts_give_no_vectors():
    assert SentenceEncoder().encode([]).shape == (0, DIMENSIONS)


def test_a_longer_text_is_cut_at_so_many_tokens():
    short = SentenceEncoder(max_tokens=16)
    assert short.encode(["pain " * 14])[0] == pytest.approx(short.encode(["pain " * 500])[0], abs=1e-5)


def test_half_precision_stays_close():
    texts = ["an itchy rash", "tax return"]
    exact, rough = SentenceEncoder().encode(texts), SentenceEncoder(precision="bfloat16").encode(texts)
    assert (exact * rough).sum(axis=1) == pytest.approx(1, abs=0.01)
    assert rough.dtype == np.float32


def test_progress_ends_at_all_texts():
    seen = []
    SentenceEncoder(batch_tokens=32).encode(["a rash"] * 20, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (20, 20)
    assert len(seen) > 1


def test_batches_hold_each_row_once_and_stay_below_their_tokens():
    lengths = np.random.default_rng(0).integers(1, 90, 200).tolist()
    batches = batches_of_like_length(lengths, 256)
    assert sorted(row for batch in batches for row in batch) == list(range(200))
    assert all(len(batch) * max(lengths[row] for row in batch) <= 256 for batch in batches)
    assert batches_of_like_length([500], 256) == [[0]]
