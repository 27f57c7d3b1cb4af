"""Files for Azure Machine Learning are written as its own library reads them, and refused where they do not fit."""

from pathlib import Path

import pytest

from carefolio.deploy.azureml import SCHEMA_ADDRESS, inference_routes, load_files, render_yaml
from carefolio.exceptions import ArtefactError, ConfigError

LOADERS = {"environment.yml": "load_environment"}


def written(folder: Path, **changes: object) -> Path:
    content = {"$schema": SCHEMA_ADDRESS.format("environment"), "name": "demo", "version": "1", "image": "ours.azurecr.io/demo:1",
               "inference_config": inference_routes(8080, ping="/ping", invocations="/invocations"), **changes}
    (folder / "environment.yml").write_text(render_yaml({"environment.yml": content})["environment.yml"])
    return folder


def test_what_is_written_is_read_by_azures_library(tmp_path: Path) -> None:
    environment = load_files(written(tmp_path), LOADERS, install="demo[deploy]")["environment.yml"]
    assert (environment.name, environment.image) == ("demo", "ours.azurecr.io/demo:1")
    assert environment.inference_config.scoring_route.path == "/invocations"


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"environment\.yml does not fit Azure's schema: .*imgae"):
        load_files(written(tmp_path, imgae="x"), LOADERS, install="demo[deploy]")


def test_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "azure.ai.ml", None)
    with pytest.raises(ConfigError, match=r"azure\.ai\.ml cannot be imported.*demo\[deploy\]"):
        load_files(tmp_path, LOADERS, install="demo[deploy]")
