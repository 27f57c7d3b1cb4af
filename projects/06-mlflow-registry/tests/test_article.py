"""Every Python block of the article runs as it stands, in the order of the page, and shows what the text says it shows."""

import pytest

from carefolio.config import project_home
from carefolio.testing import run_article
from model_registry.names import FOLDER, URI_VARIABLE


@pytest.mark.slow
def test_the_article_runs_from_top_to_bottom(twin_only: dict[str, str | None], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (twin_only | {URI_VARIABLE: None}).items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    noted, searched, kept, refused, named, followed, again = run_article(project_home(FOLDER) / "article.md")
    assert noted == "server down: 22 entries wait; server back: 0 wait, 20 values kept\n"
    assert searched.count("on the folds left out") == 5
    assert "'commit', 'created', 'data'" in kept
    assert "numpy among them: True" in kept
    assert "'readmission split'" in kept
    assert [line.partition(":")[0] for line in refused.splitlines()] == ["MLmodel altered, refused", "model.lgb altered, refused"]
    assert "held-out rows" in named
    assert named.splitlines()[1:] == ["promoted: version 2", "rolled back: version 1"]
    assert followed.splitlines() == ["version 1 answered, now 2; other weights: True", "a made-up patient is told: True"]
    assert again.startswith("identical: True, differences: []; the model's weights are the same bytes")
