"""What is said of images without an engine: names, evidence, vulnerabilities; and that no engine is said in one line."""

import json
from pathlib import Path

import pytest

from carefolio.exceptions import ProviderError
from container_scaling import engine, images


@pytest.mark.parametrize(("project", "tag"), [("02-readmission-pipeline", "carefolio/readmission:local"), ("hub", "carefolio/hub:local"),
                                              ("08-retinopathy-detection", "carefolio/retinopathy:local")])
def test_images_are_named_by_what_they_serve(project, tag):
    assert images.default_tag(project) == tag


def test_evidence_is_hashed_or_none(tmp_path: Path):
    folder = tmp_path / "projects" / "x" / "reports"
    folder.mkdir(parents=True)
    assert images.evidence_sha256("x", tmp_path) == "none"
    (folder / "evidence.json").write_bytes(b"{}")
    assert images.evidence_sha256("x", tmp_path) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_vulnerabilities_are_listed():
    text = json.dumps({"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1"}, {"id": "GHSA-2"}]},
                                        {"name": "b", "version": "2", "vulns": []}]})
    assert images.read_audit(text) == ["a 1: PYSEC-1", "a 1: GHSA-2"]


def test_what_was_not_looked_up_is_not_called_free_of_faults():
    text = json.dumps({"dependencies": [{"name": "a", "skip_reason": "not found"}, {"name": "b", "version": "2", "vulns": []}]})
    with pytest.raises(ProviderError, match="1 of 2 packages could not be looked up"):
        images.read_audit(text)


def test_no_engine_is_said_in_one_line(monkeypatch):
    monkeypatch.setattr(engine, "PREFERRED", ("no-such-docker",))
    engine.docker.cache_clear()
    try:
        assert "there is no docker on PATH" in engine.is_there()
        with pytest.raises(ProviderError, match="which needs none"):
            engine.run(["ps"])
    finally:
        engine.docker.cache_clear()
