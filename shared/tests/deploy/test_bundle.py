"""The bundle: the same model gives the same bytes, and an altered one goes nowhere."""

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from carefolio.artefacts import seal
from carefolio.deploy.bundle import SUMS_NAME, bundle_content, model_sha256, unpack_bundle, write_bundle
from carefolio.exceptions import ArtefactError

MODEL_FILE, MANIFEST_FILE = "model.txt", "model.json"
SEALED = (MANIFEST_FILE, MODEL_FILE)
CONTENT = bundle_content(SEALED)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A sealed model that a test may harm."""
    folder = tmp_path / "artefacts"
    folder.mkdir()
    (folder / MODEL_FILE).write_text("".join(f"{number * 7919 % 104729}\n" for number in range(4000)))
    (folder / MANIFEST_FILE).write_text('{"columns": ["age_years"]}\n')
    for name in SEALED:
        seal(folder / name)
    return folder


def test_same_model_gives_same_bytes_whenever_and_wherever_it_is_packed(model: Path, tmp_path: Path) -> None:
    first = write_bundle(model, tmp_path / "a" / "model.tar.gz", SEALED)
    copied = shutil.copytree(model, tmp_path / "elsewhere", copy_function=shutil.copy)  # other times on the files
    second = write_bundle(copied, tmp_path / "b.tar.gz", SEALED)
    assert first.path.read_bytes() == second.path.read_bytes()
    assert (first.sha256, first.model_sha256) == (second.sha256, second.model_sha256)
    with tarfile.open(first.path) as archive:
        assert {(entry.mtime, entry.uid, entry.gid, entry.uname, entry.mode) for entry in archive} == {(0, 0, 0, "", 0o644)}
        assert archive.getnames() == list(CONTENT)


def test_unpacked_model_is_the_same_and_sha256sum_agrees(model: Path, tmp_path: Path) -> None:
    bundle = write_bundle(model, tmp_path / "model.tar.gz", SEALED)
    folder = tmp_path / "unpacked"
    assert unpack_bundle(bundle.path, folder, SEALED) == bundle.model_sha256 == model_sha256(model, SEALED)
    assert (folder / MODEL_FILE).read_bytes() == (model / MODEL_FILE).read_bytes()
    checked = subprocess.run(["sha256sum", "--check", SUMS_NAME], cwd=folder, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_other_model_has_another_name(model: Path) -> None:
    before = model_sha256(model, SEALED)
    manifest = model / MANIFEST_FILE
    manifest.write_text(manifest.read_text() + "\n")
    seal(manifest)
    assert model_sha256(model, SEALED) != before


def test_altered_model_is_not_packed(model: Path, tmp_path: Path) -> None:
    with (model / MODEL_FILE).open("a") as file:
        file.write("\n")
    with pytest.raises(ArtefactError, match="was changed or cut short"):
        write_bundle(model, tmp_path / "model.tar.gz", SEALED)
    assert not (tmp_path / "model.tar.gz").exists()


@pytest.mark.parametrize("harm", ["short", "not an archive", "other files"])
def test_harmed_bundle_is_refused(model: Path, tmp_path: Path, harm: str) -> None:
    path = write_bundle(model, tmp_path / "model.tar.gz", SEALED).path
    if harm == "other files":
        with tarfile.open(path, "w:gz") as archive:
            archive.add(model / MANIFEST_FILE, arcname=MANIFEST_FILE)
    else:
        path.write_bytes(path.read_bytes()[:2000] if harm == "short" else b"nothing")
    with pytest.raises(ArtefactError, match=r"[pP]ack the model again"):
        unpack_bundle(path, tmp_path / "unpacked", SEALED)


def test_bundle_that_would_fill_a_disk_is_not_unpacked(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_bundle(model, tmp_path / "model.tar.gz", SEALED).path
    monkeypatch.setattr("carefolio.deploy.bundle.MOST_BYTES", 100)
    with pytest.raises(ArtefactError, match=r"bytes, expected at most 100; nothing was unpacked"):
        unpack_bundle(path, tmp_path / "unpacked", SEALED)
    assert not (tmp_path / "unpacked").exists()


def test_bundle_whose_list_does_not_fit_its_files_is_refused(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "unpacked"
    unpack_bundle(write_bundle(model, tmp_path / "model.tar.gz", SEALED).path, folder, SEALED)
    (folder / SUMS_NAME).write_text("0" * 64 + f"  {MODEL_FILE}\n")
    with tarfile.open(tmp_path / "wrong.tar.gz", "w:gz") as archive:
        for name in CONTENT:
            archive.add(folder / name, arcname=name)
    with pytest.raises(ArtefactError, match="does not list the files beside it"):
        unpack_bundle(tmp_path / "wrong.tar.gz", tmp_path / "again", SEALED)
