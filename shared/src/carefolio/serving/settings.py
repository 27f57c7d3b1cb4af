"""What a server may be told, read once from the environment.

=================================  ==========================================================================
``CAREFOLIO_HOST``                 address the server binds; decides whether ``CAREFOLIO_AUTH=off`` is allowed
``CAREFOLIO_AUTH``                 ``on`` (default) or ``off``; ``off`` only with a loopback host, and then
                                   only requests for a loopback name are answered
``CAREFOLIO_API_KEYS``             comma list of SHA-256 hashes of keys, hexadecimal
``CAREFOLIO_API_KEYS_FILE``        file with one key a line, or ``sha256:<hash>``; ``#`` starts a comment
``CAREFOLIO_JWT_JWKS_FILE``        public keys of the token issuer (RFC 7517)
``CAREFOLIO_JWT_ISSUER``           required value of ``iss``
``CAREFOLIO_JWT_AUDIENCE``         required value of ``aud``
``CAREFOLIO_JWT_SCOPE``            word that ``scope`` must contain; optional
``CAREFOLIO_BODY_LIMIT_BYTES``     largest request body, default 1 MiB
``CAREFOLIO_BODY_TIMEOUT_S``       longest time for a body to arrive, default 30 s
``CAREFOLIO_REQUESTS_PER_MINUTE``  rate limit of one client, default 600
``CAREFOLIO_RATE_CLIENTS``         clients remembered by the rate limit, default 10 000
``CAREFOLIO_AUDIT_LOG``            JSON lines file; ``{pid}`` is replaced by the process id; none by default
``CAREFOLIO_AUDIT_KEY_FILE``       secret that seals the audit log against rewriting; optional
``CAREFOLIO_WORKER_THREADS``       threads for model code, default the number of cores, at least 4
=================================  ==========================================================================

Keys and the files that hold them are read when the app is made; start the server again after changing one.
"""

import hashlib
import ipaddress
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretBytes, ValidationError, model_validator

from carefolio.config import Settings
from carefolio.exceptions import ConfigError

MINIMUM_KEY_LENGTH = 20
PREFIX = "CAREFOLIO_"


def is_loopback(host: str) -> bool:
    """Say whether a host name or address is this machine only.

    Parameters
    ----------
    host : str
        ``localhost`` or an IP address; any other name counts as reachable from outside.

    Returns
    -------
    bool
        True for ``localhost``, 127.0.0.0/8 and ::1.
    """
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class ServingSettings(Settings):
    """Settings of one server; frozen, and checked as a whole when made.

    Attributes
    ----------
    auth : {"on", "off"}
        ``off`` needs a loopback ``host``.
    host : str
        Address the server binds; empty when not known.
    api_key_hashes : frozenset of str
        SHA-256 of each accepted API key.
    jwks_file, jwt_issuer, jwt_audience : Path or str, optional
        All three or none.
    jwt_scope : str, optional
        Word that a token's ``scope`` must contain.
    body_limit_bytes : int
        Largest request body; bodies are held in memory up to it.
    body_timeout_s : float
        Longest time for a whole body to arrive, in seconds.
    requests_per_minute : int
        Rate limit of one client.
    rate_clients : int
        Clients remembered by the rate limit.
    audit_log : Path, optional
        Where the audit log is written.
    audit_key : SecretBytes, optional
        Secret that seals the audit log.
    worker_threads : int
        Threads for routes written as ``def``.
    """

    auth: Literal["on", "off"] = "on"
    host: str = ""
    api_key_hashes: frozenset[str] = frozenset()
    jwks_file: Path | None = None
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    jwt_scope: str | None = None
    body_limit_bytes: int = Field(default=1024 * 1024, ge=1)
    body_timeout_s: float = Field(default=30.0, gt=0)
    requests_per_minute: int = Field(default=600, ge=1)
    rate_clients: int = Field(default=10_000, ge=1)
    audit_log: Path | None = None
    audit_key: SecretBytes | None = None
    worker_threads: int = Field(default_factory=lambda: max(4, os.cpu_count() or 1), ge=1)

    @model_validator(mode="after")
    def check_together(self) -> Self:
        """Check what only makes sense together.

        Returns
        -------
        ServingSettings
            The same settings.

        Raises
        ------
        ConfigError
            If authentication is off on a host that others can reach, is on without a key, or is half configured.
        """
        jwt = (self.jwks_file, self.jwt_issuer, self.jwt_audience)
        if any(jwt) and not all(jwt):
            raise ConfigError("tokens need CAREFOLIO_JWT_JWKS_FILE, CAREFOLIO_JWT_ISSUER and CAREFOLIO_JWT_AUDIENCE; "
                              f"got {sum(map(bool, jwt))} of 3. Set all three or none.")
        if self.auth == "off" and not is_loopback(self.host):
            raise ConfigError(f"CAREFOLIO_AUTH=off needs a loopback host, got CAREFOLIO_HOST={self.host!r}; "
                              "bind 127.0.0.1, or configure API keys or tokens.")
        if self.auth == "on" and not self.api_key_hashes and not all(jwt):
            raise ConfigError("authentication is on but there is no API key and no token issuer; set CAREFOLIO_API_KEYS or "
                              "CAREFOLIO_JWT_*, or CAREFOLIO_AUTH=off with CAREFOLIO_HOST=127.0.0.1 on your own machine.")
        return self

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read the settings from environment variables.

        Parameters
        ----------
        environment : mapping, optional
            Used in place of ``os.environ``.

        Returns
        -------
        ServingSettings
            Checked settings.

        Raises
        ------
        ConfigError
            If a variable or a file that it names is not understood; the message holds no secret.
        """
        source = os.environ if environment is None else environment
        names = {"auth": "AUTH", "host": "HOST", "jwks_file": "JWT_JWKS_FILE", "jwt_issuer": "JWT_ISSUER",
                 "jwt_audience": "JWT_AUDIENCE", "jwt_scope": "JWT_SCOPE", "audit_log": "AUDIT_LOG"}
        names |= {name: name.upper() for name in ("body_limit_bytes", "body_timeout_s", "requests_per_minute", "rate_clients",
                                                  "worker_threads")}
        values: dict[str, Any] = {field: source[PREFIX + name] for field, name in names.items() if source.get(PREFIX + name)}
        values["api_key_hashes"] = _key_hashes(source.get("CAREFOLIO_API_KEYS", ""), source.get("CAREFOLIO_API_KEYS_FILE"))
        if source.get("CAREFOLIO_AUDIT_KEY_FILE"):
            values["audit_key"] = _read("CAREFOLIO_AUDIT_KEY_FILE", source["CAREFOLIO_AUDIT_KEY_FILE"]).strip().encode()
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            field = str(first["loc"][0])
            raise ConfigError(f"{PREFIX}{names.get(field, field)}: {first['msg']}; got {first['input']!r}.") from None


def hash_api_key(key: str) -> str:
    """Hash an API key for ``CAREFOLIO_API_KEYS``.

    Parameters
    ----------
    key : str
        A long random key; an unsalted hash protects no password that a person made up.

    Returns
    -------
    str
        Lower-case hexadecimal SHA-256.

    Raises
    ------
    ConfigError
        If the key is too short to be random.
    """
    if len(key) < MINIMUM_KEY_LENGTH:
        raise ConfigError(f"an API key has {len(key)} characters, expected at least {MINIMUM_KEY_LENGTH}; "
                          "make one with carefolio.serving.settings.new_api_key().")
    return hashlib.sha256(key.encode()).hexdigest()


def new_api_key() -> tuple[str, str]:
    """Make a random API key.

    Returns
    -------
    tuple of (str, str)
        The key for the client (256 random bits) and its hash for ``CAREFOLIO_API_KEYS``.
    """
    key = secrets.token_urlsafe(32)
    return key, hash_api_key(key)


def _key_hashes(listed: str, file: str | None) -> frozenset[str]:
    hashes = [item.strip().lower() for item in listed.split(",") if item.strip()]
    for line in _read("CAREFOLIO_API_KEYS_FILE", file).splitlines() if file else ():
        if (key := line.strip()) and not key.startswith("#"):
            hashes.append(key[7:].lower() if key.startswith("sha256:") else hash_api_key(key))
    for position, item in enumerate(hashes, start=1):
        if not re.fullmatch("[0-9a-f]{64}", item):
            raise ConfigError(f"API key hash {position} of {len(hashes)} is not a SHA-256 in hexadecimal (64 characters); got "
                              f"{len(item)} characters. CAREFOLIO_API_KEYS holds hashes, not keys.")
    return frozenset(hashes)


def _read(variable: str, file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{variable}: {file} cannot be read: {type(error).__name__}. Give a readable text file.") from None
