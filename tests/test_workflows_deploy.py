"""deploy.yml played on a real engine with a real registry: build, list, attest, staging, production, and going back from what is broken."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .workflow_deployment import API_KEY, docker, lacking, registry, swarm, write_service
from .workflow_player import ROOT, Stage, make_stage
from .workflow_services import Services, serve

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(lacking()), reason=lacking() or "all there")]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[tuple[Stage, Services, str]]:
    """A fresh clone with the stand-in service, GitHub's interface, and a registry."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "python")], check=True)
    made = make_stage(tmp_path, tmp_path / "python" / "bin" / "python")
    write_service(made.clone)
    made.git("add", "--all", "docker", "stand-in", ".dockerignore")
    made.git("commit", "--quiet", "--message", "A small service")
    with serve() as services, registry(tmp_path) as address, swarm("staging", "production"):
        made.variables["PLAYED_API"] = services.address
        yield made, services, address


def deploy(stage: Stage, address: str):
    """Play the deployment, asked for by hand."""
    settings = {"REGISTRY": address, "IMAGE_REPOSITORY": "Example/carefolio", "REPLICAS": "2", "MONITOR_S": "5", "WATCH_S": "2"}
    return stage.play("deploy.yml", "workflow_dispatch", {"inputs": {"project": "02-readmission-pipeline"}}, var=settings,
                      secret={"API_KEY": API_KEY, "GITHUB_TOKEN": "made-up-token"})


def in_service(name: str) -> str:
    """Name the image of a service."""
    return docker("service", "inspect", "--format", "{{.Spec.TaskTemplate.ContainerSpec.Image}}", name).stdout.strip()


def test_an_image_is_built_by_digest_attested_and_put_into_service_and_a_broken_one_goes_back(stage):
    made, _, address = stage
    played = deploy(made, address)
    assert played.status == 0, played.said()
    assert played.missing(ROOT / ".github/workflows/deploy.yml") == []
    assert played.missing(ROOT / ".github/workflows/rollout.yml") == []
    first = in_service("production")
    assert re.fullmatch(rf"{address}/example/carefolio/02-readmission-pipeline@sha256:[0-9a-f]{{64}}", first)
    assert in_service("staging") == first
    assert (made.played / "attested").read_text().splitlines() == [f"oci://{first}"] * 2
    listed = json.loads((made.played / "artifacts/sbom/sbom.cdx.json").read_text())
    assert [(part["name"], part["version"]) for part in listed["components"]] == [("made-up-package", "1.2.3")]
    labels = json.loads(docker("image", "inspect", "--format", "{{json .Config.Labels}}", first).stdout)
    assert labels["org.opencontainers.image.revision"] == made.git("rev-parse", "HEAD")

    write_service(made.clone, broken="predict")
    made.git("commit", "--quiet", "--all", "--message", "A service that answers wrongly")
    played = deploy(made, address)
    assert played.status != 0
    assert "Roll out, test, watch; roll back what fails" in played.failed()
    assert in_service("staging") == first, "it went back"
    assert in_service("production") == first, "and never got that far"
    assert "failed its smoke test" in played.output


def test_nothing_is_deployed_where_nobody_has_to_approve(stage):
    made, services, address = stage
    services.rules = []
    played = made.play("deploy.yml", "workflow_dispatch", {"inputs": {"project": "02-readmission-pipeline"}}, job="guard",
                       secret={"GITHUB_TOKEN": "made-up-token"}, var={"REGISTRY": address})
    assert played.status != 0
    assert played.failed() == ["Refuse to go on where nobody has to approve"]
