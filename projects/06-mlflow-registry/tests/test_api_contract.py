"""Made-up requests of every shape against the running API: it keeps to its own OpenAPI document.

Which columns a row may have is the champion's to say and not the document's, so a well-formed row of invented columns is refused by right.
"""

import pytest

from carefolio.testing import check_contract
from model_registry.api import ADDRESS_VARIABLE, FOLDER_VARIABLE, NAME_VARIABLE
from model_registry.tracking import aliases


@pytest.mark.slow
@pytest.mark.parametrize("name", ["readmission", "survival"])
def test_api_keeps_its_contract(name, first_run, tmp_path):
    version = aliases.register(first_run.address, name, first_run.run_id(name))
    aliases.promote(first_run.address, name, version.version, force=True)
    environment = {ADDRESS_VARIABLE: first_run.address, NAME_VARIABLE: name, FOLDER_VARIABLE: str(tmp_path / "served")}
    said = check_contract("model_registry.api:create_app", environment, tmp_path, without=("positive_data_acceptance",))
    assert "Selected: 6/6" in said
