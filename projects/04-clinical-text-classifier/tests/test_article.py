"""Every Python block of the article runs as it stands, in the order of the page, and shows what the text says it shows."""

import pytest

from carefolio.config import project_home
from carefolio.testing import run_article
from text_classifier.config import FOLDER


def test_the_article_runs_from_top_to_bottom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    refused, built, tuned, bill = run_article(project_home(FOLDER) / "article.md")
    assert "test" in refused and "train" in refused
    assert ".safetensors" in built
    assert "weights are trained" in tuned
    assert "right: 1.0" in tuned
    assert "same answers: True" in tuned
    assert "operations" in bill
