"""The chapters of the repository: what is planned, what exists, and the one number that each puts in front."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from carefolio.exceptions import ConfigError


@dataclass(frozen=True)
class Chapter:
    """A chapter as its ``pyproject.toml`` describes it, or as planned where there is none.

    ``home`` is its folder, None where it does not exist; ``headline`` the id of its leading metric, empty where it names none; ``result``
    the sentence that holds it, with ``{ev:ID FORMAT}``. One that is ``in_the_making`` runs, but has published nothing yet. ``without``
    says which of the standard files and verbs it has no use for, and why.
    """

    folder: str
    package: str
    command: str
    activity: str
    question: str
    home: Path | None = None
    headline: str = ""
    result: str = ""
    in_the_making: bool = False
    without: Mapping[str, str] = field(default_factory=dict)


def repository_root() -> Path:
    """Find the repository.

    Returns
    -------
    Path
        ``$CAREFOLIO_HOME`` if set, else the first folder with both ``projects`` and ``shared`` from the working directory upwards.

    Raises
    ------
    ConfigError
        If there is none.
    """
    home = os.environ.get("CAREFOLIO_HOME")
    roots = [Path(home)] if home else [Path.cwd(), *Path.cwd().parents]
    for root in roots:
        if (root / "projects").is_dir() and (home or (root / "shared").is_dir()):
            return root
    raise ConfigError(f"{roots[0]} is not inside the repository; run from inside it or set CAREFOLIO_HOME to its folder.")


def read_chapters(root: Path) -> list[Chapter]:
    """List the chapters, planned and existing.

    Parameters
    ----------
    root : Path
        The repository.

    Returns
    -------
    list of Chapter
        In the order of their folders.

    Raises
    ------
    ConfigError
        If a chapter's ``pyproject.toml`` cannot be read or lacks ``[project.scripts]`` or ``[tool.carefolio]``.
    """
    text = files("carefolio").joinpath("data", "chapters.toml").read_text(encoding="utf-8")
    chapters = {row["folder"]: Chapter(**row) for row in tomllib.loads(text)["chapter"]}
    chapters |= {path.parent.name: _read(path) for path in sorted((root / "projects").glob("*/pyproject.toml"))}
    return [chapters[folder] for folder in sorted(chapters)]


def _read(path: Path) -> Chapter:
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        command, target = next(iter(table["project"]["scripts"].items()))
        about = table["tool"]["carefolio"]
        return Chapter(folder=path.parent.name, package=target.partition(".")[0], command=command, activity=about["activity"],
                       question=about["question"], home=path.parent, headline=about.get("headline", ""),
                       result=about.get("result", ""), in_the_making=bool(about.get("in_the_making", False)),
                       without=about.get("without", {}))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from None
    except (KeyError, StopIteration) as error:
        raise ConfigError(f"{path} lacks {error}; a chapter has one command in [project.scripts], and activity and question "
                          "in [tool.carefolio].") from None


def select(chapters: list[Chapter], names: list[str]) -> list[Chapter]:
    """Pick existing chapters by folder, number, package or command.

    Parameters
    ----------
    chapters : list of Chapter
        All of them.
    names : list of str
        For example ``["02"]`` or ``["readmission"]``; empty for all that exist.

    Returns
    -------
    list of Chapter
        In the order of ``names``.

    Raises
    ------
    ConfigError
        If a name fits none, or fits one that does not exist yet.
    """
    existing = [chapter for chapter in chapters if chapter.home]
    picked = []
    for name in names:
        fitting = [c for c in chapters if name in (c.folder, c.package, c.command, c.folder.partition("-")[0], c.folder[:2].lstrip("0"))]
        if not fitting or fitting[0].home is None:
            state = "does not exist yet" if fitting else "is no chapter"
            raise ConfigError(f"{name!r} {state}; those that exist: {', '.join(c.command for c in existing) or 'none'}.")
        picked.append(fitting[0])
    return picked if names else existing


def headline(chapter: Chapter) -> str:
    """Give a chapter's leading result in words.

    Parameters
    ----------
    chapter : Chapter
        The chapter.

    Returns
    -------
    str
        Its ``result``, or the name of the metric and its value, such as ``"ROC AUC 0.684 (95 % CI 0.672 to 0.696)"``; ``"planned"`` where
        the chapter does not exist,
        ``"in the making"`` or ``"no evidence yet"`` where it was not run.

    Raises
    ------
    EvidenceError
        If the evidence is damaged or does not hold the headline.
    """
    from carefolio.claims import expand, fill
    from carefolio.evidence import read_evidence
    from carefolio.markdown import without_comments

    if chapter.home is None:
        return "planned"
    path = chapter.home / "reports" / "evidence.json"
    if chapter.in_the_making and not path.is_file():
        return "in the making"
    if not path.is_file() or not chapter.headline:
        return "no evidence yet" if chapter.headline else "no headline named"
    evidence = read_evidence(path)
    record = evidence.metrics.get(chapter.headline)
    form = "ci.3f" if record and record.level is not None else ".3f"
    name = chapter.headline.rpartition(".")[2].replace("_", " ").replace("roc auc", "ROC AUC").replace("wis", "WIS")
    text = expand(chapter.result or f"{name} {{ev:{chapter.headline} {form}}}")
    return without_comments(fill(text, {evidence.project: evidence}, {}, project=evidence.project))


def data_origins(chapter: Chapter) -> str:
    """Say which data a chapter's evidence stands on.

    Parameters
    ----------
    chapter : Chapter
        The chapter.

    Returns
    -------
    str
        For example ``"diabetes130 (mirror)"``; empty without evidence.
    """
    from carefolio.evidence import MADE_BY_PROGRAM, read_evidence

    path = chapter.home / "reports" / "evidence.json" if chapter.home else None
    if path is None or not path.is_file():
        return ""
    return ", ".join(f"{record.name} ({record.origin}{', made by a program' * (record.name in MADE_BY_PROGRAM)})"
                     for record in read_evidence(path).data)
