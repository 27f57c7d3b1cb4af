"""Made-up requests of every shape against the running API: it keeps to its own OpenAPI document."""

from pathlib import Path

from carefolio.testing import check_contract


def test_api_keeps_its_contract(small_run: Path, tmp_path: Path) -> None:
    said = check_contract("readmission.api:create_app", {"CAREFOLIO_ARTEFACTS": str(small_run / "artefacts")}, tmp_path)
    assert "Selected: 7/7" in said
