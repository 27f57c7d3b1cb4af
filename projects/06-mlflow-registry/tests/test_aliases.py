"""Versions and aliases on a real server: what is promoted is served, what does worse is refused, and a rollback knows the way."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from carefolio.artefacts import sha256_file
from carefolio.exceptions import ArtefactError
from model_registry.tables import differences
from model_registry.tracking import aliases
from model_registry.tracking.errors import RegistryError
from model_registry.tracking.models import load_model
from model_registry.tracking.server import sqlite_uri


@pytest.fixture(scope="module")
def two(first_run, second_run):
    """Both readmission runs as versions, under a name of this module's own."""
    return [aliases.register(run.address, "tested", run.run_id()) for run in (first_run, second_run)]


@pytest.fixture
def better_worse(two):
    """The versions by the metric they are ranked by."""
    return sorted(two, key=lambda version: version.value, reverse=True)


def test_a_new_version_is_the_challenger_and_a_run_is_registered_once(two, first_run, second_run):
    again = aliases.register(first_run.address, "tested", first_run.run_id())
    assert again.version == two[0].version
    listed = aliases.list_versions(first_run.address, "tested")
    assert [version.version for version in listed] == ["2", "1"]
    assert two[1].aliases == ("challenger",)
    assert two[0].sha256 == sha256_file(first_run.out / "models" / "readmission" / "model.lgb")
    assert two[0].synthetic


def test_promotion_refuses_what_does_worse_until_it_is_forced_and_rolls_back(better_worse, first_run):
    address, (better, worse) = first_run.address, better_worse
    assert aliases.promote(address, "tested", better.version).version == better.version
    with pytest.raises(RegistryError, match="--force"):
        aliases.promote(address, "tested", worse.version)
    assert aliases.find_version(address, "tested", "champion").version == better.version
    assert aliases.promote(address, "tested", worse.version, force=True).version == worse.version
    assert aliases.rollback(address, "tested").version == better.version
    with pytest.raises(RegistryError, match="had 1 champions"):
        aliases.rollback(address, "tested")
    assert aliases.promote(address, "tested", better.version).version == better.version, "no change is no error"


@pytest.mark.parametrize(("challenger", "champion", "said"), [
    ({"value": 0.6}, {"value": 0.7}, "0.6000"), ({"split": "a"}, {"split": "b"}, "other patients"),
    ({"synthetic": True}, {"synthetic": False}, "synthetic data"), ({"value": 0.7}, {"value": 0.6}, ""), ({}, {}, ""),
])
def test_a_challenger_has_to_be_shown_to_do_as_well_on_the_same_patients(challenger, champion, said):
    same = aliases.Version("m", "1", "r", (), "", "auc", 0.7, False, "split")
    sides = [replace(same, version=number, **over) for number, over in (("2", challenger), ("1", champion))]
    if said:
        with pytest.raises(RegistryError, match=said):
            aliases._refuse_worse(*sides)
    else:
        aliases._refuse_worse(*sides)


def test_stages_are_not_used(two, first_run):
    client = MlflowClient(first_run.address)
    assert {client.get_model_version("tested", version.version).current_stage for version in two} <= {"None", None}


def test_a_difference_names_settings_data_and_metrics(two, first_run, second_run):
    found = differences(first_run.address, "tested", "1", "2")
    assert ("seed", "0", "1") in found["settings"]
    assert {name for name, _, _ in found["data"]} == {"diabetes130", "readmission split", "readmission table"}
    assert "readmission.test.lightgbm.roc_auc" in {name for name, _, _ in found["metrics"]}
    assert found["environment"] == []
    assert {"sha256", "version"} <= {name for name, _, _ in found["model"]}


@pytest.mark.parametrize(("which", "message"), [("9", "no version '9'"), ("nobody", "no version 'nobody'")])
def test_a_version_that_is_not_there_is_named(two, first_run, which, message):
    with pytest.raises(RegistryError, match=message):
        aliases.find_version(first_run.address, "tested", which)


def test_what_cannot_be_registered_is_refused(first_run):
    with pytest.raises(RegistryError, match="there is no run"):
        aliases.register(first_run.address, "tested", "0" * 32)
    client = MlflowClient(first_run.address)
    bare = client.create_run(client.get_experiment_by_name("readmission").experiment_id).info.run_id
    with pytest.raises(RegistryError, match="logged no model"):
        aliases.register(first_run.address, "tested", bare)
    client.set_terminated(bare, "FAILED")


def test_a_downloaded_version_predicts_what_the_run_predicted(two, first_run, tmp_path):
    loaded = aliases.download(first_run.address, two[0], tmp_path)
    here = load_model(first_run.out / "models" / "readmission", sha256=two[0].sha256)
    assert loaded.answer([loaded.example]) == here.answer([here.example])


def test_the_verbs_say_what_they_did(first_run, second_run, invoke):
    at = ("--tracking-uri", first_run.address)
    assert "(challenger)" in invoke("register", "readmission", first_run.run_id(), *at).output
    assert "(champion)" in invoke("promote", "readmission", *at).output
    invoke("register", "readmission", second_run.run_id(), *at)
    shown = invoke("show", "readmission", *at).output
    assert first_run.run_id() in shown
    assert "champion" in shown
    assert "challenger" in shown
    assert "seed" in invoke("diff", "readmission", *at).output
    invoke("promote", "readmission", "--force", *at)
    assert "version 1 (champion)" in invoke("rollback", "readmission", *at).output
    assert "--tracking-uri" in invoke("show", "--out", first_run.out, exit_code=3).output, "its run was recorded on a server"


def test_the_first_model_in_a_database_of_its_own_is_champion_and_the_next_its_challenger(small_config, invoke, tmp_path):
    words = ("search", "survival", "--trials", "1", "--config", small_config, "--out", tmp_path)
    assert "version 1, the first champion; `registry serve --no-auth --name survival`" in invoke(*words).output
    assert "version 2; `registry compare survival`" in invoke(*words).output
    found = aliases.list_versions(sqlite_uri(tmp_path), "survival")
    assert [(version.version, version.aliases) for version in found] == [("2", ("challenger",)), ("1", ("champion",))]


def tampered(first_run, tmp_path: Path) -> tuple[Path, str]:
    folder = tmp_path / "model"
    shutil.copytree(first_run.out / "models" / "readmission", folder)
    return folder, sha256_file(folder / "model.lgb")


def test_weights_that_were_changed_are_not_loaded(first_run, tmp_path):
    folder, sha256 = tampered(first_run, tmp_path)
    with (folder / "model.lgb").open("a") as file:
        file.write("\n")
    with pytest.raises(ArtefactError, match="was changed"):
        load_model(folder, sha256=sha256)


@pytest.mark.parametrize(("before", "after"), [
    ("loader_module: mlflow.lightgbm", "loader_module: os"), ("  lightgbm:", "  sklearn:"),
    ("    loader_module: mlflow.lightgbm", "    loader_module: mlflow.lightgbm\n    code: code"),
])
def test_a_description_that_names_another_loader_is_not_followed(first_run, tmp_path, before, after):
    folder, sha256 = tampered(first_run, tmp_path)
    text = (folder / "MLmodel").read_text()
    assert before in text
    (folder / "MLmodel").write_text(text.replace(before, after))
    with pytest.raises(ArtefactError, match="not loaded"):
        load_model(folder, sha256=sha256)


def test_a_model_that_brings_a_pickle_is_refused(first_run, tmp_path):
    folder, sha256 = tampered(first_run, tmp_path)
    (folder / "extra.pkl").write_bytes(b"")
    with pytest.raises(ArtefactError, match="of a kind that is not read"):
        load_model(folder, sha256=sha256)


@pytest.mark.parametrize("text", ["", "[", "flavors: 3", "flavors: {}"])
def test_a_damaged_description_is_named(first_run, tmp_path, text):
    folder, sha256 = tampered(first_run, tmp_path)
    (folder / "MLmodel").write_text(text)
    with pytest.raises(ArtefactError, match=r"MLmodel|flavours"):
        load_model(folder, sha256=sha256)
