"""IDRiD: labels and photographs of the publisher, and what is refused."""

import io

import numpy as np
import polars as pl
import pytest
from PIL import Image

from carefolio.artefacts import sha256_file
from carefolio.datasets.catalog import find_dataset
from carefolio.datasets.fundus_twin import IDRID_ROWS, draw_fundus, encode_jpeg, make_idrid_twin
from carefolio.datasets.idrid import NAME, load_idrid, read_idrid, reduce_photograph, validate_idrid
from carefolio.datasets.resolve import resolve
from carefolio.exceptions import DataIntegrityError, DataUnavailableError, SchemaError
from carefolio.testing import requires_real_data

LABELS = "Image name,Retinopathy grade,Risk of macular edema ,,\nEYE_1,3,2,,\nEYE_2,0,0,,\n,,,,\n"


@pytest.fixture
def read(tmp_path):
    def read(labels=LABELS, names=("EYE_1", "EYE_2")):
        (tmp_path / "train.csv").write_text(labels)
        images = {}
        for name in names:
            images["train", name] = tmp_path / f"{name}.jpg"
            images["train", name].write_bytes(encode_jpeg(draw_fundus(np.random.default_rng(0), grade=1, side=64)))
        return read_idrid({"train": tmp_path / "train.csv"}, images)
    return read


def test_each_photograph_keeps_its_labels_and_its_bytes(read, tmp_path):
    frame = read()
    assert frame.columns == ["part", "name", "dr_grade", "dme_risk", "image"]
    assert frame.drop("image").rows() == [("train", "EYE_1", 3, 2), ("train", "EYE_2", 0, 0)]
    assert frame["image"][0] == (tmp_path / "EYE_1.jpg").read_bytes()


@pytest.mark.parametrize(("old", "new", "said"), [
    ("Retinopathy grade", "Grade", "must begin with Image name, Retinopathy grade"),
    ("EYE_1,3", "EYE_1,x", "line 2: a name and two whole numbers expected"), ("EYE_1,3,2", "EYE_1", "line 2: a name and two whole numbers"),
    ("EYE_1,3", "EYE_1,7", r"'dr_grade' must satisfy 0 to 4; 1 value\(s\) do not, first 7 at row 0"),
    ("EYE_1,3,2", "EYE_1,3,9", "'dme_risk' must satisfy 0 to 2"), ("EYE_2", "EYE_1", "EYE_1"),
    ("EYE_2", "EYE_9", "names EYE_9, and there is no photograph of it among the 2 of train"),
])
def test_each_fault_is_one_clear_line(read, old, new, said):
    assert old in LABELS
    with pytest.raises(SchemaError, match=said) as caught:
        read(LABELS.replace(old, new, 1))
    assert "\n" not in str(caught.value)


def test_a_large_original_is_reduced_and_a_broken_one_refused(tmp_path):
    large = tmp_path / "large.jpg"
    large.write_bytes(encode_jpeg(np.full((1400, 2100, 3), 90, dtype=np.uint8)))
    with Image.open(io.BytesIO(reduce_photograph(large))) as image:
        assert (image.size, image.format) == ((1024, 683), "JPEG")
    large.write_bytes(large.read_bytes()[:3000])
    with pytest.raises(DataIntegrityError, match="is not a whole JPEG"):
        reduce_photograph(large)
    large.write_bytes(b"no picture")
    with pytest.raises(DataIntegrityError, match="is not a whole JPEG"):
        reduce_photograph(large)


def test_the_catalogue_lists_every_photograph_with_both_hashes():
    files = find_dataset(NAME).files
    images = [file for file in files if file.name.startswith("images/")]
    assert len(images) == 516
    assert all(file.published_sha256 and file.urls[0].endswith(f"/{file.name}") for file in images)
    assert len({file.published_sha256 for file in images}) == 510, "six pairs are the same bytes"


def test_a_download_must_be_the_original(cache, publisher, tools, tmp_path):
    """The mirror's copy is smaller, so the two have different hashes."""
    entry = find_dataset(NAME).file("images/train/IDRiD_001.jpg")
    original = tmp_path / "original"
    original.write_bytes(b"the publisher's original")
    known = find_dataset(NAME).model_copy(update={"files": (entry.model_copy(update={
        "urls": (publisher.url + "/IDRiD_001.jpg",), "published_sha256": sha256_file(original)}),)})
    publisher.answers = [tools["whole"](original.read_bytes())]
    assert resolve(NAME, entry.name, entries={NAME: known}).sha256 == sha256_file(original)
    assert resolve(NAME, entry.name, entries={NAME: known}).origin == "cache"


def test_the_twin_has_the_announced_sizes_and_every_grade():
    twin = validate_idrid(make_idrid_twin(0))
    assert dict(twin.group_by("part").len().rows()) == IDRID_ROWS
    assert all(set(twin.filter(part=part)["dr_grade"]) == set(range(5)) for part in IDRID_ROWS)
    assert twin["name"].str.starts_with("TWIN_").all()
    assert twin.equals(make_idrid_twin(0))
    assert not twin.equals(make_idrid_twin(1))


def test_a_higher_grade_has_more_red_spots():
    darker = [int((draw_fundus(np.random.default_rng(3), grade=grade)[..., 1] < 40).sum()) for grade in (0, 1, 2, 3)]
    assert darker == sorted(darker)
    assert darker[3] > darker[0]


def test_without_data_the_twin_needs_leave_and_says_what_it_is(cache, monkeypatch, capsys):
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    with pytest.raises(DataUnavailableError, match="carefolio data fetch idrid"):
        load_idrid()
    loaded = load_idrid(allow_synthetic=True)
    assert loaded.provenance.origin == "synthetic"
    assert "SYNTHETIC DATA: 90 generated photographs stand in for idrid" in capsys.readouterr().err


@requires_real_data("idrid")
def test_the_real_photographs():
    loaded = load_idrid()
    counts = {row[:2]: row[2] for row in loaded.frame.group_by("part", "dr_grade").len().rows()}
    assert [counts["train", grade] for grade in range(5)] == [134, 20, 136, 74, 49]
    assert [counts["test", grade] for grade in range(5)] == [34, 5, 32, 19, 13]
    assert loaded.frame.select(pl.col("image").hash()).n_unique() == 510
