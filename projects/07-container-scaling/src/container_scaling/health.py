"""Ask the service in the same container whether it is ready; the program of an image's HEALTHCHECK, which has no shell.

It runs every few seconds in every replica, so it speaks HTTP by itself: importing a client takes longer than asking.
"""

import os
import socket
import sys

from container_scaling.server import read_service

TIMEOUT_S = 4.0
HOST = "127.0.0.1"


def is_ready(port: int, path: str) -> bool:
    """Ask once.

    Parameters
    ----------
    port : int
        On this machine.
    path : str
        Of the route.

    Returns
    -------
    bool
        True if the answer has a status below 400.
    """
    try:
        with socket.create_connection((HOST, port), timeout=TIMEOUT_S) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
            answer = connection.recv(64)
    except OSError as error:
        sys.stderr.write(f"{HOST}:{port}{path}: {error}\n")
        return False
    return answer.startswith(b"HTTP/1.1 ") and answer[9:12].isdigit() and int(answer[9:12]) < 400


def main() -> None:
    """Leave with 0 if the service is ready, else with 1."""
    service = read_service(os.environ)
    raise SystemExit(0 if is_ready(service["port"], service["health"]) else 1)


if __name__ == "__main__":
    main()
