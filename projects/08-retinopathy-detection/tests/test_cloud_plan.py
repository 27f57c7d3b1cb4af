"""Plans: pure, complete, readable, and made without a network or a cloud's library; files that a cloud's own command takes."""

import json
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner

from carefolio.deploy.steps import render_plan
from carefolio.exceptions import ConfigError
from retinopathy.cli import main
from retinopathy.cloud.plan import specify
from retinopathy.cloud.settings import TARGETS, load_settings
from retinopathy.cloud.specification import PROGRAM

from .cloud_examples import IDENTITY, TOML, cloud_settings

GUARDED = """
import socket, sys
def refuse(*arguments, **options):
    raise AssertionError("the network was used")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
from click.testing import CliRunner
from retinopathy.cli import main
for target in ("local", "sagemaker", "azureml", "vertex"):
    result = CliRunner().invoke(main, ["cloud", "--dry-run", "--target", target, "--out", sys.argv[1] + target])
    assert result.exit_code == 0, (target, result.output, result.exception)
loaded = sorted(name for name in sys.modules if name.partition(".")[0] in ("boto3", "botocore", "azure", "google", "googleapiclient"))
assert not loaded, loaded
"""
FILES = {"sagemaker": ["create_training_job.json", "create_model.json", "create_endpoint_config.json", "create_endpoint.json"],
         "azureml": ["environment.yml", "job.yml", "model.yml", "endpoint.yml", "deployment.yml", "request.json"],
         "vertex": ["custom_job.json", "upload_model.json", "endpoint.json", "deploy_model.json", "request.json"]}


@pytest.fixture
def complete_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings that lack nothing, with the identities in the environment."""
    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "complete.toml").write_text(TOML, encoding="utf-8")
    return tmp_path / "complete.toml"


def test_dry_run_uses_no_network_and_no_cloud_library(tmp_path):
    done = subprocess.run([sys.executable, "-c", GUARDED, f"{tmp_path}/"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "local").iterdir()] == ["plan.json"]
    for target, names in FILES.items():
        assert {path.name for path in (tmp_path / target).iterdir()} == {*names, "plan.json", "commands.txt", "photo.jpg"}
        assert json.loads((tmp_path / target / "plan.json").read_text())["target"] == target


def test_cloud_libraries_are_named_in_cloud_alone():
    package = Path(str(files("retinopathy")))
    cloud = re.compile(r"\b(boto3|botocore|googleapiclient|azure\.ai|google\.auth)\b")
    assert {path.relative_to(package).parts[0] for path in package.rglob("*.py") if cloud.search(path.read_text("utf-8"))} == {"cloud"}
    imported = re.compile(r"^(from|import) (boto3|botocore|azure|google|googleapiclient)\b", re.MULTILINE)
    assert not [path.name for path in (package / "cloud").glob("*.py") if imported.search(path.read_text("utf-8"))]


@pytest.mark.parametrize("target", TARGETS)
def test_plan_is_the_same_each_time_and_shows_every_step(target):
    plan = specify(target, load_settings(), environment={}).plan
    assert plan == specify(target, load_settings(), environment={}).plan
    text = render_plan(plan)
    for step in plan.steps:
        assert f"{step.name}   [{step.action}]" in text


@pytest.mark.parametrize(("target", "missing"), [
    ("local", ()), ("sagemaker", ("sagemaker.bucket", "sagemaker.image_uri", "RETINOPATHY_SAGEMAKER_ROLE_ARN")),
    ("azureml", ("azureml.image_uri", "AZURE_STORAGE_CONNECTION_STRING", "AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP",
                 "AZURE_WORKSPACE_NAME")),
    ("vertex", ("vertex.bucket", "vertex.image_uri", "GOOGLE_CLOUD_PROJECT", "RETINOPATHY_VERTEX_SERVICE_ACCOUNT"))])
def test_plan_names_what_is_missing(target, missing):
    plan = specify(target, load_settings(), environment={}).plan
    assert plan.missing == missing
    shown = render_plan(plan, missing_for="the cloud")
    assert all(f"missing for the cloud: {name}" in shown for name in missing)
    assert specify(target, cloud_settings(), environment=IDENTITY).plan.missing == ()


@pytest.mark.parametrize("target", FILES)
def test_commands_take_the_files_that_are_written(target, tmp_path, complete_config):
    out = tmp_path / "out"
    result = CliRunner().invoke(main, ["cloud", "--target", target, "--config", str(complete_config), "--check", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "checked offline: " in result.output and "missing" not in result.output
    commands = (out / "commands.txt").read_text()
    named = set(re.findall(r"(?:file://|fileb://|--file |--request-file |@)([\w.]+)", commands))
    assert named == {*FILES[target], *(["photo.jpg"] if target == "sagemaker" else [])}
    assert "not a medical device" in commands
    assert "hidden-away" not in "".join(path.read_text() for path in out.iterdir() if path.suffix in (".txt", ".yml", ".json"))


@pytest.mark.parametrize(("target", "command"), [
    ("sagemaker", "aws sagemaker create-training-job --region us-east-1 --cli-input-json file://create_training_job.json"),
    ("azureml", "az ml job create --file job.yml --stream"), ("vertex", "us-central1-aiplatform.googleapis.com/v1/projects/")])
def test_apply_is_not_offered_for_a_cloud_and_the_command_that_does_it_is_named(target, command, tmp_path):
    result = CliRunner().invoke(main, ["cloud", "--target", target, "--apply", "--out", str(tmp_path / "out")])
    assert result.exit_code == ConfigError.exit_code
    assert f"--apply is not offered for {target}" in result.stderr and command in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1 and not (tmp_path / "out").exists()


@pytest.mark.parametrize(("options", "fault"), [
    (["--check"], "--check goes with a cloud"),
    (["--target", "sagemaker", "--check"], "nothing was checked, because settings are missing")])
def test_check_needs_a_whole_plan_of_a_cloud(options, fault):
    result = CliRunner().invoke(main, ["cloud", *options], env={"RETINOPATHY_SAGEMAKER_ROLE_ARN": None})
    assert result.exit_code == ConfigError.exit_code and fault in result.stderr


def test_check_without_the_library_names_the_extra(monkeypatch, complete_config):
    for target, library in (("sagemaker", "botocore"), ("azureml", "azure.ai.ml"), ("vertex", "googleapiclient.discovery_cache")):
        monkeypatch.setitem(sys.modules, library, None)
        result = CliRunner().invoke(main, ["cloud", "--target", target, "--config", str(complete_config), "--check"])
        assert result.exit_code == ConfigError.exit_code
        assert "carefolio-retinopathy[deploy]" in result.stderr


@pytest.mark.parametrize(("text", "fault"), [
    ("[sagemaker]\nregoin = 'x'", "regoin"), ("name = 'Has Spaces'", "name"), ("name = ", "cannot be read"),
    ("[vertex]\nmaximum_replicas = 1", "maximum_replicas must be at least"), ("[vertex]\naccelerator_count = 1", "must be given together"),
    ("[hyperparameters]\ndepth = 3", "hyperparameters.depth"), ("[azureml]\nauth_mode = 'none'", "auth_mode")])
def test_settings_that_are_not_understood_are_refused(tmp_path, text, fault):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(fault)):
        load_settings(file)


def test_unknown_target_is_refused():
    with pytest.raises(ConfigError, match="target 'moon' is not known; expected one of local, sagemaker, azureml, vertex"):
        specify("moon", load_settings())


def test_help_says_what_it_is_and_what_it_is_not():
    result = CliRunner().invoke(main, ["cloud", "--help"])
    assert result.exit_code == 0
    assert "Not a medical device" in result.output and "[local|sagemaker|azureml|vertex]" in result.output
    shown = subprocess.run([sys.executable, *PROGRAM[1:], "--help"], capture_output=True, text=True, check=False)
    assert shown.returncode == 0 and "not a medical device" in shown.stdout
    assert {"serve", "train"} <= {line.split()[0] for line in shown.stdout.splitlines() if line.startswith("  ")}
