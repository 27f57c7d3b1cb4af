import polars as pl
import pytest

from carefolio.datasets.provenance import LoadedData, Provenance
from carefolio.evidence import Metric
from carefolio.exceptions import ArtefactError, DataUnavailableError
from carefolio.parts import data_records, prepare_parts, read_record, read_results, read_table, refuse_missing_parts, write_results


def _load(part):
    if part == "absent":
        raise DataUnavailableError("no source has it")
    return {f"{part}_data": LoadedData(pl.DataFrame({"x": [1, 2]}), Provenance(f"{part}_data", "mirror", "0" * 64, 2, "CC0"))}


def test_parts_go_on_without_one_that_cannot_be_had(tmp_path):
    assert prepare_parts(_load, ["one", "absent"], tmp_path) == {"absent": "no source has it"}
    assert read_record(tmp_path)["parts"] == ["one"]
    assert read_table(tmp_path, "one_data")["x"].to_list() == [1, 2]
    assert [(record.name, record.rows) for record in data_records(tmp_path)] == [("one_data", 2)]


def test_a_run_with_a_missing_part_ends_with_an_error(tmp_path):
    prepare_parts(_load, ["one", "absent"], tmp_path)
    with pytest.raises(DataUnavailableError, match="absent was left out: no source has it"):
        refuse_missing_parts(tmp_path)
    prepare_parts(_load, ["one"], tmp_path)
    refuse_missing_parts(tmp_path)
    assert read_record(tmp_path)["problems"] == {}


def test_no_part_at_all_is_an_error_and_leaves_no_record(tmp_path):
    prepare_parts(_load, ["one"], tmp_path)
    with pytest.raises(DataUnavailableError, match="no part can be run: absent"):
        prepare_parts(_load, ["absent"], tmp_path)
    with pytest.raises(ArtefactError):
        read_record(tmp_path)


def test_results_come_back_as_they_were_written(tmp_path):
    metrics = {"a.test.b.c": Metric(value=0.5, low=0.4, high=0.6, level=0.95, n=10, higher_is_better=True)}
    write_results(tmp_path, "one", metrics, {"line": [1, 2]}, {"rows": pl.DataFrame({"y": [3]})})
    assert read_results(tmp_path, "one") == (metrics, {"line": [1, 2]})
    assert pl.read_parquet(tmp_path / "tables" / "rows.parquet")["y"].to_list() == [3]
