"""Tables are those of their records, patients stand in one part, and columns that give the outcome away are no features."""

import json
import shutil
import sys

import polars as pl
import pytest

from carefolio.exceptions import DataIntegrityError, DataUnavailableError, LeakageError
from model_registry import data


@pytest.mark.parametrize("name", ["readmission", "survival"])
def test_a_table_holds_its_patients_in_one_part_each_and_no_outcome_among_its_features(first_run, name):
    table = data.load(first_run.out / "data", name)
    train, test = (set(table.part(part)["patient"].to_list()) for part in ("train", "test"))
    assert train
    assert test
    assert not train & test
    assert not {"event", "time", "returned_within_30_days", "race", "patient", "part"} & set(table.features)
    sizes = {part: table.part(part).height for part in ("train", "test")}
    assert sizes == table.record["split"]["parts"]


def test_survival_reads_only_columns_that_are_in_step(first_run):
    assert set(data.load(first_run.out / "data", "survival").features) == set(data.UNDISPLACED)


@pytest.fixture
def copied(first_run, tmp_path):
    """The data of a run, to be spoilt."""
    shutil.copytree(first_run.out / "data", tmp_path / "data")
    return tmp_path / "data"


def test_a_table_that_was_changed_is_refused(copied):
    with (copied / data.table_file("survival")).open("ab") as file:
        file.write(b" ")
    with pytest.raises(DataIntegrityError, match="registry data"):
        data.load(copied, "survival")


def test_a_patient_in_both_parts_is_refused_even_with_a_fresh_hash(copied):
    path = copied / data.table_file("survival")
    frame = pl.read_parquet(path)
    flipped = frame.head(1).with_columns(pl.when(pl.col("part") == "train").then(pl.lit("test")).otherwise(pl.lit("train")).alias("part"))
    pl.concat([frame, flipped]).write_parquet(path)
    record = json.loads((copied / "survival.json").read_text())
    data.write_record(copied, "survival", record["provenance"], record["split"])
    with pytest.raises(LeakageError):
        data.load(copied, "survival")


def test_the_same_seed_gives_the_same_bytes(first_run, tmp_path, twin_only, monkeypatch):
    from model_registry.config import RegistrySettings

    for name, value in twin_only.items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    record = json.loads((first_run.out / "record" / "survival" / "record.json").read_text())
    data.prepare(RegistrySettings.model_validate(record["settings"]), tmp_path)
    for name in ("readmission", "survival"):
        again, before = (json.loads((folder / f"{name}.json").read_text()) for folder in (tmp_path, first_run.out / "data"))
        assert again == before


def test_a_chapter_that_fails_is_quoted(tmp_path, monkeypatch):
    from carefolio.config import load_config
    from model_registry.config import RegistrySettings

    settings = load_config(RegistrySettings, "model_registry", over={"data": {"test_fraction": 0.999999}})
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    monkeypatch.setenv("CAREFOLIO_DATA_DIR", str(tmp_path / "none"))
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(DataUnavailableError, match="readmission data` ended with status 1"):
        data.prepare_readmission(settings, tmp_path)
