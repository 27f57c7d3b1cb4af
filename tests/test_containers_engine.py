"""Images and a swarm on a real Docker engine; skipped, with the reason, where none answers or no base image can be had."""

import json
import os
import re
import secrets
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from carefolio.exceptions import ProviderError
from carefolio.local_server import free_port
from carefolio.serving.settings import new_api_key
from container_scaling import engine, images, rehearsal, swarm
from container_scaling.recorded import ask, check_requests, read_document
from container_scaling.servers import Running

ROOT = Path(__file__).parents[1]
BASE = os.environ.get("CAREFOLIO_BASE_IMAGE", "python:3.11-slim")
CA = Path("/etc/ssl/certs/ca-certificates.crt")
PROJECT = "02-readmission-pipeline"
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(engine.is_there()), reason=engine.is_there() or "an engine answers")]


def has(image: str) -> bool:
    """Say whether an image is here or can be pulled."""
    for arguments in (["image", "inspect", image], ["pull", "--quiet", image]):
        try:
            engine.run(arguments, timeout_s=300)
        except (ProviderError, subprocess.TimeoutExpired):
            continue
        return True
    return False


@pytest.fixture(scope="module")
def image() -> Iterator[images.Image]:
    """The image of the readmission service, built from this working tree."""
    if not has(BASE):
        pytest.skip(f"the base image {BASE} is neither here nor can it be pulled")
    tag = f"carefolio/readmission:test-{secrets.token_hex(4)}"
    yield images.build(PROJECT, tag=tag, base=BASE, network="host", secrets={"ca": CA if CA.is_file() else None})
    engine.run(["image", "rm", "--force", tag])


@pytest.fixture(scope="module")
def container(image: images.Image) -> Iterator[tuple[str, Running]]:
    """A hardened container of it, published on loopback; its name and how it is reached."""
    name, port, (key, key_hash) = f"carefolio-test-{secrets.token_hex(4)}", free_port(), new_api_key()
    engine.run(["run", "--detach", "--name", name, "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--tmpfs",
                "/tmp:size=64m", "--memory", "768m", "--publish", f"127.0.0.1:{port}:8000", "--env",
                f"CAREFOLIO_API_KEYS={key_hash}", image.tag])
    try:
        swarm.wait_for(lambda: engine.inspect(name)["State"].get("Health", {}).get("Status") == "healthy", f"{name} to be healthy")
        yield name, Running((f"http://127.0.0.1:{port}",), {"X-API-Key": key}, ())
    finally:
        engine.run(["rm", "--force", name])


@pytest.fixture(scope="module")
def requests(container: tuple[str, Running], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recorded requests from the synthetic twin, taken by the container."""
    from carefolio.datasets.diabetes130 import load_diabetes130
    from container_scaling.features import build_requests

    patch = pytest.MonkeyPatch()
    patch.setenv("CAREFOLIO_OFFLINE", "1")
    patch.delenv("CAREFOLIO_DATA_DIR", raising=False)
    patch.setenv("CAREFOLIO_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
    loaded = load_diabetes130(allow_synthetic=True, n_synthetic_patients=500, random_state=0)
    patch.undo()
    path = tmp_path_factory.mktemp("requests") / "requests.jsonl"
    bodies = build_requests(loaded.frame, read_document(container[1]), count=50, seed=0)
    path.write_text("".join(f"{body}\n" for body in bodies), encoding="utf-8")
    return path


def left_behind() -> str:
    """List containers and networks of a rehearsal."""
    containers = engine.run(["ps", "--all", "--format", "{{.Names}}", "--filter", "name=^carefolio-[0-9a-f]{8}[.-]"])
    return containers + engine.run(["network", "ls", "--quiet", "--filter", f"label={swarm.LABEL}"])


def python(name: str, code: str) -> str:
    """Run Python inside a container."""
    return engine.run(["exec", name, "/python", "-c", code])


def test_the_image_is_small_and_says_where_it_comes_from(image):
    assert image.size_mb < 400
    assert image.labels["org.carefolio.evidence.sha256"] == images.evidence_sha256(PROJECT, ROOT)
    assert re.fullmatch("[0-9a-f]{7,40}(-dirty)?|unknown", image.labels["org.opencontainers.image.revision"])
    assert engine.inspect(image.tag, kind="image")["Config"]["User"] == "65532:65532"


def test_the_process_has_no_rights(container):
    name, _ = container
    status = python(name, "print(open('/proc/self/status').read())")
    assert re.search(r"^Uid:\s+65532\s+65532\s+65532", status, re.MULTILINE)
    assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE)
    assert re.search(r"^CapBnd:\s+0+$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)


def test_only_tmp_is_writable(container):
    code = ("import pathlib, json; w = []\n"
            "for d in ('/', '/app', '/app/site', '/usr', '/etc', '/tmp'):\n"
            "  try: (pathlib.Path(d) / 'x').write_text('x'); w.append(d)\n"
            "  except OSError: pass\n"
            "print(json.dumps(w))")
    assert json.loads(python(container[0], code)) == ["/tmp"]


def test_there_is_no_shell(container):
    for program in ("sh", "/bin/sh", "bash", "apt-get", "pip", "perl"):
        with pytest.raises(ProviderError, match=r"not found|no such file"):
            engine.run(["exec", container[0], program, "--version"])


def test_the_published_port_answers_with_a_key_and_refuses_without(container, requests):
    name, running = container
    assert check_requests(running, requests) == 50
    assert ask(running, "/explain", requests.read_text(encoding="utf-8").splitlines()[0])["reasons"]
    with pytest.raises(Exception, match="401"):
        ask(Running(running.addresses, {}, ()), "/predict", "{}")
    assert engine.inspect(name)["NetworkSettings"]["Ports"]["8000/tcp"][0]["HostIp"] == "127.0.0.1"


def test_without_keys_it_does_not_start(image):
    with pytest.raises(ProviderError, match="authentication is on but there is no API key"):
        engine.run(["run", "--rm", "--read-only", "--tmpfs", "/tmp", image.tag])


def test_other_evidence_stops_the_build(image):
    with pytest.raises(ProviderError, match="but the evidence in the build context has"):
        engine.run(["build", "--network", "host", "--file", "docker/Dockerfile", "--build-arg", f"PROJECT={PROJECT}", "--build-arg",
                    f"BASE={BASE}", "--build-arg", f"EVIDENCE={'0' * 64}", *(["--secret", f"id=ca,src={CA}"] if CA.is_file() else []), "."],
                   folder=ROOT, timeout_s=1800, environment={**os.environ, "DOCKER_BUILDKIT": "1"})


def test_the_bill_of_materials_lists_what_is_inside(image, tmp_path):
    count = images.write_sbom(image.tag, tmp_path / "sbom.json")
    found = json.loads((tmp_path / "sbom.json").read_text(encoding="utf-8"))
    assert found["bomFormat"] == "CycloneDX"
    names = {component["name"] for component in found["components"]}
    assert len(names) == count
    assert {"lightgbm", "fastapi", "carefolio"} <= names


def test_it_ends_in_time_when_told_to(image):
    name = f"carefolio-test-{secrets.token_hex(4)}"
    engine.run(["run", "--detach", "--name", name, "--read-only", "--tmpfs", "/tmp",
                "--env", f"CAREFOLIO_API_KEYS={new_api_key()[1]}", image.tag])
    try:
        swarm.wait_for(lambda: engine.inspect(name)["State"].get("Health", {}).get("Status") == "healthy", f"{name} to be healthy")
        start = time.monotonic()
        engine.run(["stop", "--time", "25", name])
        assert time.monotonic() - start < 20
        assert engine.inspect(name)["State"]["ExitCode"] == 0
    finally:
        engine.run(["rm", "--force", name])


def test_a_swarm_scales_loses_and_replaces_replicas_without_a_failed_request(image, requests):
    proxy = swarm.PROXY_IMAGE
    if not has(proxy):
        proxy = f"carefolio/haproxy:test-{secrets.token_hex(4)}"
        engine.run(["build", "--quiet", "--network", "host", "--build-arg", f"BASE={BASE}", "--tag", proxy, "docker/haproxy"], folder=ROOT,
                   timeout_s=900, environment={**os.environ, "DOCKER_BUILDKIT": "1"})
    newer = rehearsal.build_next(image.tag, ROOT / "projects" / PROJECT / "artefacts", f"{image.tag}-next")
    try:
        story = rehearsal.rehearse(image.tag, requests=requests, next_image=newer, rate=15.0, proxy_image=proxy)
    finally:
        engine.run(["image", "rm", "--force", newer, *([proxy] if proxy != swarm.PROXY_IMAGE else [])])
    assert story.failed == 0
    assert story.answered == story.requests > 300
    assert [event["event"] for event in story.events][:3] == ["one replica answers", "2 replicas answer", "3 replicas answer"]
    assert story.events[-1]["model"] != story.events[0]["model"], "the new model answers in the end"
    swarm.wait_for(lambda: not left_behind(), "all that was started to be gone", timeout_s=60.0)
