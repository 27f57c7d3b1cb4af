import hashlib
import re

import pytest

from carefolio.datasets.pubmedqa import load_pubmedqa, validate_pubmedqa
from carefolio.datasets.pubmedqa_twin import SIZES, make_pubmedqa_twin
from carefolio.exceptions import DataUnavailableError


@pytest.mark.parametrize("seed", range(3))
def test_the_twin_passes_the_schema_and_has_the_announced_sizes(seed):
    twin = validate_pubmedqa(make_pubmedqa_twin(seed))
    assert dict(twin.group_by("decision").len().rows()) == SIZES
    assert {row[:2]: row[2] for row in twin.group_by("part", "decision").len().rows()} == {
        (part, decision): size // 2 for part in ("train", "test") for decision, size in SIZES.items()}
    assert twin["question"].n_unique() == twin["context"].n_unique() == 120
    assert twin["year"].null_count() == 6


def test_the_same_seed_gives_the_same_table_and_another_seed_another():
    assert make_pubmedqa_twin(1).equals(make_pubmedqa_twin(1))
    assert not make_pubmedqa_twin(1).equals(make_pubmedqa_twin(2))


def test_the_context_decides_the_question():
    for row in make_pubmedqa_twin(0).iter_rows(named=True):
        people = int(re.search(r"By lot, (\d+)", row["context"])[1])
        better, without = map(int, re.findall(r"(\d+) percent", row["context"]))
        assert row["decision"] == ("no" if abs(better - without) < 5 else "yes" if people > 100 else "maybe")


def test_nobody_can_take_it_for_an_article():
    twin = make_pubmedqa_twin(0)
    assert twin["pubmed_id"].str.starts_with("00000").all()
    assert twin["context"].str.contains("in this made-up report", literal=True).all()
    assert twin["long_answer"].str.contains("invented trial", literal=True).all()


def test_without_data_the_twin_needs_leave_and_says_what_it_is(cache, monkeypatch, capsys):
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    with pytest.raises(DataUnavailableError):
        load_pubmedqa()
    loaded = load_pubmedqa(allow_synthetic=True, random_state=3)
    assert capsys.readouterr().err.startswith("SYNTHETIC DATA: 120 generated questions stand in for pubmedqa")
    twin = make_pubmedqa_twin(3)
    assert loaded.frame.equals(twin)
    assert loaded.frame.schema == twin.schema
    assert (loaded.provenance.origin, loaded.provenance.rows) == ("synthetic", 120)
    assert loaded.provenance.sha256 == hashlib.sha256(twin.write_csv().encode()).hexdigest()
