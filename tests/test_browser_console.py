"""What a page's console reports as an error fails a test, but for downloads that Streamlit has just replaced."""

import functools
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from carefolio.browser import open_page
from carefolio.testing import requires_browser, serve_handler

pytestmark = [pytest.mark.browser, pytest.mark.slow, requires_browser()]

PAGE = """<link rel="icon" href="data:,"><script>
console.error("Client Error: Download Button source error - 404");
console.error("Client Error: Image source error - 404");
Promise.all(["/media/0123abcd.csv", "/static/0123abcd.csv"].map(path => fetch(path))).then(() => { document.title = "done"; });
</script>"""


def test_all_errors_are_noted_but_those_of_replaced_downloads(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(PAGE, encoding="utf-8")
    problems: list[str] = []
    with (serve_handler(functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path))) as address,
          open_page(address, width=400, height=300, problems=problems) as page):
        page.wait_for_function("document.title === 'done'")
        page.wait_for_timeout(200)
    assert len(problems) == 2, problems
    assert any("Image source error" in problem for problem in problems)
    assert any("/static/0123abcd.csv" in problem for problem in problems)
