"""What the authorization server remembers: clients, launches, codes and tokens. In memory: the mock hospital ends with its process."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from joserfc.jwk import KeySet


@dataclass(frozen=True)
class SmartClient:
    """A registered app or backend service: where it may be sent back to, what it may ask for, and its public keys if it has any."""

    client_id: str
    name: str
    scopes: tuple[str, ...]
    redirect_uris: tuple[str, ...] = ()
    launch_url: str = ""
    keys: KeySet | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Launch:
    """Whose chart was open when an app was launched, and by whom."""

    patient: str
    user: str
    encounter: str | None
    until: float


@dataclass(frozen=True)
class IssuedCode:
    """What an authorization code stands for until it is exchanged."""

    client: str
    redirect_uri: str
    scopes: tuple[str, ...]
    launch: Launch
    challenge: str
    until: float


@dataclass(frozen=True)
class Token:
    """What a bearer of a token may do, and until when; ``patient`` is the one in context."""

    client: str
    scopes: tuple[str, ...]
    user: str | None
    patient: str | None
    until: float


class TokenShelf:
    """Launches, codes and tokens by the hash of their secret; each is forgotten when it has run out."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def put(self, kind: str, value: Any, secret: str | None = None) -> str:
        """Keep something under a secret.

        Parameters
        ----------
        kind : str
            ``launch``, ``code`` or ``token``.
        value : Launch, IssuedCode or Token
            With the time ``until`` which it holds.
        secret : str, optional
            Made up if not given.

        Returns
        -------
        str
            The secret.
        """
        secret = secret or secrets.token_urlsafe(32)
        with self._lock:
            now = time.time()
            self._kept = {key: one for key, one in self._kept.items() if one.until > now}
            self._kept[(kind, _digest(secret))] = value
        return secret

    def get(self, kind: str, secret: str, *, remove: bool = False) -> Any:
        """Find what is kept under a secret.

        Parameters
        ----------
        kind : str
            ``launch``, ``code`` or ``token``.
        secret : str
            As `put` gave it.
        remove : bool, default False
            Take it out, so that it holds once.

        Returns
        -------
        Launch, IssuedCode, Token or None
            None where there is none, or it has run out.
        """
        key = (kind, _digest(secret))
        with self._lock:
            found = self._kept.pop(key, None) if remove else self._kept.get(key)
        return found if found is not None and found.until > time.time() else None

    def take_once(self, name: str, until: float) -> bool:
        """Remember a name.

        Parameters
        ----------
        name : str
            For example a token's ``jti``.
        until : float
            Seconds since 1970 until which it could be used.

        Returns
        -------
        bool
            False if it was taken before.
        """
        if self.get("used", name) is not None:
            return False
        self.put("used", Token("", (), None, None, until), name)
        return True


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
