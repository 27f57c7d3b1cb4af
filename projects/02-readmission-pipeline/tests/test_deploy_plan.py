"""Plans: pure, complete, readable, and made without a network or a cloud's library."""

import json
import re
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner

from carefolio.deploy.steps import render_plan, run_steps
from carefolio.exceptions import ArtefactError, ConfigError
from readmission.cli import main
from readmission.deploy.plan import TARGETS, apply_plan, build_plan, read_metrics
from readmission.deploy.settings import load_settings
from readmission.model import MODEL_FILE

MODEL = "ab" * 32
ROLE = "arn:aws:iam::123456789012:role/sagemaker"
GUARDED = """
import socket, sys
def refuse(*arguments, **options):
    raise AssertionError("the network was used")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
from click.testing import CliRunner
from readmission.cli import main
for target in ("local", "sagemaker", "azureml"):
    options = ["--target", target, "--artefacts", sys.argv[1], "--out", sys.argv[2] + target]
    result = CliRunner().invoke(main, ["deploy", "--dry-run", *options])
    assert result.exit_code == 0, (target, result.output, result.exception)
loaded = sorted(name for name in sys.modules if name.partition(".")[0] in ("boto3", "botocore", "azure", "moto"))
assert not loaded, loaded
"""


def test_dry_run_uses_no_network_and_no_cloud_library(small_run: Path, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", GUARDED, str(small_run / "artefacts"), f"{tmp_path}/"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    for target in TARGETS:
        assert json.loads((tmp_path / target / "plan.json").read_text())["target"] == target
    assert (tmp_path / "azureml" / "deployment.yml").is_file()


def test_cloud_libraries_are_named_in_deploy_alone() -> None:
    package = Path(str(files("readmission")))
    cloud = re.compile(r"\b(boto3|botocore|azure\.(ai|storage|identity|core))\b")
    using = {path.relative_to(package).parts[0] for path in package.rglob("*.py") if cloud.search(path.read_text(encoding="utf-8"))}
    assert using == {"deploy"}
    imported = re.compile(r"^(from|import) (boto3|botocore|azure)\b", re.MULTILINE)
    assert not [path.name for path in (package / "deploy").glob("*.py") if imported.search(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("target", TARGETS)
def test_plan_is_the_same_each_time_and_shows_every_step(target: str) -> None:
    plan = build_plan(target, load_settings(), MODEL, environment={})
    assert plan == build_plan(target, load_settings(), MODEL, environment={})
    text = render_plan(plan)
    for step in plan.steps:
        assert f"{step.name}   [{step.action}]" in text
    assert MODEL[:12] in text


def test_plan_names_what_is_missing_and_applying_it_then_does_nothing(small_run: Path, tmp_path: Path) -> None:
    plan = build_plan("sagemaker", load_settings(), MODEL, environment={})
    assert plan.missing == ("sagemaker.bucket", "sagemaker.image_uri", "READMISSION_SAGEMAKER_ROLE_ARN")
    assert "missing for --apply: sagemaker.bucket" in render_plan(plan)
    with pytest.raises(ConfigError, match=r"nothing was done.*sagemaker\.bucket; sagemaker\.image_uri; READMISSION_SAGEMAKER_ROLE_ARN"):
        run_steps(plan, {})
    over = {"sagemaker": {"bucket": "models-of-ours", "image_uri": "image:1"}}
    complete = build_plan("sagemaker", load_settings(over=over), MODEL, environment={"READMISSION_SAGEMAKER_ROLE_ARN": ROLE})
    assert complete.missing == ()
    with pytest.raises(ArtefactError, match="holds another model than the plan"):
        apply_plan(complete, load_settings(over=over), artefacts=small_run / "artefacts", folder=tmp_path)


def test_names_follow_the_model_the_image_and_the_instances() -> None:
    def names(model: str, **changes: object) -> dict[str, str]:
        plan = build_plan("sagemaker", load_settings(over={"sagemaker": changes}), model, environment={})
        named = {step.name: step.parameters for step in plan.steps}
        return {"model": named["model"]["ModelName"], "config": named["endpoint"]["EndpointConfigName"],
                "endpoint": named["endpoint"]["EndpointName"]}

    base = names(MODEL)
    assert names("cd" * 32)["model"] != base["model"]
    assert names(MODEL, image_uri="other:2")["model"] != base["model"]
    larger = names(MODEL, instance_type="ml.m5.xlarge")
    assert larger["model"] == base["model"] and larger["config"] != base["config"] and larger["endpoint"] == base["endpoint"]
    assert names(MODEL, update="new-endpoint")["endpoint"] == base["config"]


def test_metrics_of_the_model_go_to_the_registry_and_others_do_not(small_run: Path, tmp_path: Path) -> None:
    metrics = read_metrics(small_run / "artefacts")
    assert 0 < metrics["roc_auc"] < 1 and "brier_score" in metrics
    plan = build_plan("sagemaker", load_settings(), MODEL, metrics=metrics, environment={})
    package = next(step for step in plan.steps if step.name == "model package")
    assert package.parameters["CustomerMetadataProperties"]["roc_auc"] == f"{metrics['roc_auc']:.6g}"
    assert package.parameters["ModelApprovalStatus"] == "PendingManualApproval"
    assert read_metrics(tmp_path / "artefacts") == {}
    shutil.copytree(small_run / "reports", tmp_path / "reports")
    (tmp_path / "artefacts").mkdir()
    (tmp_path / "artefacts" / MODEL_FILE).write_text("another model")
    assert read_metrics(tmp_path / "artefacts") == {}


@pytest.mark.parametrize(("text", "fault"), [
    ("[sagemaker]\nregoin = 'x'", "regoin"), ("[sagemaker]\nmaximum_instances = 1", "maximum_instances must be at least"),
    ("name = 'Has Spaces'", "name"), ("name = ", "cannot be read"), ("[azureml]\nauth_mode = 'none'", "auth_mode")])
def test_settings_that_are_not_understood_are_refused(tmp_path: Path, text: str, fault: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=fault):
        load_settings(file)


def test_own_settings_are_laid_over_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[sagemaker]\nregion = 'eu-central-1'\n")
    assert load_settings(file).sagemaker == load_settings().sagemaker.model_copy(update={"region": "eu-central-1"})


@pytest.mark.parametrize(("arguments", "fault"), [
    (["--target", "azureml", "--keep"], "--keep goes with --target local"),
    (["--target", "local", "--teardown"], "--teardown goes with --target sagemaker"),
    (["--target", "sagemaker", "--apply"], "sagemaker.bucket")])
def test_command_refuses_in_one_line(small_run: Path, tmp_path: Path, arguments: list[str], fault: str) -> None:
    common = ["deploy", "--artefacts", str(small_run / "artefacts"), "--out", str(tmp_path)]
    result = CliRunner().invoke(main, [*common, *arguments])
    assert result.exit_code == ConfigError.exit_code
    assert fault in result.stderr and len(result.stderr.strip().splitlines()) == 1
