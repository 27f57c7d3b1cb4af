"""The dashboard of the retraining chapter in a real browser, at desktop and phone width."""

from collections.abc import Iterator

import pytest

from carefolio import browser
from carefolio.browser import overhang_px, settle
from carefolio.command import DISCLAIMER
from carefolio.testing import requires_browser

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; it comes with the test extra")
expect, Page = playwright.expect, playwright.Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, requires_browser()]

FIRST_MS = 180_000
"""Until a section has been opened for the first time, on a busy machine."""
HEADINGS = {"Timeline": "What became of each batch?", "Drift": "What has drifted?", "Decisions": "Why was it decided so?",
            "Planted faults": "Would a fault be caught?", "Does it help?": "Does retraining help on these data?",
            "Protocol": "What may change, and who allows it?"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The dashboard of the committed results."""
    with browser.serve_dashboard("retraining") as found:
        yield found


def open_section(page: "Page", name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click(timeout=FIRST_MS)
    expect(page.get_by_role("heading", name=HEADINGS[name])).to_be_visible(timeout=FIRST_MS)
    settle(page)


def test_every_section_fits_the_screen(page: "Page") -> None:
    for name in HEADINGS:
        open_section(page, name)
        expect(page.get_by_text(DISCLAIMER).first).to_be_visible()
        assert len(page.screenshot()) > 10_000, f"{name} is nearly blank"
        assert overhang_px(page) <= 0, f"{name} is wider than the screen"


def test_a_decision_can_be_chosen_and_shows_its_gates(page: "Page") -> None:
    open_section(page, "Decisions")
    expect(page.get_by_text("AUROC of the worst-served subgroup")).to_be_visible(timeout=FIRST_MS)
    page.get_by_role("combobox", name="Decision").click()
    page.get_by_role("option", name="planted fault", exact=False).first.click()
    expect(page.get_by_text("Planted fault:", exact=False).first).to_be_visible(timeout=FIRST_MS)
    settle(page)
    assert overhang_px(page) <= 0


def test_the_planted_faults_say_what_caught_them(page: "Page") -> None:
    open_section(page, "Planted faults")
    expect(page.get_by_text("jump: los_days", exact=False)).to_be_visible(timeout=FIRST_MS)
    expect(page.get_by_text("caught before it did anything", exact=False).first).to_be_visible()
