"""The fault pass: what a machine can do to a run, each fault made for real, one row a fault and place.

Whatever happens, nothing is lost (committed files and earlier results are as they were), nothing is left half-written, the command says in
one line what is wrong and leaves with its exit code, and the same command given again ends as one that was not disturbed.

================  ===================================================================================================================
Disk full         Here: in three stages, over earlier results, past a limit of file size. In ``test_faults_parts.py``: a download, chapter
                  06's journal. Elsewhere: checkpoint and export of chapter 04, the audit log in ``shared/tests/serving/test_audit.py``
Read-only         Here: home and checkout, the folder of the run
No network        Here: a twin stands in, and where none may, the message says what to do. ``test_bare_laptop.py``: all chapters' quick runs
Clock wrong       Here: ahead by years, and running backwards. In ``test_faults_parts.py``: what is measured and what holds for a time
Two at once       Here: two runs in one folder. In ``test_faults_parts.py``: two downloads into one cache. Elsewhere: cycles of chapter 05,
                  deliveries of chapter 06
Killed (SIGKILL)  Here: in each stage. In ``test_faults_parts.py``: in a download. Elsewhere: scoring of chapter 02, trainings of chapters
                  04 and 08, every step of chapter 05's cycle, chapter 06's server
Cache corrupted   Here: a file cut short, other bytes. In ``test_faults_parts.py``: another form. Elsewhere: the rest, such as bad zips, in
                  ``shared/tests/datasets/test_resolve.py``
Server gone       ``test_faults_servers.py``: every client, in five ways. Elsewhere: chapter 03's providers in ``test_providers_faults.py``
================  ===================================================================================================================
"""

import resource
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from carefolio.evidence import read_evidence
from carefolio.exceptions import BusyError, DataIntegrityError, DataUnavailableError, MachineError

from .faults import (
    ROOT,
    SMALL,
    call,
    carefolio,
    content,
    kilobytes,
    leftovers,
    namespace,
    readmission,
    results,
    small_disk,
    started,
    told,
    variables,
    wait_until,
    wrong_clock,
)

pytestmark = pytest.mark.slow
DATA = "diabetes130/diabetic_data.csv"


def run(config: Path, out: Path, verb: str = "run", seed: int = 0) -> list[str]:
    """Give the words of a small run of chapter 02."""
    return readmission(verb, "--config", config, "--seed", str(seed), "--out", out)


@pytest.fixture(scope="module", autouse=True)
def _committed_files_stay() -> Iterator[None]:
    """Whatever is done here, no committed result of any chapter changes."""
    def _stamps() -> dict[str, tuple[int, int]]:
        paths = [path for name in ("reports", "artefacts") for path in ROOT.glob(f"projects/*/{name}/**/*") if path.is_file()]
        return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in paths}

    before = _stamps()
    yield
    assert _stamps() == before


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings of a run of some seconds."""
    path = tmp_path_factory.mktemp("config") / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def undisturbed(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run that nothing disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    call(run(config, folder / "out"), variables(folder / "home"))
    assert leftovers(folder / "out") == []
    return folder / "out"


@pytest.fixture(scope="module")
def earlier(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an earlier run with another seed, whose results differ."""
    folder = tmp_path_factory.mktemp("earlier")
    call(run(config, folder / "out", seed=1), variables(folder / "home"))
    return folder / "out"


@pytest.fixture
def out(tmp_path: Path, earlier: Path) -> Path:
    """Folder of a run that holds earlier results."""
    return Path(shutil.copytree(earlier, tmp_path / "out"))


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Environment of someone who has nothing yet."""
    return variables(tmp_path / "home")


def ends_as_undisturbed(command: list[str], env: dict[str, str], out: Path, undisturbed: Path) -> None:
    """Give the same command again: it works, its results are those of an undisturbed run, and it clears up."""
    call(command, env)
    if "data" in command:
        assert content(out / "data") == content(undisturbed / "data")
    else:
        assert results(out) == results(undisturbed)
    assert leftovers(out) == []


DISKS = {"data": (lambda done: kilobytes(done / "data") // 2, ("data/",)),
         "train": (lambda done: kilobytes(done / "data") + 12, ("artefacts/readmission.lgb.txt",)),
         "report": (lambda done: kilobytes(done) - kilobytes(done / "reports") // 2, ("reports/",))}
"""By the stage in which it is full: kilobytes of the disk, and where the file may lie that does not fit."""


@pytest.mark.parametrize("stage", DISKS)
def test_a_full_disk_ends_a_run_in_one_line(stage, config, undisturbed, env, tmp_path):
    size, places = DISKS[stage]
    out, kept, command = tmp_path / "out", tmp_path / "kept", run(config, tmp_path / "out")
    done = call([*small_disk(out, kept, kilobytes=size(undisturbed)), *command], env, code=MachineError.exit_code)
    said = told(done)
    assert any(f"{out}/{place}" in said for place in places), said
    assert "no space is left" in said
    assert "MB free" in said
    assert "Make room and run the same command again" in said
    assert leftovers(kept) == []
    whole = content(undisturbed)
    stages = ("data/", "train/", "artefacts/")
    assert [name for name, body in content(kept).items() if name.startswith(stages) and body != whole[name]] == [], "what is there is whole"
    assert not (kept / "reports" / "evidence.json").exists(), "no evidence of a run that did not end"
    shutil.copytree(kept, out, dirs_exist_ok=True)
    ends_as_undisturbed(command, env, out, undisturbed)


def test_a_full_disk_leaves_earlier_results(config, earlier, env, tmp_path):
    out, kept = tmp_path / "out", tmp_path / "kept"
    words = small_disk(out, kept, kilobytes=kilobytes(earlier) + 12, first=earlier)
    said = told(call([*words, *run(config, out)], env, code=MachineError.exit_code))
    assert "no space is left" in said
    assert content(kept / "reports") == content(earlier / "reports")
    assert content(kept / "artefacts") == content(earlier / "artefacts")
    assert leftovers(kept) == []


def test_a_file_past_the_limit_of_the_process_leaves_earlier_results(config, undisturbed, earlier, out, env):
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (24_000, resource.RLIM_INFINITY))

    command = run(config, out, verb="data")
    said = told(call(command, env, before=limit, code=MachineError.exit_code))
    assert said.startswith(f"{out}/data/")
    assert "larger than a file of this process may be" in said
    assert "ulimit -f" in said
    assert content(out / "reports") == content(earlier / "reports")
    ends_as_undisturbed(command, env, out, undisturbed)


def test_a_read_only_home_and_checkout_are_enough(config, undisturbed, env, tmp_path):
    read_only = f'mount --bind "{ROOT}" "{ROOT}"\nmount -o remount,bind,ro "{ROOT}"\nmount -t tmpfs -o ro none "{env["HOME"]}"'
    words = namespace(f'{read_only}\nif touch "{ROOT}/x" || touch "{env["HOME"]}/x"; then exit 99; fi')
    network = {name: value for name, value in env.items() if name != "CAREFOLIO_OFFLINE"}
    done = call([*words, *run(config, tmp_path / "out")], network)
    assert "SYNTHETIC DATA" in done.stderr
    assert f"{env['HOME']}/.cache/carefolio/diabetes130 cannot be made (Read-only file system)" in done.stderr
    assert "CAREFOLIO_CACHE_DIR names another folder" in done.stderr
    assert results(tmp_path / "out") == results(undisturbed)


def test_a_read_only_folder_of_the_run_is_said(config, earlier, out, env):
    words = namespace(f'mount --bind "{out}" "{out}"\nmount -o remount,bind,ro "{out}"')
    said = told(call([*words, *run(config, out)], env, code=MachineError.exit_code))
    assert str(out) in said
    assert "the file system is read-only" in said
    assert "--out" in said
    assert content(out) == content(earlier)


def test_without_a_network_a_twin_stands_in_and_is_said(config, undisturbed, env, tmp_path):
    network = {name: value for name, value in env.items() if name != "CAREFOLIO_OFFLINE"}
    done = call([*namespace("true", network=False), *run(config, tmp_path / "out")], network)
    assert "SYNTHETIC DATA: " in done.stderr
    assert "cannot be reached (no network, or a proxy is needed)" in done.stderr
    assert "set CAREFOLIO_DATA_DIR to a folder that holds diabetes130/" in done.stderr
    assert leftovers(tmp_path / "home" / ".cache" / "carefolio") == []
    assert results(tmp_path / "out") == results(undisturbed)


def test_without_a_network_what_has_no_twin_is_named_with_what_to_do(env):
    network = {name: value for name, value in env.items() if name != "CAREFOLIO_OFFLINE"}
    said = told(call([*namespace("true", network=False), *carefolio("data", "fetch", "diabetes130")], network,
                     code=DataUnavailableError.exit_code))
    assert said.startswith(f"{DATA} is not available")
    assert "Connect to the network and run `carefolio data fetch diabetes130`, or set CAREFOLIO_DATA_DIR" in said


def test_a_second_run_in_the_same_folder_is_refused_and_the_first_ends_well(config, undisturbed, out, env, tmp_path):
    first, second = run(config, out), run(config, out, verb="report")
    with started(first, env, tmp_path / "said.txt") as process:
        wait_until((out / ".lock").exists, process, tmp_path / "said.txt")
        wait_until(lambda: (out / ".lock").read_text(encoding="utf-8") != "", process, tmp_path / "said.txt")
        said = told(call(second, env, code=BusyError.exit_code))
        assert process.wait(timeout=100) == 0
    assert said.startswith(f"{out} is in use by process {process.pid} (")
    assert "Nothing was done" in said
    assert results(out) == results(undisturbed)
    ends_as_undisturbed(second, env, out, undisturbed)


def is_newer(path: Path, than: Path) -> bool:
    """Say whether a file is there and was written after another one."""
    with suppress(FileNotFoundError):
        return path.stat().st_mtime > than.stat().st_mtime
    return False


STAGES = {
    "data": lambda out, said: "SYNTHETIC DATA" in said,
    "train": lambda out, said: "✓ data" in said,
    "evaluate": lambda out, said: "✓ fit" in said and is_newer(out / "train" / "train.json", out / ".lock"),
    "report": lambda out, said: any((out / "reports" / "figures").glob(".part-*")),
}
"""What shows that a stage has begun; of the report, that a file is being written."""


@pytest.mark.parametrize("stage", STAGES)
def test_a_run_killed_in_a_stage_ends_as_undisturbed_when_it_is_run_again(stage, config, undisturbed, earlier, out, env, tmp_path):
    command, said = run(config, out), tmp_path / "said.txt"
    with started(command, env, said) as process:
        wait_until(lambda: STAGES[stage](out, said.read_text(encoding="utf-8")), process, said)
        process.kill()
        assert process.wait(timeout=10) == -9, "it was killed, not ended"
    assert (out / ".lock").exists(), "a killed process clears nothing up"
    if stage == "report":
        assert leftovers(out / "reports") != []
        assert (out / "reports" / "evidence.json").read_bytes() == (earlier / "reports" / "evidence.json").read_bytes()
    else:
        assert content(out / "reports") == content(earlier / "reports")
    ends_as_undisturbed(command, env, out, undisturbed)


@pytest.mark.parametrize(("damage", "words"), [(b"encounter_id,patient_nbr\n1,", "is cut short"), (b"x" * 20_000_000, "has SHA-256")],
                         ids=["cut_short", "other_bytes"])
def test_a_corrupted_cache_is_said_set_aside_and_not_used_again(damage, words, config, undisturbed, earlier, out, env, tmp_path):
    cached = tmp_path / "cache" / DATA
    cached.parent.mkdir(parents=True)
    cached.write_bytes(damage)
    env["CAREFOLIO_CACHE_DIR"] = str(tmp_path / "cache")
    command = run(config, out, verb="data")
    said = told(call(command, env, code=DataIntegrityError.exit_code))
    assert str(cached) in said
    assert words in said
    assert "set aside as diabetic_data.csv.corrupt" in said
    assert content(cached.parent) == {"diabetic_data.csv.corrupt": damage}
    assert content(out / "reports") == content(earlier / "reports")
    ends_as_undisturbed(command, env, out, undisturbed)


@pytest.fixture(scope="module")
def clock_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the library that shows another clock."""
    return tmp_path_factory.mktemp("clock")


@pytest.mark.parametrize(("offset_s", "speed"), [(10 * 365 * 86_400.0, 1.0), (0.0, -60.0)], ids=["ten_years_ahead", "running_backwards"])
def test_a_run_under_a_wrong_clock_ends_as_undisturbed(offset_s, speed, config, undisturbed, env, clock_folder, tmp_path):
    out = tmp_path / "out"
    call(run(config, out), env | wrong_clock(clock_folder, offset_s=offset_s, speed=speed))
    assert results(out) == results(undisturbed)
    found = read_evidence(out / "reports" / "evidence.json")
    assert min(found.durations_s.values()) >= 0
    ends_as_undisturbed(run(config, out, verb="report"), env, out, undisturbed)
    right = read_evidence(out / "reports" / "evidence.json")
    assert (found.created > right.created) is (speed > 0), "the clock was wrong indeed"
