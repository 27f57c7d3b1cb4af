"""Every Python block of the article runs as it stands, in the order of the page, and shows what the text says it shows."""

import pytest

from carefolio.config import project_home
from carefolio.testing import run_article
from retinopathy.config import FOLDER


def test_the_article_runs_from_top_to_bottom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    folds, cameras, refused, steps, tuned, sets, report = run_article(project_home(FOLDER) / "article.md")
    assert "one fold a block" in folds
    assert cameras.rstrip().endswith("True")
    assert refused.count("refused:") == 2
    assert "not graded:" in refused
    assert "decided: 2" in steps
    assert "loss falls: True" in tuned
    assert sets.splitlines() == ["possible grades: [0]", "possible grades: [1, 2]"]
    assert "DiagnosticReport preliminary 71490-7" in report
