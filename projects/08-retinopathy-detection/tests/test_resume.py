"""A training that is killed goes on where it was, and ends as one that was left alone."""

import os
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from carefolio.command import command_line
from retinopathy.cli import main
from retinopathy.features import read_features

pytestmark = pytest.mark.slow
PATIENCE_S = 240


def killed_training(command: list[str], env: dict[str, str], sign: Path) -> None:
    """Start a training, and kill it as soon as a file is there."""
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        deadline = time.monotonic() + PATIENCE_S
        while not sign.is_file() and run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert run.poll() is None, "it ended before it could be killed"
        run.kill()


def test_a_training_that_was_killed_ends_as_one_that_was_left_alone(small_run, small_config, twin_only, tmp_path):
    options = ["--config", str(small_config), "--out", str(tmp_path)]
    assert CliRunner().invoke(main, ["data", *options], env=twin_only).exit_code == 0
    env = {name: value for name, value in (os.environ | twin_only).items() if value is not None}
    killed_training(command_line("retinopathy", "train", *options), env, tmp_path / "train" / "fold-1" / "state.json")
    assert not (tmp_path / "train" / "idrid.npz").exists()
    seen = (tmp_path / "features" / "idrid.npz").stat().st_mtime_ns
    result = CliRunner().invoke(main, ["train", *options], env=twin_only)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "features" / "idrid.npz").stat().st_mtime_ns == seen, "what was seen is not seen again"
    got, expected = (read_features(folder / "train" / "idrid.npz") for folder in (tmp_path, small_run))
    for name, steps in expected.items():
        np.testing.assert_allclose(got[name], steps, atol=1e-5, err_msg=name)
