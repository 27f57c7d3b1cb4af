"""Every Python block of the article runs as it stands, in the order of the page, and shows what the text says it shows."""

from carefolio.config import project_home
from carefolio.testing import run_article
from retraining.names import FOLDER


def test_the_article_runs_from_top_to_bottom():
    gates, refused, sides, units, verdict, following = run_article(project_home(FOLDER) / "article.md")
    assert len(gates.splitlines()) == 8
    assert refused.startswith("refused:")
    assert "hope" in refused
    assert sides == "same patient, same side: True\n"
    assert units.startswith("same unit: 0.00, other unit: ")
    assert float(units.rpartition(" ")[2]) > 1
    assert verdict.startswith("False - AUROC: may be worse by 0.0210")
    assert following == "next: gate\n"
