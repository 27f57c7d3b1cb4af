"""Models inside packages: found, checked byte by byte, and refused with the command that mends it."""

import os
from dataclasses import replace

import pytest

from carefolio.artefacts import sha256_file
from carefolio.exceptions import ArtefactError
from carefolio.packaged_models import EFFICIENTNET_LITE0, MINILM, SMOLLM2

MODELS = pytest.mark.parametrize("model", [MINILM, SMOLLM2, EFFICIENTNET_LITE0], ids=lambda model: model.name)


@MODELS
def test_the_folder_holds_the_files_that_were_checked(model):
    folder = model.find()
    assert {name: sha256_file(folder / name) for name in model.files} == model.files
    assert sha256_file(folder / model.weights) == model.revision


@MODELS
def test_a_package_that_is_missing_is_named_with_the_command(model):
    with pytest.raises(ArtefactError, match=f"not installed; expected the package no_such_package. Run `{model.install}`"):
        replace(model, package="no_such_package").find()


@MODELS
def test_other_bytes_are_refused(model):
    with pytest.raises(ArtefactError, match=r"must have SHA-256 0000.*--force-reinstall"):
        replace(model, files={model.weights: "0" * 64}).find()


def test_a_file_that_the_package_lost_is_told():
    with pytest.raises(ArtefactError, match=r"lost\.bin must have SHA-256 .* got no file"):
        replace(MINILM, files={"lost.bin": "0" * 64}).find()


def test_a_file_is_hashed_once_and_again_when_it_has_changed(tmp_path, monkeypatch):
    (tmp_path / "small_model").mkdir()
    (tmp_path / "small_model" / "__init__.py").touch()
    weights = tmp_path / "small_model" / "weights.bin"
    weights.write_bytes(b"one")
    monkeypatch.syspath_prepend(tmp_path)
    model = replace(MINILM, package="small_model", folder="", weights=weights.name, files={weights.name: sha256_file(weights)})
    assert model.find() == model.find() == weights.parent
    weights.write_bytes(b"two")
    os.utime(weights, ns=(1, 1))
    with pytest.raises(ArtefactError, match=r"weights\.bin must have SHA-256"):
        model.find()
