"""The browser's helpers where there is no browser; tests/ drive the real one."""

from pathlib import Path

import pytest

from carefolio.browser import open_page
from carefolio.exceptions import ConfigError


def test_a_missing_browser_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed; it comes with the test extra")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="install it"), open_page("http://127.0.0.1:1", width=100, height=100):
        pytest.fail("no page can be open")
