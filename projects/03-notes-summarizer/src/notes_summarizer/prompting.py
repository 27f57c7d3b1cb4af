"""Prompts are versioned files; a filled prompt knows which file and which version it came from."""

from __future__ import annotations

import functools
import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Any

from carefolio.exceptions import ConfigError

PACKAGE = "notes_summarizer"
_NAME = re.compile(r"[a-z]+_v[1-9][0-9]*")


@dataclass(frozen=True)
class Prompt:
    """What is sent to a chat model.

    Attributes
    ----------
    name : str
        Name of the file with its version, such as ``"summary_v1"``.
    sha256 : str
        Hash of that file.
    system, user : str
        The two messages.
    json_schema : mapping or None
        Schema that the answer has to follow; None for plain text.
    filled : str or None
        What was filled into the blanks, one value a line; None where the messages did not come from a file with blanks.
    """

    name: str
    sha256: str
    system: str
    user: str
    json_schema: Mapping[str, Any] | None = None
    filled: str | None = None

    @property
    def task(self) -> str:
        """Give the name without its version.

        Returns
        -------
        str
            Such as ``"summary"``.
        """
        return self.name.rpartition("_v")[0]

    @property
    def variable(self) -> str:
        """Give all that leaves the process and does not stand in a file of this package.

        The words of a template are no identifiers, though a patient may be named like one of them.

        Returns
        -------
        str
            What was filled in, or both messages.
        """
        return f"{self.system}\n\n{self.user}" if self.filled is None else self.filled


@dataclass(frozen=True)
class PromptFile:
    """A prompt with blanks.

    Attributes
    ----------
    name, sha256 : str
        As in `Prompt`.
    system, user : str
        Messages with blanks such as ``$note``.
    """

    name: str
    sha256: str
    system: str
    user: str

    def fill(self, *, json_schema: Mapping[str, Any] | None = None, **values: str) -> Prompt:
        """Fill the blanks; what is filled in is never read for blanks of its own.

        Parameters
        ----------
        json_schema : mapping, optional
            Schema that the answer has to follow.
        **values : str
            One value a blank.

        Returns
        -------
        Prompt
            Ready to be sent.

        Raises
        ------
        ConfigError
            If a blank has no value.
        """
        try:
            system, user = (Template(part).substitute(values) for part in (self.system, self.user))
        except KeyError as error:
            raise ConfigError(f"prompt {self.name} has the blank ${error.args[0]}; got values for {', '.join(sorted(values)) or 'none'}. "
                              "Pass it to fill().") from None
        return Prompt(self.name, self.sha256, system, user, json_schema, "\n".join(values.values()))


@functools.cache
def load_prompt(name: str) -> PromptFile:
    """Read a prompt from the package.

    Parameters
    ----------
    name : str
        File name without ``.toml``, with its version, such as ``"summary_v1"``. A version that has been used is never edited: a
        change is a new file.

    Returns
    -------
    PromptFile
        With blanks.

    Raises
    ------
    ConfigError
        If there is no such prompt.
    """
    folder = files(PACKAGE).joinpath("prompts")
    known = sorted(path.name.removesuffix(".toml") for path in folder.iterdir() if path.name.endswith(".toml"))
    if not _NAME.fullmatch(name) or name not in known:
        raise ConfigError(f"there is no prompt {name!r}; known are {', '.join(known)}.")
    data = folder.joinpath(f"{name}.toml").read_bytes()
    table = tomllib.loads(data.decode())
    return PromptFile(name, hashlib.sha256(data).hexdigest(), table["system"].strip(), table["user"].strip())
