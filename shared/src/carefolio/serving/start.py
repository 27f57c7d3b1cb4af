"""A server that is started by hand: the variables it needs, a key if there is none, and a line that tries it."""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import click

from carefolio.command import serve_app
from carefolio.serving.settings import is_loopback, new_api_key


def server_environment(environment: Mapping[str, str], *, host: str, no_auth: bool) -> tuple[dict[str, str], str]:
    """Work out the variables of a server that is started by hand.

    Parameters
    ----------
    environment : mapping
        What is set already; it wins over what would be made up here.
    host : str
        Address to bind.
    no_auth : bool
        Ask for no key; `ServingSettings` allows that on loopback only.

    Returns
    -------
    variables : dict of str to str
        To lay over the environment.
    key : str
        What a client sends in ``X-API-Key``: a key made now if none is configured and the address is loopback, ``$API_KEY`` where
        the user has configured some, empty where none is asked for.
    """
    variables = {"CAREFOLIO_HOST": host}
    if no_auth or environment.get("CAREFOLIO_AUTH") == "off":
        return variables | {"CAREFOLIO_AUTH": "off"}, ""
    configured = any(environment.get(f"CAREFOLIO_{name}") for name in ("API_KEYS", "API_KEYS_FILE", "JWT_JWKS_FILE"))
    if configured or not is_loopback(host):
        return variables, "$API_KEY"
    key, key_hash = new_api_key()
    return variables | {"CAREFOLIO_API_KEYS": key_hash}, key


def start_server(app: str, *, host: str, port: int, no_auth: bool, hint: Callable[[str], str],
                 variables: Mapping[str, str] | None = None) -> None:
    """Serve an API that is started by hand, and say how to try it.

    Parameters
    ----------
    app : str
        Factory of the app, such as ``"readmission.api:create_app"``.
    host : str
        Address to bind.
    port : int
        Port to bind.
    no_auth : bool
        Ask for no key.
    hint : callable
        Takes the key, empty where none is asked for, and gives commands to try, which are printed first.
    variables : mapping of str to str, optional
        Of the app, laid over the environment.
    """
    found, key = server_environment(os.environ, host=host, no_auth=no_auth)
    os.environ.update({**found, **(variables or {})})
    click.echo(f"try it from another terminal:\n{hint(key)}")
    serve_app(app, host=host, port=port)


def key_header(key: str) -> str:
    """Write the option of curl that sends a key.

    Parameters
    ----------
    key : str
        As `server_environment` gives it.

    Returns
    -------
    str
        Begins with a space; empty without a key.
    """
    return f' -H "X-API-Key: {key}"' if key else ""


def curl_line(host: str, port: int, key: str, *, path: str, body: Mapping[str, Any]) -> str:
    """Write a command that sends one request.

    Parameters
    ----------
    host : str
        Address of the server.
    port : int
        Its port.
    key : str
        As `server_environment` gives it.
    path : str
        Path of the route, such as ``"/predict"``.
    body : mapping
        What is sent as JSON; made up, without a single quote.

    Returns
    -------
    str
        One line for a POSIX shell.
    """
    text = json.dumps(body, separators=(",", ":"))
    return f"curl -s http://{host}:{port}{path} -H 'Content-Type: application/json'{key_header(key)} -d '{text}'"
