import bz2
import gzip
import hashlib
import struct

import polars as pl
import pytest

from carefolio.datasets.content import content_sha256
from carefolio.datasets.mtsamples import (
    FILE,
    NAME,
    SPECIALTIES,
    distinct_texts,
    join_by_keys,
    load_mtsamples,
    most_specific,
    name_stem,
    read_mtsamples,
    validate_mtsamples,
)
from carefolio.datasets.r_data import HEADER
from carefolio.exceptions import DataIntegrityError, DataUnavailableError, SchemaError
from carefolio.testing import requires_real_data

COLUMNS = ("note_id", "description", "medical_specialty", "sample_name", "transcription", "keywords")
NOTES = (
    (1, "Sore toe.", "Surgery", "Toe Visit - 1", "The toe  is sore.", None),
    (2, None, "Podiatry", "Toe Visit - 1", " The toe is\tsore.", "podiatry, toe"),
    (3, "A second toe.", "Podiatry", "Toe Visit - 2", "Another toe is stiff.", ""),
    (4, None, "Surgery", "Ear Visit", "An ear rings.", None),
    (5, None, "Surgery", "Nose Visit", None, None),
)
TABLE = ",".join(COLUMNS) + "\n" + "".join(
    ",".join("" if value is None else str(value) for value in row) + "\n" for row in NOTES).replace("podiatry, toe", '"podiatry, toe"')


@pytest.fixture
def read(tmp_path):
    def read(table=TABLE, name="notes.csv"):
        (tmp_path / name).write_bytes(table if isinstance(table, bytes) else table.encode())
        return read_mtsamples(tmp_path / name)
    return read


def r_file():
    """Write `NOTES` as R's ``save`` does."""
    def integer(value):
        return struct.pack(">i", value)

    def strings(values):
        return integer(16) + integer(len(values)) + b"".join(
            integer(9) + (integer(-1) if value is None else integer(len(value)) + value.encode()) for value in values)

    def pair(name):
        return integer(2 | 0x400) + integer(1) + integer(9) + integer(len(name)) + name.encode()

    ids, *texts = zip(*NOTES, strict=True)
    columns = integer(13) + integer(len(ids)) + b"".join(map(integer, ids)) + b"".join(map(strings, texts))
    frame = integer(19 | 0x200) + integer(len(COLUMNS)) + columns + pair("names") + strings(COLUMNS) + integer(254)
    return bz2.compress(HEADER + integer(2) + integer(0) + integer(0) + pair(NAME) + frame + integer(254))


def test_a_text_keeps_one_row_all_its_specialties_and_the_rarest_as_label(read):
    frame = validate_mtsamples(distinct_texts(read()))
    assert frame.columns == ["note_id", "text", "specialty", "specialties", "sample_name", "description", "keywords", "group"]
    assert frame.rows() == [
        (1, "The toe  is sore.", "Podiatry", ["Podiatry", "Surgery"], "Toe Visit - 1", "Sore toe.", "podiatry, toe", 0),
        (3, "Another toe is stiff.", "Podiatry", ["Podiatry"], "Toe Visit - 2", "A second toe.", None, 0),
        (4, "An ear rings.", "Surgery", ["Surgery"], "Ear Visit", None, None, 1),
    ]


def test_the_rarest_specialty_counts_texts_and_a_tie_goes_by_name():
    assert most_specific([["Surgery", "Urology"], ["Surgery"], ["Neurology", "Urology"], ["Neurology"]]) == [
        "Surgery", "Surgery", "Neurology", "Neurology"]
    assert most_specific([["Urology", "Surgery"], ["Surgery", "Surgery"], ["Urology"], ["Urology"]]) == ["Surgery", "Surgery", "Urology",
                                                                                                         "Urology"]


@pytest.mark.parametrize(("name", "stem"), [
    ("Toe Visit - 12", "toe visit"), ("Toe Visit -2", "toe visit"), ("TOE  Visit", "toe visit"), ("Toe Repair x4", "toe repair x4"),
    ("2-D Toe - 3", "2-d toe"), ("Toe - Left", "toe - left"), ("Toe - 1 - 2", "toe - 1"), (" Toe - 1 ", "toe"),
])
def test_the_stem_of_a_name_has_no_number_at_its_end(name, stem):
    assert name_stem(name) == stem


def test_rows_that_share_a_key_are_joined_also_through_others():
    assert join_by_keys([{"a"}, {"b"}, {"b", "c"}, {"d"}, {"c", "a"}, {"e"}]) == [0, 0, 0, 1, 0, 2]
    assert join_by_keys([{"z"}, {"y"}, {"x"}]) == [0, 1, 2]
    assert join_by_keys([]) == []


def test_texts_that_begin_alike_are_one_group_and_those_that_differ_within_the_start_are_not(read):
    start = "The left toe was looked at and found to be as it should be on a long walk. " * 3
    rows = [(1, start.upper() + "End.", "Toe Visit"), (2, start.replace(" ", "  ") + "Other end.", "Foot Visit"),
            (3, "X" + start, "Heel Visit")]
    notes = read().clear().vstack(pl.DataFrame([(number, None, "Podiatry", name, text, None) for number, text, name in rows],
                                               schema=read().schema, orient="row"))
    assert distinct_texts(notes)["group"].to_list() == [0, 0, 1]


def test_the_publishers_r_file_and_the_csv_say_the_same(read):
    table = read()
    assert read(r_file(), FILE).equals(table)
    assert read(gzip.compress(TABLE.encode()), FILE).equals(table)
    assert content_sha256(read(r_file())) == content_sha256(table)
    assert content_sha256(table) != content_sha256(table.reverse())


@pytest.mark.parametrize(("old", "new", "said"), [
    ("sample_name", "sample", "mtsamples: 1 of 6 columns are missing, first 'sample_name'"),
    ("Podiatry", "Toes", r"'medical_specialty' holds 1 value\(s\) that are not one of Allergy / Immunology, .*; first 'Toes' at row 1"),
    ("\n4,", "\nfour,", r"'note_id' holds 1 value\(s\) that are not whole numbers; first 'four' at row 3"),
    ("\n4,", "\n3,", r"note_id must name one row; 1 row\(s\) repeat another, first 3 at row 3"),
    ("Surgery,Nose Visit", ",Nose Visit", r"'medical_specialty' must not be missing; 1 value\(s\) are, first at row 4"),
    ("Ear Visit", "", r"'sample_name' must not be missing; 1 value\(s\) are, first at row 3"),
    (TABLE, "", "is not a table"),
    (TABLE, "<html>Please log in</html>\n", "6 of 6 columns are missing"),
])
def test_each_fault_is_one_clear_line(read, old, new, said):
    assert old in TABLE
    with pytest.raises(SchemaError, match=said) as caught:
        read(TABLE.replace(old, new, 1))
    assert "\n" not in str(caught.value)


def test_an_r_file_that_cannot_be_read_is_refused(read):
    with pytest.raises(DataIntegrityError, match="is cut short"):
        read(r_file()[:-20])


@pytest.mark.parametrize(("change", "said"), [
    (pl.lit("Surgery").cast(pl.Enum(SPECIALTIES)).alias("specialty"),
     r"'specialty' must hold the rarest of the row's specialties; 2 value\(s\) do not, first 'Surgery' at row 0, expected 'Podiatry'"),
    (pl.lit("one").alias("text"), "'text' must be unique; 2 value"),
    (pl.lit(-1, dtype=pl.Int32).alias("group"), "'group' must satisfy group >= 0; 3 value"),
    (pl.lit(" ").alias("sample_name"), "'sample_name' must satisfy a text that is not blank"),
    (pl.lit("a").alias("extra"), "unknown column 'extra'"),
])
def test_a_changed_table_is_refused(read, change, said):
    with pytest.raises(SchemaError, match=said):
        validate_mtsamples(distinct_texts(read()).with_columns(change))


def test_a_download_that_says_something_else_is_refused(cache):
    place = cache / NAME / FILE
    place.parent.mkdir(parents=True)
    place.write_bytes(r_file())
    place.with_name(FILE + ".sha256").write_text(hashlib.sha256(place.read_bytes()).hexdigest())
    with pytest.raises(DataIntegrityError, match="holds other notes than the catalogue names: content hash"):
        load_mtsamples()


def test_without_the_file_the_error_says_what_to_do(cache, monkeypatch):
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    with pytest.raises(DataUnavailableError, match=f"{NAME}/{FILE} is not available: .*data fetch {NAME}"):
        load_mtsamples()


def test_a_changed_mirror_is_refused(cache, monkeypatch, tmp_path):
    path = tmp_path / "mirror" / NAME / FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(TABLE.encode()))
    monkeypatch.setenv("CAREFOLIO_DATA_DIR", str(tmp_path / "mirror"))
    with pytest.raises(DataIntegrityError, match="cut short"):
        load_mtsamples()


@requires_real_data("mtsamples")
def test_the_real_table_has_the_known_counts():
    loaded = load_mtsamples()
    frame = validate_mtsamples(loaded.frame)
    assert (frame.height, frame["specialty"].n_unique(), frame["group"].n_unique()) == (2_357, 40, 1_701)
    assert loaded.provenance.rows == 2_357
    labels = dict(frame.group_by("specialty").len().rows())
    assert (max(labels.values()), labels["Cardiovascular / Pulmonary"], labels["Surgery"]) == (220, 220, 49)
    assert (min(labels.values()), labels["Consult - History and Phy."]) == (5, 5)
    assert sum(count <= 10 for count in labels.values()) == 8
    assert frame.filter(pl.col("specialty") == "Autopsy").select(pl.len(), pl.col("group").n_unique()).row(0) == (8, 1)
    assert frame.group_by("group").len()["len"].max() == 54
    assert frame.select("description", "keywords").null_count().row(0) == (3, 532)


@requires_real_data("mtsamples")
def test_the_real_keywords_give_a_specialty_away():
    given = load_mtsamples().frame.drop_nulls("keywords")
    assert all(any(words.lower().startswith(name.lower()) for name in names) for words, names in given.select("keywords",
                                                                                                              "specialties").rows())


@requires_real_data("mtsamples")
def test_the_real_notes_stand_under_several_specialties():
    from carefolio.datasets.resolve import resolve

    notes = read_mtsamples(resolve(NAME, FILE).path)
    assert (notes.height, notes["transcription"].null_count(), notes["transcription"].n_unique() - 1) == (4_999, 33, 2_357)
    assert set(notes["medical_specialty"]) == set(SPECIALTIES)
    assert load_mtsamples().frame["specialties"].list.len().value_counts(sort=True).rows() == [(2, 1725), (3, 388), (1, 209), (4, 34),
                                                                                               (5, 1)]
