"""The articles as posts: plain text to paste, with their figures as files and what each shows in words.

A platform takes no Markdown, and cuts what is too long. Each article becomes a short post for the feed, a long one, and a folder of figures
in the order in which the text names them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markdown_it.token import Token

from carefolio.artefacts import write_text
from carefolio.chapters import Chapter
from carefolio.command import DISCLAIMER
from carefolio.exceptions import ConfigError
from carefolio.markdown import parse

HEADLINE_LIMIT, POST_LIMIT, ARTICLE_LIMIT = 100, 3_000, 40_000
"""Characters that LinkedIn takes as the headline of an article, in a post, and in an article; of the published figures the lowest."""
ARTICLE = "article.md"


@dataclass(frozen=True)
class Figure:
    """A picture of an article: where it stands beside it, and what it shows in words."""

    source: str
    shows: str


@dataclass(frozen=True)
class Post:
    """An article in plain text.

    Attributes
    ----------
    title : str
        Its headline.
    short : str
        For the feed: title, summary and what the parts are called.
    long : str
        All of it, each figure named where it belongs.
    figures : tuple of Figure
        In the order of the text.
    """

    title: str
    short: str
    long: str
    figures: tuple[Figure, ...]


def write_posts(chapters: Sequence[Chapter], folder: Path, *, address: str = "") -> list[tuple[Chapter, Post]]:
    """Write the posts of all chapters that have an article.

    Parameters
    ----------
    chapters : sequence of Chapter
        Whose articles are wanted.
    folder : Path
        Gets a folder a chapter, with ``post.txt``, ``article.txt``, the figures and ``figures.txt``.
    address : str, optional
        Where the repository is; the last line of each post.

    Returns
    -------
    list of (Chapter, Post)
        What was written.

    Raises
    ------
    ConfigError
        If one is too long for the platform, or a figure is missing.
    """
    found = []
    for chapter in chapters:
        if chapter.home is None or not (chapter.home / ARTICLE).is_file():
            continue
        post = make_post((chapter.home / ARTICLE).read_text(encoding="utf-8"), address=address)
        _check_lengths(chapter.folder, post)
        _write(post, chapter.home, folder / chapter.folder)
        found.append((chapter, post))
    return found


def make_post(article: str, *, address: str = "") -> Post:
    """Turn an article into plain text.

    Parameters
    ----------
    article : str
        Markdown, its markers filled.
    address : str, optional
        Last line of the post.

    Returns
    -------
    Post
        Without any markup.
    """
    figures: list[Figure] = []
    blocks = list(_blocks(parse(article), figures))
    title = next((text for kind, text in blocks if kind == "h1"), "")
    opening = [text for kind, text in blocks[:4] if kind == "p"][:2]
    parts = "\n".join(f"- {text}" for kind, text in blocks if kind == "h2")
    end = [DISCLAIMER, *([address] if address else [])]
    return Post(title, _joined([title, *opening, f"In it:\n{parts}", *end]), _joined([*(text for _, text in blocks), *end]), tuple(figures))


def _joined(parts: Sequence[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def _blocks(tokens: Sequence[Token], figures: list[Figure]) -> Iterator[tuple[str, str]]:
    """Give the blocks of a document as (tag, plain text); figures are gathered on the way."""
    kind, item, row = "p", "", list[str]()
    for token in tokens:
        if token.type in ("heading_open", "paragraph_open"):
            kind = token.tag
        elif token.type == "list_item_open":
            item = f"{token.info}. " if token.info else "- "
        elif token.type in ("fence", "code_block"):
            yield "code", "\n".join(f"    {line}".rstrip() for line in token.content.rstrip().splitlines())
        elif token.type == "tr_open":
            row = []
        elif token.type in ("th_open", "td_open"):
            kind = "cell"
        elif token.type == "tr_close":
            yield "row", " | ".join(row)
            kind = "p"
        elif token.type == "inline":
            text = _inline(token.children or [], figures)
            if kind == "cell":
                row.append(text)
                continue
            yield kind, item + text
            item = ""


def _inline(children: Sequence[Token], figures: list[Figure]) -> str:
    words, target = list[str](), ""
    for child in children:
        if child.type in ("text", "code_inline"):
            words.append(child.content)
        elif child.type in ("softbreak", "hardbreak"):
            words.append(" ")
        elif child.type == "image":
            figures.append(Figure(str(child.attrGet("src")), child.content))
            words.append(f"[Figure {len(figures)}: {child.content}]")
        elif child.type == "link_open":
            target = str(child.attrGet("href"))
        elif child.type == "link_close" and target.startswith("http"):
            words.append(f" ({target})")
    return "".join(words).strip()


def _check_lengths(name: str, post: Post) -> None:
    limits = (("headline", post.title, HEADLINE_LIMIT), ("post", post.short, POST_LIMIT), ("article", post.long, ARTICLE_LIMIT))
    for what, text, limit in limits:
        if not 0 < len(text) <= limit:
            raise ConfigError(f"{name}/{ARTICLE}: its {what} has {len(text):,} characters, expected 1 to {limit:,}. Shorten the article.")


def _write(post: Post, home: Path, folder: Path) -> None:
    for earlier in folder.glob("figure-*"):
        earlier.unlink()
    write_text(folder / "post.txt", post.short)
    write_text(folder / "article.txt", post.long)
    told = []
    for number, figure in enumerate(post.figures, start=1):
        source = home / figure.source
        if not source.is_file():
            raise ConfigError(f"{home.name}/{ARTICLE} names {figure.source}, which is not there. Run the chapter in full, or correct the "
                              "name.")
        name = f"figure-{number}-{source.name}"
        shutil.copyfile(source, folder / name)
        told.append(f"{name}: {figure.shows}")
    write_text(folder / "figures.txt", "\n".join(told) + "\n")
