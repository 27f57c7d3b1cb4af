"""Fixtures: settings, made-up charts, and the decision support service in this process."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from carefolio.config import load_config
from clinical_workflow.cds.switch import set_mode
from clinical_workflow.config import WorkflowSettings
from clinical_workflow.made_up import make_patients

from .hospital_examples import NOW, Service, open_service


@pytest.fixture(scope="session")
def settings() -> WorkflowSettings:
    """Read the defaults."""
    return load_config(WorkflowSettings, "clinical_workflow")


@pytest.fixture(scope="session")
def charts() -> list[dict[str, Any]]:
    """Make up six charts; treat them as read-only."""
    return make_patients(6, seed=0, now=NOW)


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Open the service without tokens, with cards shown."""
    set_mode(tmp_path, "all", "show")
    with open_service(tmp_path, monkeypatch, CAREFOLIO_AUTH="off") as opened:
        yield opened
