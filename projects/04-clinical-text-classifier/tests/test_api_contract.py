"""Made-up requests of every shape against the running API: it keeps to its own OpenAPI document."""

from pathlib import Path

from carefolio.testing import check_contract


def test_api_keeps_its_contract(tiny_artefacts: Path, tmp_path: Path) -> None:
    said = check_contract("text_classifier.api:create_app", {"CAREFOLIO_ARTEFACTS": str(tiny_artefacts)}, tmp_path)
    assert "Selected: 6/6" in said
