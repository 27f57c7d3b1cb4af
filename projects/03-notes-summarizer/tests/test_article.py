"""Every Python block of the article runs as it stands, in the order of the page, and shows what the text says it shows."""

import pytest

from carefolio.config import project_home
from carefolio.testing import run_article
from notes_summarizer.config import FOLDER


def test_the_article_runs_from_top_to_bottom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    hidden, refused, extractive, local = run_article(project_home(FOLDER) / "article.md")
    assert "Whitcombe" not in hidden
    assert "('MRN', '[MRN_1]')" in hidden
    assert hidden.splitlines()[-1] == "True"
    assert "Nothing was sent" in refused
    assert "Whitcombe" not in refused
    assert "metformin | 500 mg" in extractive
    assert local.strip()
