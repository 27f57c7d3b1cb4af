"""What a Markdown document shows a reader: its numbers, links, anchors and shell commands, each with its line."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

_MARKED = re.compile(r"<!--(ev|cite)\b[^>]*-->(?:(?!<!--).)*<!--/\1-->", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TAG = re.compile(rf"{_COMMENT.pattern}|</?[a-zA-Z][^>]*>", re.DOTALL)
_ADDRESS = re.compile(r"""<(?:a|img)\b[^>]*?\b(?:href|src)=["']([^"']+)["']""")
_NAMED = re.compile(r"""<[a-zA-Z][^>]*?\b(?:id|name)=["']([^"']+)["']""")
_INLINE_CODE = re.compile(r"(?<!`)(`+)(?!`)((?:(?!\n\s*\n).)+?)(?<!`)\1(?!`)", re.DOTALL)
_NUMBER = re.compile(r"(?<![\w.])(?<![A-Za-z]-)(?:\d[\d,]*(?:\.\d+)*|\.\d+)(?:\s?%)?")
_NOT_A_RESULT = re.compile(
    r"\bPython\s(?:3\.\d+|[-–,\s]|to|and|or)+|\bCC\sBY(?:-[A-Z]{2})*\s\d\.\d|(?:§|\bCFR)\s?[\d.]+|\bdoi:\S+|\bhttps?://\S+"
    r"|\b\d+(?:\.\d+)?\s?%\s(?:CI|confidence)\b|\b[Vv]ersions?\s\d+(?:\.\d+)*")


class Found(NamedTuple):
    """Something on a line of a document."""

    line: int
    text: str


def parse(text: str) -> list[Token]:
    """Read CommonMark with tables.

    Parameters
    ----------
    text : str
        The document.

    Returns
    -------
    list of Token
        Block tokens of markdown-it, the inline ones as their children.
    """
    return MarkdownIt("commonmark").enable("table").parse(text)


def unmarked_numbers(text: str) -> list[Found]:
    """Find numbers that read as a result and stand outside of markers, code, addresses and headings.

    A decimal, a percentage, a number with a thousands separator, and an integer from 1000 on that is no year count; plain
    small integers, versions and licence names do not.

    Parameters
    ----------
    text : str
        The document.

    Returns
    -------
    list of Found
        The numbers in the order of the document.
    """
    found = []
    for line, block in _visible(parse(text)):
        block = _NOT_A_RESULT.sub(lambda match: re.sub(r"[^\n]", "x", match[0]), block)
        found += [Found(line + block.count("\n", 0, match.start()), match[0].strip(" ,"))
                  for match in _NUMBER.finditer(block) if _counts(match[0].strip(" ,"))]
    return found


def _counts(number: str) -> bool:
    if number.endswith("%"):
        return True
    if number.count(".") > 1:
        return False
    if "." in number or "," in number:
        return True
    return int(number) >= 1000 and not 1900 <= int(number) <= 2100


def _visible(tokens: list[Token]) -> Iterator[tuple[int, str]]:
    heading = False
    for token in tokens:
        heading = token.type == "heading_open" or (heading and token.type != "heading_close")
        line = token.map[0] + 1 if token.map else 1
        if token.type == "html_block":
            without_marked = _MARKED.sub(_only_newlines, token.content)
            yield line, _TAG.sub(_only_newlines, without_marked)
        elif token.type == "inline" and not heading:
            yield line, _inline_text(token.children or [])


def _only_newlines(match: re.Match[str]) -> str:
    return " " + "\n" * match[0].count("\n")


def _inline_text(children: list[Token]) -> str:
    words, marked = [], False
    for child in children:
        if child.type == "html_inline" and child.content.startswith(("<!--ev", "<!--cite", "<!--/ev", "<!--/cite")):
            marked = not child.content.startswith("<!--/")
        shown = child.content if child.type in ("text", "image") and not marked else " " * (child.type != "text")
        words.append("\n" if child.type in ("softbreak", "hardbreak") else shown)
    return "".join(words)


def lines_taken_as_html(text: str) -> list[int]:
    """Find markers that open a line, which Markdown takes for a block of HTML and shows without its formatting.

    Parameters
    ----------
    text : str
        The document.

    Returns
    -------
    list of int
        Line numbers, from 1.
    """
    blocks = [token for token in parse(text) if token.type == "html_block" and token.map]
    return [token.map[0] + 1 for token in blocks if token.map and token.content.lstrip().startswith(("<!--ev", "<!--cite"))]


def links(text: str) -> list[Found]:
    """List the targets of links and images.

    Parameters
    ----------
    text : str
        The document.

    Returns
    -------
    list of Found
        Targets as written.
    """
    found = []
    for token in parse(text):
        line = token.map[0] + 1 if token.map else 1
        if token.type == "html_block":
            found += [Found(line, target) for target in _ADDRESS.findall(token.content)]
        for child in token.children or []:
            line += child.type in ("softbreak", "hardbreak")
            targets = _ADDRESS.findall(child.content) if child.type == "html_inline" else [child.attrGet("href") or child.attrGet("src")]
            found += [Found(line, str(target)) for target in targets if target]
    return found


def anchors(text: str) -> set[str]:
    """List what a link with ``#`` may point at: headings in the form that code hosts give them, and named elements.

    Parameters
    ----------
    text : str
        The document.

    Returns
    -------
    set of str
        Anchors without ``#``.
    """
    tokens = parse(text)
    names: set[str] = set(_NAMED.findall(text))
    for opening, inline in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        title = "".join(child.content for child in inline.children or [] if child.type in ("text", "code_inline"))
        slug = re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")
        repeats = sum(1 for name in names if re.fullmatch(rf"{re.escape(slug)}(-\d+)?", name))
        names.add(f"{slug}-{repeats}" if slug in names else slug)
    return names


def shell_lines(text: str) -> list[Found]:
    """List the commands in fenced blocks of the languages ``console``, ``sh``, ``bash`` and ``shell``.

    Parameters
    ----------
    text : str
        The document.

    Returns
    -------
    list of Found
        Commands without their prompt, continued lines joined; comments are left out, and where a console shows prompts its output too.
    """
    found = []
    for token in parse(text):
        language = token.info.split(maxsplit=1)[0] if token.info.strip() else ""
        if token.type != "fence" or language not in ("console", "sh", "bash", "shell") or not token.map:
            continue
        prompts = language == "console" and re.search(r"^\s*\$ ", token.content, re.MULTILINE)
        joined = re.sub(r"\\\n\s*(.*)", r"\1\n", token.content) if "\\\n" in token.content else token.content
        for offset, line in enumerate(joined.splitlines(), start=token.map[0] + 2):
            command = line.strip().removeprefix("$ ")
            is_output = prompts and not line.lstrip().startswith("$ ")
            if command and not (is_output or command.startswith("#")):
                found.append(Found(offset, command))
    return found


def without_comments(text: str) -> str:
    """Take out comments, which a reader does not see; markers are such.

    Parameters
    ----------
    text : str
        The document.

    Returns
    -------
    str
        What is left.
    """
    return _COMMENT.sub("", text)


def without_code(text: str) -> str:
    """Blank out code blocks and inline code, so that what they show is not taken for the document's own markup.

    Parameters
    ----------
    text : str
        The document.

    Returns
    -------
    str
        Text of the same length and lines.
    """
    lines = re.split(r"(?<=\n)", text)
    for token in parse(text):
        if token.type in ("fence", "code_block") and token.map:
            for number in range(*token.map):
                lines[number] = re.sub(r"[^\n]", " ", lines[number])
    return _INLINE_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), "".join(lines))
