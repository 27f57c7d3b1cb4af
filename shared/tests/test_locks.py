"""A folder is held by one process at a time, whatever becomes of it; what is being written is not cleared away."""

import subprocess
import sys
from pathlib import Path

import pytest

from carefolio.artefacts import atomic_path, remove_leftovers
from carefolio.exceptions import BusyError
from carefolio.locks import hold_file
from carefolio.runs import hold_folder

HOLD = """
import sys, pathlib
from carefolio.runs import hold_folder
with hold_folder(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_held_folder_is_refused_with_its_holder_and_free_afterwards(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path / "run"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(BusyError, match=rf"{tmp_path / 'run'} is in use by process {process.pid} \(.*Nothing was done"), \
                hold_folder(tmp_path / "run"):
            raise AssertionError("the block must not run")
        process.stdin.close()
        assert process.wait(timeout=10) == 0
    with hold_folder(tmp_path / "run"):
        assert (tmp_path / "run" / ".lock").exists()
    assert list((tmp_path / "run").iterdir()) == []


def test_a_killed_holder_lets_go_and_its_half_written_files_go(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
        process.wait(timeout=10)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / ".part-evidence-x.json").write_text("{")
    (tmp_path / ".part-model-x").mkdir()
    (tmp_path / ".part-model-x" / "model.onnx").write_text("half")
    with hold_folder(tmp_path):
        assert sorted(path.name for path in tmp_path.rglob("*")) == [".lock", "reports"]


def test_a_file_that_is_being_written_is_not_cleared_away(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("whole")
        remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_lock_can_be_waited_for(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD.replace("sys.stdin.read()", "import time; time.sleep(0.5)"), tmp_path],
                          stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with hold_file(tmp_path / ".lock", wait=True):
            assert process.wait(timeout=10) == 0, "the other one was done first"
    assert not (tmp_path / ".lock").exists()
