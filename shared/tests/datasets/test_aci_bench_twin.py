import pytest

from carefolio.datasets.aci_bench import load_aci_bench, name_spans
from carefolio.datasets.aci_bench_twin import SIZES, make_aci_bench_twin
from carefolio.exceptions import DataUnavailableError
from carefolio.metrics.faithfulness import numbers_not_in
from carefolio.testing import requires_real_data


@requires_real_data("aci_bench")
def test_the_twin_has_the_columns_of_the_real_table():
    assert make_aci_bench_twin(0).schema == load_aci_bench().frame.schema


def test_the_twin_has_the_announced_sizes_and_every_visit_once():
    twin = make_aci_bench_twin(0)
    assert dict(twin.group_by("part").len().rows()) == SIZES
    assert twin["encounter_id"].is_unique().all()
    assert twin["patient_age"].is_between(18, 100).all()
    assert twin.null_count().sum_horizontal().item() == 0


def test_the_same_seed_gives_the_same_table_and_another_seed_another():
    assert make_aci_bench_twin(1).equals(make_aci_bench_twin(1))
    assert not make_aci_bench_twin(1).equals(make_aci_bench_twin(2))


def test_the_names_of_the_metadata_stand_in_the_texts():
    for row in make_aci_bench_twin(0).iter_rows(named=True):
        names = {"first": row["patient_firstname"], "family": row["patient_familyname"], "doctor": row["doctor_name"]}
        assert {kind for kind, _, _ in name_spans(row["dialogue"], **names)} == {"PATIENT", "DOCTOR"}
        assert name_spans(row["note"], **names)


def test_a_note_says_no_number_that_its_conversation_does_not():
    assert not any(numbers_not_in(row["dialogue"], row["note"]) for row in make_aci_bench_twin(0).iter_rows(named=True))


def test_without_data_the_twin_needs_leave_and_says_what_it_is(cache, monkeypatch, capsys):
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    with pytest.raises(DataUnavailableError):
        load_aci_bench()
    loaded = load_aci_bench(allow_synthetic=True, random_state=3)
    assert capsys.readouterr().err.startswith("SYNTHETIC DATA: 18 generated visits stand in for aci_bench")
    assert loaded.frame.equals(make_aci_bench_twin(3))
    assert (loaded.provenance.origin, loaded.provenance.rows) == ("synthetic", 18)
