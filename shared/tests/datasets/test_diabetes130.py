import hashlib

import polars as pl
import pytest

from carefolio.artefacts import sha256_file
from carefolio.datasets.diabetes130 import COLUMNS, LABELS, load_diabetes130, read_diabetes130, validate_diabetes130
from carefolio.datasets.diabetes130_twin import make_diabetes130_twin
from carefolio.exceptions import DataIntegrityError, DataUnavailableError, SchemaError
from carefolio.testing import requires_real_data


@pytest.fixture(scope="module")
def twin():
    return make_diabetes130_twin(300, 0)


@pytest.fixture
def published(twin, tmp_path):
    """The twin in the publisher's form: `?` for missing, `None` for a test not done."""
    text = twin.select(pl.all().cast(pl.String).fill_null("?").replace("not_measured", "None"))
    path = tmp_path / "diabetic_data.csv"
    text.write_csv(path)
    return path


def set_value(frame, column, row, value):
    values = frame[column].to_list()
    values[row] = value
    return frame.with_columns(pl.Series(column, values, dtype=frame[column].dtype))


def test_reading_the_publishers_form_gives_the_table_back(published, twin):
    frame = read_diabetes130(published)
    assert frame.equals(twin)
    assert tuple(frame.columns) == COLUMNS


def test_a_test_not_done_is_a_label_and_a_question_mark_is_missing(published):
    frame = read_diabetes130(published)
    assert frame["A1Cresult"].null_count() == frame["max_glu_serum"].null_count() == 0
    assert (frame["A1Cresult"] == "not_measured").sum() > 200
    assert frame["weight"].null_count() > 200
    assert frame["readmitted"].dtype == pl.Enum(["NO", ">30", "<30"])


def test_a_named_file_is_never_taken_for_the_published_one(published):
    loaded = load_diabetes130(published)
    assert loaded.provenance.origin == "file"
    assert loaded.provenance.sha256 == sha256_file(published)
    assert loaded.provenance.rows == loaded.frame.height


def test_a_path_without_a_file_says_so(tmp_path):
    with pytest.raises(DataUnavailableError, match=r"none.csv is not a file"):
        load_diabetes130(tmp_path / "none.csv")


def test_text_among_numbers_is_named_with_row_and_count(published):
    lines = published.read_text().splitlines()
    column = COLUMNS.index("num_medications")
    for row in (4, 9):
        fields = lines[row].split(",")
        fields[column] = "eleven"
        lines[row] = ",".join(fields)
    published.write_text("\n".join(lines))
    with pytest.raises(SchemaError, match=r"'num_medications' holds 2 value\(s\) that are not whole numbers; first 'eleven' at row 3\."):
        read_diabetes130(published)


def test_a_line_cut_short_is_named(published):
    text = published.read_text().rstrip("\n")
    published.write_text(text[: text.rindex(",")])
    with pytest.raises(SchemaError, match=r"'readmitted' must not be missing; 1 value\(s\) are, first at row \d+\. The line may be cut"):
        read_diabetes130(published)


def test_a_line_cut_inside_a_value_is_named(published):
    lines = published.read_text().splitlines()
    published.write_text("\n".join([*lines[:-1], ",".join(lines[-1].split(",")[:3])[:-2]]))
    with pytest.raises(SchemaError, match=r"^diabetes130: column '.*at row \d+\."):
        read_diabetes130(published)


def test_a_line_with_too_many_fields_is_refused(published):
    published.write_text(published.read_text() + ",".join(["1"] * 60) + "\n")
    with pytest.raises(SchemaError, match="not a table with one encounter a line"):
        read_diabetes130(published)


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "empty.csv").touch()
    with pytest.raises(SchemaError, match="not a table with one encounter a line"):
        read_diabetes130(tmp_path / "empty.csv")


@pytest.mark.parametrize(("change", "said"), [
    (lambda frame: frame.drop("readmitted", "age"), "2 of 50 columns are missing, first 'age'"),
    (lambda frame: frame.with_columns(extra=1), "unknown column 'extra'"),
    (lambda frame: frame.with_columns(pl.col("num_medications").cast(pl.String)), "'num_medications' has type String, expected Int32"),
    (lambda frame: set_value(frame, "time_in_hospital", 17, 40), r"1 <= time_in_hospital <= 14; 1 value\(s\) do not, first 40 at row 17"),
    (lambda frame: set_value(frame, "number_inpatient", 5, -1), r"first -1 at row 5"),
    (lambda frame: set_value(frame, "diag_1", 8, "heart"), r"form of an ICD-9 code; 1 value\(s\) do not, first 'heart' at row 8"),
    (lambda frame: pl.concat([frame, frame[3:5]]), r"'encounter_id' must be unique; 2 value\(s\) stand twice"),
    (lambda frame: set_value(frame, "patient_nbr", 2, None), r"'patient_nbr' must not be missing; 1 value\(s\) are, first at row 2"),
])
def test_each_departure_from_the_schema_is_one_clear_line(twin, change, said):
    with pytest.raises(SchemaError, match=said) as caught:
        validate_diabetes130(change(twin))
    assert "\n" not in str(caught.value)


def test_an_unknown_label_is_named(published):
    published.write_text(published.read_text().replace(",NO\n", ",maybe\n", 1))
    with pytest.raises(SchemaError, match=r"'readmitted' holds 1 value\(s\) that are not one of NO, >30, <30; first 'maybe' at row"):
        read_diabetes130(published)


def test_without_data_the_twin_needs_leave_and_says_what_it_is(cache, monkeypatch, capsys):
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    with pytest.raises(DataUnavailableError):
        load_diabetes130()
    loaded = load_diabetes130(allow_synthetic=True, n_synthetic_patients=50, random_state=3)
    banner = capsys.readouterr().err
    assert banner.startswith("SYNTHETIC DATA: ")
    assert banner.count("\n") == 1
    assert loaded.provenance.origin == "synthetic"
    assert loaded.provenance.sha256 == hashlib.sha256(make_diabetes130_twin(50, 3).write_csv().encode()).hexdigest()


def test_a_damaged_mirror_is_never_replaced_by_the_twin(cache, monkeypatch, tmp_path):
    monkeypatch.setenv("CAREFOLIO_DATA_DIR", str(tmp_path))
    (tmp_path / "diabetes130").mkdir()
    (tmp_path / "diabetes130" / "diabetic_data.csv").write_text("encounter_id\n1\n")
    with pytest.raises(DataIntegrityError, match="cut short"):
        load_diabetes130(allow_synthetic=True)


@requires_real_data("diabetes130")
def test_the_real_table_has_the_published_counts():
    loaded = load_diabetes130()
    counts = dict(loaded.frame["readmitted"].cast(pl.String).value_counts().rows())
    assert counts == {"<30": 11_357, ">30": 35_545, "NO": 54_864}
    assert loaded.frame["patient_nbr"].n_unique() == 71_518
    assert loaded.provenance.rows == 101_766
    died = loaded.frame.filter(pl.col("discharge_disposition_id").is_in([11, 19, 20, 21]))
    assert died.height == 1_652
    assert (died["readmitted"] == "NO").all()
    for name, labels in LABELS.items():
        assert loaded.frame[name].dtype == pl.Enum(labels)
