"""The exported grader answers as torch does, hands over what it is not sure of, and refuses altered files."""

import io
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from carefolio.artefacts import read_json, seal, write_json
from carefolio.datasets.fundus_twin import draw_fundus, encode_jpeg
from carefolio.exceptions import ArtefactError, DamagedPictureError, UnsupportedPictureError
from retinopathy.export import export_grader
from retinopathy.features import squares
from retinopathy.heads import DR
from retinopathy.model import Grader
from retinopathy.predictor import MODEL_FILE, RECORD_FILE, RetinaPredictor

from .conftest import PREPARATION, RECORD


@pytest.fixture(scope="module")
def predictor(exported: Path) -> RetinaPredictor:
    return RetinaPredictor.open(exported)


def as_png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_it_answers_as_torch_alone_and_in_a_batch(predictor, grader, retinas):
    prepared = np.stack([squares((content, (0,)), PREPARATION)[0] for content in retinas.values()])
    with torch.inference_mode():
        steps, relevance = (one.numpy() for one in grader(torch.from_numpy(prepared)))
    for place in range(len(prepared)):
        alone = predictor.ask(prepared[place:place + 1])
        np.testing.assert_allclose(alone[0][0], steps[place], atol=1e-3)
        np.testing.assert_allclose(alone[1][0], relevance[place], atol=1e-3)
    np.testing.assert_allclose(predictor.ask(prepared)[0], steps, atol=1e-3)


def test_a_photograph_is_graded(predictor, retinas):
    found = {grade: predictor.grade(content) for grade, content in retinas.items()}
    assert all(one.gradable for one in found.values()), {grade: one.reasons for grade, one in found.items()}
    assert found[0].referable < found[3].referable
    for one in found.values():
        assert sum(one.probabilities) == pytest.approx(1)
        assert one.referred == (one.referable >= RECORD["referral"])
        assert (one.grades == (one.grade,)) == (not one.reasons)
        assert one.square.shape == (96, 96, 3)


def test_a_doubtful_one_goes_to_a_person_with_the_grades_that_are_possible(predictor, retinas):
    cautious = replace(predictor, record={**predictor.record, "sets": float("inf")})
    found = cautious.grade(retinas[2])
    assert found.grades == (0, 1, 2, 3, 4)
    assert "not sure of one grade" in found.reasons[0]


@pytest.mark.parametrize(("picture", "reason"), [
    (np.zeros((120, 120, 3), np.uint8), "it is dark"),
    (draw_fundus(np.random.default_rng(0), grade=1, side=200)[..., ::-1].copy(), "not of the colour of a retina"),
    ((draw_fundus(np.random.default_rng(0), grade=1, side=200) * 0.15).astype(np.uint8), "too dark")], ids=["black", "blue", "dark"])
def test_what_cannot_be_graded_is_not(predictor, picture, reason):
    found = predictor.grade(as_png(picture))
    assert not found.gradable
    assert found.grade is found.referable is None
    assert reason in " ".join(found.reasons)


def test_what_is_no_picture_is_an_error(predictor, retinas):
    with pytest.raises(UnsupportedPictureError):
        predictor.grade(b"%PDF-1.7")
    with pytest.raises(DamagedPictureError):
        predictor.grade(retinas[0][:2000])


def test_the_other_eye_gets_nearly_the_same_probabilities(predictor):
    pixels = draw_fundus(np.random.default_rng(7), grade=3, side=256)
    one, other = (predictor.grade(encode_jpeg(np.ascontiguousarray(picture))) for picture in (pixels, pixels[:, ::-1]))
    assert abs(one.referable - other.referable) < 0.35


def test_altered_files_are_refused(exported, tmp_path):
    folder = shutil.copytree(exported, tmp_path / "copy")
    content = bytearray((folder / MODEL_FILE).read_bytes())
    content[5000] ^= 1
    (folder / MODEL_FILE).write_bytes(content)
    with pytest.raises(ArtefactError, match="SHA-256"):
        RetinaPredictor.open(folder)
    seal(folder / MODEL_FILE)
    with pytest.raises(ArtefactError, match="lacks that hash"):
        RetinaPredictor.open(folder)
    (folder / MODEL_FILE).unlink()
    with pytest.raises(ArtefactError):
        RetinaPredictor.open(folder)


def test_a_record_that_lacks_something_is_refused(exported, tmp_path):
    folder = shutil.copytree(exported, tmp_path / "copy")
    record = read_json(folder / RECORD_FILE)
    del record["referral"]
    write_json(folder / RECORD_FILE, record)
    seal(folder / RECORD_FILE)
    with pytest.raises(ArtefactError, match="lacks referral"):
        RetinaPredictor.open(folder)


def test_another_network_than_torchs_is_not_kept(grader, retinas, tmp_path, monkeypatch):
    monkeypatch.setattr(RetinaPredictor, "ask", lambda self, given: (np.zeros((len(given), 6), np.float32), None))
    samples = [squares((retinas[4], (0,)), PREPARATION)[0]]
    with pytest.raises(ArtefactError, match="must give torch's probabilities"):
        export_grader(grader, tmp_path / "grader", record=RECORD, samples=samples)
    assert not (tmp_path / "grader").exists()


def test_the_steps_of_a_grader_never_rise(grader: Grader, retinas):
    prepared = np.stack([squares((content, (0,)), PREPARATION)[0] for content in retinas.values()])
    with torch.inference_mode():
        assert (np.diff(grader(torch.from_numpy(prepared))[0].numpy()[:, DR], axis=1) <= 0).all()
