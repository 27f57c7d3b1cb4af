"""Assertions that clients sign to get a token (private_key_jwt, RFC 7523), and how the server checks them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

ALGORITHMS = ("ES384", "RS384")
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_LIFE_S = 300
LEEWAY_S = 10
LONGEST_ID = 256

TakeOnce = Callable[[str, float], bool]
"""Takes a token's id and the time until which it must be remembered; says whether it is new."""


def new_key(kid: str) -> ECKey:
    """Make a key for ES384.

    Parameters
    ----------
    kid : str
        Its name.

    Returns
    -------
    ECKey
        With its private part.
    """
    return ECKey.generate_key("P-384", {"kid": kid, "use": "sig", "alg": "ES384"}, private=True)


def public_keys(*keys: Any) -> dict[str, Any]:
    """Publish the public halves of keys.

    Parameters
    ----------
    *keys : joserfc keys
        With or without their private part.

    Returns
    -------
    dict
        A JSON Web Key Set.
    """
    return {"keys": [key.as_dict(private=False) for key in keys]}


def client_assertion(client_id: str, key: Any, *, token_url: str, now: float | None = None, algorithm: str = "ES384") -> str:
    """Sign who one is.

    Parameters
    ----------
    client_id : str
        As registered.
    key : joserfc key
        Private, with a ``kid``.
    token_url : str
        Address of the token endpoint, the audience.
    now : float, optional
        Seconds since 1970; the present by default.
    algorithm : str, default "ES384"
        Of the signature.

    Returns
    -------
    str
        For the parameter ``client_assertion``.
    """
    at = int(now if now is not None else time.time())
    claims = {"iss": client_id, "sub": client_id, "aud": token_url, "iat": at, "exp": at + 240, "jti": str(uuid4())}
    return jwt.encode({"alg": algorithm, "kid": key.kid, "typ": "JWT"}, claims, key, algorithms=[algorithm])


def check_assertion(text: str, *, keys: KeySet, client_id: str, token_url: str, take_once: TakeOnce) -> bool:
    """Check an assertion.

    Parameters
    ----------
    text : str
        What the client sent.
    keys : KeySet
        Its public keys.
    client_id : str
        Who it should be.
    token_url : str
        Address of the token endpoint.
    take_once : callable
        Remembers ``jti``.

    Returns
    -------
    bool
        True if signature, issuer, subject, audience and times hold and it was not used before.
    """
    try:
        claims = jwt.decode(text, keys, algorithms=list(ALGORITHMS)).claims
    except (JoseError, ValueError):
        return False
    now, ends, jti, audience = time.time(), claims.get("exp"), claims.get("jti"), claims.get("aud")
    if not isinstance(ends, int | float) or isinstance(ends, bool) or not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_ID:
        return False
    named = token_url in (audience if isinstance(audience, list) else [audience])
    timely = now - LEEWAY_S <= ends <= now + LONGEST_LIFE_S + LEEWAY_S
    return claims.get("iss") == claims.get("sub") == client_id and named and timely and take_once(f"{client_id}:{jti}", ends + LEEWAY_S)
