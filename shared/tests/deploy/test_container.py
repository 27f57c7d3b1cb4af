"""What a platform mounts is found, its probe is answered, and only the open routes are open."""

from pathlib import Path

import anyio
import httpx
import pytest
from fastapi import FastAPI

from carefolio.deploy.container import build_ping, container_settings, model_folder
from carefolio.exceptions import ArtefactError, ConfigError


def test_the_only_model_at_or_below_the_mount_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "mount" / "name" / "1"
    folder.mkdir(parents=True)
    (folder / "model.json").write_text("{}")
    for variables in ({"SM_MODEL_DIR": str(tmp_path)}, {"AZUREML_MODEL_DIR": str(folder)}, {"CAREFOLIO_ARTEFACTS": str(folder.parent)}):
        assert model_folder(variables, manifest="model.json") == folder
    assert model_folder({}, manifest="model.json", mount=str(tmp_path)) == folder
    (tmp_path / "mount" / "model.json").write_text("{}")
    with pytest.raises(ArtefactError, match=r"holds 2 models, expected one model\.json"):
        model_folder({"SM_MODEL_DIR": str(tmp_path)}, manifest="model.json")
    with pytest.raises(ArtefactError, match="holds 0 models"):
        model_folder({"SM_MODEL_DIR": str(tmp_path)}, manifest="other.json")


def test_server_behind_a_platform_has_a_key_that_nobody_knows() -> None:
    first, second = (container_settings({}, body_limit_bytes=1000) for _ in range(2))
    assert first.auth == "on" and first.api_key_hashes != second.api_key_hashes
    assert (first.body_limit_bytes, first.requests_per_minute) == (1000, 1_000_000)
    assert container_settings({"CAREFOLIO_BODY_LIMIT_BYTES": "7"}, body_limit_bytes=1000).body_limit_bytes == 7
    with pytest.raises(ConfigError, match="CAREFOLIO_BODY_LIMIT_BYTES"):
        container_settings({"CAREFOLIO_BODY_LIMIT_BYTES": "many"}, body_limit_bytes=1000)


def test_ping_answers_where_it_is_asked_and_says_when_the_model_is_unwell() -> None:
    well = [True]

    def check() -> None:
        if not well[0]:
            raise ArtefactError("the model in memory is not the same")

    app = FastAPI()
    app.include_router(build_ping(check, ("/ping", "/health")))

    async def ask(path: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://container") as client:
            return await client.get(path)

    assert [anyio.run(ask, path).json() for path in ("/ping", "/health")] == [{"status": "healthy"}] * 2
    well[0] = False
    answer = anyio.run(ask, "/ping")
    assert answer.status_code == 503 and "replace the container" in answer.json()["detail"]
