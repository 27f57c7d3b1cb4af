"""Time what a newcomer waits for: every chapter's quick run, and the cold start of every API, each with the memory it takes.

Run ``python shared/benchmarks/product_speed.py --label "what has changed"`` on a machine that does nothing else. Each measurement is added
to ``docs/performance.json``; ``docs/performance.md`` shows the first beside the last. Quick runs go to a temporary folder. A cold start
lasts from the start of the process to the first answer of ``/health/ready``, the median of three; memory is what the process and its
children hold then, and for runs at most at any time (sampled ten times a second).
"""

import os
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import click
import psutil

from carefolio.artefacts import read_json, write_json, write_text
from carefolio.chapters import Chapter, read_chapters, repository_root
from carefolio.command import command_line
from carefolio.evidence import environment, git_commit, utc_now
from carefolio.local_server import free_port, run_server
from carefolio.services import READY, commands_of, verbs_of

STARTS = 3
EVERY_S = 0.1
TITLES = {"run_s": ("quick run", "s"), "run_mb": ("memory of it, at most", "MB"), "start_s": ("cold start of the API", "s"),
          "start_mb": ("memory after it", "MB")}
Figures = dict[str, dict[str, float]]


def memory_mb(process: psutil.Process) -> float:
    """Resident megabytes of a process and its children; 0 once it has ended."""
    total = 0.0
    try:
        for member in [process, *process.children(recursive=True)]:
            total += member.memory_info().rss / 1e6
    except psutil.NoSuchProcess:
        return total
    return total


def time_chapter(chapter: Chapter) -> dict[str, float]:
    """Run a chapter in its quick form, then start its API several times, with that run where it serves one."""
    with tempfile.TemporaryDirectory() as out:
        found = time_run(chapter, out)
        if "serve" not in verbs_of(chapter):
            return found
        options = {option for parameter in commands_of(chapter)["serve"].params for option in parameter.opts}
        return found | time_start(chapter, ["--out", out] if "--out" in options else [])


def time_run(chapter: Chapter, out: str) -> dict[str, float]:
    """Run a chapter in its quick form."""
    start, most = time.perf_counter(), 0.0
    process = psutil.Popen(command_line(chapter.package, "run", "--quick", "--out", out), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said: list[bytes] = []
    reader = threading.Thread(target=lambda: said.append(process.stderr.read()))
    reader.start()
    while process.poll() is None:
        most = max(most, memory_mb(process))
        time.sleep(EVERY_S)
    reader.join()
    if process.returncode:
        raise SystemExit(f"{chapter.command} run --quick failed: {said[0].decode(errors='replace')[-400:]}")
    return {"run_s": time.perf_counter() - start, "run_mb": most}


def time_start(chapter: Chapter, arguments: list[str]) -> dict[str, float]:
    """Start a chapter's API several times."""
    times, memory = [], []
    for _ in range(STARTS):
        port, own = free_port(), psutil.Process()
        command = command_line(chapter.package, "serve", "--no-auth", "--port", str(port), *arguments)
        start = time.perf_counter()
        with run_server(command, ready_url=f"http://127.0.0.1:{port}{READY['serve']}", timeout_s=120):
            times.append(time.perf_counter() - start)
            memory.append(memory_mb(own) - own.memory_info().rss / 1e6)
    return {"start_s": statistics.median(times), "start_mb": statistics.median(memory)}


def render(history: list[dict]) -> str:
    """The first measurement beside the last, as Markdown."""
    first, last = history[0], history[-1]
    lines = ["# What a newcomer waits for", "",
             "Made by `make bench` ([product_speed.py](../shared/benchmarks/product_speed.py)); for research and education, not a medical "
             "device. Times vary by a few per cent from run to run, and between machines by much more.", "",
             *(f"- **{name}:** {one['label']}; {one['created']}, commit {one['commit']}, {one['machine']}"
               for name, one in (("before", first), ("after", last)))]
    for key, (title, unit) in TITLES.items():
        rows = [(folder, first["figures"].get(folder, {}).get(key), figures[key]) for folder, figures in last["figures"].items()
                if key in figures]
        lines += ["", f"## {title[0].upper()}{title[1:]}, {unit}", "", "| chapter | before | after | ratio |", "|---|---|---|---|",
                  *(f"| {folder} | {'–' if before is None else f'{before:,.1f}'} | {after:,.1f} | "
                    f"{'–' if not before else f'{after / before:.2f}'} |" for folder, before, after in rows)]
        if key == "run_s":
            known = [before for _, before, _ in rows if before is not None]
            lines.append(f"| all | {sum(known):,.1f} | {sum(after for _, _, after in rows):,.1f} | "
                         f"{sum(after for _, _, after in rows) / sum(known):.2f} |")
    return "\n".join(lines) + "\n"


@click.command()
@click.option("--label", default="the present state", show_default=True, help="What is measured, in a few words.")
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), help="Where the two files are; default docs.")
def main(label: str, folder: Path | None) -> None:
    """Measure every chapter, add it to the history and write the report."""
    root = repository_root()
    folder = folder or root / "docs"
    figures: Figures = {}
    for chapter in read_chapters(root):
        if chapter.home:
            figures[chapter.folder] = time_chapter(chapter)
            print(chapter.folder, {name: round(value, 2) for name, value in figures[chapter.folder].items()}, flush=True)
    path = folder / "performance.json"
    history = read_json(path)["history"] if path.is_file() else []
    history.append({"label": label, "created": utc_now(), "commit": git_commit(), "machine": environment([]).machine,
                    "data": "real" if os.environ.get("CAREFOLIO_DATA_DIR") else "as found", "figures": figures})
    write_json(path, {"history": history})
    write_text(folder / "performance.md", render(history))


if __name__ == "__main__":
    main()
