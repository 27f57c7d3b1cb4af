"""The deployment: a pointer and a ledger, models that are checked before they answer, and a smoke test with real requests."""

import json
from dataclasses import replace

import pytest

from carefolio.artefacts import read_json, write_json
from carefolio.exceptions import ArtefactError, DataIntegrityError
from carefolio.local_server import ask_server
from retraining import model
from retraining.deployment import POINTER, deploy, follow, open_release, read_ledger, read_pointer
from retraining.features import read_features
from retraining.releases import next_release, smoke
from retraining.smoke import run_service, smoke_test, wait_for_release
from retraining.state import fold
from retraining.store import Store


@pytest.fixture
def state(context):
    from retraining.cycle import open_journal

    return fold(open_journal(context.store))


def test_deploying_twice_is_deploying_once(context, state):
    release = next_release(state, state.champion.sha256, 5, "test", decided="x")
    for _ in range(2):
        deploy(context.store.deployment, release, context.store.model(release.sha256))
    assert [one.number for one in read_ledger(context.store.deployment)] == [1, 2]
    assert read_pointer(context.store.deployment) == release


def test_a_number_is_not_given_twice(context, state):
    release = next_release(state, state.champion.sha256, 5, "test", decided="x")
    deploy(context.store.deployment, release, context.store.model(release.sha256))
    other = next_release(state, state.champion.sha256, 6, "another", decided="y")
    with pytest.raises(DataIntegrityError, match="release 2 is another one"):
        deploy(context.store.deployment, other, context.store.model(release.sha256))
    assert read_pointer(context.store.deployment) == release


@pytest.mark.parametrize(("change", "words"), [
    (lambda pointer: pointer | {"model": "models/none"}, "not in"),
    (lambda pointer: pointer | {"model": "../../.."}, "not in"),
    (lambda pointer: pointer | {"sha256": "0" * 64}, "must have SHA-256 0000"),
    (lambda pointer: {"number": 1}, "is no release"),
])
def test_a_pointer_that_leads_nowhere_is_refused_and_the_present_model_stays(context, change, words):
    folder = context.store.deployment
    follower = follow(folder)
    follower.refresh()
    present = follower.current()
    write_json(folder / POINTER, change(read_json(folder / POINTER)))
    with pytest.raises(ArtefactError, match=words):
        follower.refresh()
    assert follower.current() is present
    assert follower.taken_over == 1


def test_a_damaged_model_is_not_read(context):
    release = read_pointer(context.store.deployment)
    trees = context.store.deployment / release.model / "trees.lgb.txt"
    trees.write_bytes(trees.read_bytes().replace(b"leaf_value=", b"leaf_value=9", 1))
    with pytest.raises(ArtefactError, match=r"trees\.lgb\.txt must have SHA-256"):
        open_release(context.store.deployment, release)


def test_the_service_waits_for_a_release_and_answers_as_the_model_does(context, state, settings, tmp_path):
    store, release = context.store, read_pointer(context.store.deployment)
    rows = read_features(store, [4])
    kept = model.load(store, release.sha256)
    with run_service(tmp_path / "empty", settings.serving) as address:
        found = smoke_test(address, release, kept, rows, tolerance=1e-9, settings=settings.serving.model_copy(update={"patience_s": 0.3}))
        assert found == {"passed": False, "words": "after 0.3 s the service answers with status 503, expected release 1"}
        deploy(tmp_path / "empty", release, store.model(release.sha256))
        found = smoke_test(address, release, kept, rows, tolerance=1e-9, settings=settings.serving)
        assert (found["passed"], found["requests"]) == (True, settings.serving.smoke_rows)
        assert found["largest_difference"] < 1e-9
        wrong = kept.recalibrated(rows.with_columns(), (rows["los_days"] > 4).cast(int).to_numpy())
        assert "differs" in smoke_test(address, release, wrong, rows, tolerance=1e-9, settings=settings.serving)["words"]
        answer = json.loads(ask_server(f"{address}/predict", b'{"rows": [{}]}'))
        assert 0 < answer["risks"][0] < 1
        assert "not a medical device" in answer["disclaimer"].lower()


def test_a_release_that_the_service_cannot_take_over_is_told_before_patience_ends(context, settings, tmp_path):
    first = read_pointer(context.store.deployment)
    deploy(tmp_path, first, context.store.model(first.sha256))
    bad, good = (replace(first, number=number, model=f"models/{number}") for number in (2, 3))
    with run_service(tmp_path, settings.serving) as address:
        deploy(tmp_path, bad, context.store.model(first.sha256), transferred=lambda place: (place / "trees.lgb.txt").write_text("?"))
        problem = wait_for_release(address, bad, patience_s=60)
        assert problem == "the service cannot take over release 2 and goes on answering with release 1"
        deploy(tmp_path, good, context.store.model(first.sha256))
        assert wait_for_release(address, good, patience_s=60) == "", "failures of the release before do not count"


def test_a_first_release_that_does_not_answer_is_an_error_that_can_be_mended(context, state):
    deaf = replace(context, service=lambda: "http://127.0.0.1:9", settings=context.settings.model_copy(
        update={"serving": context.settings.serving.model_copy(update={"patience_s": 0.1})}))
    done = {"deploy": {"release": 1, "sha256": state.champion.sha256}}
    with pytest.raises(ArtefactError, match="none to fall back to"):
        smoke(replace(state, done=done), deaf, 4)


def test_a_model_that_is_not_kept_is_named(tmp_path):
    with pytest.raises(ArtefactError, match="model 1234567890abcdef is not in"):
        model.load(Store(tmp_path), "1234567890abcdef" * 4)
