"""Ask a service, replica by replica, what its own documentation asks, and go on asking for a while; any wrong answer is a failure.

The standard library alone, so that it runs on any machine from which the service can be reached. The key stands in API_KEY.
"""

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request
from typing import Any

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(url: str, body: Any = None) -> tuple[int, bytes]:
    """Send a request with the key; status 0 where there is no answer."""
    headers = {"X-API-Key": os.environ.get("API_KEY", ""), "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers)  # noqa: S310 - the address of the service, given by who deploys
    try:
        with OPENER.open(request, timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError as error:
        return 0, str(error).encode()


def documented_requests(url: str) -> list[tuple[str, Any]]:
    """Read from the service's OpenAPI document one example request for each address that takes JSON."""
    status, answer = ask(f"{url}/openapi.json")
    if status != 200:
        raise SystemExit(f"{url}/openapi.json: expected 200, got {status}: {answer[:200]!r}")
    found = []
    for path, item in json.loads(answer)["paths"].items():
        content = item.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        examples = [example["value"] for example in content.get("examples", {}).values()]
        found += [(path, example) for example in examples[:1]]
    if not found:
        raise SystemExit(f"{url}/openapi.json shows no example of a request; there is nothing to test the service with.")
    return found


def wait_until_ready(url: str, seconds: float) -> None:
    """Wait for the service to say that it is ready."""
    deadline = time.monotonic() + seconds
    while (got := ask(f"{url}/health/ready"))[0] != 200:
        if time.monotonic() > deadline:
            raise SystemExit(f"{url}/health/ready: not ready within {seconds:.0f} s; last answer {got[0]}: {got[1][:200]!r}")
        time.sleep(0.5)


def main() -> None:
    """Test every address once, then all of them until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("urls", nargs="*", help="addresses of the replicas, or of the proxy before them")
    parser.add_argument("--watch-s", type=float, default=60.0, help="seconds to go on asking")
    parser.add_argument("--ready-s", type=float, default=60.0, help="seconds to wait for each to be ready")
    arguments = parser.parse_args()
    if not arguments.urls:
        raise SystemExit("no replica is running; there is nothing to test.")
    for url in arguments.urls:
        wait_until_ready(url, arguments.ready_s)
    requests = [(f"{url}{path}", body) for url in arguments.urls for path, body in documented_requests(url)]
    requests += [(f"{url}/health/ready", None) for url in arguments.urls]
    asked, end = 0, time.monotonic() + arguments.watch_s
    while asked == 0 or time.monotonic() < end:
        for address, body in requests:
            status, answer = ask(address, body)
            asked += 1
            if status != 200:
                raise SystemExit(f"{address}: expected 200, got {status} on request {asked}: {answer[:300]!r}")
        time.sleep(0.5)
    sys.stdout.write(f"{asked} answers from {len(arguments.urls)} replicas, all as documented\n")


if __name__ == "__main__":
    main()
