"""The outcomes dashboard in a real browser, at desktop and phone width: every section and view, the filters, nothing off the screen."""

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

HEADINGS = {"Overview": "Who dies, and when?", "Survival": "Who dies, and when?", "COVID-19": "What did the waves look like?",
            "Influenza": "What comes next?", "Downloads": "Take it with you"}
VIEWS = {
    "Survival": {"Survival curves": "Still followed on the day", "Models": "Chosen before the test",
                 "Calibration": "Slope 1 and intercept 0",
                 "Decisions": "one talk with a patient", "Subgroups": "Group by", "Hazard ratios": "A Cox model that can be read",
                 "Patients": "What is missing", "Data defect": "The published table is out of step"},
    "COVID-19": {"Curves": "Counts as reported", "Waves": "Waves of cases", "Fatality": "Deaths over the cases",
                 "Reporting": "a cumulative count fell", "World map": "equal-earth projection", "Ranking": "A rank compares"},
    "Influenza": {"Scores": "intervals over reference weeks: weeks", "By week": "A mean over states", "By horizon": "Bands are 95 %",
                  "States": "All seasons. Below 1", "Forecasts": re.compile("Reference date|too large to be committed"),
                  "Intervals": "Do the intervals hold"},
}
"""Section to view, and words that only this view shows; the forecasts need the tables of a run."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The dashboard of the committed results."""
    with browser.serve_dashboard("outcomes_analysis") as found:
        yield found


def open_section(page: "Page", name: str) -> None:
    browser.open_section(page, name)
    expect(page.get_by_role("heading", name=HEADINGS[name])).to_be_visible(timeout=WAIT_MS)


def open_view(page: "Page", section: str, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).click(timeout=WAIT_MS)
    expect(page.get_by_text(VIEWS[section][name]).first).to_be_visible(timeout=WAIT_MS)
    settle(page)


def see_that_it_fits(page: "Page", name: str, folder: Path) -> None:
    expect(page.get_by_test_id("stAlertContentError")).to_have_count(0)
    picture = page.screenshot(path=folder / f"{name.replace(' ', '_')}.png")
    assert len(picture) > 10_000, f"{name} is nearly blank"
    assert overhang_px(page) <= 0, f"{name} is wider than the screen"


def test_a_click_while_the_first_page_loads_is_answered(page: "Page") -> None:
    # First on purpose: the server still loads its libraries for the first page.
    open_section(page, "COVID-19")
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(1, timeout=WAIT_MS)


def test_every_section_fits_the_screen(page: "Page", tmp_path: Path) -> None:
    for name in HEADINGS:
        open_section(page, name)
        expect(page.get_by_text("Not a medical device")).to_be_visible()
        see_that_it_fits(page, name, tmp_path)


@pytest.mark.parametrize("section", VIEWS)
def test_every_view_fits_the_screen(section: str, page: "Page", tmp_path: Path) -> None:
    open_section(page, section)
    for view in VIEWS[section]:
        open_view(page, section, view)
        see_that_it_fits(page, f"{section} {view}", tmp_path)


def test_no_country_is_a_message(page: "Page") -> None:
    open_section(page, "COVID-19")
    page.get_by_test_id("stMultiSelect").get_by_role("button", name="Clear all").click()
    expect(page.get_by_text("No country is chosen")).to_be_visible(timeout=WAIT_MS)
    settle(page)
    assert overhang_px(page) <= 0


def test_threshold_slider_changes_the_words(page: "Page") -> None:
    open_section(page, "Survival")
    open_view(page, "Survival", "Decisions")
    expect(page.get_by_text("one talk with a patient")).to_contain_text("At 50.0", timeout=WAIT_MS)
    for _ in range(2):
        page.get_by_role("slider").press("ArrowRight")
    expect(page.get_by_text("one talk with a patient")).to_contain_text("At 55.0", timeout=WAIT_MS)
    settle(page)


def test_a_table_can_be_taken_along(page: "Page") -> None:
    open_section(page, "COVID-19")
    open_view(page, "COVID-19", "Waves")
    with page.expect_download(timeout=WAIT_MS) as started:
        page.get_by_role("button", name="Table (CSV)").first.click()
    assert started.value.suggested_filename == "outcomes-covid19-waves.csv"
    assert Path(started.value.path()).read_text(encoding="utf-8").startswith("country,wave,start,peak")
