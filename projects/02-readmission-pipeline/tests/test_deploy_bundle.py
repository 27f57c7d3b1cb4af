"""The bundle of this chapter's model: unpacked, it predicts; what every bundle does is tested with `carefolio.deploy.bundle`."""

from pathlib import Path

import pytest

from carefolio.exceptions import ArtefactError
from readmission.deploy.bundle import CONTENT, SUMS_NAME, bundle_files, model_sha256, unpack_bundle, write_bundle
from readmission.model import MANIFEST_FILE, MODEL_FILE
from readmission.predictor import Predictor


def test_unpacked_model_predicts(small_run: Path, tmp_path: Path) -> None:
    model, folder = small_run / "artefacts", tmp_path / "unpacked"
    bundle = write_bundle(model, tmp_path / "model.tar.gz")
    assert unpack_bundle(bundle.path, folder) == bundle.model_sha256 == model_sha256(model)
    assert Predictor.load(folder).expected == Predictor.load(model).expected


def test_bundle_holds_booster_and_manifest_with_their_seals(small_run: Path) -> None:
    assert set(CONTENT) == {MODEL_FILE, MANIFEST_FILE, f"{MODEL_FILE}.sha256", f"{MANIFEST_FILE}.sha256", SUMS_NAME}
    assert tuple(bundle_files(small_run / "artefacts")) == CONTENT


def test_missing_model_is_not_packed(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="is missing"):
        write_bundle(tmp_path, tmp_path / "model.tar.gz")
