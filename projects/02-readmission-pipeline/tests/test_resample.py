"""Resampled input: whole patients, new ids in the old order, the same for the same seed."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from polars.testing import assert_frame_equal

from carefolio.datasets.diabetes130_twin import make_diabetes130_twin
from carefolio.exceptions import ConfigError
from readmission.features import ENCOUNTER, FEATURES, PATIENT, build_features
from readmission.resample import resample, write_resampled

TWIN = make_diabetes130_twin(300, 5)
MOST_STAYS = int(TWIN[PATIENT].value_counts()["count"].max())


def test_parts_hold_whole_patients_under_unique_ids() -> None:
    parts = list(resample(TWIN, rows=5_000, partitions=7, seed=0))
    together = pl.concat(parts)
    assert len(parts) == 7
    assert 5_000 <= together.height < 5_000 + MOST_STAYS
    assert max(abs(part.height - 5_000 / 7) for part in parts) <= MOST_STAYS
    assert together[ENCOUNTER].sort().to_list() == list(range(1, together.height + 1))
    assert sum(part[PATIENT].n_unique() for part in parts) == together[PATIENT].n_unique()
    assert together.schema == TWIN.schema


def test_every_new_patient_is_an_old_one_with_all_stays_in_order() -> None:
    def histories(frame: pl.DataFrame) -> set[tuple[tuple[object, ...], ...]]:
        features = build_features(frame)
        return {tuple(group.select(FEATURES).iter_rows()) for _, group in features.group_by(PATIENT)}

    new = pl.concat(resample(TWIN, rows=2_000, partitions=3, seed=1))
    assert histories(new) <= histories(TWIN)


def test_the_seed_decides_and_parts_differ() -> None:
    first, again, other = (list(resample(TWIN, rows=600, partitions=2, seed=seed)) for seed in (4, 4, 5))
    assert_frame_equal(first[1], again[1])
    assert not first[0].equals(other[0])
    assert not first[0].drop(ENCOUNTER, PATIENT).head(100).equals(first[1].drop(ENCOUNTER, PATIENT).head(100))


def test_the_folder_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []

    def fail_at_the_third(frame: pl.DataFrame, path: Path) -> None:
        written.append(path)
        if len(written) == 3:
            raise OSError("no space left on device")
        path.write_bytes(b"")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", fail_at_the_third)
    with pytest.raises(OSError, match="no space"):
        write_resampled(TWIN, tmp_path / "big", rows=1_000, partitions=5, seed=0)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("kept")
    with pytest.raises(ConfigError, match="not an empty folder"):
        write_resampled(TWIN, tmp_path, rows=100, partitions=1, seed=0)


@pytest.mark.parametrize(("rows", "partitions"), [(10, 0), (10, 11), (0, 1)])
def test_impossible_numbers_are_refused(rows: int, partitions: int) -> None:
    with pytest.raises(ValueError, match="partitions must lie between 1 and rows"):
        list(resample(TWIN, rows=rows, partitions=partitions, seed=0))
    with pytest.raises(ValueError, match="at least one row"):
        list(resample(TWIN.clear(), rows=10, partitions=1, seed=0))


def test_the_verb_writes_the_configured_number(invoke: Callable[[list[str]], Result], small_config: Path, tmp_path: Path) -> None:
    result = invoke(["resample", "--config", str(small_config), "--out", str(tmp_path / "big")])
    assert result.exit_code == 0, result.output
    assert len(list((tmp_path / "big").glob("*.parquet"))) == 4
    assert pl.read_parquet(tmp_path / "big").height >= 2_000
