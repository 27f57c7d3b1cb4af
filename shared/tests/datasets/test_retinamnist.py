"""RetinaMNIST: the publisher's archive, and what is refused."""

import numpy as np
import pytest

from carefolio.datasets.fundus_twin import RETINAMNIST_ROWS, make_retinamnist_twin
from carefolio.datasets.retinamnist import load_retinamnist, read_retinamnist, validate_retinamnist
from carefolio.exceptions import DataUnavailableError, SchemaError
from carefolio.testing import requires_real_data


def make_arrays():
    rng = np.random.default_rng(0)
    arrays = {}
    for part in ("train", "val", "test"):
        arrays[f"{part}_images"] = rng.integers(0, 256, (3, 28, 28, 3), dtype=np.uint8)
        arrays[f"{part}_labels"] = np.array([[0], [4], [2]], dtype=np.uint8)
    return arrays


@pytest.fixture
def read(tmp_path):
    def read(arrays):
        np.savez(tmp_path / "some.npz", **arrays)
        return read_retinamnist(tmp_path / "some.npz")
    return read


def test_pixels_and_grades_are_those_of_the_archive(read):
    arrays = make_arrays()
    frame = read(arrays)
    assert frame["part"].to_list() == ["train"] * 3 + ["valid"] * 3 + ["test"] * 3
    assert frame["dr_grade"].to_list() == [0, 4, 2] * 3
    assert frame["image"][4] == arrays["val_images"][1].tobytes()


@pytest.mark.parametrize(("name", "value", "said"), [
    ("val_labels", None, "has no array val_labels"),
    ("test_images", np.zeros((3, 64, 64, 3), dtype=np.uint8), r"test_images must be bytes of shape \(n, 28, 28, 3\)"),
    ("test_images", np.zeros((3, 28, 28, 3)), "must be bytes of shape"),
    ("train_labels", np.array([[0], [1]], dtype=np.uint8), "with labels"),
    ("train_labels", np.array([[0], [1], [5]], dtype=np.uint8), "'dr_grade' must satisfy 0 to 4"),
])
def test_each_fault_is_one_clear_line(read, name, value, said):
    arrays = make_arrays() | {name: value}
    with pytest.raises(SchemaError, match=said):
        read({key: array for key, array in arrays.items() if array is not None})


def test_the_twin_has_the_announced_sizes_and_every_grade():
    twin = validate_retinamnist(make_retinamnist_twin(0))
    assert dict(twin.group_by("part").len().rows()) == RETINAMNIST_ROWS
    assert twin["dr_grade"].n_unique() == 5
    assert twin.equals(make_retinamnist_twin(0))


def test_pictures_of_another_size_are_refused():
    twin = make_retinamnist_twin(0)
    with pytest.raises(SchemaError, match=r"must hold 28 x 28 x 3 bytes; 1 row\(s\) do not, first row 0"):
        validate_retinamnist(twin.with_columns(image=twin["image"].scatter(0, b"short")))


def test_without_data_the_twin_needs_leave_and_says_what_it_is(cache, monkeypatch, capsys):
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    with pytest.raises(DataUnavailableError, match="carefolio data fetch retinamnist"):
        load_retinamnist()
    assert load_retinamnist(allow_synthetic=True).provenance.origin == "synthetic"
    assert "SYNTHETIC DATA" in capsys.readouterr().err


@requires_real_data("retinamnist")
def test_the_real_pictures():
    frame = load_retinamnist().frame
    assert dict(frame.group_by("part").len().rows()) == {"train": 1080, "valid": 120, "test": 400}
    assert frame["dr_grade"].value_counts(sort=True)["dr_grade"][0] == 0
