"""Photographs graded at the command line."""

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from retinopathy.cli import main
from retinopathy.console import in_words
from retinopathy.predictor import Graded


@pytest.fixture
def photographs(retinas: dict[int, bytes], tmp_path: Path) -> list[Path]:
    """Two retinas and a file that is none."""
    paths = [tmp_path / name for name in ("well.jpg", "ill.jpg", "letter.jpg")]
    for path, content in zip(paths, (retinas[0], retinas[4], b"%PDF-1.7"), strict=True):
        path.write_bytes(content)
    return paths


def grade(exported: Path, *arguments: object) -> Result:
    return CliRunner().invoke(main, ["grade", "--out", str(exported), *map(str, arguments)])


def test_each_photograph_gets_a_line(exported, photographs):
    result = grade(exported, *photographs[:2])
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert len(lines) == 2
    assert all("grade" in line and "%" in line for line in lines)


def test_a_file_that_is_no_picture_is_said_and_the_others_go_on(exported, photographs):
    result = grade(exported, photographs[2], photographs[0], "--json")
    assert result.exit_code == 14
    first, second = map(json.loads, result.output.splitlines())
    assert "JPEG, PNG, TIFF or DICOM" in first["error"]
    assert sum(second["probabilities"]) == pytest.approx(1)
    assert set(second) >= {"grade", "grades", "referable", "referred", "quality", "reasons"}


def test_an_overlay_is_written(exported, photographs, tmp_path):
    grade(exported, photographs[1], "--overlay", tmp_path / "shown")
    with Image.open(io.BytesIO((tmp_path / "shown" / "ill.png").read_bytes())) as image:
        assert image.size == (96, 96)


def test_without_a_grader_the_way_to_one_is_said(photographs, tmp_path):
    result = grade(tmp_path / "nothing", photographs[0])
    assert result.exit_code == 8
    assert "retinopathy run --quick" in result.output


@pytest.mark.parametrize(("graded", "said"), [
    (Graded(gradable=False, reasons=("not sharp",)), "not graded: not sharp"),
    (Graded(gradable=True, reasons=(), grade=2, referable=0.91, referred=True),
     "grade 2 (moderate), refer (probability of grade 2 and more 91%)"),
    (Graded(gradable=True, reasons=("not sure of one grade: 0 or 1 are possible",), grade=0, referable=0.1, referred=False),
     "grade 0 (no retinopathy), no referral (probability of grade 2 and more 10%); a person should look: not sure of one grade: 0 or 1 "
     "are possible")])
def test_answers_in_words(graded, said):
    assert in_words(graded) == said
