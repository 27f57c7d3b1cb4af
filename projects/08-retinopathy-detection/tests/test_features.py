"""Which photographs count and in which fold: no duplicate crosses, contradictions go, neighbours stay together."""

import math
import operator
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import polars as pl
import psutil
import pytest

from carefolio.datasets.fundus_twin import draw_fundus, encode_jpeg
from carefolio.exceptions import LeakageError
from carefolio.splits import check_no_duplicate_rows_across_parts
from retinopathy.config import PreparationSettings, SplitSettings
from retinopathy.features import (
    HELD_OUT,
    ahead,
    block_folds,
    choose_photographs,
    done_before,
    extract,
    note_done,
    read_features,
    squares,
    write_features,
)

SPLIT = SplitSettings(block=4, folds=3, max_rows=0)
Make = Callable[..., pl.DataFrame]


@pytest.fixture(scope="module")
def make() -> Make:
    """A table of made-up contents: part, name, grade, risk and picture."""
    def table(rows: list[tuple[str, str, int, int, bytes]]) -> pl.DataFrame:
        types = {"part": pl.Enum(["train", "test"]), "name": pl.String(), "dr_grade": pl.Int8(), "dme_risk": pl.Int8(),
                 "image": pl.Binary()}
        return pl.DataFrame(rows, schema=types, orient="row")
    return table


def test_photographs_that_stand_twice_are_taken_out(make):
    table = make([("train", "a", 0, 0, b"1"), ("train", "b", 3, 0, b"2"), ("train", "c", 1, 0, b"3"), ("train", "d", 2, 0, b"3"),
                  ("train", "e", 2, 1, b"4"), ("train", "f", 2, 1, b"4"), ("test", "g", 0, 0, b"2"), ("test", "h", 1, 0, b"5")])
    chosen = choose_photographs(table, SPLIT, seed=0)
    assert chosen["name"].to_list() == ["a", "e", "g", "h"], "b stands in the test, c and d contradict each other, f repeats e"
    assert (chosen.filter(part="test")["fold"] == HELD_OUT).all()
    assert (chosen.filter(part="train")["fold"] >= 0).all()


def test_a_planted_leak_is_refused(make):
    table = make([("train", "a", 0, 0, b"1"), ("test", "b", 0, 0, b"1")])
    with pytest.raises(LeakageError):
        check_no_duplicate_rows_across_parts(table.select("image"), table["part"].to_numpy())


def test_neighbours_stay_in_one_fold_and_folds_are_of_like_size():
    folds = block_folds(50, SPLIT, seed=1)
    assert all(len(set(folds[start:start + 4])) == 1 for start in range(0, 50, 4))
    sizes = np.bincount(folds)
    assert len(sizes) == 3
    assert sizes.max() - sizes.min() <= 8
    assert not np.array_equal(folds, block_folds(50, SPLIT, seed=2))
    assert len(set(block_folds(6, SplitSettings(block=16, folds=3, max_rows=0), seed=0))) == 3, "few rows give smaller blocks"


def test_the_first_view_is_the_photograph_as_it_is_and_all_are_drawn_from_the_seed():
    content = encode_jpeg(draw_fundus(np.random.default_rng(0), grade=2, side=256))
    settings = PreparationSettings(side=96, small_side=32, strength=4.0)
    one, three, again = (squares((content, (0, 7)), settings, views=views) for views in (1, 3, 3))
    assert len(three) == 3
    assert all(square.shape == (96, 96, 3) for square in three)
    assert np.array_equal(one[0], three[0])
    assert all(np.array_equal(a, b) for a, b in zip(three, again, strict=True))
    assert not np.array_equal(three[1], three[2])


def test_every_view_is_seen_once_in_its_place():
    pictures = [[np.full((2, 2, 3), 10 * row + view, np.uint8) for view in range(2)] for row in range(5)]
    told: list[tuple[int, int]] = []
    means, colours = extract(iter(pictures), lambda own: (np.array([[one.mean()] for one in own], np.float32), np.stack(own)), rows=5,
                             batch=4, advance=lambda done, total: told.append((done, total)))
    assert colours.shape == (5, 2, 2, 2, 3)
    assert means[..., 0].tolist() == [[10 * row, 10 * row + 1] for row in range(5)]
    assert told[-1] == (5, 5)


def test_processes_work_ahead_but_not_far_and_keep_the_order():
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(40):
            taken.append(item)
            yield item

    made = ahead(operator.neg, items(), workers=3)
    assert next(made) == 0
    assert len(taken) <= 6
    assert list(made) == [-item for item in range(1, 40)]


@pytest.mark.parametrize("workers", [1, 2])
def test_what_failed_in_a_process_is_raised_where_it_is_used(workers):
    with pytest.raises(ValueError, match="math domain error"):
        list(ahead(math.sqrt, [1, -1], workers=workers))


FOR_EVER = """
import multiprocessing, operator, itertools
from retinopathy.features import ahead
if __name__ == "__main__":
    for made in ahead(operator.neg, itertools.count(), workers=2):
        print(*(child.pid for child in multiprocessing.active_children()), flush=True)
        input()
"""


def test_its_processes_end_when_it_is_killed(tmp_path):
    (tmp_path / "for_ever.py").write_text(FOR_EVER, encoding="utf-8")
    with subprocess.Popen([sys.executable, tmp_path / "for_ever.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        children = [int(pid) for pid in run.stdout.readline().split()]
        run.kill()
    assert len(children) == 2
    deadline = time.monotonic() + 20
    while any(is_running(pid) for pid in children) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(is_running(pid) for pid in children)


def is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_work_is_known_to_be_done_only_with_the_same_settings(tmp_path):
    assert not done_before(tmp_path / "seen.json", {"side": 96})
    note_done(tmp_path / "seen.json", {"side": 96})
    assert done_before(tmp_path / "seen.json", {"side": 96})
    assert not done_before(tmp_path / "seen.json", {"side": 128})


def test_what_was_seen_is_kept(tmp_path):
    write_features(tmp_path / "new" / "seen.npz", seen=np.arange(3))
    assert read_features(tmp_path / "new" / "seen.npz")["seen"].tolist() == [0, 1, 2]
