"""The switch: ``off``, ``shadow`` or ``show`` for each service, in a small file that is read at every call.

So a change holds from the next call on, in every process, without a restart. A file that is missing means ``shadow``; one that cannot be
read means ``off``: what is in doubt is not shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import orjson

from carefolio.artefacts import write_json

FILE = "switch.json"
Mode = Literal["off", "shadow", "show"]
MODES: tuple[Mode, ...] = get_args(Mode)
ALL = "all"


def read_modes(folder: Path) -> dict[str, Mode]:
    """Read the switch.

    Parameters
    ----------
    folder : Path
        Folder of the service's state.

    Returns
    -------
    dict of str to Mode
        By service id, ``"all"`` among them.
    """
    try:
        content: Any = orjson.loads((folder / FILE).read_bytes())
    except FileNotFoundError:
        return {ALL: "shadow"}
    except (OSError, orjson.JSONDecodeError):
        return {ALL: "off"}
    if not isinstance(content, dict) or not all(mode in MODES for mode in content.values()):
        return {ALL: "off"}
    return {ALL: "shadow", **content}


def mode_of(service: str, modes: Mapping[str, Mode]) -> Mode:
    """Say how a service stands.

    Parameters
    ----------
    service : str
        Its id.
    modes : mapping of str to Mode
        As `read_modes` gives them.

    Returns
    -------
    Mode
        Off if all are off; else its own setting, and that of all where it has none.
    """
    return "off" if modes[ALL] == "off" else modes.get(service, modes[ALL])


def set_mode(folder: Path, service: str, mode: Mode) -> dict[str, Mode]:
    """Move the switch.

    Parameters
    ----------
    folder : Path
        Folder of the service's state.
    service : str
        A service id, or ``"all"``, which takes back what was said of single services.
    mode : Mode
        To what.

    Returns
    -------
    dict of str to Mode
        How it stands now.
    """
    modes: dict[str, Mode] = {ALL: mode} if service == ALL else {**read_modes(folder), service: mode}
    write_json(folder / FILE, modes)
    return modes
