"""Every Python block of the article runs as it stands, in the order of the page, and shows what the text says it shows."""

import pytest

from carefolio.config import project_home
from carefolio.testing import run_article
from clinical_workflow.config import FOLDER


def test_the_article_runs_from_top_to_bottom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    chart, units, trust, switch = run_article(project_home(FOLDER) / "article.md")
    assert "applies: True" in chart
    assert units.rstrip().endswith("becomes not_measured")
    assert trust.splitlines() == ["taken: True", "taken: False", "taken: False"]
    assert [line.partition(": ")[2] for line in switch.splitlines() if not line.startswith("the gate")] == ["shadow", "off", "off"]
    assert "at least 40 are wanted" in switch
