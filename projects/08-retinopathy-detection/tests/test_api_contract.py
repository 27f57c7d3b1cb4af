"""Made-up requests of every shape against the running API: it keeps to its own OpenAPI document.

Whether bytes are a photograph no schema can say, so that refusing them is no breach: `positive_data_acceptance` is left out.
"""

from pathlib import Path

from carefolio.testing import check_contract


def test_api_keeps_its_contract(exported: Path, tmp_path: Path) -> None:
    said = check_contract("retinopathy.api:create_app", {"CAREFOLIO_ARTEFACTS": str(exported)}, tmp_path,
                          without=("positive_data_acceptance",))
    assert "Selected: 5/5" in said
