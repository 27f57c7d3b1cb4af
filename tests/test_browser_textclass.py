"""The dashboard of the text classifiers in a real browser, at desktop and phone width: a text is classified, its words are marked."""

import re
from collections.abc import Iterator

import pytest

from carefolio import browser
from carefolio.browser import WAIT_MS, overhang_px, settle
from carefolio.command import DISCLAIMER
from carefolio.testing import requires_browser

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; it comes with the test extra")
expect, Page = playwright.expect, playwright.Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, requires_browser()]

FIRST_MS = 180_000
"""Until a section has been opened for the first time, on a busy machine."""
HEADINGS = {"Overview": "Where it comes from", "Try a text": "What does it make of a text, and why?",
            "Compare": "Which system is best, and by how much?", "Errors": "Where is it wrong, and does it know?",
            "Training": "How was it tuned, and what did it cost?", "Downloads": "Take it with you"}
WITHOUT_WEIGHTS = """node => {
    const copy = node.cloneNode(true);
    copy.querySelectorAll('sup').forEach(weight => weight.remove());
    return copy.textContent;
}"""
"""The text of a page's element without the weights that stand beside its marked words."""
TEXT = "Doctor: Any allergies? Patient: <script>Penicillin</script> gives me a rash. Doctor: Anything else? Patient: No."


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The dashboard of the committed results and the committed model."""
    with browser.serve_dashboard("text_classifier") as found:
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


def test_a_pasted_text_gets_a_label_and_its_words_are_marked(page: "Page") -> None:
    open_section(page, "Try a text")
    page.get_by_role("textbox", name="Text, in English").fill(TEXT)
    page.get_by_role("button", name="Classify", exact=True).click()
    expect(page.locator(".tc-answer")).to_contain_text("probability", timeout=FIRST_MS)
    expect(page.locator(".tc-answer b")).to_have_text(re.compile("allerg", re.IGNORECASE))
    assert "<script>Penicillin</script>" in page.locator(".tc-text").evaluate(WITHOUT_WEIGHTS), "a text is shown as it is, never run"
    expect(page.locator(".tc-text script")).to_have_count(0)
    assert page.locator(".tc-text mark").count() > 0
    expect(page.locator(".tc-text mark").first).to_have_attribute("title", re.compile("of its probability"))
    settle(page)
    assert overhang_px(page) <= 0
    assert "Penicillin" not in page.url
    page.get_by_role("button", name="Clear text and answer").click()
    expect(page.locator(".tc-answer")).to_have_count(0, timeout=WAIT_MS)
    expect(page.get_by_role("textbox", name="Text, in English")).to_have_value("")


def test_a_text_that_is_none_is_refused_without_quoting_it(page: "Page") -> None:
    open_section(page, "Try a text")
    page.get_by_role("textbox", name="Text, in English").fill("12345 67890")
    page.get_by_role("button", name="Classify", exact=True).click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("at least one letter", timeout=FIRST_MS)
    expect(alert).not_to_contain_text("67890")
    expect(page.locator(".tc-answer")).to_have_count(0)
