"""Every Python block of the article runs as it stands, in the order of the page, and shows what the text says it shows."""

import contextlib
import io
from pathlib import Path

import pytest

from carefolio import markdown
from carefolio.config import project_home
from outcomes_analysis.config import FOLDER


def blocks() -> list[str]:
    """The fenced Python blocks of the article."""
    text = (project_home(FOLDER) / "article.md").read_text(encoding="utf-8")
    return [token.content for token in markdown.parse(text) if token.type == "fence" and token.info.strip() == "python"]


def test_the_article_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, twin_only: dict[str, str | None]) -> None:
    found, names, said = blocks(), {}, []
    monkeypatch.chdir(tmp_path)
    for name, value in twin_only.items():
        monkeypatch.setenv(name, value) if value is not None else monkeypatch.delenv(name, raising=False)
    for i, block in enumerate(found):
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(compile(block, f"article.md, block {i + 1}", "exec"), names)
        said.append(output.getvalue())
    assert len(found) == 8
    assert "support2 package (9105, 38)" in said[0]
    assert (tmp_path / "survival.png").stat().st_size > 10_000
    early, late = (float(line.rpartition(":")[2]) for line in said[3].splitlines())
    assert early > 2 * late, "the defect that step 4 is about"
    assert "SUPPORT model: AUROC 0.78" in said[4]
    narrow, wide, wrong = (float(line.rpartition(" ")[2]) for line in said[7].splitlines())
    assert narrow < wide < wrong
