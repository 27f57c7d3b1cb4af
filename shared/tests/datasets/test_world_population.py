import polars as pl
import pytest
from click.testing import CliRunner

from carefolio.artefacts import seal
from carefolio.cli import main
from carefolio.datasets.world_population import load_world_population
from carefolio.exceptions import ConfigError, DataIntegrityError, DataUnavailableError
from carefolio.testing import requires_real_data


@requires_real_data("world_population")
def test_the_countries_sum_to_the_world(cache):
    loaded = load_world_population()
    frame = loaded.frame
    assert frame.columns == ["location", "m49", "population"]
    assert (loaded.provenance.origin, loaded.provenance.rows, frame.height) == ("package", 266, 266)
    world = frame.filter(pl.col("location") == "World")["population"].item()
    assert 7.8e9 < world < 7.9e9
    countries = frame.filter(pl.col("m49") < 900)
    assert abs(countries["population"].sum() / world - 1) < 1e-4
    assert countries.filter(pl.col("location") == "Germany")["m49"].item() == 276


@requires_real_data("world_population")
def test_a_year_between_is_refused(cache):
    with pytest.raises(ConfigError, match=r"year must be one of 1950, 1955, ..., 2100; got 2021"):
        load_world_population(2021)


def test_without_the_package_the_error_says_what_to_install(cache, monkeypatch):
    monkeypatch.setattr("carefolio.datasets.resolve._package_file", lambda file: None)
    with pytest.raises(DataUnavailableError, match="the package bokeh_sampledata is not installed"):
        load_world_population()


def test_another_file_in_the_mirror_is_refused(cache, monkeypatch, tmp_path):
    (tmp_path / "world_population").mkdir()
    (tmp_path / "world_population" / "population.csv.gz").write_bytes(b"0" * 2_181_646)
    monkeypatch.setenv("CAREFOLIO_DATA_DIR", str(tmp_path))
    with pytest.raises(DataIntegrityError, match="has SHA-256"):
        load_world_population()


def test_the_command_shows_a_data_set_whose_package_is_absent_and_says_what_to_install(cache, monkeypatch):
    monkeypatch.setattr("carefolio.datasets.resolve._package_file", lambda file: None)
    monkeypatch.setenv("COLUMNS", "200")
    listed = CliRunner().invoke(main, ["data", "list"])
    assert listed.exit_code == 0
    assert all(line.rstrip(" │").endswith("to fetch") for line in listed.output.splitlines() if line.startswith("│ world_population"))
    checked = CliRunner().invoke(main, ["data", "verify", "world_population"])
    assert (checked.exit_code, checked.output) == (0, "world_population/population.csv.gz: missing\n")
    fetched = CliRunner().invoke(main, ["data", "fetch", "world_population"])
    assert fetched.exit_code == 4
    assert "pip install bokeh_sampledata" in fetched.stderr
    assert fetched.stderr.count("\n") == 1


def test_the_command_verifies_a_file_that_the_publisher_revises(cache):
    (cache / "flusight").mkdir(parents=True)
    (cache / "flusight" / "locations.csv").write_text("revised")
    corrupt = CliRunner().invoke(main, ["data", "verify", "flusight"])
    assert corrupt.exit_code == 5
    assert "flusight/locations.csv: not the bytes" in corrupt.stderr
    seal(cache / "flusight" / "locations.csv")
    checked = CliRunner().invoke(main, ["data", "verify", "flusight"])
    assert checked.exit_code == 0
    assert "flusight/locations.csv: ok" in checked.output
