"""One frozen configuration a project: defaults from its ``config.toml``, ``quick.toml`` on top, then the user's file."""

import os
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from carefolio.exceptions import ConfigError


class Settings(BaseModel):
    """Base of project configurations: frozen, and a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


SettingsT = TypeVar("SettingsT", bound=Settings)


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one nested mapping over another.

    Parameters
    ----------
    base, over : Mapping
        Tables as TOML gives them; ``over`` wins, tables inside tables are merged.

    Returns
    -------
    dict
        A new mapping.
    """
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def load_config(settings: type[SettingsT], package: str, *, file: Path | None = None, quick: bool = False,
                seed: int | None = None, over: Mapping[str, Any] | None = None, defaults: str = "config.toml") -> SettingsT:
    """Read a project's configuration once.

    Parameters
    ----------
    settings : type
        The project's ``Settings`` class.
    package : str
        Import name of the package that holds the defaults, and ``quick.toml`` where there is a quick form.
    file : Path, optional
        The user's own TOML, laid over both.
    quick : bool, default False
        Lay ``quick.toml`` (fewer rows, epochs and replicates) over the defaults.
    seed : int, optional
        Replaces ``seed``.
    over : mapping, optional
        Further values, laid over all of them.
    defaults : str, default "config.toml"
        Name of the file that holds the defaults.

    Returns
    -------
    Settings
        A frozen instance.

    Raises
    ------
    ConfigError
        If a file cannot be read, or holds an unknown key or a value of a wrong type.
    """
    values: dict[str, Any] = tomllib.loads(files(package).joinpath(defaults).read_text(encoding="utf-8"))
    if quick:
        values = merge(values, tomllib.loads(files(package).joinpath("quick.toml").read_text(encoding="utf-8")))
    if file is not None:
        values = merge(values, _read_toml(file))
    if seed is not None:
        values["seed"] = seed
    try:
        return settings.model_validate(merge(values, over or {}))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"configuration {file or package}: `{where}`: {first['msg']}; got {str(first['input'])[:80]!r}. "
                          f"The keys and their defaults stand in {package.replace('.', '/')}/{defaults}.") from None


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"configuration {file} cannot be read: {error}. Give a TOML file.") from None


def project_home(folder: str) -> Path:
    """Find a project's folder, which holds its committed ``reports`` and ``artefacts``.

    Parameters
    ----------
    folder : str
        For example ``"02-readmission-pipeline"``.

    Returns
    -------
    Path
        ``$CAREFOLIO_HOME/projects/<folder>`` if the variable is set, else the first ``projects/<folder>`` found in the
        working directory or above it.

    Raises
    ------
    ConfigError
        If there is none.
    """
    home = os.environ.get("CAREFOLIO_HOME")
    roots = [Path(home)] if home else [Path.cwd(), *Path.cwd().parents]
    for root in roots:
        if (root / "projects" / folder).is_dir():
            return root / "projects" / folder
    raise ConfigError(f"projects/{folder} is not in {' or above '.join(str(root) for root in roots[:1])}; "
                      "run from inside the repository or set CAREFOLIO_HOME to its folder.")
