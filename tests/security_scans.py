"""Scanners for what must not stand in a repository: secrets, pickles in any wrapping, and calls that run or trust what they are given."""

import ast
import gzip
import io
import math
import pickletools
import re
import subprocess
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SECRETS = {
    "AWS access key": ("akia asia", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "AWS secret key": ("aws", r"(?i)\baws_?secret\w*[\"']?\s*[:=]\s*[\"']?[A-Za-z0-9/+]{40}\b"),
    "private key": ("private key", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    "GitHub token": ("ghp_ gho_ ghu_ ghs_ ghr_ github_pat_", r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{40,}\b"),
    "GitLab token": ("glpat-", r"\bglpat-[A-Za-z0-9_-]{20,}\b"),
    "Slack token": ("xox", r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    "OpenAI or Anthropic key": ("sk-", r"\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{20,}\b"),
    "Google key": ("aiza", r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "Azure account key": ("accountkey= sig=", r"(?i)\bAccountKey=[A-Za-z0-9+/]{40,}=*|[?&]sig=[A-Za-z0-9%]{40,}"),
    "package registry token": ("pypi- npm_ hf_", r"\bpypi-[A-Za-z0-9_-]{50,}|\bnpm_[A-Za-z0-9]{36}\b|\bhf_[A-Za-z]{30,}\b"),
    "signed token": ("eyj", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    "password in an address": ("://", r"(?<=[a-z0-9])://[^\s/:@{}$<>\"'`]+:[^\s/:@{}$<>\"'`]+@[\w{$]"),
    "password beside its name": ("passw secret token key", r"(?i)(?:passw(?:or)?d|secret|token|api_?key|access_?key)\w{0,20}"
                                 r"[\"']?\s*[:=]\s*[\"']?(?P<value>[A-Za-z0-9+/_=-]{16,})\b"),
}
"""Kind of secret -> words without which there is none, and a regular expression; where that has a group ``value``, it must
also look random."""
RANDOM_BITS = 3.6
"""Bits a character from which a value counts as random: words lie below, 20 random characters above."""
BEGINNING = re.compile(rb"\x80[\x00-\x05]")
NAMED = re.compile(r"[A-Za-z_][\w.]+ [A-Za-z_][\w.]+")
"""How a pickle names what it calls: module and name."""
MEMBER_LIMIT = 256 * 1024 * 1024
CALLS = {"eval": "eval", "exec": "exec", "os.system": "a shell", "os.popen": "a shell", "subprocess.getoutput": "a shell",
         "tempfile.mktemp": "a name that another can take", "hashlib.md5": "a weak hash", "hashlib.sha1": "a weak hash",
         "ssl._create_unverified_context": "no check of certificates", "yaml.load": "yaml.load", "yaml.unsafe_load": "yaml.load",
         "yaml.full_load": "yaml.load", "pandas.eval": "eval", "marshal.loads": "marshal", "numpy.core.records.fromfile": "raw records",
         "telnetlib.Telnet": "an open line", "ftplib.FTP": "an open line", "__import__": "an import by name"}


def tracked(root: Path = ROOT) -> list[Path]:
    """List the files under version control, and new ones that are not ignored."""
    line = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(line, capture_output=True, text=True, check=True).stdout.split("\0")
    return sorted({root / name for name in names if name and (root / name).is_file()})


def randomness(text: str) -> float:
    """Give the entropy of the characters of a text, in bits a character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def secrets(text: str) -> Iterator[tuple[str, str]]:
    """Find secrets; gives (kind, what was found)."""
    small = text.lower()
    for kind, (words, pattern) in SECRETS.items():
        for found in re.finditer(pattern, text) if words == "private key" or any(word in small for word in words.split()) else ():
            value = found.groupdict().get("value")
            if value is None or (randomness(value) >= RANDOM_BITS and re.search(r"\d", value) and re.search(r"[A-Za-z]", value)):
                yield kind, found[0]


def pickles(content: bytes, depth: int = 4) -> Iterator[str]:
    """Find pickles in a file, in what is packed in it, and arrays of objects; gives where each is."""
    if depth and content[:2] == b"\x1f\x8b":
        yield from (f"gzip: {found}" for found in pickles(gzip.decompress(content), depth - 1))
    elif depth and zipfile.is_zipfile(io.BytesIO(content)):
        yield from _in_zip(content, depth)
    elif depth and content[:1] == b"x" and (plain := _inflated(content)):
        yield from (f"zlib: {found}" for found in pickles(plain, depth - 1))
    if content[:6] == b"\x93NUMPY" and re.search(rb"'descr': ?(?:'\|O|\[.*'\|?O)", content[:4096]):
        yield "an array of objects"
    starts = {0} | {found.start() for found in BEGINNING.finditer(content)}
    yield from (f"a pickle at byte {start}" for start in sorted(starts) if _is_pickle(content[start:start + 4096], whole=start == 0))


def _in_zip(content: bytes, depth: int) -> Iterator[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            if member.filename.endswith((".pkl", ".pickle", ".joblib")):
                yield f"{member.filename}: named as a pickle"
            if member.file_size <= MEMBER_LIMIT:
                yield from (f"{member.filename}: {found}" for found in pickles(archive.read(member), depth - 1))


def _inflated(content: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(content, MEMBER_LIMIT)
    except zlib.error:
        return b""


def _is_pickle(content: bytes, *, whole: bool) -> bool:
    """Say whether bytes are the instructions of a pickle: one that names a thing to call, or the whole of a short plain one."""
    texts: list[str] = []
    codes: set[str] = set()
    try:
        for code, argument, place in pickletools.genops(content):
            codes.add(code.name)
            texts += [argument] if isinstance(argument, str) else []
            named = " ".join(texts[-2:]) if code.name == "STACK_GLOBAL" else str(argument) if code.name in ("GLOBAL", "INST") else ""
            if NAMED.fullmatch(named):
                return True
            if code.name == "STOP":
                return whole and place == len(content) - 1 and len(codes) > 2
    except Exception:  # noqa: BLE001 - whatever is no pickle ends here, in one of many ways
        return False
    return False


def risky_calls(source: str) -> list[str]:
    """List calls in Python that run or trust what they are given."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name, words = ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords if word.arg}
        if name in CALLS and not (name.startswith("hashlib.") and words.get("usedforsecurity") == "False"):
            found.append(CALLS[name])
        if words.get("shell") == "True":
            found.append("a shell")
        if words.get("verify") == "False" or words.get("check_hostname") == "False":
            found.append("no check of certificates")
        if name.endswith((".extractall", ".unpack_archive")) and words.get("filter") != "'data'":
            found.append("an archive unpacked without a filter")
    return found
