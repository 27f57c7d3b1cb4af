"""Scopes of SMART App Launch 2: ``patient/Observation.rs`` and the like, and what they allow."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_SCOPE = re.compile(r"(patient|user|system)/(\*|[A-Z][A-Za-z]+)\.(c?r?u?d?s?)")
OTHER = ("launch",)
"""Scopes that grant no resource."""
LETTERS = {"create": "c", "read": "r", "update": "u", "delete": "d", "search": "s"}


@dataclass(frozen=True)
class Grant:
    """One scope: whose records, of which type, and which of c, r, u, d and s."""

    context: str
    kind: str
    may: str


def read_scope(text: str) -> Grant | None:
    """Read one scope.

    Parameters
    ----------
    text : str
        For example ``"patient/Observation.rs"``.

    Returns
    -------
    Grant or None
        None where it is none of version 2, such as ``patient/*.read`` of version 1.
    """
    found = _SCOPE.fullmatch(text)
    return Grant(found[1], found[2], found[3]) if found and found[3] else None


def is_known(text: str) -> bool:
    """Say whether a scope means anything here.

    Parameters
    ----------
    text : str
        A scope.

    Returns
    -------
    bool
        True for scopes of resources and for those of `OTHER`.
    """
    return text in OTHER or read_scope(text) is not None


def covers(granted: Iterable[str], wanted: str) -> bool:
    """Say whether a registration covers a scope that is asked for.

    Parameters
    ----------
    granted : iterable of str
        Scopes that a client may have at most.
    wanted : str
        The scope that it asks for.

    Returns
    -------
    bool
        The same context, the type or ``*``, and no letter more.
    """
    granted = list(granted)
    asked = read_scope(wanted)
    if asked is None:
        return wanted in granted
    return any(one.context == asked.context and one.kind in ("*", asked.kind) and set(asked.may) <= set(one.may)
               for text in granted if (one := read_scope(text)))


def allows(scopes: Iterable[str], kind: str, action: str) -> Grant | None:
    """Find the scope that allows something.

    Parameters
    ----------
    scopes : iterable of str
        Scopes of a token.
    kind : str
        Type of resource.
    action : {"create", "read", "update", "delete", "search"}
        What is to be done.

    Returns
    -------
    Grant or None
        The widest: system before user before patient; None where nothing allows it.
    """
    grants = [one for text in scopes if (one := read_scope(text)) and one.kind in ("*", kind) and LETTERS[action] in one.may]
    return min(grants, key=lambda grant: ("system", "user", "patient").index(grant.context), default=None)
