"""The app's side of an EHR launch: discover, ask for a code with PKCE, exchange it, read. requests-oauthlib does the protocol."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from carefolio.exceptions import ConfigError
from carefolio.serving.settings import is_loopback

CLIENT_ID = "workflow-dashboard"
SCOPES = ("launch", "patient/Patient.rs", "patient/RiskAssessment.rs", "patient/Task.rs")
PENDING_S = 300
TIMEOUT_S = 10


@dataclass(frozen=True)
class PendingLaunch:
    """A launch that waits for its code: where the hospital is, and the secret half of PKCE."""

    issuer: str
    token_url: str
    redirect_uri: str
    verifier: str
    until: float


@dataclass(frozen=True)
class SmartContext:
    """What a launch gave: the FHIR server, a token, and the patient whose chart was open."""

    issuer: str
    access_token: str
    patient: str
    encounter: str | None
    scope: str


def begin_launch(issuer: str, launch: str, *, redirect_uri: str, allowed: set[str]) -> tuple[str, str, PendingLaunch]:
    """Begin a launch.

    Parameters
    ----------
    issuer : str
        Address of the FHIR server, as the hospital gave it.
    launch : str
        The hospital's handle for the open chart.
    redirect_uri : str
        Where the browser comes back to.
    allowed : set of str
        FHIR servers that this app trusts; a launch from elsewhere is refused.

    Returns
    -------
    address : str
        Where the browser goes.
    state : str
        What comes back with the code.
    pending : PendingLaunch
        To be kept under ``state``.

    Raises
    ------
    ConfigError
        If the issuer is not trusted or does not describe itself.
    """
    from requests_oauthlib import OAuth2Session

    issuer = issuer.rstrip("/")
    if issuer not in allowed:
        raise ConfigError("this app does not know the hospital that launched it; add its FHIR server to cds.clients.")
    _allow_plain_http(issuer)
    described = _get(f"{issuer}/.well-known/smart-configuration")
    session = OAuth2Session(CLIENT_ID, redirect_uri=redirect_uri, scope=list(SCOPES), pkce="S256")
    session.trust_env = False
    address, state = session.authorization_url(described["authorization_endpoint"], launch=launch, aud=issuer)
    pending = PendingLaunch(issuer, described["token_endpoint"], redirect_uri, session._code_verifier, time.time() + PENDING_S)
    return address, state, pending


def finish_launch(pending: PendingLaunch, code: str) -> SmartContext:
    """Exchange the code for a token.

    Parameters
    ----------
    pending : PendingLaunch
        As `begin_launch` gave it.
    code : str
        As the hospital sent it back.

    Returns
    -------
    SmartContext
        Token and patient.

    Raises
    ------
    ConfigError
        If the hospital refuses, or gives no patient.
    """
    from oauthlib.oauth2 import OAuth2Error
    from requests import RequestException
    from requests_oauthlib import OAuth2Session

    if time.time() > pending.until:
        raise ConfigError("the launch took too long; open the app from the chart again.")
    _allow_plain_http(pending.issuer)
    session = OAuth2Session(CLIENT_ID, redirect_uri=pending.redirect_uri)
    session.trust_env = False
    try:
        token = session.fetch_token(pending.token_url, code=code, code_verifier=pending.verifier, include_client_id=True, timeout=TIMEOUT_S)
    except (OAuth2Error, RequestException) as error:
        raise ConfigError(f"the hospital gave no token ({type(error).__name__}); open the app from the chart again.") from None
    if not token.get("patient"):
        raise ConfigError("the hospital gave no patient; open the app from a chart.")
    return SmartContext(pending.issuer, token["access_token"], token["patient"], token.get("encounter"), " ".join(token.get("scope", [])))


def read_fhir(context: SmartContext, path: str) -> dict[str, Any]:
    """Read from the hospital's FHIR server.

    Parameters
    ----------
    context : SmartContext
        With the token.
    path : str
        Below the server's address.

    Returns
    -------
    dict
        What it answers.
    """
    return _get(f"{context.issuer}/{path}", headers={"Authorization": f"Bearer {context.access_token}", "Accept": "application/fhir+json"})


def _get(url: str, *, headers: dict[str, str] | None = None) -> dict[str, Any]:
    from requests import RequestException, Session

    session = Session()
    session.trust_env = False
    try:
        answer = session.get(url, headers=headers, timeout=TIMEOUT_S, allow_redirects=False)
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
    except (RequestException, ValueError) as error:
        raise ConfigError(f"the hospital does not answer as it should ({type(error).__name__}); is it open?") from None
    return content


def _allow_plain_http(address: str) -> None:
    """oauthlib wants TLS; on this machine's own address there is none to be had."""
    if is_loopback(urlsplit(address).hostname or ""):
        os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
