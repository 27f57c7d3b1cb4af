"""Made-up notes to try the page with."""

import functools
from dataclasses import dataclass

from carefolio.runs import read_packaged_toml


@dataclass(frozen=True)
class Example:
    """A made-up text and what the page calls it."""

    title: str
    text: str


@functools.cache
def read_examples() -> dict[str, Example]:
    """Read the examples.

    Returns
    -------
    dict of str to Example
        By key, in the order of the page.
    """
    found = read_packaged_toml("notes_summarizer.views", "examples.toml")
    return {key: Example(entry["title"], entry["text"].strip()) for key, entry in found.items()}
