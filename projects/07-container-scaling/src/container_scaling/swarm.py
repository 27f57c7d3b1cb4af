"""A service on Docker Swarm behind a proxy: started hardened, scaled, watched, and taken away again.

Replicas are found by their names in the engine's DNS (``--endpoint-mode dnsrr``), and HAProxy stands in front, as in the compose file. All
that
is started here carries one random name and is removed at the end, also after a failure.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from carefolio.chapters import repository_root
from carefolio.exceptions import ProviderError, SchemaError
from carefolio.local_server import free_port
from carefolio.serving.settings import new_api_key
from container_scaling import engine
from container_scaling.recorded import ask
from container_scaling.servers import Running

PROXY_IMAGE = "haproxy:2.8.15-bookworm"
LABEL = "org.carefolio.rehearsal"
READY_S = 180.0
SETTLE_S = 3.0
Say = Callable[[str], None]


@contextmanager
def swarm_mode() -> Iterator[None]:
    """Be a swarm of one for a while; a swarm that was there before stays."""
    state = engine.run(["info", "--format", "{{.Swarm.LocalNodeState}}"])
    if state != "active":
        engine.run(["swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1:2377"])
    try:
        yield
    finally:
        if state != "active":
            engine.run(["swarm", "leave", "--force"])


@contextmanager
def started(arguments: Sequence[str], removed: Sequence[str]) -> Iterator[str]:
    """Start something and remove it in the end.

    Parameters
    ----------
    arguments : sequence of str
        Of docker.
    removed : sequence of str
        Of docker, to take it away.

    Yields
    ------
    str
        What docker answered, usually an id.
    """
    answer = engine.run(arguments, timeout_s=READY_S)
    try:
        yield answer
    finally:
        engine.run(removed)


def service_arguments(name: str, image: str, key_hash: str, *, cpus: float = 0.0) -> list[str]:
    """Describe the service: hardened, replaced one by one, the new before the old, back by itself if the new does not become healthy.

    Parameters
    ----------
    name : str
        Of the service, and of the network that it is on.
    image : str
        Of the service.
    key_hash : str
        SHA-256 of the key that clients send.
    cpus : float, default 0
        Processors that a replica may use; 0 sets no limit.

    Returns
    -------
    list of str
        Arguments of docker.
    """
    variables = {"CAREFOLIO_API_KEYS": key_hash, "CAREFOLIO_REQUESTS_PER_MINUTE": "100000000", "CAREFOLIO_QUEUE_LIMIT": "128"}
    return ["service", "create", "--detach", "--name", name, "--label", f"{LABEL}={name}", "--network", name, "--endpoint-mode", "dnsrr",
            "--replicas", "1", "--read-only", "--cap-drop", "ALL", "--mount", "type=tmpfs,destination=/tmp,tmpfs-size=67108864",
            "--stop-grace-period", "30s", "--restart-condition", "any", "--restart-delay", "1s", "--update-order", "start-first",
            "--update-parallelism", "1", "--update-delay", "3s", "--update-monitor", "5s", "--update-failure-action", "rollback",
            "--health-interval", "3s", "--health-timeout", "5s", "--health-retries", "5",
            "--health-start-period", "60s", "--no-resolve-image",
            *(["--limit-cpu", f"{cpus:g}"] if cpus else []),
            *(word for variable, value in variables.items() for word in ("--env", f"{variable}={value}")), image]


@contextmanager
def stack(image: str, proxy_image: str, *, cpus: float = 0.0) -> Iterator[tuple[str, Running]]:
    """Run one replica of an image behind a proxy.

    Parameters
    ----------
    image : str
        Of the service.
    proxy_image : str
        With HAProxy in it.
    cpus : float, default 0
        Processors that a replica may use; 0 sets no limit.

    Yields
    ------
    name : str
        Of the service.
    running : Running
        Address of the proxy and of its own metrics, and the key.
    """
    name, port, watch = f"carefolio-{secrets.token_hex(4)}", free_port(), free_port()
    key, key_hash = new_api_key()
    configuration = repository_root() / "docker" / "haproxy" / "haproxy.cfg"
    with ExitStack() as parts:
        parts.enter_context(swarm_mode())
        parts.enter_context(started(["network", "create", "--driver", "overlay", "--attachable", "--label", f"{LABEL}={name}", name],
                                    ["network", "rm", name]))
        parts.callback(_wait_until_gone, name)
        parts.enter_context(started(service_arguments(name, image, key_hash, cpus=cpus), ["service", "rm", name]))
        parts.enter_context(started(
            ["run", "--detach", "--name", f"{name}-proxy", "--label", f"{LABEL}={name}", "--network", name, "--publish",
            f"127.0.0.1:{port}:8080",
             "--publish", f"127.0.0.1:{watch}:8405", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user",
             "65532:65532", "--env",
             f"API_NAME=tasks.{name}", "--volume", f"{configuration}:/usr/local/etc/haproxy/haproxy.cfg:ro", proxy_image, "haproxy", "-W",
             "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"], ["rm", "--force", f"{name}-proxy"]))
        running = Running((f"http://127.0.0.1:{port}", f"http://127.0.0.1:{watch}"), {"X-API-Key": key}, ())
        wait_for(lambda: healthy(name) >= 1, f"a healthy replica of {image}")
        wait_for(lambda: answers(running), "an answer through the proxy")
        yield name, running


def containers(name: str) -> list[str]:
    """List the running containers of a service.

    Parameters
    ----------
    name : str
        Of the service.

    Returns
    -------
    list of str
        Their ids.
    """
    return engine.run(["ps", "--quiet", "--filter", f"label=com.docker.swarm.service.name={name}"]).split()


def healthy(name: str, image: str = "") -> int:
    """Count the healthy containers of a service.

    Parameters
    ----------
    name : str
        Of the service.
    image : str, optional
        Only those of this image.

    Returns
    -------
    int
        How many.
    """
    filters = ["--filter", f"label=com.docker.swarm.service.name={name}", "--filter", "health=healthy"]
    filters += ["--filter", f"ancestor={image}"] if image else []
    return len(engine.run(["ps", "--quiet", *filters]).split())


def wait_for(condition: Callable[[], bool], what: str, *, timeout_s: float = READY_S, every_s: float = 0.5) -> None:
    """Wait until something holds.

    Parameters
    ----------
    condition : callable
        Asked again and again.
    what : str
        In words, for the error.
    timeout_s : float, default 180
        How long.
    every_s : float, default 0.5
        Seconds between two times of asking.

    Raises
    ------
    ProviderError
        If it does not come to hold in time.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise ProviderError(f"waited {timeout_s:.0f} s in vain for {what}; `docker service ls` and `docker ps -a` show what there is.")
        time.sleep(every_s)


def scale(name: str, count: int) -> None:
    """Change the number of replicas and wait until they answer.

    Parameters
    ----------
    name : str
        Of the service.
    count : int
        How many.
    """
    engine.run(["service", "scale", "--detach", f"{name}={count}"])
    wait_for(lambda: healthy(name) == count and len(containers(name)) == count, f"{count} healthy replicas")
    time.sleep(SETTLE_S)


def answers(running: Running) -> bool:
    """Ask once whether a service is ready.

    Parameters
    ----------
    running : Running
        The service.

    Returns
    -------
    bool
        False if it does not answer.
    """
    try:
        ask(running, "/health/ready")
    except (OSError, ValueError, SchemaError):
        return False
    return True


def _wait_until_gone(name: str) -> None:
    wait_for(lambda: not containers(name), "the replicas to end", timeout_s=60.0)
