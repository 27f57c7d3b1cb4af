"""Bulk scoring: both engines, going on after a kill, and inputs that must be refused in one line."""

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import Result
from polars.testing import assert_frame_equal

from carefolio.command import command_line
from carefolio.datasets.diabetes130_twin import make_diabetes130_twin
from carefolio.exceptions import ConfigError, SchemaError
from readmission.features import ENCOUNTER, PATIENT, build_features
from readmission.model import load_model
from readmission.resample import resample, write_resampled
from readmission.score import ScoreSummary, score_encounters, score_folder

Score = Callable[..., Result]
TWIN = make_diabetes130_twin(400, 9)


@pytest.fixture(scope="module")
def encounters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three parts."""
    folder = tmp_path_factory.mktemp("input") / "encounters"
    write_resampled(TWIN, folder, rows=1_500, partitions=3, seed=0)
    return folder


@pytest.fixture(scope="module")
def artefacts(small_run: Path) -> Path:
    return small_run / "artefacts"


@pytest.fixture(scope="module")
def scored(encounters: Path, artefacts: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ScoreSummary]:
    """Scores by the local engine."""
    folder = tmp_path_factory.mktemp("scores")
    return folder, score_folder(encounters, folder, artefacts=artefacts)


@pytest.fixture
def own_input(encounters: Path, tmp_path: Path) -> Path:
    """A copy of the input that a test may spoil."""
    return Path(shutil.copytree(encounters, tmp_path / "input"))


@pytest.fixture
def score(invoke: Callable[[list[str]], Result], artefacts: Path, tmp_path: Path) -> Score:
    """Call the verb on a folder; the scores go to ``tmp_path / "scores"``."""
    return lambda source, *options: invoke(["score", "--input", str(source), "--output", str(tmp_path / "scores"),
                                            "--artefacts", str(artefacts), *options])


def test_scores_are_those_of_the_model_on_the_whole_table(encounters: Path, artefacts: Path, scored: tuple[Path, ScoreSummary]) -> None:
    features = build_features(pl.read_parquet(encounters))
    expected = pl.DataFrame({ENCOUNTER: features[ENCOUNTER], "risk": load_model(artefacts).predict(features)}).sort(ENCOUNTER)
    assert_frame_equal(pl.read_parquet(scored[0]).sort(ENCOUNTER), expected, abs_tol=1e-12)
    assert expected["risk"].is_between(0, 1).all()
    assert expected["risk"].n_unique() > 50


def test_summary_counts_rows_parts_and_memory(scored: tuple[Path, ScoreSummary]) -> None:
    folder, summary = scored
    assert (summary.parts, summary.skipped, summary.rows) == (3, 0, pl.read_parquet(folder).height)
    assert 20 < summary.peak_memory_mb < 20_000
    assert sorted(path.name for path in folder.iterdir()) == ["part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]


def test_dask_gives_the_same_scores(encounters: Path, score: Score, scored: tuple[Path, ScoreSummary],
                                    tmp_path: Path) -> None:
    result = score(encounters, "--engine", "dask", "--workers", "2")
    assert result.exit_code == 0, result.output
    for path in sorted(scored[0].iterdir()):
        local, dask = pl.read_parquet(path), pl.read_parquet(tmp_path / "scores" / path.name)
        assert local[ENCOUNTER].equals(dask[ENCOUNTER])
        np.testing.assert_allclose(dask["risk"], local["risk"], rtol=0, atol=1e-6)


def test_an_error_in_a_dask_worker_is_the_same_line(own_input: Path, score: Score) -> None:
    spoil(own_input / "part-00001.parquet", pl.lit(99, dtype=pl.Int32).alias("time_in_hospital"))
    result = score(own_input, "--engine", "dask", "--workers", "1")
    assert result.exit_code == SchemaError.exit_code, result.output
    assert "part-00001.parquet: column 'time_in_hospital' must satisfy 1 <= time_in_hospital <= 14" in result.output
    assert "Traceback" not in result.output


def test_a_killed_run_goes_on_where_it_was(artefacts: Path, tmp_path: Path) -> None:
    source, output = tmp_path / "input", tmp_path / "scores"
    write_resampled(TWIN, source, rows=4_000, partitions=40, seed=1)
    command = command_line("readmission", "score", "--input", str(source), "--output", str(output), "--artefacts", str(artefacts))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(output.glob("part-*.parquet")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.kill()
    process.wait()
    finished = {path: path.stat().st_mtime_ns for path in output.glob("part-*.parquet")}
    assert 1 <= len(finished) < 40
    (output / ".part-00039-left.parquet").write_bytes(b"PAR1")
    summary = score_folder(source, output, artefacts=artefacts)
    assert summary.skipped == len(finished)
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    assert len(list(output.iterdir())) == 40
    expected = score_encounters(pl.read_parquet(source), load_model(artefacts))
    assert_frame_equal(pl.read_parquet(output).sort(ENCOUNTER), expected.sort(ENCOUNTER), abs_tol=1e-12)


def test_a_finished_run_does_nothing_again_unless_told(own_input: Path, score: Score, tmp_path: Path) -> None:
    assert "0 of 3 parts were finished before" in score(own_input).output
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "scores").iterdir()}
    assert "3 of 3 parts were finished before" in score(own_input).output
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert "0 of 3 parts were finished before" in score(own_input, "--overwrite").output
    assert all(path.stat().st_mtime_ns > written for path, written in before.items())


def test_scores_of_a_changed_part_are_not_taken_for_finished(own_input: Path, score: Score) -> None:
    assert score(own_input).exit_code == 0
    spoil(own_input / "part-00002.parquet", pl.lit(7, dtype=pl.Int32).alias("time_in_hospital"))
    result = score(own_input)
    assert result.exit_code == 8
    assert "part-00002.parquet holds scores of another input or model; pass --overwrite" in result.output
    assert score(own_input, "--overwrite").exit_code == 0


def test_parts_before_a_bad_one_are_kept_and_the_run_goes_on_once_it_is_mended(
        own_input: Path, score: Score, tmp_path: Path) -> None:
    bad = own_input / "part-00001.parquet"
    good = bad.read_bytes()
    spoil(bad, pl.lit("nonsense").alias("diag_1"))
    result = score(own_input)
    assert result.exit_code == 6
    assert "part-00001.parquet: column 'diag_1' must satisfy the form of an ICD-9 code" in result.output
    assert [path.name for path in (tmp_path / "scores").iterdir()] == ["part-00000.parquet"]
    bad.write_bytes(good)
    assert "1 of 3 parts were finished before" in score(own_input).output


def test_labels_as_text_and_an_empty_part_are_accepted(own_input: Path, score: Score, scored: tuple[Path, ScoreSummary],
                                                       tmp_path: Path) -> None:
    """Other programs write text where polars writes categories, and empty partitions."""
    for part in own_input.glob("*.parquet"):
        spoil(part, pl.col(pl.Enum).cast(pl.String))
    TWIN.clear().write_parquet(own_input / "part-00003.parquet")
    (own_input / "_SUCCESS").write_text("")
    assert score(own_input).exit_code == 0
    assert_frame_equal(pl.read_parquet(tmp_path / "scores").sort(ENCOUNTER), pl.read_parquet(scored[0]).sort(ENCOUNTER))


def spoil(part: Path, *columns: pl.Expr) -> None:
    """Write a part again with other columns."""
    pl.read_parquet(part).with_columns(*columns).write_parquet(part)


def drop_column(folder: Path) -> None:
    part = folder / "part-00001.parquet"
    pl.read_parquet(part).drop("insulin").write_parquet(part)


def share_a_patient(folder: Path) -> None:
    patient = pl.read_parquet(folder / "part-00000.parquet")[PATIENT][0]
    spoil(folder / "part-00002.parquet", pl.when(pl.int_range(pl.len()) == 0).then(patient).otherwise(PATIENT).alias(PATIENT))


def write_text(folder: Path) -> None:
    (folder / "part-00001.parquet").write_text("encounter_id,patient_nbr\n")


def cut_short(folder: Path) -> None:
    part = folder / "part-00001.parquet"
    part.write_bytes(part.read_bytes()[:2_000])


def empty(folder: Path) -> None:
    for part in folder.glob("*.parquet"):
        part.unlink()


def spoil_a_type(folder: Path) -> None:
    spoil(folder / "part-00001.parquet", pl.lit("many").alias("num_medications"))


BAD_INPUTS = [
    (drop_column, 6, "part-00001.parquet: 1 of 50 columns are missing, first 'insulin'"),
    (share_a_patient, 6, "patient 1 stands in part-00000.parquet and part-00002.parquet"),
    (write_text, 6, "part-00001.parquet cannot be read as Parquet"),
    (cut_short, 6, "part-00001.parquet cannot be read as Parquet"),
    (empty, 4, "holds no *.parquet file"),
]


@pytest.mark.parametrize(("damage", "exit_code", "message"), BAD_INPUTS)
def test_a_bad_input_is_refused_before_anything_is_written(
        damage: Callable[[Path], None], exit_code: int, message: str, own_input: Path, score: Score, tmp_path: Path) -> None:
    if damage is share_a_patient:
        first = own_input / "part-00000.parquet"
        pl.read_parquet(first).sort(PATIENT).write_parquet(first)
    damage(own_input)
    result = score(own_input)
    assert result.exit_code == exit_code, result.output
    assert message in result.output
    assert len(result.output.strip().splitlines()) == 1
    assert not (tmp_path / "scores").exists()


def test_a_value_that_is_no_number_names_file_column_and_row(own_input: Path, score: Score) -> None:
    spoil_a_type(own_input)
    result = score(own_input)
    assert result.exit_code == 6
    assert "part-00001.parquet: column 'num_medications' holds" in result.output
    assert "first 'many' at row 0" in result.output


def test_folders_that_would_mix_things_up_are_refused(own_input: Path, encounters: Path, score: Score, tmp_path: Path) -> None:
    into_itself = score(own_input, "--output", str(own_input))
    assert into_itself.exit_code == ConfigError.exit_code
    assert "name another folder with --output" in into_itself.output
    (tmp_path / "scores").mkdir()
    shutil.copy(encounters / "part-00000.parquet", tmp_path / "scores" / "other.parquet")
    foreign = score(own_input)
    assert foreign.exit_code == ConfigError.exit_code
    assert "other.parquet belongs to no part" in foreign.output


def test_a_model_that_is_missing_or_altered_is_refused(own_input: Path, artefacts: Path, score: Score, tmp_path: Path) -> None:
    assert score(own_input, "--artefacts", str(tmp_path / "nowhere")).exit_code == 8
    altered = Path(shutil.copytree(artefacts, tmp_path / "altered"))
    with (altered / "readmission.lgb.txt").open("a") as file:
        file.write("\n")
    result = score(own_input, "--artefacts", str(altered))
    assert result.exit_code == 8
    assert "it was changed or cut short" in result.output


def test_an_unknown_engine_is_refused(encounters: Path, artefacts: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="engine must be one of local, dask; got 'spark'"):
        score_folder(encounters, tmp_path, artefacts=artefacts, engine="spark")


def test_memory_does_not_hold_the_parts_together(artefacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole tables are read one part at a time; every other read asks for the patients' ids alone."""
    (tmp_path / "input").mkdir()
    for i, part in enumerate(resample(TWIN, rows=900, partitions=3, seed=2)):
        part.write_parquet(tmp_path / "input" / f"{i}.parquet")
    read, reads = pl.read_parquet, []

    def watched(path: Path, columns: list[str] | None = None) -> pl.DataFrame:
        reads.append((path.name, columns))
        return read(path, columns=columns)

    monkeypatch.setattr(pl, "read_parquet", watched)
    score_folder(tmp_path / "input", tmp_path / "scores", artefacts=artefacts)
    assert sorted(name for name, columns in reads if columns is None) == ["0.parquet", "1.parquet", "2.parquet"]
    assert {tuple(columns) for _, columns in reads if columns is not None} == {(PATIENT,)}
