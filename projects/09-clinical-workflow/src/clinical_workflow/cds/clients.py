"""Who calls: signed tokens of CDS clients (CDS Hooks 2.0, "Trusting CDS Clients").

A token must be signed with ES384 or RS384 by a key of the set at its ``jku``, which must be the one that this service has on record for its
issuer. It names this very endpoint as its audience, lives for minutes, and is taken once: its ``jti`` is kept in the ledger until it
has expired, so another process of this service, or the same one after a restart, refuses it too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
from fastapi import HTTPException
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from clinical_workflow.config import CdsSettings, ClientSettings

ALGORITHMS = ("ES384", "RS384")
LONGEST_TOKEN = 8192
LONGEST_KEY_SET = 64 * 1024
LONGEST_ID = 256
FETCH_TIMEOUT_S = 2.0
REFETCH_AFTER_S = 10.0
NEEDED = ("iss", "aud", "exp", "iat", "jti")

TakeOnce = Callable[[str, str, float], bool]
"""Takes issuer, jti and the time until which it must be remembered; says whether it is new."""


@dataclass
class KeyShelf:
    """Key sets of clients, fetched from their ``jku`` and kept for a while.

    Attributes
    ----------
    keep_s : float
        How long a set is kept.
    fetch : httpx.AsyncClient
        Follows no redirects.
    sets : dict
        By address: when it was fetched, and the keys.
    """

    keep_s: float
    fetch: httpx.AsyncClient
    sets: dict[str, tuple[float, KeySet]] = field(default_factory=dict)

    async def find(self, jku: str, kid: str) -> KeySet:
        """Give the key set of an address.

        Parameters
        ----------
        jku : str
            Address, on record already.
        kid : str
            A key that it should hold: an unknown one makes the set be fetched again, but not more than every ten seconds.

        Returns
        -------
        KeySet
            Public keys.

        Raises
        ------
        HTTPException
            503 if it cannot be had: the client may be right, but it cannot be checked.
        """
        kept = self.sets.get(jku)
        age = time.monotonic() - kept[0] if kept else float("inf")
        fresh = kept is not None and age < self.keep_s and (age < REFETCH_AFTER_S or any(key.kid == kid for key in kept[1].keys))
        if not fresh:
            self.sets[jku] = (time.monotonic(), await self._fetch(jku))
        return self.sets[jku][1]

    async def _fetch(self, jku: str) -> KeySet:
        try:
            answer = await self.fetch.get(jku, timeout=FETCH_TIMEOUT_S, follow_redirects=False)
            if answer.status_code != 200 or len(answer.content) > LONGEST_KEY_SET:
                raise ValueError("no key set")
            keys = KeySet.import_key_set(orjson.loads(answer.content))
        except (httpx.HTTPError, ValueError, TypeError, KeyError, JoseError):
            raise HTTPException(503, "The client's key set cannot be read at the address on record.",
                                headers={"Retry-After": "10"}) from None
        if any(key.key_type == "oct" or key.is_private for key in keys.keys):
            raise HTTPException(503, "The client's key set holds a secret key; publish the public ones only.")
        return keys


async def check_client(authorization: str | None, *, audience: str, settings: CdsSettings, shelf: KeyShelf,
                       take_once: TakeOnce) -> ClientSettings:
    """Check the token of a call.

    Parameters
    ----------
    authorization : str or None
        The header.
    audience : str
        Address of the endpoint that was called, as clients know it.
    settings : CdsSettings
        Clients on record, lifetime, leeway.
    shelf : KeyShelf
        Key sets.
    take_once : callable
        Remembers ``jti``.

    Returns
    -------
    ClientSettings
        The client.

    Raises
    ------
    HTTPException
        401 for a token that does not hold, 503 where the client's keys cannot be had.
    """
    scheme, _, text = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not text or len(text) > LONGEST_TOKEN:
        raise _refused("send Authorization: Bearer with a signed token")
    header, issuer = _peek(text)
    client = next((one for one in settings.clients if one.issuer == issuer), None)
    if client is None:
        raise _refused("the issuer is not on record")
    if header.get("jku") != client.jku:
        raise _refused("jku is not the address on record for this issuer")
    keys = await shelf.find(client.jku, str(header.get("kid")))
    claims = _claims(text, keys)
    _check_claims(claims, audience=audience, settings=settings)
    if not take_once(client.issuer, str(claims["jti"]), float(claims["exp"]) + settings.leeway_s):
        raise _refused("the token was used before")
    return client


def _refused(why: str) -> HTTPException:
    return HTTPException(401, f"The client's token is not accepted: {why}.", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


def _peek(text: str) -> tuple[dict[str, Any], str]:
    """Read header and issuer before the signature is checked, to know whose keys to check it with; nothing is believed yet."""
    try:
        signed = jws.extract_compact(text.encode())
        header, payload = signed.headers(), orjson.loads(signed.payload)
    except (JoseError, ValueError, UnicodeEncodeError):
        raise _refused("it is not a signed token") from None
    if not isinstance(payload, dict) or header.get("alg") not in ALGORITHMS or not isinstance(header.get("kid"), str):
        raise _refused(f"it must be signed with {' or '.join(ALGORITHMS)} and name its key")
    return header, str(payload.get("iss"))


def _claims(text: str, keys: KeySet) -> dict[str, Any]:
    try:
        return jwt.decode(text, keys, algorithms=list(ALGORITHMS)).claims
    except (JoseError, ValueError):
        raise _refused("the signature does not hold") from None


def _check_claims(claims: dict[str, Any], *, audience: str, settings: CdsSettings) -> None:
    now, leeway = time.time(), settings.leeway_s
    if any(claims.get(name) in (None, "") for name in NEEDED):
        raise _refused(f"{', '.join(NEEDED)} must all be there")
    begun, ends = claims["iat"], claims["exp"]
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in (begun, ends)):
        raise _refused("iat and exp must be numbers")
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    wrong = [
        (audience not in audiences, "aud is not the address of this endpoint"), (ends < now - leeway, "it has expired"),
        (begun > now + leeway, "it is from the future"), (ends - begun > settings.token_lifetime_s, "it lives too long"),
        (_not_before(claims) > now + leeway, "it is not valid yet"), (len(str(claims["jti"])) > LONGEST_ID, "jti is too long")]
    if found := next((why for is_wrong, why in wrong if is_wrong), None):
        raise _refused(found)


def _not_before(claims: dict[str, Any]) -> float:
    value = claims.get("nbf", 0)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("inf")


def sign_call(claims: dict[str, Any], *, key: Any, jku: str, algorithm: str = "ES384") -> str:
    """Sign a token as a client does.

    Parameters
    ----------
    claims : dict
        Claims of the token.
    key : joserfc key
        Private key with a ``kid``.
    jku : str
        Where its public half is published.
    algorithm : str, default "ES384"
        Of the signature.

    Returns
    -------
    str
        For ``Authorization: Bearer``.
    """
    return jwt.encode({"alg": algorithm, "kid": key.kid, "jku": jku, "typ": "JWT"}, claims, key, algorithms=[algorithm])


def allowed_servers(client: ClientSettings | None, known: Sequence[ClientSettings]) -> set[str]:
    """List the FHIR servers that a call may name.

    Parameters
    ----------
    client : ClientSettings or None
        Who calls; None where no token is asked for.
    known : sequence of ClientSettings
        All on record.

    Returns
    -------
    set of str
        Addresses without a slash at the end. A service that read whatever address it is given would fetch for strangers.
    """
    clients = [client] if client else known
    return {server.rstrip("/") for one in clients for server in one.fhir_servers}
