"""Who is asking: an API key in ``X-API-Key``, or a signed token in ``Authorization: Bearer``.

Keys are kept as SHA-256 and compared in constant time with every accepted one. Tokens (RFC 7519) must be signed with RS256, ES256
or Ed25519 (``EdDSA`` by its older name), by a key of the issuer's set; ``exp``, ``nbf``, ``iss`` and ``aud`` must be there and hold.
Checking a key takes microseconds, a token some tenths of a millisecond, both on the event loop.
"""

import hashlib
import hmac
import json
import math
import warnings
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import KeySet
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from carefolio.exceptions import ConfigError
from carefolio.serving.errors import problem_response
from carefolio.serving.limits import RateLimiter, refuse
from carefolio.serving.settings import ServingSettings, is_loopback

ALGORITHMS = ("RS256", "ES256", "EdDSA", "Ed25519")
LEEWAY_S = 30
_REALM = 'realm="carefolio"'

Authenticate = Callable[[Scope], str]


def build_authenticate(settings: ServingSettings) -> Authenticate:
    """Make the function that names the subject of a request.

    Parameters
    ----------
    settings : ServingSettings
        Accepted keys and the token issuer.

    Returns
    -------
    callable
        Takes an ASGI scope and returns the subject; raises ``HTTPException`` with 401 (not known) or 403 (known, not allowed).

    Raises
    ------
    ConfigError
        If the issuer's key set cannot be read or holds a key that is not public.
    """
    if settings.auth == "off":
        return _from_this_machine
    read_token = _build_read_token(settings) if settings.jwks_file else None
    schemes = [f"ApiKey {_REALM}"] if settings.api_key_hashes else []
    schemes += [f"Bearer {_REALM}"] if read_token else []

    def _authenticate(scope: Scope) -> str:
        headers = Headers(scope=scope)
        if (key := headers.get("x-api-key")) is not None and settings.api_key_hashes:
            return _check_key(key, settings.api_key_hashes)
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and read_token:
            return read_token(token.strip())
        raise HTTPException(401, "A key is needed: send X-API-Key, or Authorization: Bearer with a token, as this server is set up.",
                            headers={"WWW-Authenticate": ", ".join(schemes)})

    return _authenticate


def _from_this_machine(scope: Scope) -> str:
    if not is_loopback(_asked_host(scope)):
        # A page of another site whose name was made to lead here (DNS rebinding) would be of one origin with this server.
        raise HTTPException(403, "This server runs without authentication and answers to localhost or a loopback address only; ask for "
                                 "http://127.0.0.1 and its port.")
    host = (scope.get("client") or ("",))[0]
    if (host[:1].isdigit() or ":" in host) and not is_loopback(host):
        raise HTTPException(403, "This server answers its own machine only, because it runs without authentication.")
    return "local"


def _asked_host(scope: Scope) -> str:
    """Give the name in the Host header; empty where there is none or it cannot be read."""
    try:
        return urlsplit(f"//{Headers(scope=scope).get('host', '')}").hostname or ""
    except ValueError:
        return ""


def _check_key(key: str, hashes: Collection[str]) -> str:
    digest = hashlib.sha256(key.encode()).hexdigest()
    matches = [hmac.compare_digest(digest, accepted) for accepted in hashes]
    if not any(matches):
        raise HTTPException(401, "The API key is not known here.", headers={"WWW-Authenticate": f"ApiKey {_REALM}"})
    return f"key:{digest}"


def _build_read_token(settings: ServingSettings) -> Callable[[str], str]:
    keys = _read_key_set(settings)
    claims = jwt.JWTClaimsRegistry(leeway=LEEWAY_S, exp={"essential": True}, nbf={"essential": True},
                                   iss={"essential": True, "value": str(settings.jwt_issuer)},
                                   aud={"essential": True, "value": str(settings.jwt_audience)})
    warnings.filterwarnings("ignore", message="EdDSA is deprecated", category=SecurityWarning)

    def read_token(text: str) -> str:
        try:
            token = jwt.decode(text, lambda signed: keys.get_by_kid(signed.headers().get("kid")), algorithms=ALGORITHMS)
            claims.validate(token.claims)
        except (JoseError, ValueError) as error:
            raise HTTPException(401, f"The token is not accepted: {_reason(error)}.",
                                headers={"WWW-Authenticate": f'Bearer {_REALM}, error="invalid_token"'}) from None
        if settings.jwt_scope and settings.jwt_scope not in str(token.claims.get("scope", "")).split():
            raise HTTPException(403, "The token does not carry the scope that this server asks for.",
                                headers={"WWW-Authenticate": f'Bearer {_REALM}, error="insufficient_scope", '
                                                             f'scope="{settings.jwt_scope}"'})
        return f"token:{token.claims['iss']}|{token.claims.get('sub', '')}"

    return read_token


def _reason(error: Exception) -> str:
    reasons = {"expired_token": "it has expired", "missing_claim": "exp, nbf, iss and aud must all be there",
               "invalid_claim": "iss, aud, exp or nbf is not what this server expects", "bad_signature": "the signature does not hold"}
    return reasons.get(getattr(error, "error", ""), "it is not a token signed with RS256, ES256 or EdDSA by a known key")


def _read_key_set(settings: ServingSettings) -> KeySet:
    file = settings.jwks_file
    assert file is not None
    try:
        content: Any = json.loads(file.read_text(encoding="utf-8"))
        keys = KeySet.import_key_set(content)
    except (OSError, ValueError, TypeError, KeyError, JoseError) as error:
        raise ConfigError(f"CAREFOLIO_JWT_JWKS_FILE: {file} is not a JSON Web Key Set ({type(error).__name__}); "
                          'expected {"keys": [...]} with the public keys of the issuer.') from None
    for position, key in enumerate(keys, start=1):
        if key.key_type == "oct" or key.is_private:
            raise ConfigError(f"CAREFOLIO_JWT_JWKS_FILE: {file}: key {position} is secret, expected public keys only; "
                              "export the set without its private parts.")
    return keys


class GuardMiddleware:
    """Ask for a key or token, then apply the rate limit to its owner, or to the address where there is none.

    Parameters
    ----------
    app : ASGIApp
        What comes next.
    authenticate : callable
        As ``build_authenticate`` makes it.
    limiter : RateLimiter
        Buckets of all clients; failed attempts draw from the bucket of their address.
    open_paths : collection of str
        Paths that need no key.
    unlimited_paths : collection of str
        Open paths that are not counted either, for probes.
    """

    def __init__(self, app: ASGIApp, *, authenticate: Authenticate, limiter: RateLimiter, open_paths: Collection[str],
                 unlimited_paths: Collection[str]) -> None:
        self.app = app
        self.authenticate = authenticate
        self.limiter = limiter
        self.open_paths = open_paths
        self.unlimited_paths = unlimited_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request.

        Parameters
        ----------
        scope, receive, send : ASGI
            As the ASGI specification has them.
        """
        if scope["type"] != "http" or scope["path"] in self.unlimited_paths:
            await self.app(scope, receive, send)
            return
        refused: HTTPException | None = None
        client = f"address:{(scope.get('client') or ('',))[0]}"
        if scope["path"] not in self.open_paths:
            try:
                client = scope["state"]["subject"] = self.authenticate(scope)
            except HTTPException as error:
                refused = error
        if wait_s := self.limiter.take(client):
            refused = HTTPException(429, f"More than {self.limiter.per_minute} requests a minute; wait, then go on.",
                                    headers={"Retry-After": str(math.ceil(wait_s))})
        if refused is None:
            await self.app(scope, receive, send)
        else:
            response = problem_response(scope, refused.status_code, refused.detail, headers=refused.headers)
            await refuse(response, scope, receive, send)
