"""Faults of the machine, made for real and without lasting effect, and what a run must look like after one.

A full disk and a read-only home are file systems in a namespace of the process that is tested; they end with it. A clock that is wrong is a
small library laid over the C library's. Nothing of carefolio is patched.
"""

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from carefolio.command import command_line

ROOT = Path(__file__).parents[1]
REPORTED = ("durations_s", "created", "environment", "command")
"""What differs between two runs of the same settings."""
SMALL = """
[data]
max_patients = 0
synthetic_patients = 1500
[tuning]
trials = 1
folds = 2
max_rounds = 10
early_stopping_rounds = 5
timeout_s = 60
[evaluation]
replicates = 50
curve_replicates = 50
minimum_positives = 5
shap_rows = 100
leak_splits = 1
"""
HIDDEN = ("CAREFOLIO_", "MLFLOW_", "XDG_", "MPLCONFIGDIR", "NUMBA_CACHE_DIR", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY",
          "ALL_PROXY", "all_proxy", "PYTEST_")
CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static int (*real)(clockid_t, struct timespec *);
static double begun;
int clock_gettime(clockid_t id, struct timespec *at) {
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(id, at);
    if (code || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE)) return code;
    double now = at->tv_sec + at->tv_nsec / 1e9;
    if (!begun) begun = now;
    double shown = begun + atof(getenv("CLOCK_OFFSET_S")) + atof(getenv("CLOCK_SPEED")) * (now - begun);
    at->tv_sec = (time_t)shown;
    at->tv_nsec = (long)((shown - (time_t)shown) * 1e9);
    return 0;
}
time_t time(time_t *to) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    if (to) *to = at.tv_sec;
    return at.tv_sec;
}
int gettimeofday(struct timeval *to, void *zone) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    to->tv_sec = at.tv_sec;
    to->tv_usec = at.tv_nsec / 1000;
    return 0;
}
"""


def variables(home: Path, **changes: str) -> dict[str, str]:
    """Give the environment of someone who has nothing yet: no data, no cache, no network, no settings."""
    home.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(HIDDEN)}
    return kept | {"HOME": str(home), "CAREFOLIO_OFFLINE": "1", "OMP_NUM_THREADS": "1", "COLUMNS": "200"} | changes


def readmission(*arguments: str | Path) -> list[str]:
    """Give the words that call chapter 02's command."""
    return command_line("readmission", *map(str, arguments))


def carefolio(*arguments: str | Path) -> list[str]:
    """Give the words that call the portfolio's command."""
    return command_line("carefolio", *map(str, arguments))


def program(source: str, *arguments: str | Path) -> list[str]:
    """Give the words that run some lines of Python."""
    return [sys.executable, "-c", source, *map(str, arguments)]


def call(command: Sequence[str], environment: Mapping[str, str], *, before: Callable[[], None] | None = None,
         code: int = 0, timeout_s: float = 150) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, and hold it to an exit code and to no traceback."""
    done = subprocess.run(command, env=dict(environment), cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False,
                          stdin=subprocess.DEVNULL, preexec_fn=before)
    assert done.returncode == code, f"exit code {done.returncode}, expected {code}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


def told(done: subprocess.CompletedProcess[str]) -> str:
    """Give the one line with which a command refused."""
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.stderr
    assert done.stderr.rstrip().splitlines()[-1] == lines[0], "it is the last line"
    return lines[0].removeprefix("error: ")


def results(out: Path) -> dict[str, object]:
    """Give what must be the same in two runs of the same settings: all of the evidence but times, and the bytes of the artefacts."""
    evidence = json.loads((out / "reports" / "evidence.json").read_text(encoding="utf-8"))
    files = {path.name: path.read_bytes() for path in sorted((out / "artefacts").iterdir())}
    return {name: value for name, value in evidence.items() if name not in REPORTED} | {"files": files}


def content(folder: Path) -> dict[str, bytes]:
    """Give the bytes of all files in a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def leftovers(folder: Path) -> list[str]:
    """List what is neither a result nor a folder of results: half-written files, locks, temporary ones."""
    return [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.name.startswith((".", "tmp"))]


@cache
def _can_make_namespaces() -> bool:
    words = ["unshare", "--user", "--map-root-user", "--mount", "--net", "sh", "-c", "mount -t tmpfs none /mnt"]
    return shutil.which("unshare") is not None and subprocess.run(words, capture_output=True, check=False).returncode == 0


def namespace(setup: str, *, network: bool = True, after: str = "") -> list[str]:
    """Give the words that run a command as root of namespaces of its own: ``setup`` is shell and comes before it, ``after`` behind it."""
    if not _can_make_namespaces():
        pytest.skip("this machine does not let a user make namespaces (`unshare --user --mount --net`)")
    words = ["unshare", "--user", "--map-root-user", "--mount", *([] if network else ["--net"])]
    return [*words, "sh", "-c", f'set -e\n{setup}\nset +e\n"$@"\ncode=$?\n{after}\nexit $code', "sh"]


def small_disk(place: Path, kept: Path, *, kilobytes: int, first: Path | None = None) -> list[str]:
    """Give the words that run a command with a small disk at a place; what is on it in the end is copied elsewhere."""
    place.mkdir(exist_ok=True)
    kept.mkdir()
    filled = f'cp -a "{first}/." "{place}/"' if first else ""
    return namespace(f'mount -t tmpfs -o size={kilobytes}k none "{place}"\n{filled}', after=f'cp -a "{place}/." "{kept}/"')


def kilobytes(folder: Path) -> int:
    """Measure what the files of a folder need on a disk."""
    return sum(4 * -(-path.stat().st_size // 4096) for path in folder.rglob("*") if path.is_file())


@contextmanager
def started(command: Sequence[str], environment: Mapping[str, str], said: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command that writes what it says to a file; it is ended with the block."""
    with said.open("wb") as file:
        process = subprocess.Popen(command, env=dict(environment), cwd=ROOT, stdout=file, stderr=file, stdin=subprocess.DEVNULL,
                                   start_new_session=True)
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_until(holds: Callable[[], bool], process: subprocess.Popen[bytes], said: Path) -> None:
    """Wait until something holds while a process runs."""
    deadline = time.monotonic() + 60
    while not holds():
        assert process.poll() is None, said.read_text(encoding="utf-8")
        assert time.monotonic() < deadline, said.read_text(encoding="utf-8")
        time.sleep(0.001)


@cache
def _clock_library(folder: Path) -> Path | None:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    source, library = folder / "clock.c", folder / "clock.so"
    source.write_text(CLOCK, encoding="utf-8")
    done = subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], capture_output=True, check=False)
    return library if done.returncode == 0 else None


def wrong_clock(folder: Path, *, offset_s: float = 0.0, speed: float = 1.0) -> dict[str, str]:
    """Give the variables under which a process sees another wall clock; the monotonic one is as it was."""
    library = _clock_library(folder)
    if library is None:
        pytest.skip("no C compiler makes the library that shows another clock")
    return {"LD_PRELOAD": str(library), "CLOCK_OFFSET_S": str(offset_s), "CLOCK_SPEED": str(speed)}


@dataclass(frozen=True)
class BadServer:
    """A server on loopback that takes every request and breaks off."""

    port: int

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"


HALF = b'HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json; fhirVersion=4.0\r\nContent-Length: 1000\r\n\r\n{"half": ['
WAYS = {"half_an_answer": HALF, "no_answer": b"", "another_protocol": b"220 mail.example ready\r\n", "reset": None, "silence": None}
"""How a server breaks off: what it sends before it closes; ``reset`` sends nothing and resets, ``silence`` keeps the connection open."""


@contextmanager
def bad_server(way: str) -> Iterator[BadServer]:
    """Run a server that breaks off in one of `WAYS`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        open_ones: list[socket.socket] = []
        thread = threading.Thread(target=_break_off, args=(listener, way, open_ones), daemon=True)
        thread.start()
        try:
            yield BadServer(listener.getsockname()[1])
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=5)
            for one in open_ones:
                one.close()


def _break_off(listener: socket.socket, way: str, open_ones: list[socket.socket]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        open_ones.append(connection)
        with suppress(OSError):
            connection.settimeout(0.5)
            connection.recv(65536)
            if way == "silence":
                continue
            if way == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(WAYS[way] or b"")
        connection.close()
