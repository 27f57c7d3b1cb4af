"""The dashboard of the registry in a real browser, at desktop and phone width: sections fit, a model is chosen, the lineage is whole."""

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
HEADINGS = {"Overview": "The models of this run, on held-out patients", "Leaderboard": "Which settings did best?",
            "Parameters": "Which parameters mattered?", "Versions": "Which version is served?", "Lineage": "Where does it come from?",
            "Checks": "Does the registry hold what it promises?"}
SURVIVAL = "Survival of seriously ill patients"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The dashboard of the committed results."""
    with browser.serve_dashboard("model_registry") as found:
        yield found


def open_section(page: "Page", name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click(timeout=FIRST_MS)
    expect(page.get_by_role("heading", name=HEADINGS[name])).to_be_visible(timeout=FIRST_MS)
    settle(page)


def wider_px(page: "Page") -> int:
    """Measure by how much the page is wider than the screen once charts and tables have taken their size."""
    for _ in range(40):
        if overhang_px(page) <= 0:
            break
        page.wait_for_timeout(250)
    return overhang_px(page)


def choose_survival(page: "Page") -> None:
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name=SURVIVAL).click()
    settle(page)


def test_every_section_fits_the_screen(page: "Page") -> None:
    for name in HEADINGS:
        open_section(page, name)
        expect(page.get_by_text(DISCLAIMER).first).to_be_visible()
        assert len(page.screenshot()) > 10_000, f"{name} is nearly blank"
        assert wider_px(page) <= 0, f"{name} is wider than the screen"


def test_the_chosen_model_stays_chosen_in_the_next_section(page: "Page") -> None:
    open_section(page, "Leaderboard")
    choose_survival(page)
    expect(page.get_by_role("button", name="Download table (CSV)")).to_be_visible(timeout=FIRST_MS)
    open_section(page, "Lineage")
    expect(page.get_by_role("combobox", name="Model")).to_have_value(SURVIVAL, timeout=FIRST_MS)
    expect(page.locator("[data-testid=stGraphVizChart] text", has_text="support2").first).to_be_visible(timeout=FIRST_MS)


def test_the_lineage_shows_the_bytes_of_the_file_as_a_graph_and_as_text(page: "Page") -> None:
    open_section(page, "Lineage")
    expect(page.locator("[data-testid=stGraphVizChart] text", has_text="diabetes130").first).to_be_visible(timeout=FIRST_MS)
    expect(page.get_by_role("table").get_by_text("sha256", exact=False).first).to_be_visible(timeout=FIRST_MS)
    settle(page)
    assert wider_px(page) <= 0
