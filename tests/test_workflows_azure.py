"""azure-pipelines.yml played: its stages in order, its scripts as they stand, against Azure Repos' interface on loopback."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from carefolio.testing import requires_command

from .workflow_player import ROOT, Stage, git, make_stage
from .workflow_services import Services, serve

pytestmark = [pytest.mark.slow, requires_command("curl"), requires_command("jq"),
              pytest.mark.skipif(not Path(sys.prefix, "bin", "retraining").exists(), reason="chapter 05 is not installed")]
TOKEN = "made-up-token"
OUTPUT = re.compile(r"##vso\[task\.setvariable variable=(\w+);isOutput=true\](.*)")
CONDITION = re.compile(r"and\(succeeded\(\), eq\(dependencies\.(\w+)\.outputs\['(\w+)\.(\w+)\.(\w+)'\], '(\w+)'\)\)")
TASKS = {"UsePythonVersion@0"}
"""Azure's own tasks, for which nothing is executed here."""


@dataclass
class Run:
    """A run of the pipeline: its folder, its output variables as (stage, job, step, name), and the names of the scripts that ran."""

    stage: Stage
    services: Services
    parameters: dict[str, str]
    variables: dict[tuple[str, ...], str] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    printed: str = ""

    @property
    def workspace(self) -> Path:
        """Where artifacts are downloaded to."""
        return self.stage.played / "workspace"

    def play(self, pipeline: Path) -> bool:
        """Play all stages whose condition holds; False once a script fails."""
        table = yaml.safe_load(self.fill(pipeline.read_text(encoding="utf-8")))
        for part in table["stages"]:
            if self.holds(part.get("condition", "")):
                for job in part["jobs"]:
                    self.stage.git("checkout", "--quiet", "--force", "main")
                    self.stage.git("clean", "--quiet", "-d", "--force", "projects")
                    if not all(self.play_step(step, (part["stage"], job["job"]), table["variables"]) for step in job["steps"]):
                        return False
        return True

    def fill(self, text: str) -> str:
        """Put the parameters into the text, as Azure does before it reads the file."""
        defaults = {item["name"]: item["default"] for item in yaml.safe_load(text)["parameters"]}
        assert set(self.parameters) <= set(defaults)
        return re.sub(r"\$\{\{ parameters\.(\w+) \}\}", lambda found: str((defaults | self.parameters)[found[1]]), text)

    def holds(self, condition: str) -> bool:
        """Evaluate the one form of condition that the pipeline uses."""
        found = CONDITION.fullmatch(condition)
        assert found or not condition, f"this player does not know {condition!r}"
        return found is None or self.variables.get(found.groups()[:4]) == found[5]

    def play_step(self, step: dict[str, Any], place: tuple[str, str], variables: dict[str, str]) -> bool:
        """Play a step: a script, an artifact, or one of Azure's own."""
        if "publish" in step:
            shutil.copytree(self.stage.clone / step["publish"], self.stage.played / "artifacts" / step["artifact"], dirs_exist_ok=True)
        elif "download" in step:
            shutil.copytree(self.stage.played / "artifacts" / step["artifact"], self.workspace / step["artifact"], dirs_exist_ok=True)
        elif "bash" not in step:
            assert step.get("task") in TASKS or step["checkout"] == "self"
        else:
            return self.play_script(step, place, variables)
        return True

    def play_script(self, step: dict[str, Any], place: tuple[str, str], variables: dict[str, str]) -> bool:
        """Run a script with the variables that Azure sets, and read what it tells Azure."""
        given = {"TF_BUILD": "True", "BUILD_REQUESTEDFOR": "Dr Example", "BUILD_BUILDNUMBER": "retrain-1",
                 "BUILD_REPOSITORY_ID": "repository", "BUILD_SOURCEBRANCH": "refs/heads/main",
                 "SYSTEM_COLLECTIONURI": f"{self.services.address}/",
                 "SYSTEM_TEAMPROJECTID": "project", "PIPELINE_WORKSPACE": str(self.workspace), **variables}
        own = {key: value.replace("$(System.AccessToken)", TOKEN) for key, value in step.get("env", {}).items()}
        done = subprocess.run(["bash", "--noprofile", "--norc", "-e", "-c", step["bash"]], cwd=self.stage.clone, capture_output=True,
                              text=True, env={**self.stage.environment(), **given, **own}, check=False, timeout=600)
        self.printed += done.stdout + done.stderr
        for name, value in OUTPUT.findall(done.stdout):
            self.variables[(*place, step.get("name", ""), name)] = value
        if done.returncode == 0:
            self.ran.append(step["displayName"])
        return done.returncode == 0


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A fresh clone."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "python")], check=True)
    return make_stage(tmp_path, tmp_path / "python" / "bin" / "python")


@pytest.fixture
def services() -> Iterator[Services]:
    """Azure Repos' interface."""
    with serve() as served:
        yield served


def scripts() -> list[str]:
    """List the scripts of the pipeline."""
    table = yaml.safe_load((ROOT / "azure-pipelines.yml").read_text(encoding="utf-8"))
    return [step["displayName"] for part in table["stages"] for job in part["jobs"] for step in job["steps"] if "bash" in step]


def test_the_pipeline_takes_a_batch_through_waits_and_deploys_on_approval(stage, services):
    parameters = {"options": "--quick", "state": str(stage.played / "state")}
    first = Run(stage, services, parameters)
    assert first.play(stage.clone / "azure-pipelines.yml"), first.printed[-4000:]
    assert first.ran == scripts()
    assert first.variables[("cycle", "cycle", "outcome", "waiting")] == "true", "the first model wants a person"
    assert "person has to approve" in services.pulls[0]["description"]
    assert services.requests[-1][2] == f"Bearer {TOKEN}"

    second = Run(stage, services, {**parameters, "verb": "approve"})
    assert second.play(stage.clone / "azure-pipelines.yml"), second.printed[-4000:]
    assert second.variables[("cycle", "cycle", "outcome", "waiting")] == "false"
    assert "Dr Example" in services.pulls[1]["description"]
    assert services.pulls[1]["targetRefName"] == "refs/heads/main"
    changed = git(stage.origin, "diff", "--name-only", "main", services.pulls[1]["sourceRefName"])
    assert "projects/05-retraining-cicd/operation/deployment/release.json" in changed.split()


def test_a_broken_script_stops_the_pipeline(stage, services):
    stage.change("azure-pipelines.yml", "bash .github/scripts/cycle.sh", "bash .github/scripts/cicle.sh")
    run = Run(stage, services, {"options": "--quick", "state": str(stage.played / "state")})
    assert not run.play(stage.clone / "azure-pipelines.yml")
    assert run.ran == ["Set up"]
    assert services.pulls == []
