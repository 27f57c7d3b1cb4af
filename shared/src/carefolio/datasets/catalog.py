"""The catalogue of data sets, read from ``catalog.toml``."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from carefolio.config import Settings
from carefolio.exceptions import ConfigError

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
FilePath = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$")]
"""Below the data set's folder, with slashes; no part begins with a dot."""
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Url = Annotated[str, Field(pattern=r"^https?://")]


class FileEntry(Settings):
    """One file of a data set: its name, size and hash, and who serves it; ``catalog.toml`` explains the fields."""

    name: FilePath
    bytes: int = Field(gt=0)
    sha256: Sha256
    rows: int | None = None
    urls: tuple[Url, ...] = ()
    member: str | None = None
    package: str | None = None
    package_path: str | None = None
    changes: bool = False
    assembled_by: Literal["flusight_hub"] | None = None
    parts: tuple[FileName, ...] = ()
    content_sha256: Sha256 | None = None
    published_sha256: Sha256 | None = None

    @property
    def noted(self) -> bool:
        """Say whether a downloaded copy's hash is noted beside it, since the catalogue cannot know it.

        Returns
        -------
        bool
            True for a file that changes or is assembled.
        """
        return self.changes or self.assembled_by is not None

    @model_validator(mode="after")
    def _has_source(self) -> "FileEntry":
        if not self.urls and not (self.package and self.package_path):
            raise ValueError("needs `urls`, or `package` with `package_path`")
        if self.noted and self.member:
            raise ValueError("`member` cannot be taken out of a file that changes or is assembled")
        if self.assembled_by and not (self.parts and self.rows and self.content_sha256 and all("{part}" in url for url in self.urls)):
            raise ValueError("`assembled_by` needs `parts`, `rows`, `content_sha256`, and `{part}` in each of `urls`")
        return self


class DatasetEntry(Settings):
    """One data set: publisher, licence, citation, traps and files."""

    name: FileName
    title: str
    publisher: str
    doi: str
    licence: str
    licence_url: Url
    citation: str
    traps: tuple[str, ...] = ()
    files: tuple[FileEntry, ...] = Field(min_length=1)

    def file(self, name: str) -> FileEntry:
        """Find a file by name.

        Parameters
        ----------
        name : str
            For example ``"diabetic_data.csv"``.

        Returns
        -------
        FileEntry
            The entry.

        Raises
        ------
        ConfigError
            If the data set has no such file.
        """
        for entry in self.files:
            if entry.name == name:
                return entry
        raise ConfigError(f"data set {self.name!r} has no file {name!r}; it has {', '.join(entry.name for entry in self.files)}.")


def read_catalog(text: str | None = None) -> dict[str, DatasetEntry]:
    """Read the catalogue.

    Parameters
    ----------
    text : str, optional
        A catalogue in TOML; default is the one that comes with the package.

    Returns
    -------
    dict of str to DatasetEntry
        One entry a data set, in the order of the file.

    Raises
    ------
    ConfigError
        If an entry lacks a key, has an unknown one, or a value of the wrong form.
    """
    if text is None:
        text = files("carefolio.datasets").joinpath("catalog.toml").read_text(encoding="utf-8")
    try:
        return {name: DatasetEntry(name=name, **_with_listed(table)) for name, table in tomllib.loads(text).items()}
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the data catalogue is not valid TOML: {error}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"the data catalogue: `{where}`: {first['msg']}; got {str(first['input'])[:80]}.") from None


def _with_listed(table: dict[str, Any]) -> dict[str, Any]:
    """Add the files that a list beside the catalogue names, one a line: name, bytes, hash, and hash of the published copy."""
    listed = table.pop("file_list", None)
    if listed is None:
        return table
    lines = files("carefolio.datasets").joinpath(listed["list"]).read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    more = [{"name": name, "bytes": int(size), "sha256": sha256, "published_sha256": published, "urls": [listed["url"].format(name=name)]}
            for name, size, sha256, published in rows]
    return table | {"files": [*table["files"], *more]}


def find_dataset(name: str, entries: Mapping[str, DatasetEntry] | None = None) -> DatasetEntry:
    """Find a data set by name.

    Parameters
    ----------
    name : str
        For example ``"diabetes130"``.
    entries : mapping, optional
        A catalogue; default is the one that comes with the package.

    Returns
    -------
    DatasetEntry
        The entry.

    Raises
    ------
    ConfigError
        If the catalogue does not know the name.
    """
    known = read_catalog() if entries is None else entries
    if name not in known:
        raise ConfigError(f"unknown data set {name!r}; the catalogue holds {', '.join(sorted(known))}.")
    return known[name]
