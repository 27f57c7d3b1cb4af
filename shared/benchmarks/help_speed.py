"""How long ``--help`` takes: every project's command, median of several fresh processes; the target is under 0.3 s each."""

import argparse
import statistics
import subprocess
import sysconfig
import time
from pathlib import Path

from carefolio.chapters import read_chapters, repository_root

TARGET_S = 0.3


def seconds(command: Path) -> float:
    """Time one fresh process."""
    start = time.perf_counter()
    subprocess.run([command, "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Print the median of each command and of an empty Python beside it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="processes a command (default 7)")
    runs = parser.parse_args().runs
    scripts = Path(sysconfig.get_path("scripts"))
    commands = ["carefolio", *(chapter.command for chapter in read_chapters(repository_root()) if chapter.home)]
    bare = statistics.median(seconds(scripts / "python") for _ in range(runs))
    print(f"python --help (the floor): {bare:.3f} s")
    for name in commands:
        seconds(scripts / name)
        median = statistics.median(seconds(scripts / name) for _ in range(runs))
        print(f"{name} --help: {median:.3f} s, {'under' if median < TARGET_S else 'OVER'} {TARGET_S} s")


if __name__ == "__main__":
    main()
