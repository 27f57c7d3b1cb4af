"""The readmission dashboard in a real browser, at desktop and phone width: every section, the slider, the form, nothing off the screen."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from carefolio import browser
from carefolio.browser import WAIT_MS, overhang_px, settle
from carefolio.testing import requires_browser

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; it comes with the test extra")
expect, Page = playwright.expect, playwright.Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, requires_browser()]

HEADINGS = {
    "Overview": "Result on held-out patients", "Performance": "How well does it rank patients?",
    "Calibration": "Do the risks mean what they say?",
    "Decisions": "Is it worth acting on?", "Subgroups": "Is it as good for everybody?", "What-if": "What would it say about one patient?",
    "Leakage": "What would leakage have shown?", "Downloads": "Take it with you",
}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The dashboard of the committed results."""
    with browser.serve_dashboard("readmission") as found:
        yield found


def open_section(page: "Page", name: str) -> None:
    browser.open_section(page, name)
    expect(page.get_by_role("heading", name=HEADINGS[name])).to_be_visible(timeout=WAIT_MS)


def test_threshold_slider_changes_the_words(page: "Page") -> None:
    # First on purpose: the click comes while the server still loads its libraries for the first page.
    open_section(page, "Decisions")
    words = page.get_by_text("of 1,000 discharges")
    expect(words).to_contain_text("At 15.0 %")
    for _ in range(4):
        page.get_by_role("slider").press("ArrowRight")
    expect(words).to_contain_text("At 17.0 %", timeout=WAIT_MS)
    settle(page)


def test_every_section_fits_the_screen(page: "Page", tmp_path: Path) -> None:
    for name in HEADINGS:
        open_section(page, name)
        expect(page.get_by_text("Not a medical device")).to_be_visible()
        expect(page.get_by_test_id("stAlertContentError")).to_have_count(0)
        picture = page.screenshot(path=tmp_path / f"{name}.png")
        assert len(picture) > 10_000, f"{name} is nearly blank"
        assert overhang_px(page) <= 0, f"{name} is wider than the screen"


def test_what_if_answers_and_explains(page: "Page") -> None:
    open_section(page, "What-if")
    page.get_by_role("button", name="Predict").click()
    risk = page.get_by_test_id("stMetric").filter(has_text="Risk of return within 30 days")
    expect(risk).to_contain_text(re.compile(r"\d+\.\d\s%"), timeout=WAIT_MS)
    expect(page.get_by_text("What moved it most")).to_be_visible()
    settle(page)
    assert overhang_px(page) <= 0


def test_what_if_names_a_wrong_diagnosis(page: "Page") -> None:
    open_section(page, "What-if")
    page.get_by_role("textbox", name="Main diagnosis, ICD-9").fill("heart failure")
    page.get_by_role("button", name="Predict").click()
    expect(page.get_by_test_id("stAlert").filter(has_text="expected an ICD-9-CM code")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_test_id("stMetric")).to_have_count(0)
    settle(page)
