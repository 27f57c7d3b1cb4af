"""Every Python block of the article runs as it stands, in the order of the page, and shows what the text says it shows."""

from carefolio.config import project_home
from carefolio.testing import run_article
from container_scaling.config import FOLDER


def test_the_article_runs_from_top_to_bottom() -> None:
    plan, queue = run_article(project_home(FOLDER) / "article.md")
    assert "1000 requests a second at most" in plan
    assert "3 replicas for 2,500 a second" in plan
    assert queue.strip() == "[200, 200, 200, 429, 429, 429, 429, 429]"
