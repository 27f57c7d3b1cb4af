"""Every Python block of the article runs as it stands, in the order of the page, and shows what the text says it shows."""

from pathlib import Path

import pytest

from carefolio.config import project_home
from carefolio.testing import run_article
from outcomes_analysis.config import FOLDER


def test_the_article_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, twin_only: dict[str, str | None]) -> None:
    article = project_home(FOLDER) / "article.md"
    monkeypatch.chdir(tmp_path)
    for name, value in twin_only.items():
        monkeypatch.setenv(name, value) if value is not None else monkeypatch.delenv(name, raising=False)
    said = run_article(article)
    assert len(said) == 8
    assert "support2 package (9105, 38)" in said[0]
    assert (tmp_path / "survival.png").stat().st_size > 10_000
    early, late = (float(line.rpartition(":")[2]) for line in said[3].splitlines())
    assert early > 2 * late, "the defect that step 4 is about"
    assert "SUPPORT model: AUROC 0.78" in said[4]
    narrow, wide, wrong = (float(line.rpartition(" ")[2]) for line in said[7].splitlines())
    assert narrow < wide < wrong
