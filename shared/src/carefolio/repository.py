"""The whole repository checked: claims, links, cards, figures, artefacts and what must not be committed."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from carefolio import markdown
from carefolio.artefacts import sha256_file, write_text
from carefolio.chapters import read_chapters
from carefolio.claims import Problem, fill, find_problems
from carefolio.evidence import UNPUBLISHED_ORIGINS, Evidence, is_synthetic, read_evidence
from carefolio.exceptions import ArtefactError, EvidenceError
from carefolio.model_card import card_problems

FORBIDDEN = ("uv.lock", "package-lock.json", "*.pkl", "*.pickle", "*.joblib")
IDENTIFIERS = {
    "social security number": re.compile(r"(?<![\w.-])\d{3}-\d{2}-\d{4}(?![\w.-])"),
    "e-mail address": re.compile(r"[\w.+-]+@(?!example\.(?:org|com|net)\b)[\w-]+\.[a-z]{2,}", re.IGNORECASE),
    "telephone number": re.compile(r"(?<![\w.-])(?:\+?1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w.-])"),
    "medical record number": re.compile(r"\bMRN\W{0,3}\d{5,}", re.IGNORECASE),
}
_TEXT = (".md", ".json", ".csv", ".txt", ".html", ".toml", ".svg")
_UNTRACKED = ("outputs", "node_modules", "__pycache__", "build", "dist")
_HOUSE_DOCUMENTS = ("README.md", "CONTRIBUTING.md", "shared/README.md")
_CHAPTER_DOCUMENTS = ("README.md", "article.md", "reports/model_card.md")


@dataclass(frozen=True)
class _Sources:
    """What documents may quote: evidence by project, references by key, and the project of each folder."""

    evidence: Mapping[str, Evidence]
    references: Mapping[str, Mapping[str, Mapping[str, str]]]
    project_of: Mapping[str, str]

    def project(self, root: Path, file: Path) -> str | None:
        parts = file.relative_to(root).parts
        return self.project_of.get(parts[1]) if parts[0] == "projects" else None

    def known_references(self, project: str | None) -> dict[str, Mapping[str, str]]:
        prefixed = {f"{name}/{key}": value for name, table in self.references.items() for key, value in table.items()}
        return {**prefixed, **self.references.get(project or "", {})}


def documents(root: Path) -> list[Path]:
    """List the documents whose numbers are claims.

    Parameters
    ----------
    root : Path
        The repository.

    Returns
    -------
    list of Path
        Those that exist: the house's pages, then each chapter's README, article and model card.
    """
    chapters = sorted(path for path in (root / "projects").glob("*") if path.is_dir())
    wanted = [root / name for name in _HOUSE_DOCUMENTS] + [home / name for home in chapters for name in _CHAPTER_DOCUMENTS]
    return [path for path in wanted if path.is_file()]


def check_repository(root: Path, *, write: bool = False) -> list[Problem]:
    """Check every document against the evidence, and the evidence against the files.

    Parameters
    ----------
    root : Path
        The repository.
    write : bool, default False
        First fill the markers of all documents.

    Returns
    -------
    list of Problem
        Everything found, with file names relative to ``root``; empty if all is well.
    """
    sources, problems = _read_sources(root)
    if write:
        _write_documents(root, sources)
    for file in documents(root):
        problems += _document_problems(root, file, sources)
    for home in sorted(path for path in (root / "projects").glob("*") if path.is_dir()):
        problems += _identifier_problems(home / "reports")
    for file in _tracked(root):
        if any(file.match(pattern) for pattern in FORBIDDEN):
            problems.append(Problem(file, 1, "must not be committed: lock files hold index addresses, pickles run code; remove it."))
    return [problem._replace(file=problem.file.relative_to(root)) for problem in problems]


def _read_sources(root: Path) -> tuple[_Sources, list[Problem]]:
    evidence: dict[str, Evidence] = {}
    references: dict[str, Mapping[str, Mapping[str, str]]] = {}
    problems: list[Problem] = []
    chapters = [chapter for chapter in read_chapters(root) if chapter.home]
    project_of = {chapter.folder: chapter.package for chapter in chapters}
    for chapter in chapters:
        home, project = root / "projects" / chapter.folder, chapter.package
        references[project] = _read_references(home)
        path = home / "reports" / "evidence.json"
        if chapter.in_the_making and not path.is_file():
            continue
        try:
            record = read_evidence(path)
        except EvidenceError as error:
            problems.append(Problem(path, 1, str(error).replace(f"{root}/", "")))
            continue
        evidence[project] = record
        problems += _evidence_problems(home, path, record, project)
    return _Sources(evidence, references, project_of), problems


def _read_references(home: Path) -> dict[str, dict[str, str]]:
    for path in [home / "references.toml", *sorted(home.glob("src/*/references.toml"))]:
        if path.is_file():
            table: dict[str, dict[str, str]] = tomllib.loads(path.read_text(encoding="utf-8"))
            for key, entry in table.items():
                lacking = [name for name in ("value", "source", "cohort") if not str(entry.get(name, "")).strip()]
                if lacking:
                    raise EvidenceError(f"{path}: reference [{key}] lacks {', '.join(lacking)}; "
                                        "a quoted figure names its source and cohort.")
            return table
    return {}


def _evidence_problems(home: Path, path: Path, evidence: Evidence, project: str) -> Iterator[Problem]:
    if evidence.project != project:
        yield Problem(path, 1, f"`project` is {evidence.project!r}, expected the package name {project!r}.")
    for record in evidence.data:
        if record.origin in UNPUBLISHED_ORIGINS:
            kind = "synthetic data" if record.origin == "synthetic" else "a file that is not the published one"
            yield Problem(path, 1, f"committed evidence stands on {kind} ({record.name}); run the project on the published data.")
    yield from _figure_problems(home, path, evidence)
    for artefact in evidence.artefacts:
        file = home / artefact.file
        if not file.is_file():
            yield Problem(path, 1, f"artefact {artefact.file} is missing; restore it or train again.")
        elif (got := sha256_file(file)) != artefact.sha256:
            yield Problem(path, 1, f"artefact {artefact.file} has SHA-256 {got[:12]}…, the evidence says {artefact.sha256[:12]}…; "
                                   "run the project again.")


def _figure_problems(home: Path, path: Path, evidence: Evidence) -> Iterator[Problem]:
    for figure in evidence.figures:
        if not (home / "reports" / figure.file).is_file():
            yield Problem(path, 1, f"figure {figure.file} is missing; run the project's `report`.")
        if not figure.alt.strip():
            yield Problem(path, 1, f"figure {figure.file} has no text that describes it.")


def _write_documents(root: Path, sources: _Sources) -> None:
    real = {name: record for name, record in sources.evidence.items() if not is_synthetic(record)}
    for file in documents(root):
        project = sources.project(root, file)
        text = file.read_text(encoding="utf-8")
        filled = fill(text, real, sources.known_references(project), project=project, strict=False)
        if filled != text:
            write_text(file, filled)


def _document_problems(root: Path, file: Path, sources: _Sources) -> list[Problem]:
    project, text = sources.project(root, file), file.read_text(encoding="utf-8")
    problems = find_problems(text, file=file, evidence_by_project=sources.evidence, references=sources.known_references(project),
                             project=project)
    problems += _link_problems(root, file, text)
    return problems + card_problems(text, file=file) if file.name == "model_card.md" else problems


def _link_problems(root: Path, file: Path, text: str) -> Iterator[Problem]:
    for line, target in markdown.links(text):
        if re.match(r"[a-z][a-z0-9+.-]*:|//", target):
            continue
        address, _, anchor = unquote(target).partition("#")
        place = (root / address.lstrip("/") if address.startswith("/") else file.parent / address) if address else file
        if not place.exists():
            yield Problem(file, line, f"link to {target}: there is no such file.")
        elif anchor and place.suffix == ".md" and anchor not in markdown.anchors(place.read_text(encoding="utf-8")):
            yield Problem(file, line, f"link to {target}: {place.name} has no heading for #{anchor}.")


def _identifier_problems(reports: Path) -> Iterator[Problem]:
    for file in sorted(path for path in reports.rglob("*") if path.suffix in _TEXT):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            for name, pattern in IDENTIFIERS.items():
                if pattern.search(line):
                    yield Problem(file, number, f"holds what looks like a {name}; reports carry no identifiers.")


def _tracked(root: Path) -> list[Path]:
    if not (root / ".git").exists() or shutil.which("git") is None:
        present = [path.relative_to(root) for path in root.rglob("*") if path.is_file()]
        return [root / path for path in present if not any(part.startswith(".") or part in _UNTRACKED for part in path.parts)]
    done = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ArtefactError(f"git ls-files failed in {root}: {done.stderr.strip()}.")
    return [root / name for name in done.stdout.split("\0") if name]
