"""The mock hospital's authorization server: OAuth 2 with PKCE for apps, private_key_jwt for services; oauthlib does the protocol."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any

from oauthlib.oauth2 import (
    AuthorizationCodeGrant,
    AuthorizationEndpoint,
    BearerToken,
    ClientCredentialsGrant,
    RequestValidator,
    TokenEndpoint,
)

from clinical_workflow.smart.assertions import TYPE, check_assertion
from clinical_workflow.smart.scopes import covers, is_known
from clinical_workflow.smart.tokens import IssuedCode, Launch, SmartClient, Token, TokenShelf


class _Validator(RequestValidator):
    """Answers oauthlib's questions from the register of clients and from what was issued.

    Parameters
    ----------
    clients : mapping of str to SmartClient
        The register.
    shelf : TokenShelf
        Launches, codes and tokens.
    token_url : str
        Address of the token endpoint.
    code_s : int
        How long a code holds.
    """

    def __init__(self, clients: Mapping[str, SmartClient], shelf: TokenShelf, *, token_url: str, code_s: int) -> None:
        super().__init__()
        self.clients, self.shelf, self.token_url, self.code_s = clients, shelf, token_url, code_s

    def validate_client_id(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        return client_id in self.clients

    def validate_redirect_uri(self, client_id: str, redirect_uri: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        return redirect_uri in self.clients[client_id].redirect_uris

    def get_default_redirect_uri(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> str | None:
        return None  # SMART asks for an explicit one

    def validate_scopes(self, client_id: str, scopes: list[str], client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        registered = self.clients[client_id].scopes
        return all(is_known(scope) and covers(registered, scope) for scope in scopes)

    def get_default_scopes(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> list[str]:
        return []

    def validate_response_type(self, client_id: str, response_type: str, client: Any, request: Any, *args: Any,
                               **kwargs: Any) -> bool:
        return response_type == "code" and bool(self.clients[client_id].redirect_uris)

    def is_pkce_required(self, client_id: str, request: Any) -> bool:
        return True

    def save_authorization_code(self, client_id: str, code: dict[str, str], request: Any, *args: Any, **kwargs: Any) -> None:
        issued = IssuedCode(client_id, request.redirect_uri, tuple(request.scopes), request.launch_context, request.code_challenge,
                            time.time() + self.code_s)
        self.shelf.put("code", issued, code["code"])

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        assertion = getattr(request, "client_assertion", None)
        client = self.clients.get(str(request.client_id or _unverified_subject(assertion)))
        if client is None or client.keys is None or getattr(request, "client_assertion_type", None) != TYPE:
            return False
        request.client, request.client_id = client, client.client_id
        return check_assertion(str(assertion), keys=client.keys, client_id=client.client_id, token_url=self.token_url,
                               take_once=self.shelf.take_once)

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        client = self.clients.get(str(request.client_id))
        return client is None or client.keys is not None

    def authenticate_client_id(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        client = self.clients.get(client_id)
        if client is None or client.keys is not None:
            return False
        request.client = client
        return True

    def validate_code(self, client_id: str, code: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        issued: IssuedCode | None = self.shelf.get("code", code, remove=True)  # a code holds once, also where the exchange then fails
        if issued is None or issued.client != client_id:
            return False
        request.issued, request.scopes, request.user = issued, list(issued.scopes), issued.launch.user
        return True

    def confirm_redirect_uri(self, client_id: str, code: str, redirect_uri: str, client: Any, request: Any, *args: Any,
                             **kwargs: Any) -> bool:
        return bool(request.issued.redirect_uri == redirect_uri)

    def get_code_challenge(self, code: str, request: Any) -> str:
        return str(request.issued.challenge)

    def get_code_challenge_method(self, code: str, request: Any) -> str:
        return "S256"

    def validate_grant_type(self, client_id: str, grant_type: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        wanted = "authorization_code" if self.clients[client_id].redirect_uris else "client_credentials"
        return grant_type == wanted

    def save_bearer_token(self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any) -> None:
        launch: Launch | None = request.issued.launch if getattr(request, "issued", None) else None
        kept = Token(request.client.client_id, tuple(request.scopes), launch.user if launch else None, launch.patient
                     if launch else None,
                     time.time() + token["expires_in"])
        self.shelf.put("token", kept, token["access_token"])
        if launch:
            token |= {"patient": launch.patient, "need_patient_banner": True} | ({"encounter": launch.encounter}
                                                                                 if launch.encounter else {})

    def invalidate_authorization_code(self, client_id: str, code: str, request: Any, *args: Any, **kwargs: Any) -> None:
        self.shelf.get("code", code, remove=True)


class AuthorizationServer(AuthorizationEndpoint, TokenEndpoint):
    """The two endpoints, with the two grants that SMART knows and no other.

    Parameters
    ----------
    validator : RequestValidator
        Answers the questions.
    lifetime_s : int
        How long an access token holds.
    """

    def __init__(self, validator: RequestValidator, *, lifetime_s: int) -> None:
        bearer = BearerToken(validator, token_generator=lambda request: secrets.token_urlsafe(32), expires_in=lifetime_s)
        code = AuthorizationCodeGrant(validator, refresh_token=False)
        backend = ClientCredentialsGrant(validator)
        AuthorizationEndpoint.__init__(self, default_response_type="code", response_types={"code": code}, default_token_type=bearer)
        TokenEndpoint.__init__(self, default_grant_type="authorization_code", default_token_type=bearer,
                               grant_types={"authorization_code": code, "client_credentials": backend})


def build_server(clients: Mapping[str, SmartClient], shelf: TokenShelf, *, token_url: str, code_s: int,
                 lifetime_s: int) -> AuthorizationServer:
    """Build the server.

    Parameters
    ----------
    clients : mapping of str to SmartClient
        The register.
    shelf : TokenShelf
        Launches, codes and tokens.
    token_url : str
        Address of the token endpoint.
    code_s, lifetime_s : int
        How long a code and an access token hold, in seconds.

    Returns
    -------
    AuthorizationServer
        Its two endpoints.
    """
    return AuthorizationServer(_Validator(clients, shelf, token_url=token_url, code_s=code_s), lifetime_s=lifetime_s)


def _unverified_subject(assertion: Any) -> str:
    """Read who an assertion says it is from, to find the keys to check it with; nothing is believed yet."""
    from joserfc import jws
    from joserfc.errors import JoseError
    from orjson import JSONDecodeError, loads

    try:
        claims = loads(jws.extract_compact(str(assertion).encode()).payload)
    except (JoseError, JSONDecodeError, ValueError):
        return ""
    return str(claims.get("sub", "")) if isinstance(claims, dict) else ""


def smart_configuration(base_url: str) -> dict[str, Any]:
    """Describe the server, at ``/.well-known/smart-configuration`` of the FHIR server.

    Parameters
    ----------
    base_url : str
        Address of the hospital.

    Returns
    -------
    dict
        As SMART App Launch 2 has it.
    """
    return {
        "issuer": base_url, "jwks_uri": f"{base_url}/auth/jwks.json", "authorization_endpoint": f"{base_url}/auth/authorize",
        "token_endpoint": f"{base_url}/auth/token", "grant_types_supported": ["authorization_code", "client_credentials"],
        "response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"], "token_endpoint_auth_signing_alg_values_supported": ["ES384",
                                                                                                                           "RS384"],
        "scopes_supported": ["launch", "patient/*.rs", "system/*.rs", "system/*.cruds"],
        "capabilities": ["launch-ehr", "client-public", "client-confidential-asymmetric", "context-ehr-patient", "context-ehr-encounter",
                         "permission-patient", "permission-v2"]}
