import hashlib
from datetime import date

import polars as pl
import pytest

from carefolio.datasets.covid19_jhu import load_covid19_jhu, read_covid19_jhu, validate_covid19_jhu
from carefolio.datasets.covid19_jhu_twin import make_covid19_jhu_twin
from carefolio.exceptions import DataIntegrityError, DataUnavailableError, SchemaError
from carefolio.testing import requires_real_data

CASES = """Province/State,Country/Region,Lat,Long,2/28/20,2/29/20,3/1/20
,Sweden,60.1,18.6,3,5,4
Ontario,Canada,51.3,-85.3,0,1,1
Quebec,Canada,,,0,0,2
,Canada,56.1,-106.3,0,0,7
"""
DEATHS = """Province/State,Country/Region,Lat,Long,2/28/20,2/29/20,3/1/20
Quebec,Canada,,,0,0,1
,Canada,56.1,-106.3,0,0,2
Ontario,Canada,51.3,-85.3,0,0,0
,Sweden,60.1,18.6,0,1,1
"""


@pytest.fixture
def read(tmp_path):
    def write(cases=CASES, deaths=DEATHS):
        paths = [tmp_path / name for name in ("confirmed.csv", "deaths.csv")]
        for path, text in zip(paths, (cases, deaths), strict=True):
            path.write_text(text)
        return read_covid19_jhu(*paths)
    return write


def test_two_wide_files_become_one_long_table_sorted(read):
    frame = read()
    assert frame.schema == pl.Schema({"province": pl.String, "country": pl.String, "latitude": pl.Float64, "longitude": pl.Float64,
                                      "date": pl.Date, "confirmed": pl.Int64, "deaths": pl.Int64})
    assert frame["country"].to_list() == ["Canada"] * 9 + ["Sweden"] * 3
    assert frame["province"].to_list() == [None] * 3 + ["Ontario"] * 3 + ["Quebec"] * 3 + [None] * 3
    assert frame["date"].to_list() == [date(2020, 2, 28), date(2020, 2, 29), date(2020, 3, 1)] * 4
    assert frame["confirmed"].to_list() == [0, 0, 7, 0, 1, 1, 0, 0, 2, 3, 5, 4], "corrections stay as published"
    assert frame["deaths"].to_list() == [0, 0, 2, 0, 0, 0, 0, 0, 1, 0, 1, 1]
    assert frame["latitude"].null_count() == 3


@pytest.mark.parametrize(("old", "new", "said"), [
    ("Country/Region", "Country", "column 'Country' is not a day in the form month/day/year"),
    (",Long,", ",Longitude,", "'Longitude' is not a day in the form month/day/year"),
    ("2/29/20", "2/30/20", "'2/30/20' is not a day"),
    ("2/29/20,3/1/20\n", "3/1/20,2/29/20\n", "'3/1/20' follows 2020-02-28, expected 2020-02-29; a day is missing or out of order"),
    ("18.6,3,5,4", "18.6,3,5.5,4", r"confirmed.csv: column '2/29/20' holds 1 value\(s\) that are not whole numbers; first '5.5' at row 0"),
    ("18.6,3,5,4", "18.6,3,-5,4", r"column '2/29/20' must hold .* 0 or more; 1 value\(s\) are not, first -5 for 'Sweden'"),
    ("60.1,18.6,3,5,4", "160.1,18.6,3,5,4", "'latitude' must satisfy -90 <= value <= 90; 3 value"),
    (",Sweden,60.1", ",,60.1", "must hold a country's count"),
    ("Quebec,Canada", "Ontario,Canada", "'Canada', 'Ontario' stands on several lines"),
    (",Sweden,", ",Norway,", "2 series stand in only one of the two files, first 'Norway'"),
])
def test_each_fault_is_one_clear_line(read, old, new, said):
    assert old in CASES
    with pytest.raises(SchemaError, match=said) as caught:
        read(CASES.replace(old, new, 1))
    assert "\n" not in str(caught.value)


def test_a_line_cut_short_is_named_with_series_and_row(read):
    with pytest.raises(SchemaError, match=r"'3/1/20' must hold .* first None for 'Canada' at row 3. The line may be cut"):
        read(CASES.rstrip("\n").rpartition(",")[0] + "\n")


def test_a_missing_column_is_named(read):
    without = "\n".join(",".join(field for place, field in enumerate(line.split(",")) if place != 2) for line in CASES.splitlines())
    with pytest.raises(SchemaError, match=r"covid19_jhu/confirmed.csv: 1 of 7 columns are missing, first 'Lat'"):
        read(without)


def test_an_extra_day_in_one_file_is_named(read):
    longer = "\n".join(line + (",3/2/20" if number == 0 else ",9") for number, line in enumerate(CASES.splitlines()))
    with pytest.raises(SchemaError, match=r"1 day\(s\) stand in only one of the two files, first '3/2/20'"):
        read(longer)


@pytest.mark.parametrize(("text", "said"), [("", "not a table with one series a line"), ("<html>", "column '<html>' is not a day"),
                                            (CASES.splitlines()[0] + "\n", "4 series stand in only one"),
                                            ("Province/State,Country/Region,Lat,Long\n", "no column is a day")])
def test_a_file_that_is_no_table_is_refused(read, text, said):
    with pytest.raises(SchemaError, match=said):
        read(text)


def test_a_long_table_without_one_day_of_one_series_is_refused(read):
    frame = read()
    with pytest.raises(SchemaError, match=r"1 series do not have every day .* first 'Canada', 'Ontario' with 2 rows on 2 of 3 days"):
        validate_covid19_jhu(frame.filter(pl.int_range(pl.len()) != 4))
    with pytest.raises(SchemaError, match="4 series do not have every day"):
        validate_covid19_jhu(frame.filter(pl.col("date") != date(2020, 2, 29)))
    with pytest.raises(SchemaError, match="no rows"):
        validate_covid19_jhu(frame.clear())


def test_without_data_the_twin_needs_leave_and_says_what_it_is(cache, monkeypatch, capsys):
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    with pytest.raises(DataUnavailableError):
        load_covid19_jhu()
    loaded = load_covid19_jhu(allow_synthetic=True, random_state=3)
    banner = capsys.readouterr().err
    assert banner.startswith("SYNTHETIC DATA: 20574 generated series-days stand in for covid19_jhu")
    assert banner.count("\n") == 1
    twin = make_covid19_jhu_twin(3)
    assert loaded.frame.equals(twin)
    assert (loaded.provenance.origin, loaded.provenance.rows) == ("synthetic", twin.height)
    assert loaded.provenance.sha256 == hashlib.sha256(twin.write_csv().encode()).hexdigest()


def test_a_damaged_mirror_is_never_replaced_by_the_twin(cache, monkeypatch, tmp_path):
    monkeypatch.setenv("CAREFOLIO_DATA_DIR", str(tmp_path))
    (tmp_path / "covid19_jhu").mkdir()
    (tmp_path / "covid19_jhu" / "time_series_covid19_confirmed_global.csv").write_text(CASES)
    with pytest.raises(DataIntegrityError, match="cut short"):
        load_covid19_jhu(allow_synthetic=True)


@requires_real_data("covid19_jhu")
def test_the_real_table_has_the_published_counts():
    loaded = load_covid19_jhu()
    frame = loaded.frame
    assert loaded.provenance.rows == frame.height == 289 * 1_143
    assert frame.select("country", "province").n_unique() == 289
    assert (frame["date"].min(), frame["date"].max()) == (date(2020, 1, 22), date(2023, 3, 9))
    last = frame.filter(pl.col("date") == date(2023, 3, 9))
    assert last["confirmed"].sum() == 676_570_149
    assert last["deaths"].sum() == 6_881_802
    falls = frame.select((pl.col("confirmed").diff() < 0).over("country", "province").sum()).item()
    assert falls == 362
