"""Rehearsals on a swarm: scale 1-2-3, kill a replica, roll to a new model, all under a load that does not pause; count what clients saw."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from carefolio.artefacts import seal
from container_scaling import engine
from container_scaling.live import read_samples
from container_scaling.load import LoadResult, Plan, drive
from container_scaling.peer import MANIFEST_FILE, MODEL_FILE
from container_scaling.recorded import ask
from container_scaling.servers import MODEL_FOLDER, Running
from container_scaling.swarm import PROXY_IMAGE, READY_S, SETTLE_S, Say, answers, containers, healthy, scale, stack, wait_for

RETRIES = 4
LONGEST_S = 900


@dataclass
class Story:
    """What happened: events by second of the load, and what clients saw."""

    events: list[dict[str, Any]] = field(default_factory=list)
    requests: int = 0
    answered: int = 0
    refused: int = 0
    failed: int = 0
    retried: int = 0
    proxy_retried: int = 0
    p95_ms: float = 0.0
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Give the story as plain values.

        Returns
        -------
        dict
            For JSON.
        """
        return asdict(self)


def build_next(image: str, artefacts: Path, tag: str) -> str:
    """Put a smaller model into an image: the first half of the trees, sealed like any other.

    Parameters
    ----------
    image : str
        With the committed model.
    artefacts : Path
        Folder of the committed model.
    tag : str
        Name of the new image.

    Returns
    -------
    str
        The name.
    """
    import lightgbm

    with tempfile.TemporaryDirectory() as context:
        folder = Path(context) / "artefacts"
        folder.mkdir()
        booster = lightgbm.Booster(model_file=artefacts / MODEL_FILE)
        booster.save_model(folder / MODEL_FILE, num_iteration=max(1, booster.num_trees() // 2))
        shutil.copyfile(artefacts / MANIFEST_FILE, folder / MANIFEST_FILE)
        for name in (MODEL_FILE, MANIFEST_FILE):
            seal(folder / name)
        for path in folder.iterdir():
            path.chmod(0o644)
        text = f"FROM {image}\nCOPY artefacts /app/projects/{MODEL_FOLDER}/artefacts\n"
        (Path(context) / "Dockerfile").write_text(text, encoding="utf-8")
        engine.run(["build", "--quiet", "--tag", tag, context], timeout_s=READY_S)
    return tag


def rehearse(image: str, *, requests: Path, next_image: str, rate: float, proxy_image: str = PROXY_IMAGE,
             say: Say = lambda _: None) -> Story:
    """Scale, kill and replace under a load that does not pause.

    Parameters
    ----------
    image : str
        Of the service.
    requests : Path
        Recorded bodies, one a line.
    next_image : str
        What the rolling update brings.
    rate : float
        Requests a second.
    proxy_image : str
        With HAProxy in it.
    say : callable, optional
        Told what happens.

    Returns
    -------
    Story
        Events, and what clients saw. A request that is asked for again and answered then is answered; how often is counted.
    """
    story, ended = Story(), threading.Event()
    with stack(image, proxy_image) as (name, running), ThreadPoolExecutor(1) as pool:
        plan = Plan(running.addresses[:1], str(requests), LONGEST_S, users=8, rate=rate, headers=running.headers, retries=RETRIES,
                    retry_statuses=(0, 429, 502, 503, 504), retry_pause_s=0.25, warm_up_s=0.0)
        body, start = requests.read_text(encoding="utf-8").splitlines()[0], time.monotonic()
        loading = pool.submit(drive, plan, until=ended)

        def _note(what: str) -> None:
            story.events.append({"second": round(time.monotonic() - start, 1), "event": what, "model": _model(running, body)})
            say(f"{story.events[-1]['second']:6.1f} s  {what}")

        try:
            time.sleep(SETTLE_S)
            act(name, next_image, _note)
            time.sleep(SETTLE_S)
        finally:
            ended.set()
        result = loading.result()
        story.proxy_retried = sum(int(value) for line, value in read_samples(running.addresses[1])
                                  if line.startswith(("haproxy_backend_retry_warnings_total", "haproxy_backend_redispatch_warnings_total")))
    return tell(story, result)


def act(name: str, next_image: str, note: Say) -> None:
    """Scale 1-2-3, kill one replica, roll to another image, scale back.

    Parameters
    ----------
    name : str
        Of the service.
    next_image : str
        The other image.
    note : callable
        Told after each step.
    """
    note("one replica answers")
    for count in (2, 3):
        scale(name, count)
        note(f"{count} replicas answer")
    engine.run(["kill", "--signal", "KILL", containers(name)[0]])
    note("one replica is killed")
    wait_for(lambda: healthy(name) == 3, "the killed replica to be replaced")
    note("it has been replaced")
    engine.run(["service", "update", "--detach", "--no-resolve-image", "--image", next_image, name])
    note("rolling update begins")
    wait_for(lambda: healthy(name, next_image) == 3 and healthy(name) == 3, "three replicas of the new image", timeout_s=2 * READY_S)
    note("all replicas run the new model")
    scale(name, 1)
    note("scaled back to one replica")


def container_curve(image: str, requests: Path, *, counts: Sequence[int], cpus: float, seconds: int,
                    proxy_image: str = PROXY_IMAGE) -> list[tuple[int, LoadResult]]:
    """Measure the throughput of replicas that each have a fixed share of a processor, as a Kubernetes limit gives it.

    Parameters
    ----------
    image : str
        Of the service.
    requests : Path
        Recorded bodies.
    counts : sequence of int
        Numbers of replicas.
    cpus : float
        Processors of each.
    seconds : int
        Of each load.
    proxy_image : str
        With HAProxy in it.

    Returns
    -------
    list of (int, LoadResult)
        One a number of replicas.
    """
    found = []
    with stack(image, proxy_image, cpus=cpus) as (name, running):
        for count in counts:
            scale(name, count)
            found.append((count, drive(Plan(running.addresses[:1], str(requests), seconds, users=16, headers=running.headers,
            warm_up_s=2.0))))
    return found


def tell(story: Story, result: LoadResult) -> Story:
    """Put down what clients saw.

    Parameters
    ----------
    story : Story
        With its events.
    result : LoadResult
        Of the load.

    Returns
    -------
    Story
        The same, completed.
    """
    story.requests, story.answered, story.refused = result.requests, len(result.accepted), result.refused
    story.failed, story.retried, story.seconds = result.failed, result.retried, result.span_s
    story.p95_ms = result.quantile_ms(0.95)
    return story


def _model(running: Running, body: str) -> str:
    wait_for(lambda: answers(running), "an answer through the proxy")
    return str(ask(running, "/predict", body)["model"]["sha256"])[:12]
