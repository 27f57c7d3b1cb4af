"""Deliveries: what is taken in, what is refused with an error, and what is held because it cannot be believed."""

import shutil
from dataclasses import replace

import polars as pl
import pytest

from carefolio.exceptions import ConfigError, DataIntegrityError, DataUnavailableError, LeakageError, SchemaError
from retraining.cycle import open_journal, run_cycle
from retraining.data import ENCOUNTER, PATIENT, cut
from retraining.features import JUDGES, TARGET, judges, judging_rows, read_features, read_labelled, teaching_rows
from retraining.state import fold


def _nothing_was_done(context):
    state = fold(open_journal(context.store))
    return state.batch is None and max(state.received) == 4


def test_batches_follow_each_other_and_hold_every_row():
    frame = pl.DataFrame({"x": range(23)})
    parts = cut(frame, 4)
    assert pl.concat(parts)["x"].to_list() == list(range(23))
    assert {part.height for part in parts} == {5, 6}


@pytest.mark.parametrize(("change", "words"), [
    (lambda text: text.drop("A1Cresult"), "columns are missing, first 'A1Cresult'"),
    (lambda text: text.with_columns(pl.lit("x").alias("ward")), "unknown column 'ward'"),
    (lambda text: text.with_columns(pl.lit("25").alias("time_in_hospital")), "1 <= time_in_hospital <= 14"),
    (lambda text: text.with_columns(pl.lit("?").alias("age")), "must not be missing"),
    (lambda text: pl.concat([text, text.head(2)]), "must be unique; 2 value"),
    (lambda text: text.head(0), "no encounter"),
    (lambda text: text.with_columns(pl.int_range(1, pl.len() + 1).cast(pl.String).alias("encounter_id")), "out of order"),
], ids=["a column is missing", "a column nobody knows", "out of range", "missing where it must not be", "duplicate encounters", "empty",
        "out of order"])
def test_a_broken_delivery_is_refused_and_nothing_is_done(deliver, change, words):
    context = deliver(change)
    with pytest.raises(SchemaError, match=words):
        run_cycle(context)
    assert _nothing_was_done(context)


def test_bytes_that_are_no_table_are_refused(context):
    context.store.delivered(5).write_bytes(b"encounter_id,patient_nbr\n1,2,3,4\n\xff\xfe")
    with pytest.raises(SchemaError):
        run_cycle(context)
    assert _nothing_was_done(context)


def test_a_batch_that_is_delivered_twice_is_refused(context):
    again = replace(context, delivery=str(context.store.delivered(4)))
    with pytest.raises(SchemaError, match="taken in as batch 4 already"):
        run_cycle(again)


def test_a_batch_out_of_order_is_refused(context, tmp_path):
    early = tmp_path / "early.csv"
    pl.read_csv(context.store.delivered(4), infer_schema=False).tail(50).write_csv(early)
    with pytest.raises(SchemaError, match="out of order or repeats encounters"):
        run_cycle(replace(context, delivery=str(early)))


def test_a_file_that_is_not_there_is_an_error_and_a_batch_that_has_not_come_is_not(context, tmp_path):
    with pytest.raises(DataUnavailableError, match="is no file"):
        run_cycle(replace(context, delivery=str(tmp_path / "none.csv")))
    context.store.delivered(5).unlink()
    assert run_cycle(context)["reason"] == "batch 5 has not been delivered"


def test_a_batch_with_a_code_gone_is_held_and_teaches_nobody(deliver):
    context = deliver(lambda text: text.with_columns(pl.lit("None").alias("A1Cresult")))
    outcome = run_cycle(context)
    assert outcome["outcome"] == "rejected", outcome["reason"]
    assert "code gone: a1c" in outcome["reason"]
    state = fold(open_journal(context.store))
    assert list(state.held) == [5]
    assert state.usable(before=7) == [1, 2, 3, 4]
    assert state.releases == 1


def test_outcomes_of_one_class_are_held_when_they_arrive(deliver):
    context = deliver(lambda text: text.with_columns(pl.lit("NO").alias("readmitted")))
    run_cycle(context)
    outcome = run_cycle(context)
    assert outcome["outcome"] == "rejected"
    assert "0 of" in outcome["reason"]
    assert list(fold(open_journal(context.store)).outcomes_held) == [5]


def test_outcomes_are_known_one_batch_later(twin_run, twin_state):
    from retraining.replay import replay_store

    store = replay_store(twin_run)
    assert TARGET not in read_features(store, [6]).columns
    assert read_labelled(store, [5], now=6)[TARGET].null_count() == 0
    with pytest.raises(LeakageError, match="known when batch 7 arrives"):
        read_labelled(store, [5, 6], now=6)


def test_a_patient_teaches_or_judges_for_life(twin_run, twin_state):
    from retraining.replay import replay_store

    rows = read_features(replay_store(twin_run), sorted(twin_state.received))
    sides = rows.group_by(PATIENT).agg(pl.col(JUDGES).n_unique())
    assert sides[JUDGES].max() == 1
    assert rows.group_by(PATIENT).len()["len"].max() > 1
    assert not set(teaching_rows(rows)[PATIENT]) & set(judging_rows(rows)[PATIENT])
    assert 0.3 < rows[JUDGES].mean() < 0.5
    assert judges([1, 2, 3, 1], share=0.5, seed=0).to_list() == judges([1, 2, 3, 1], share=0.5, seed=0).to_list()
    assert judges(range(2000), share=0.25, seed=1).mean() == pytest.approx(0.25, abs=0.03)


def test_features_do_not_change_when_later_batches_arrive(twin_run, settings, tmp_path):
    """The features of a batch are those that all batches together would give it: nothing looks ahead."""
    from retraining.features import run_readmission
    from retraining.replay import replay_store

    store = replay_store(twin_run)
    everything = pl.concat(pl.read_csv(store.received(batch), infer_schema=False) for batch in range(1, 8))
    everything.write_csv(tmp_path / "all.csv")
    table = run_readmission(tmp_path / "all.csv", tmp_path, seed=settings.seed)
    for batch in (2, 5):
        kept = read_features(store, [batch])
        again = table.join(kept.select(ENCOUNTER), on=ENCOUNTER, how="semi").sort(ENCOUNTER)
        columns = [name for name in kept.columns if name not in (JUDGES, "batch")]
        assert kept.select(columns).equals(again.select(columns))


def test_an_altered_feature_file_is_noticed(context):
    shutil.copyfile(context.store.features(1), context.store.features(2))
    with pytest.raises(DataIntegrityError, match="not the file that the journal names"):
        run_cycle(context)


def test_a_run_goes_on_with_the_settings_that_it_was_begun_with(context):
    other = context.settings.model_copy(update={"seed": 9})
    with pytest.raises(ConfigError, match="begun with another seed"):
        run_cycle(replace(context, settings=other))
