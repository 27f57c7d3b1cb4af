"""The fault pass, parts of a run: downloads on a full disk, killed, or two at once; a cached file of another form; a wrong clock.

The table of all faults stands in ``test_faults.py``.
"""

import os
import resource
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from carefolio.exceptions import DataIntegrityError, MachineError, SchemaError
from carefolio.testing import serve_handler

from .faults import ROOT, call, content, leftovers, program, started, told, variables, wait_until, wrong_clock

BODY = b"id,value\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(20_000))
FETCH = """
import hashlib, sys, click
from carefolio.command import Group
from carefolio.datasets.catalog import DatasetEntry, FileEntry
from carefolio.datasets.resolve import resolve

@click.group(cls=Group)
def main(): ...

@main.command()
@click.argument("url")
@click.argument("sha256")
@click.argument("size", type=int)
def fetch(url, sha256, size):
    file = FileEntry(name="sample.csv", bytes=size, sha256=sha256, urls=(url,))
    entry = DatasetEntry(name="sample", title="Sample", publisher="nobody", doi="10.0/0", licence="CC0",
                         licence_url="https://example.org", citation="none", files=(file,))
    found = resolve("sample", "sample.csv", entries={"sample": entry})
    click.echo(f"{found.origin} {found.path}")

main()
"""


class Publisher:
    """Serves `BODY` on loopback; while ``held``, it stops after the first half."""

    def __init__(self, address: str, held: threading.Event) -> None:
        self.address, self.held, self.requests = address, held, 0

    def fetch(self) -> list[str]:
        """Give the words of a command that fetches the file."""
        import hashlib

        return program(FETCH, "fetch", f"{self.address}/sample.csv", hashlib.sha256(BODY).hexdigest(), str(len(BODY)))


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    """A publisher that sends half of its file, and the rest when it is let go."""
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            publisher.requests += 1
            self.send_response(200)
            self.send_header("Content-Length", str(len(BODY)))
            self.end_headers()
            self.wfile.write(BODY[: len(BODY) // 2])
            self.wfile.flush()
            if publisher.held.wait(timeout=60):
                self.wfile.write(BODY[len(BODY) // 2:])

        def log_message(self, format: str, *args: object) -> None:
            return

    with serve_handler(Handler) as address:
        publisher = Publisher(address, threading.Event())
        publisher.held.set()
        yield publisher
        publisher.held.set()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """An empty cache."""
    return tmp_path / "cache"


@pytest.fixture
def env(tmp_path: Path, cache: Path) -> dict[str, str]:
    """Environment with a network, of someone who has nothing yet."""
    found = variables(tmp_path / "home", CAREFOLIO_CACHE_DIR=str(cache), NO_PROXY="127.0.0.1", no_proxy="127.0.0.1")
    return {name: value for name, value in found.items() if name != "CAREFOLIO_OFFLINE"}


def ends_well(publisher: Publisher, env: dict[str, str], cache: Path) -> None:
    """Give the command again: the file is there, whole and alone."""
    call(publisher.fetch(), env)
    assert content(cache) == {"sample/sample.csv": BODY}


def test_a_download_past_what_the_disk_takes_is_said_and_leaves_nothing(publisher, cache, env):
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))

    said = told(call(publisher.fetch(), env, before=limit, code=MachineError.exit_code))
    assert "larger than a file of this process may be" in said
    assert content(cache) == {}
    ends_well(publisher, env, cache)


def test_a_download_that_is_killed_leaves_what_the_next_one_clears_away(publisher, cache, env, tmp_path):
    publisher.held.clear()
    with started(publisher.fetch(), env, tmp_path / "said.txt") as process:
        wait_until(lambda: publisher.requests > 0 and leftovers(cache) != [], process, tmp_path / "said.txt")
        process.kill()
        assert process.wait(timeout=10) == -9
    assert leftovers(cache) != []
    assert not (cache / "sample" / "sample.csv").exists()
    publisher.held.set()
    ends_well(publisher, env, cache)


def test_two_downloads_at_once_ask_the_publisher_once(publisher, cache, env, tmp_path):
    publisher.held.clear()
    with started(publisher.fetch(), env, tmp_path / "first.txt") as first:
        wait_until(lambda: publisher.requests > 0, first, tmp_path / "first.txt")
        with started(publisher.fetch(), env, tmp_path / "second.txt") as second:
            with pytest.raises(subprocess.TimeoutExpired):
                second.wait(timeout=3)
            publisher.held.set()
            assert (first.wait(timeout=30), second.wait(timeout=30)) == (0, 0)
    said = [(tmp_path / f"{name}.txt").read_text(encoding="utf-8").split()[0] for name in ("first", "second")]
    assert said == ["publisher", "cache"]
    assert publisher.requests == 1
    assert content(cache) == {"sample/sample.csv": BODY}


def test_a_cached_file_of_another_form_is_set_aside_and_fetched_anew(tmp_path, monkeypatch):
    from carefolio.artefacts import seal
    from carefolio.datasets.mtsamples import FILE, NAME, load_mtsamples

    monkeypatch.delenv("CAREFOLIO_DATA_DIR", raising=False)
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    monkeypatch.setenv("CAREFOLIO_CACHE_DIR", str(tmp_path))
    cached = tmp_path / NAME / FILE
    cached.parent.mkdir()
    cached.write_bytes(b"another,form\n1,2\n")
    seal(cached)
    with pytest.raises((SchemaError, DataIntegrityError), match=rf"Set aside as {FILE}\.corrupt; run the same command again") as caught:
        load_mtsamples()
    assert "\n" not in str(caught.value)
    assert not cached.exists()
    assert load_mtsamples(allow_synthetic=True).provenance.origin == "synthetic", "the next run does not take it again"


SAVE = """
import sys, click
from pathlib import Path
from carefolio.command import Group
from readmission.model import load_model

@click.group(cls=Group)
def main(): ...

@main.command()
@click.argument("source", type=Path)
@click.argument("folder", type=Path)
def save(source, folder):
    load_model(source).save(folder)

main()
"""


def test_a_model_past_what_the_disk_takes_is_said_and_leaves_the_one_before(env, tmp_path):
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))

    committed, folder = ROOT / "projects" / "02-readmission-pipeline" / "artefacts", tmp_path / "artefacts"
    command = program(SAVE, "save", committed, folder)
    call(command, env)
    before = content(folder)
    said = told(call(command, env, before=limit, code=MachineError.exit_code))
    assert said.startswith(f"{folder / 'readmission.lgb.txt'}: it would be larger")
    assert content(folder) == before


def test_a_journal_whose_last_line_the_disk_cut_off_goes_on(tmp_path):
    from model_registry.tracking.journal import append, begin_run, read_entries

    journal = begin_run(tmp_path, experiment="e", name="r", tags={})
    long = program("import sys; from pathlib import Path; from model_registry.tracking.journal import append\n"
                   "append(Path(sys.argv[1]), {'do': 'tags', 'values': {'long': 'x' * 10_000}})", journal)
    done = subprocess.run(long, capture_output=True, text=True, check=False, timeout=60,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, resource.RLIM_INFINITY)))
    assert "File too large" in done.stderr
    assert not (journal / "entries.jsonl").read_bytes().endswith(b"\n"), "a line was cut off"
    append(journal, {"do": "end"})
    assert [entry["do"] for entry in read_entries(journal)] == ["create", "end"]


@pytest.fixture(scope="module")
def clock_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the library that shows another clock."""
    return tmp_path_factory.mktemp("clock")


BACKWARDS = {
    "trial_of_chapter_06": """
from model_registry.tuning import _timed
found = _timed(lambda parameters: time.sleep(0.1) or {}, {})
print(found["ended_ms"] - found["started_ms"])""",
    "run_of_chapter_06": """
import pathlib, sys
from model_registry.tracking import journal
run = journal.begin_run(pathlib.Path(sys.argv[1]), experiment="e", name="r", tags={})
time.sleep(0.1)
journal.end_run(run)
begun, ended = [entry["time_ms"] for entry in journal.read_entries(run)]
print(ended - begun)""",
    "step_of_a_command": """
from carefolio.command import step
durations = {}
with step("nap", durations):
    time.sleep(0.1)
print(durations["nap"])""",
    "rate_limit": """
from carefolio.serving.limits import RateLimiter
limiter = RateLimiter(per_minute=600, clients=1)
[limiter.take("a") for _ in range(600)]
waits = limiter.take("a")
time.sleep(0.25)
print(waits if limiter.take("a") == 0 else -1)""",
}


@pytest.mark.parametrize("what", BACKWARDS)
def test_what_takes_time_takes_no_less_than_none_under_a_clock_that_runs_backwards(what, clock_folder, tmp_path):
    source = f"import time\nbegun = time.time()\ntime.sleep(0.05)\nassert time.time() < begun, 'the clock runs'\n{BACKWARDS[what]}"
    env = {**os.environ, "OMP_NUM_THREADS": "1", **wrong_clock(clock_folder, speed=-60.0)}
    assert float(call(program(source, tmp_path), env).stdout) >= 0


@pytest.mark.parametrize(("skew_s", "taken"), [(-100, True), (8, True), (100, False), (-400, False)])
def test_a_client_of_chapter_09_whose_clock_is_wrong_is_given_the_leeway_and_no_more(skew_s, taken):
    import time

    from joserfc.jwk import KeySet

    from clinical_workflow.smart.assertions import check_assertion, client_assertion, new_key, public_keys

    key, url = new_key("k"), "http://hospital.example/token"
    text = client_assertion("client", key, token_url=url, now=time.time() + skew_s)
    keys = KeySet.import_key_set(public_keys(key))
    assert check_assertion(text, keys=keys, client_id="client", token_url=url, take_once=lambda *_: True) is taken
