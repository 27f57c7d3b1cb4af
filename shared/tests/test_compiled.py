"""Compiled loops work where nothing can be kept on disk."""

import os
import subprocess
import sys
from pathlib import Path

SOURCE = """
from carefolio.compiled import compile_kernel

@compile_kernel
def twice(value):
    return 2 * value

print(twice(21), len(twice.stats.cache_path or ""))
"""


def test_a_kernel_is_kept_where_it_can_be_and_else_compiled_anew(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").write_text(SOURCE)
    kept = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    env = kept | {"HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null"}
    done = subprocess.run([sys.executable, tmp_path / "kernel.py"], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == "42"
    assert list(tmp_path.rglob("*.nbi")) != []
    nowhere = subprocess.run([sys.executable, "-"], input=SOURCE, env=env, capture_output=True, text=True, check=True)
    assert nowhere.stdout.split() == ["42", "0"]
