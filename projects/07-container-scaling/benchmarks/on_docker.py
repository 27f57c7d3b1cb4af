"""Measure the containers: size of the image, time to start, throughput by replicas, and a swarm that is scaled, hurt and updated under
load.

Run it with ``python projects/07-container-scaling/benchmarks/on_docker.py`` on a machine that does nothing else, after ``scaling data``.
Where no
Docker engine answers it says so and writes nothing.

What each number holds. Size: the image as the engine counts it, unpacked. Start: from ``docker run`` to the first answer of
``/health/ready``.
Throughput: HAProxy in front, the next request as soon as the last is answered, each replica held to a fixed share of a processor as a
Kubernetes
limit holds it, so that one machine can show several. Swarm: requests at random times without a pause from the first replica to the last
event;
a request that is asked for again and answered then counts as answered, and how often that was is counted apart.
"""

import secrets
import time
from pathlib import Path

import click

from carefolio.config import project_home
from carefolio.evidence import Metric, metric
from carefolio.local_server import free_port
from carefolio.measured import write_measured
from carefolio.serving.settings import new_api_key
from container_scaling import engine, images, rehearsal, swarm
from container_scaling.config import FOLDER
from container_scaling.recorded import requests_of
from container_scaling.servers import MODEL_FOLDER, Running
from container_scaling.summaries import throughput

CPUS = 0.25
COUNTS = (1, 2, 3)
STARTS = 5


def time_starts(image: str) -> list[float]:
    """Start a container several times and give the seconds until each was ready."""
    times = []
    for _ in range(STARTS):
        name, port = f"carefolio-start-{secrets.token_hex(4)}", free_port()
        begin = time.perf_counter()
        engine.run(["run", "--detach", "--name", name, "--read-only", "--cap-drop", "ALL", "--tmpfs", "/tmp",
                    "--publish", f"127.0.0.1:{port}:8000", "--env", f"CAREFOLIO_API_KEYS={new_api_key()[1]}", image])
        try:
            running = Running((f"http://127.0.0.1:{port}",), {}, ())
            swarm.wait_for(lambda running=running: swarm.answers(running), f"{name} to be ready", every_s=0.02)  # type: ignore[misc]
            times.append(time.perf_counter() - begin)
        finally:
            engine.run(["rm", "--force", name])
    return times


def measure(image: str, requests: Path, proxy_image: str) -> dict[str, Metric]:
    """Measure all of it; the swarm last."""
    starts = sorted(time_starts(image))
    found = {"readmission.image.docker.size_mb": metric(images.describe(image).size_mb, n=1, higher_is_better=False),
             "readmission.image.docker.packages": metric(len(images.packages(image)), n=1, higher_is_better=False),
             "readmission.image.docker.start_s": metric(starts[len(starts) // 2], n=len(starts), higher_is_better=False)}
    for count, result in rehearsal.container_curve(image, requests, counts=COUNTS, cpus=CPUS, seconds=20, proxy_image=proxy_image):
        name = f"readmission.containers_{count}.docker"
        found |= {f"{name}.throughput": throughput([result], replicates=500, seed=0),
                  f"{name}.failed": metric(result.failed, n=result.requests, higher_is_better=False)}
    first, last = (found[f"readmission.containers_{count}.docker.throughput"].value for count in (COUNTS[0], COUNTS[-1]))
    found["readmission.containers_scaling.docker.throughput_ratio"] = metric(last / first, n=len(COUNTS), higher_is_better=True)
    newer = rehearsal.build_next(image, project_home(MODEL_FOLDER) / "artefacts", f"{image}-next")
    story = rehearsal.rehearse(image, requests=requests, next_image=newer, rate=25.0, proxy_image=proxy_image, say=print)
    name, n = "readmission.swarm.docker", story.requests
    return found | {f"{name}.{key}": metric(getattr(story, key), n=n, higher_is_better=False) for key in (
        "failed", "refused", "retried", "proxy_retried", "p95_ms")} | {
        f"{name}.requests": metric(n, n=n, higher_is_better=None), f"{name}.answered": metric(story.answered, n=n, higher_is_better=True),
        f"{name}.seconds": metric(story.seconds, n=n, higher_is_better=None)}


@click.command()
@click.option("--image", default="carefolio/readmission:local", show_default=True, help="Made by `scaling image`.")
@click.option("--proxy-image", default=swarm.PROXY_IMAGE, show_default=True, help="An image with HAProxy.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of a run with requests; default the full one.")
def main(image: str, proxy_image: str, out: Path | None) -> None:
    """Measure containers and a swarm; write reports/measured/docker.json."""
    if reason := engine.is_there():
        print(f"nothing measured: {reason}")
        return
    home = project_home(FOLDER)
    requests = requests_of(out or home.parents[1] / "outputs" / "container_scaling" / "full")
    metrics = measure(image, requests, proxy_image)
    for name, value in metrics.items():
        print(f"{name:60} {value.value:,.3f}")
    write_measured(home / "reports" / "measured" / "docker.json", metrics,
                   command="python projects/07-container-scaling/benchmarks/on_docker.py")


if __name__ == "__main__":
    main()
