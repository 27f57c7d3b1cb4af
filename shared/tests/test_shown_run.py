import pytest

from carefolio.artefacts import write_json
from carefolio.evidence import Evidence, Metric
from carefolio.exceptions import ArtefactError, EvidenceError
from carefolio.shown_run import ShownRun, read_shown_run, run_or_none


@pytest.fixture
def run(tmp_path):
    metrics = {"a.test.b.c": Metric(value=0.5, low=None, high=None, level=None, n=3, higher_is_better=True)}
    evidence = Evidence(schema=1, project="toy", commit="0" * 7, command="toy run", created="2026-01-01T00:00:00Z", seed=0, config={},
                        data=[], split=None, environment={"python": "3", "packages": {}, "machine": "m"}, durations_s={},
                        metrics=metrics, figures=[], artefacts=[])
    return ShownRun(evidence, tmp_path, "toy", {"waves": "Waves"}, {"waves": ("world",)})


def test_a_metric_that_was_not_recorded_says_what_to_run(run):
    assert run.metric("a.test.b.c").value == 0.5
    with pytest.raises(EvidenceError, match=r"has no metric a\.b\.c\.d; run `toy run` again"):
        run.metric("a.b.c.d")


def test_a_part_is_read_again_when_its_file_changes(run, tmp_path):
    with pytest.raises(ArtefactError, match=r"no results for Waves: .* `toy run --part waves`"):
        run.part("waves")
    write_json(tmp_path / "reports" / "waves.json", {"world": [1]})
    assert run.part("waves") == {"world": [1]}
    write_json(tmp_path / "reports" / "waves.json", {"other": [1]})
    with pytest.raises(ArtefactError, match="has no 'world'; another version wrote it"):
        run.part("waves")


def test_a_folder_without_a_run_says_how_to_make_one(tmp_path):
    with pytest.raises(ArtefactError, match="`toy run --quick`"):
        read_shown_run(tmp_path, command="toy", package="toy")


def test_a_run_that_cannot_be_read_is_none_and_other_errors_are_not_hidden(tmp_path):
    def _unlike(home):
        raise KeyError(home)

    assert run_or_none(lambda home: home.name, tmp_path) == tmp_path.name
    assert run_or_none(lambda home: read_shown_run(home, command="some", package="some"), tmp_path) is None
    with pytest.raises(KeyError):
        run_or_none(_unlike, tmp_path)
