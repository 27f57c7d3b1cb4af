import numpy as np
import polars as pl
import pytest

from carefolio.exceptions import ArtefactError, LeakageError
from carefolio.splits import (
    check_no_duplicate_rows_across_parts,
    check_no_group_overlap,
    check_no_target_in_features,
    check_resampling_after_split,
    load_split,
    make_split,
    patient_split,
    site_split,
    temporal_split,
)

FRACTIONS = {"train": 0.6, "valid": 0.2, "test": 0.2}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def patients(rng):
    return rng.integers(0, 100, 400)


def test_every_patient_is_in_one_part_and_the_shares_are_met(patients):
    parts = patient_split(patients, fractions=FRACTIONS, random_state=0)
    check_no_group_overlap(patients, parts)
    n_patients = len(np.unique(patients))
    for name, share in FRACTIONS.items():
        assert abs(len(np.unique(patients[parts == name])) - share * n_patients) <= 1


def test_a_patient_split_does_not_depend_on_the_order_of_rows(patients, rng):
    order = rng.permutation(len(patients))
    parts = patient_split(patients, fractions=FRACTIONS, random_state=0)
    assert (patient_split(patients[order], fractions=FRACTIONS, random_state=0) == parts[order]).all()
    assert (patient_split(patients, fractions=FRACTIONS, random_state=1) != parts).any()


def test_patients_may_be_named_by_text(patients):
    names = np.char.add("p", patients.astype(str))
    parts = patient_split(pl.Series(names.tolist()), fractions=FRACTIONS, random_state=0)
    check_no_group_overlap(names, parts)
    assert set(parts) == set(FRACTIONS)


@pytest.mark.parametrize("fractions", [{"train": 0.5, "test": 0.4}, {"train": 1.2, "test": -0.2}, {}])
def test_shares_that_do_not_add_up_are_refused(patients, fractions):
    with pytest.raises(ValueError, match="add up to 1"):
        patient_split(patients, fractions=fractions, random_state=0)


def test_too_few_patients_and_missing_patients_are_refused():
    with pytest.raises(ValueError, match="2 patients are too few"):
        patient_split([1, 1, 2], fractions=FRACTIONS, random_state=0)
    with pytest.raises(ValueError, match="groups must not have missing values; first at row 1"):
        patient_split([1.0, np.nan, 2.0], fractions=FRACTIONS, random_state=0)


def test_a_temporal_split_by_hand():
    order = [1, 2, 3, 4, 5, 6, 7, 8]
    groups = ["a", "b", "c", "a", "d", "b", "e", "a"]
    labels, n_dropped = temporal_split(order, groups, test_fraction=0.25)
    assert labels.tolist() == ["dropped", "train", "train", "dropped", "train", "train", "test", "test"]
    assert n_dropped == 2


def test_a_temporal_split_tests_on_all_later_rows_and_shares_no_patient(patients, rng):
    order = rng.integers(0, 50, len(patients))
    labels, n_dropped = temporal_split(order, patients, test_fraction=0.05)
    assert order[labels == "test"].min() > order[labels != "test"].max()
    assert not set(patients[labels == "train"]) & set(patients[labels == "test"])
    assert n_dropped == (labels == "dropped").sum() > 0


def test_a_temporal_split_without_training_rows_is_refused():
    with pytest.raises(ValueError, match="no training rows are left"):
        temporal_split([1, 2, 3], ["a", "a", "a"], test_fraction=0.3)
    with pytest.raises(ValueError, match=r"between 0 and 1; got 1\.5"):
        temporal_split([1, 2], ["a", "b"], test_fraction=1.5)


def test_a_site_split_holds_whole_sites_out():
    assert site_split(["A", "B", "A", "C"], test_sites=["A"]).tolist() == ["test", "train", "test", "train"]
    with pytest.raises(ValueError, match=r"without rows: \['D'\]"):
        site_split(["A", "B"], test_sites=["A", "D"])
    with pytest.raises(ValueError, match="at least one site"):
        site_split(["A", "B"], test_sites=["A", "B"])


def test_a_split_survives_its_file_and_its_hash_does_not_depend_on_order(patients, rng, tmp_path):
    labels = patient_split(patients, fractions=FRACTIONS, random_state=0)
    ids, order = np.arange(len(patients)), rng.permutation(len(patients))
    split = make_split(ids, labels, unit="patient")
    assert make_split(ids[order], labels[order], unit="patient").sha256() == split.sha256()
    loaded = load_split(split.save(tmp_path / "split.json"))
    assert loaded.sha256() == split.sha256()
    assert loaded.unit == "patient"
    np.testing.assert_array_equal(loaded.parts["test"], split.parts["test"])


def test_the_hash_is_the_same_on_every_machine_and_changes_with_one_row():
    split = make_split([3, 1, 2], ["test", "train", "dropped"], unit="patient")
    assert split.sha256() == "6259e766c4efc21a004ee00092ebb7868d8a9907b1a2cd1e79a8dd415dfd6813"
    assert make_split([3, 1, 2], ["test", "train", "train"], unit="patient").sha256() != split.sha256()


def test_a_changed_split_file_is_refused(tmp_path):
    path = make_split(["a", "b"], ["train", "test"], unit="patient").save(tmp_path / "split.json")
    path.write_text(path.read_text().replace('"a"', '"c"'))
    with pytest.raises(ArtefactError, match="it was changed"):
        load_split(path)
    path.write_text("[]")
    with pytest.raises(ArtefactError, match="not a split"):
        load_split(path)


def test_row_ids_that_stand_twice_are_refused():
    with pytest.raises(ValueError, match="row_ids must be unique; 1 of 3"):
        make_split([1, 1, 2], ["train", "train", "test"], unit="patient")


def test_a_split_by_row_is_refused(patients, rng):
    parts = rng.choice(["train", "test"], len(patients))
    with pytest.raises(LeakageError, match=r"\d+ of \d+ patients stand in more than one part, first '0' in test and train"):
        check_no_group_overlap(patients, parts)


def test_dropped_rows_belong_to_no_part():
    check_no_group_overlap(["a", "a", "b"], ["dropped", "test", "train"])
    with pytest.raises(ValueError, match="same length"):
        check_no_group_overlap(["a", "b"], ["train"])


def test_a_repeated_text_across_parts_is_refused():
    check_no_duplicate_rows_across_parts(["x", "x", "y"], ["train", "train", "test"])
    with pytest.raises(LeakageError, match="1 of 2 row contents stand in more than one part, first 'x' in test and train"):
        check_no_duplicate_rows_across_parts(["x", "x", "y"], ["train", "test", "test"])


def test_a_repeated_table_row_across_parts_is_refused(rng):
    frame = pl.DataFrame({"age": rng.integers(0, 90, 50), "text": [f"note {i}" for i in range(50)]})
    parts = np.where(np.arange(50) < 40, "train", "test")
    check_no_duplicate_rows_across_parts(frame, parts)
    with pytest.raises(LeakageError, match="in test and train"):
        check_no_duplicate_rows_across_parts(pl.concat([frame, frame[:1]]), np.append(parts, "test"))


@pytest.fixture
def outcome(rng):
    return (rng.random(500) < 0.2).astype(int)


def leaky_features(y, rng):
    return {
        "copy": y,
        "relabelled": np.where(y == 1, "died", "left"),
        "finer": np.where(y == 1, "<30", rng.choice(["NO", ">30"], len(y))),
        "shifted": y * 10.0 + rng.random(len(y)),
        "reversed": -y + 0.1 * rng.random(len(y)),
        "days to death": np.where(y == 1, rng.random(len(y)), np.nan),
        "text of the event": [f"died on day {i}" if event else None for i, event in enumerate(y)],
    }


@pytest.mark.parametrize("name", ["copy", "relabelled", "finer", "shifted", "reversed", "days to death", "text of the event"])
def test_a_feature_that_holds_the_target_is_refused(outcome, rng, name):
    honest = {"age": rng.normal(60, 10, len(outcome))}
    with pytest.raises(LeakageError, match=f"feature '{name}' holds the target"):
        check_no_target_in_features({**honest, name: leaky_features(outcome, rng)[name]}, outcome)


def test_honest_features_pass(outcome, rng):
    frame = pl.DataFrame({
        "row": np.arange(500), "constant": np.ones(500), "site": rng.choice(["A", "B"], 500),
        "strong": outcome + rng.normal(0, 0.6, 500), "name": [f"n{i}" for i in range(500)],
        "sometimes missing": pl.Series([None if rng.random() < 0.3 else float(i) for i in range(500)]),
        "never": pl.Series([None] * 500, dtype=pl.Float64),
        "label": pl.Series(rng.choice(["x", "y"], 500).tolist(), dtype=pl.Enum(["x", "y"])),
    })
    check_no_target_in_features(frame, outcome)


def test_a_monotone_copy_of_a_continuous_target_is_refused(rng):
    y = rng.normal(0, 1, 300)
    check_no_target_in_features({"noisy": y + rng.normal(0, 1, 300)}, y)
    with pytest.raises(LeakageError, match=r"rank correlation with the target is 1\.0000"):
        check_no_target_in_features({"exponential": np.exp(-y)}, y)


def test_a_relabelled_class_is_refused(rng):
    y = rng.choice(["a", "b", "c"], 300)
    with pytest.raises(LeakageError, match="goes with one target value only"):
        check_no_target_in_features({"code": np.unique(y, return_inverse=True)[1]}, y)


def test_a_constant_target_and_a_wrong_length_are_refused():
    with pytest.raises(ValueError, match="at least two different values"):
        check_no_target_in_features({"a": [1, 2]}, [0, 0])
    with pytest.raises(ValueError, match="feature 'a' must have one value a row"):
        check_no_target_in_features({"a": [1, 2, 3]}, [0, 1])


def test_oversampling_before_the_split_is_refused(rng):
    original = np.arange(100)
    oversampled = np.concatenate([original, rng.choice(original[:10], 50)])
    train = oversampled[rng.permutation(150)[:120]]
    with pytest.raises(LeakageError, match=r"stand more than once.*resampled before the split"):
        check_resampling_after_split(train, original)


def test_made_up_rows_are_refused():
    with pytest.raises(LeakageError, match="2 of 4 rows are not in the original table, first id 100"):
        check_resampling_after_split([1, 2, 100, 101], np.arange(100))


def test_a_part_of_the_original_rows_passes(rng):
    check_resampling_after_split(rng.permutation(100)[:80], np.arange(100))
