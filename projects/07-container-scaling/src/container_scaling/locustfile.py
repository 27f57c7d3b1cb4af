"""What locust runs: users who send recorded requests at random times, and note when each was sent and how it was answered.

Read by ``locust -f``; `container_scaling.load` starts it and gives the plan as JSON in ``CONTAINER_SCALING_PLAN``. The users speak HTTP
over a
plain socket with requests that are put together beforehand: locust's own clients take as long for a request as the service does, and a load
that is slower than what it loads measures itself.
"""

import json
import os
import random
import time
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import gevent
from gevent import socket
from locust import User, events, task

PLAN: dict[str, Any] = json.loads(os.environ["CONTAINER_SCALING_PLAN"])
AGAIN = frozenset(PLAN["retry_statuses"])
STARTED: list[float] = []
STOPPING: list[bool] = []
RECORDS: list[tuple[float, float, int, int, int]] = []
"""When sent (seconds), how long (seconds), status (0 without an answer), tries, which address."""


def _build_requests() -> list[bytes]:
    """Put together the requests as they go over the wire."""
    headers = {"Host": urlsplit(PLAN["addresses"][0]).netloc, "Content-Type": "application/json", **PLAN["headers"]}
    head = f"POST {PLAN['path']} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    bodies = Path(PLAN["payloads"]).read_bytes().splitlines()
    return [f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in bodies]


REQUESTS = _build_requests()


class _Connection:
    """One connection that is kept open, and opened again where it was closed."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.place = (parts.hostname or "127.0.0.1", parts.port or 80)
        self.socket: Any = None

    def ask(self, request: bytes) -> int:
        """Send a request and read the answer; give its status, or 0 if there was no whole answer."""
        try:
            if self.socket is None:
                self.socket = socket.create_connection(self.place, timeout=PLAN["timeout_s"])
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket.sendall(request)
            return self.read_status()
        except (OSError, ValueError):
            self.close()
            return 0

    def read_status(self) -> int:
        """Read one answer to its end."""
        content = self.more(b"")
        while (end := content.find(b"\r\n\r\n")) < 0:
            content = self.more(content)
        status, head = int(content[9:12]), content[:end].lower()
        mark = head.find(b"content-length:")
        if mark >= 0:
            length = int(head[mark + 15:].partition(b"\r\n")[0])
            while len(content) < end + 4 + length:
                content = self.more(content)
        else:
            while not content.endswith(b"0\r\n\r\n"):  # chunked
                content = self.more(content)
        if b"connection: close" in head:
            self.close()
        return status

    def more(self, content: bytes) -> bytes:
        """Read what has come."""
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionResetError("closed before the answer was whole")
        return content + bytes(piece)

    def close(self) -> None:
        """Forget the connection."""
        if self.socket is not None:
            self.socket.close()
        self.socket = None


class _Sender(User):
    """One connection to each address; with a rate, users send at random times that do not depend on the answers."""

    numbers: ClassVar[list[int]] = []

    def on_start(self) -> None:
        """Draw where to begin."""
        number = len(self.numbers)
        self.numbers.append(number)
        self.random = random.Random(  # noqa: S311 - times and choices of a load
            PLAN["seed"] * 100_003 + number)
        self.connections = [_Connection(address) for address in PLAN["addresses"]]
        self.turn = number

    @task
    def send(self) -> None:
        """Send until the time is over: at random times where there is a rate, else as soon as the last is answered."""
        each, due = PLAN["rate"] / PLAN["users"], time.perf_counter()
        while not STOPPING:
            if each:
                due += self.random.expovariate(each)
                gevent.sleep(max(0.0, due - time.perf_counter()))
                if STOPPING:
                    break
            self.send_one(REQUESTS[self.random.randrange(len(REQUESTS))])

    def send_one(self, request: bytes) -> None:
        """Send one request to the next address in turn; where that is allowed, try again what failed."""
        start, tries = time.perf_counter(), 0
        while True:
            tries += 1
            self.turn += 1
            where = self.turn % len(self.connections)
            status = self.connections[where].ask(request)
            if tries > PLAN["retries"] or status not in AGAIN:
                break
            gevent.sleep(PLAN["retry_pause_s"] * tries)
        RECORDS.append((start, time.perf_counter() - start, status, tries, where))


@events.test_start.add_listener
def _note_start(**_: Any) -> None:
    """Note what starting took, which is not counted."""
    STARTED.append(time.process_time())


@events.test_stopping.add_listener
def _note_end(**_: Any) -> None:
    """Let the users finish what they have begun, and begin nothing more."""
    STOPPING.append(True)


@events.quitting.add_listener
def _write_records(**_: Any) -> None:
    """Write what was noted, and the processor seconds that the sending took."""
    import numpy as np

    columns = np.array(RECORDS, dtype=float).reshape(-1, 5)
    np.savez(PLAN["records"], records=columns, client_s=time.process_time() - STARTED[0])
