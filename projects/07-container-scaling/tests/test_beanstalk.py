"""The source bundle of Elastic Beanstalk: what is in it, that it is the same each time, and what is refused."""

import zipfile

import pytest
import yaml

from carefolio.exceptions import ConfigError
from container_scaling.beanstalk import CONTENT, composition_problems, contents, write_archive

IMAGE = "registry.example.org/carefolio/readmission@sha256:" + "0" * 64


def test_a_bundle_holds_what_the_platform_reads(tmp_path):
    assert write_archive(tmp_path / "a.zip", IMAGE) == sorted(CONTENT)
    write_archive(tmp_path / "b.zip", IMAGE)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        composition = yaml.safe_load(archive.read("docker-compose.yml"))
        options = yaml.safe_load(archive.read(".ebextensions/carefolio.config"))["option_settings"]
        mounted = composition["services"]["proxy"]["volumes"][0].split(":")[0].removeprefix("./")
        assert mounted in archive.namelist()
    assert composition["services"]["api"]["image"] == IMAGE
    assert options["aws:elasticbeanstalk:environment:process:default"]["HealthCheckPath"] == "/health/ready"
    assert options["aws:elasticbeanstalk:command"]["DeploymentPolicy"] == "RollingWithAdditionalBatch"


@pytest.mark.parametrize("image", ["carefolio/readmission:latest", "carefolio/readmission", "x@sha256:12"])
def test_an_image_without_a_digest_is_refused(image):
    with pytest.raises(ConfigError, match="not an image by digest"):
        contents(image)


@pytest.mark.parametrize(("change", "problem"), [
    ({"privileged": True}, "api sets privileged"), ({"network_mode": "host"}, "api sets network_mode"),
    ({"read_only": False}, "api does not set read_only"), ({"build": "."}, "api builds on the instance"),
    ({"ports": ["8000:8000"]}, "published ports are"),
])
def test_a_planted_breach_is_refused(change, problem):
    composition = yaml.safe_load(contents(IMAGE)["docker-compose.yml"])
    composition["services"]["api"] |= change
    assert any(problem in found for found in composition_problems(yaml.safe_dump(composition)))
