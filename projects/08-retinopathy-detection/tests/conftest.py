"""A grader with the packaged network and heads fitted on a few drawn retinas, exported once; and a small run of the whole chapter."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from carefolio.datasets.fundus_twin import draw_fundus, encode_jpeg
from retinopathy.cli import main
from retinopathy.config import PreparationSettings
from retinopathy.export import export_grader
from retinopathy.features import squares
from retinopathy.heads import fit_heads
from retinopathy.model import Grader, open_eye
from retinopathy.seeing import look

PREPARATION = PreparationSettings(side=96, small_side=32, strength=4.0)
RECORD = {"side": PREPARATION.side, "strength": PREPARATION.strength, "temperature": 1.0, "referral": 0.5, "sets": 0.9,
          "quality": {"brightness": (30.0, 220.0), "sharpness": (0.02, 1.0), "redness": (0.4, 0.9)}}


SMALL = """
[preparation]
side = 96
small_side = 32
[quality]
sharpness = [0.0, 1.0]
[split]
max_rows = 40
[features]
views = 2
[heads]
strengths = [0.01, 0.1]
[tuning]
epochs = 1
[benchmark]
epochs = 1
[evaluation]
replicates = 20
sizes = [16]
"""


@pytest.fixture(scope="session")
def retinas() -> dict[int, bytes]:
    """One drawn retina of each grade, as a JPEG."""
    return {grade: encode_jpeg(draw_fundus(np.random.default_rng(50 + grade), grade=grade, side=256)) for grade in range(5)}


@pytest.fixture(scope="session")
def grader() -> Grader:
    """Heads that have seen twenty drawn retinas."""
    rng, grades = np.random.default_rng(0), np.arange(20) % 5
    pictures = [encode_jpeg(draw_fundus(rng, grade=int(grade), side=256)) for grade in grades]
    prepared = [squares((content, (0, row)), PREPARATION)[0] for row, content in enumerate(pictures)]
    eye = open_eye((2, 3))
    heads = fit_heads(look(eye, prepared)[0][:, None], grades, np.minimum(grades // 2, 2), strength=0.1)
    return Grader(eye, heads)


@pytest.fixture(scope="session")
def exported(grader: Grader, retinas: dict[int, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the exported grader."""
    samples = [squares((content, (0,)), PREPARATION)[0] for content in retinas.values()]
    return export_grader(grader, tmp_path_factory.mktemp("artefacts") / "grader", record=RECORD, samples=samples)


@pytest.fixture(scope="session")
def small_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings of a small run."""
    config = tmp_path_factory.mktemp("config") / "small.toml"
    config.write_text(SMALL, encoding="utf-8")
    return config


@pytest.fixture(scope="session")
def small_run(small_config: Path, twin_only: dict[str, str | None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small run, as a user would start it where only twins can be had."""
    out = tmp_path_factory.mktemp("run")
    result = CliRunner().invoke(main, ["run", "--config", str(small_config), "--out", str(out)], env=twin_only)
    assert result.exit_code == 0, result.output
    return out
