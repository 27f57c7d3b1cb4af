"""The home page in a real browser, at desktop and phone width: every chapter, a dashboard and an API started and stopped, a page read."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from carefolio.browser import WAIT_MS, overhang_px, serve_hub, settle
from carefolio.local_server import ask_server
from carefolio.testing import requires_browser

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; it comes with the test extra")
expect, Page = playwright.expect, playwright.Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, requires_browser()]

CHAPTER = ".st-key-chapter-02-readmission-pipeline"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve_hub() as found:
        yield found


def test_every_chapter_is_there_and_fits_the_screen(page: "Page", tmp_path: Path) -> None:
    settle(page)
    expect(page.get_by_role("heading", level=3)).to_have_count(9, timeout=WAIT_MS)
    expect(page.get_by_text("Not a medical device").first).to_be_visible()
    expect(page.get_by_test_id("stAlertContentError")).to_have_count(0)
    expect(page.get_by_text("95 % CI").first).to_be_visible()
    assert len(page.screenshot(path=tmp_path / "hub.png")) > 20_000
    assert overhang_px(page) <= 0


def test_a_dashboard_starts_opens_and_stops(page: "Page") -> None:
    chapter = page.locator(CHAPTER)
    chapter.get_by_role("button", name="Start dashboard").click(timeout=WAIT_MS)
    link = chapter.get_by_role("link", name="Open dashboard")
    expect(link).to_be_visible(timeout=WAIT_MS)
    address = link.get_attribute("href")
    with page.context.expect_page() as opened:
        link.click()
    expect(opened.value.get_by_role("heading", name="30-day readmission with diabetes")).to_be_visible(timeout=WAIT_MS)
    opened.value.close()
    chapter.get_by_role("button", name="Stop").click()
    expect(chapter.get_by_role("button", name="Start dashboard")).to_be_visible(timeout=WAIT_MS)
    with pytest.raises(OSError, match="refused"):
        ask_server(address)
    settle(page)


def test_an_api_starts_and_shows_its_document(page: "Page") -> None:
    chapter = page.locator(CHAPTER)
    chapter.get_by_role("button", name="Start API").click(timeout=WAIT_MS)
    link = chapter.get_by_role("link", name="Open API docs")
    expect(link).to_be_visible(timeout=WAIT_MS)
    with page.context.expect_page() as opened:
        link.click()
    expect(opened.value.get_by_role("heading", name="Readmission within 30 days")).to_be_visible(timeout=WAIT_MS)
    expect(opened.value.get_by_text("Risk of one patient and what it is made of")).to_be_visible()
    opened.value.close()
    chapter.get_by_role("button", name="Stop").click()
    expect(chapter.get_by_role("button", name="Start API")).to_be_visible(timeout=WAIT_MS)
    settle(page)


def test_an_article_is_read_with_its_figures(page: "Page") -> None:
    page.locator(CHAPTER).get_by_role("button", name="Article").click(timeout=WAIT_MS)
    settle(page)
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=WAIT_MS)
    picture = page.get_by_role("img").first
    expect(picture).to_be_visible(timeout=WAIT_MS)
    assert picture.evaluate("element => element.naturalWidth") > 300
    assert overhang_px(page) <= 0
    page.get_by_role("button", name="Back to all chapters").click()
    expect(page.get_by_role("heading", level=3)).to_have_count(9, timeout=WAIT_MS)
    settle(page)
