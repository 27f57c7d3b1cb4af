from datetime import date, timedelta

import polars as pl
import pytest

from carefolio.datasets.flusight import (
    MODELS,
    QUANTILE_LEVELS,
    load_flusight_admissions,
    load_flusight_forecasts,
    read_flusight_admissions,
    read_flusight_forecasts,
    validate_flusight_admissions,
    validate_flusight_forecasts,
)
from carefolio.exceptions import ConfigError, DataIntegrityError, DataUnavailableError, SchemaError
from carefolio.testing import requires_real_data

TARGET = """"date","location","location_name","value","weekly_rate"
2024-05-18,"US","US",12,0.1
2024-05-11,"02","Alaska",NA,NA
2024-05-04,"02","Alaska",3,0.1
2024-05-18,"02","Alaska",4,0.1
2024-05-04,"US","US",10,0.1
"""
LOCATIONS = """"abbreviation","location","location_name","population","count_rate1"
"US","US","US",340110988,3401
"AK","02","Alaska",740133,7
"AZ","04","Arizona",7582384,76
"""


@pytest.fixture
def read(tmp_path):
    def write(target=TARGET, locations=LOCATIONS):
        (tmp_path / "target.csv").write_text(target)
        (tmp_path / "locations.csv").write_text(locations)
        return read_flusight_admissions(tmp_path / "target.csv", tmp_path / "locations.csv")
    return write


@pytest.fixture
def forecasts():
    """Two forecasts in the form of the hub's merged file."""
    first = date(2023, 10, 14)
    rows = [(str(first), float(horizon), str(first + timedelta(weeks=horizon)), "US", level, 100 * level)
            for horizon in (0, 3) for level in QUANTILE_LEVELS]
    return pl.DataFrame(rows, orient="row", schema=["reference_date", "horizon", "target_end_date", "location", "quantile", "value"])


def test_admissions_are_joined_with_their_place_and_a_week_without_a_row_is_null(read):
    frame = read()
    assert frame.columns == ["week_ending", "location", "location_name", "abbreviation", "population", "admissions"]
    assert frame["location"].to_list() == ["02"] * 3 + ["US"] * 3
    assert frame["week_ending"].to_list() == [date(2024, 5, 4), date(2024, 5, 11), date(2024, 5, 18)] * 2
    assert frame["admissions"].to_list() == [3, None, 4, 10, None, 12]
    assert frame["population"].to_list() == [740133] * 3 + [340110988] * 3


@pytest.mark.parametrize(("old", "new", "said"), [
    ('"value"', '"count"', "target.csv: 1 of 3 columns are missing, first 'value'"),
    (",4,0.1", ",four,0.1", r"column 'value' holds 1 value\(s\) that are not numbers; first 'four' at row 3"),
    (",4,0.1", ",-4,0.1", r"'admissions' must satisfy admissions >= 0; 1 value\(s\) do not, first -4.0 at row 2"),
    ("2024-05-11", "11/05/2024", r"column 'date' holds 1 value\(s\) that are not days .*; first '11/05/2024' at row 1"),
    ("2024-05-11", "2024-05-12", "'week_ending' must satisfy a Saturday"),
    ("2024-05-11", "2024-05-04", r"location, week_ending must name one row; 1 row\(s\) repeat another, first 02, 2024-05-04 at row 2"),
    ('2024-05-18,"02"', '2024-05-18,"99"', r"'location' holds 1 place\(s\) that locations.csv does not know, first '99'"),
])
def test_each_fault_of_the_admissions_is_one_clear_line(read, old, new, said):
    assert old in TARGET
    with pytest.raises(SchemaError, match=said) as caught:
        read(TARGET.replace(old, new, 1))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("old", "new", "said"), [
    ("740133", "many", "locations.csv: column 'population' holds 1 .* first 'many' at row 1"),
    ("740133", "0", "'population' must satisfy population >= 1; 3 value"),
    ('"AZ","04"', '"AZ","02"', "location must name one row; 1 row.* first 02 at row 2"),
    (LOCATIONS, "", "is not a table"),
])
def test_each_fault_of_the_places_is_one_clear_line(read, old, new, said):
    with pytest.raises(SchemaError, match=said):
        read(TARGET, LOCATIONS.replace(old, new, 1))


def test_a_page_instead_of_the_table_is_refused(read):
    with pytest.raises(SchemaError, match="3 of 3 columns are missing"):
        read("<html>Please log in</html>\n")


def test_forecasts_are_typed_and_sorted(forecasts, tmp_path):
    forecasts.reverse().write_parquet(tmp_path / "f.parquet")
    frame = read_flusight_forecasts(tmp_path / "f.parquet")
    assert frame.schema == pl.Schema({"reference_date": pl.Date, "horizon": pl.Int32, "target_end_date": pl.Date, "location": pl.String,
                                      "quantile_level": pl.Float64, "value": pl.Float64})
    assert frame["quantile_level"].to_list() == list(QUANTILE_LEVELS) * 2
    assert frame["horizon"].unique().to_list() == [0, 3]
    assert len(QUANTILE_LEVELS) == 23


def test_levels_are_rounded_so_that_joins_are_exact(forecasts, tmp_path):
    forecasts.with_columns(pl.col("quantile") + 1e-9).write_parquet(tmp_path / "f.parquet")
    assert set(read_flusight_forecasts(tmp_path / "f.parquet")["quantile_level"]) == set(QUANTILE_LEVELS)


@pytest.mark.parametrize(("change", "said"), [
    (lambda frame: frame.drop("value"), "1 of 6 columns are missing, first 'value'"),
    (lambda frame: frame[:-1], r"1 forecast\(s\) lack quantile levels, first that of 2023-10-14 for horizon 3 and 'US' with 22 of 23"),
    (lambda frame: pl.concat([frame, frame[:1]]), r"quantile_level must name one row; 1 row\(s\) repeat another"),
    (lambda frame: frame.with_columns(pl.col("quantile") + 0.002), "'quantile_level' must satisfy one of the 23 quantile levels"),
    (lambda frame: frame.with_columns(pl.col("horizon") + 0.5), "'horizon' must be a whole number of weeks; got 0.5 at row 0"),
    (lambda frame: frame.with_columns(pl.col("horizon") + 1), "'horizon' must satisfy a horizon of -1, 0, 1, 2 or 3"),
    (lambda frame: frame.with_columns(horizon=0.0), r"'target_end_date' must lie `horizon` weeks after .*; 23 row\(s\) do not"),
    (lambda frame: frame.with_columns(-pl.col("value")), "'value' must satisfy value >= 0"),
    (lambda frame: frame.with_columns(value=float("nan")), r"'value' must not be missing; 46 value\(s\) are, first at row 0"),
    (lambda frame: frame.with_columns(value=float("inf")), "'value' must satisfy value >= 0"),
    (lambda frame: frame.with_columns(reference_date=pl.lit("soon")), "'reference_date' holds 46 .* first 'soon' at row 0"),
])
def test_each_fault_of_the_forecasts_is_one_clear_line(forecasts, tmp_path, change, said):
    change(forecasts).write_parquet(tmp_path / "f.parquet")
    with pytest.raises(SchemaError, match=said) as caught:
        read_flusight_forecasts(tmp_path / "f.parquet")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_parquet_is_refused(tmp_path):
    (tmp_path / "f.parquet").write_bytes(b"reference_date\n")
    with pytest.raises(SchemaError, match="not a Parquet file"):
        read_flusight_forecasts(tmp_path / "f.parquet")


def test_an_unknown_model_is_refused(cache):
    with pytest.raises(ConfigError, match="model must be one of FluSight-baseline, FluSight-ensemble; got 'FluSight-best'"):
        load_flusight_forecasts("FluSight-best")


def test_without_data_the_twins_need_leave_and_say_what_they_are(cache, monkeypatch, capsys):
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    for load, name in ((load_flusight_admissions, "flusight"),
                       *((lambda model=model, **options: load_flusight_forecasts(model, **options), MODELS[model]) for model in MODELS)):
        with pytest.raises(DataUnavailableError):
            load()
        loaded = load(allow_synthetic=True, random_state=1)
        banner = capsys.readouterr().err
        assert banner.startswith("SYNTHETIC DATA: ")
        assert f"stand in for {name};" in banner
        assert banner.count("\n") == 1
        assert (loaded.provenance.name, loaded.provenance.origin, loaded.provenance.rows) == (name, "synthetic", loaded.frame.height)


def test_a_damaged_mirror_is_never_replaced_by_the_twin(cache, monkeypatch, tmp_path):
    monkeypatch.setenv("CAREFOLIO_DATA_DIR", str(tmp_path))
    (tmp_path / "flusight").mkdir()
    (tmp_path / "flusight" / "target-hospital-admissions.csv").write_text(TARGET)
    with pytest.raises(DataIntegrityError, match="cut short"):
        load_flusight_admissions(allow_synthetic=True)


@requires_real_data("flusight")
def test_the_real_admissions_have_the_published_counts():
    loaded = load_flusight_admissions()
    frame = validate_flusight_admissions(loaded.frame)
    assert frame["location"].n_unique() == 53
    assert frame.group_by("location").len()["len"].n_unique() == 1
    if loaded.provenance.sha256 == "76a528856b6f840956f9ca8c01f1d44e02c2f473b4c5dfb6ba99d53f9a322443":
        assert frame.height == 12_243
        missing = frame.filter(pl.col("admissions").is_null())["week_ending"]
        assert (len(missing), missing.min(), missing.max()) == (36, date(2024, 5, 18), date(2024, 10, 5))


@requires_real_data("flusight")
@pytest.mark.parametrize(("model", "rows", "forecasts"), [("FluSight-baseline", 518_075, 22_525), ("FluSight-ensemble", 454_687, 19_769)])
def test_the_real_forecasts_are_whole_and_do_not_cross(model, rows, forecasts):
    loaded = load_flusight_forecasts(model)
    frame = validate_flusight_forecasts(loaded.frame)
    assert (loaded.provenance.name, loaded.provenance.rows) == (MODELS[model], rows)
    assert frame["reference_date"].n_unique() == 85
    crossing = frame.group_by("reference_date", "horizon", "location").agg((pl.col("value").diff() < 0).any())
    assert crossing.height == forecasts
    assert crossing["value"].sum() == 0


@requires_real_data("flusight")
@pytest.mark.parametrize("model", sorted(MODELS))
def test_the_catalogue_knows_the_content_of_the_real_forecasts(model):
    from carefolio.datasets.catalog import find_dataset
    from carefolio.datasets.flusight_hub import content_sha256
    from carefolio.datasets.resolve import resolve

    name = f"{model}_wk_inc_flu_hosp_quantiles.parquet"
    entry, table = find_dataset("flusight").file(name), pl.read_parquet(resolve("flusight", name).path)
    assert content_sha256(table) == entry.content_sha256
    assert tuple(table["reference_date"].unique().sort()) == entry.parts
