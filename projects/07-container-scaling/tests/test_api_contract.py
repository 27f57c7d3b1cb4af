"""Made-up requests of every shape against the running API: it keeps to its own OpenAPI document.

Whether a promised time can be kept no schema can say, so that refusing it is no breach: `positive_data_acceptance` is left out.
"""

import json
from pathlib import Path

import pytest

from carefolio.testing import check_contract


@pytest.mark.slow
def test_api_keeps_its_contract(tmp_path: Path) -> None:
    reports = tmp_path / "projects" / "07-container-scaling" / "reports"
    reports.mkdir(parents=True)
    (reports / "curves.json").write_text(json.dumps({"service_ms": [1.0] * 10}), encoding="utf-8")
    said = check_contract("container_scaling.api:create_app", {"CAREFOLIO_HOME": str(tmp_path)}, tmp_path,
                          without=("positive_data_acceptance",))
    assert "Selected: 5/5" in said
