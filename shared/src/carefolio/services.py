"""Dashboards and APIs of chapters started and stopped from one place, each a process of its own on the loopback address."""

from __future__ import annotations

import atexit
import socket
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

from carefolio.chapters import Chapter
from carefolio.command import command_line
from carefolio.exceptions import ConfigError
from carefolio.local_server import free_port, run_server

READY = {"dashboard": "/_stcore/health", "serve": "/health/ready"}
"""Verb -> path that answers once it is ready."""
OPENED = {"dashboard": "/", "serve": "/docs"}
"""Verb -> path that a reader opens."""
START_S = 120.0


@dataclass(frozen=True)
class Service:
    """One running process: where a reader opens it, its port, and how to end it."""

    address: str
    port: int
    stack: ExitStack


def verbs_of(chapter: Chapter) -> tuple[str, ...]:
    """List what of a chapter can be started.

    Parameters
    ----------
    chapter : Chapter
        Any chapter.

    Returns
    -------
    tuple of str
        Some of ``"dashboard"`` and ``"serve"``; none where the chapter is not installed.
    """
    if chapter.home is None or find_spec(chapter.package) is None:
        return ()
    return tuple(verb for verb in READY if verb in commands_of(chapter))


def commands_of(chapter: Chapter) -> dict[str, click.Command]:
    """Give the verbs of an installed chapter.

    Parameters
    ----------
    chapter : Chapter
        An installed chapter.

    Returns
    -------
    dict of str to click.Command
        By name.
    """
    found: dict[str, click.Command] = import_module(f"{chapter.package}.cli").main.commands
    return found


def usual_port(chapter: Chapter, verb: str) -> int:
    """Give the port that a verb takes by itself, or a free one where that is taken.

    Parameters
    ----------
    chapter : Chapter
        An installed chapter.
    verb : str
        ``"dashboard"`` or ``"serve"``.

    Returns
    -------
    int
        The port; take it soon.
    """
    default: Any = next(parameter.default for parameter in commands_of(chapter)[verb].params if parameter.name == "port")
    return free_port() if listens(default) else int(default)


def listens(port: int) -> bool:
    """Say whether something answers at a port.

    Parameters
    ----------
    port : int
        On the loopback address.

    Returns
    -------
    bool
        True if a connection is taken.
    """
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Services:
    """Processes that were started here; they end when they are stopped, or with the process that holds this object."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, str], Service] = {}
        self._lock = threading.Lock()
        atexit.register(self.stop_all)

    def address(self, chapter: Chapter, verb: str) -> str | None:
        """Say where a service can be opened.

        Parameters
        ----------
        chapter : Chapter
            The chapter.
        verb : str
            ``"dashboard"`` or ``"serve"``.

        Returns
        -------
        str or None
            Address for a browser; None where it does not run, or has ended by itself.
        """
        service = self._running.get((chapter.folder, verb))
        if service and not listens(service.port):
            self.stop(chapter, verb)
            return None
        return service.address if service else None

    def start(self, chapter: Chapter, verb: str) -> str:
        """Start a service and wait until it is ready; one that runs already is left as it is.

        Parameters
        ----------
        chapter : Chapter
            An installed chapter.
        verb : str
            ``"dashboard"``, or ``"serve"``, which then asks for no key: it is bound to the loopback address.

        Returns
        -------
        str
            Address for a browser.

        Raises
        ------
        ConfigError
            If it does not start; the message has the end of what it said.
        """
        with self._lock:
            if (chapter.folder, verb) not in self._running:
                self._running[chapter.folder, verb] = _start(chapter, verb)
            return self._running[chapter.folder, verb].address

    def stop(self, chapter: Chapter, verb: str) -> None:
        """End a service that was started here; one that does not run is no error.

        Parameters
        ----------
        chapter : Chapter
            The chapter.
        verb : str
            ``"dashboard"`` or ``"serve"``.
        """
        with self._lock:
            service = self._running.pop((chapter.folder, verb), None)
        if service:
            service.stack.close()

    def stop_all(self) -> None:
        """End all that were started here."""
        while self._running:
            self._running.popitem()[1].stack.close()


def _start(chapter: Chapter, verb: str) -> Service:
    port = usual_port(chapter, verb)
    command = command_line(chapter.package, verb, "--port", str(port), *(["--no-auth"] if verb == "serve" else []))
    stack = ExitStack()
    try:
        address = stack.enter_context(run_server(command, ready_url=f"http://127.0.0.1:{port}{READY[verb]}", timeout_s=START_S))
    except RuntimeError as error:
        raise ConfigError(f"`{chapter.command} {verb}` did not start: {error}") from None
    return Service(f"{address}{OPENED[verb]}", port, stack)
