"""The dashboard of the retinopathy grader in a real browser, at desktop and phone width: a photograph is graded, the threshold moves."""

from collections.abc import Iterator

import numpy as np
import pytest

from carefolio import browser
from carefolio.browser import overhang_px, settle
from carefolio.command import DISCLAIMER
from carefolio.datasets.fundus_twin import draw_fundus, encode_jpeg
from carefolio.testing import requires_browser

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; it comes with the test extra")
expect, Page = playwright.expect, playwright.Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, requires_browser()]

FIRST_MS = 180_000
"""Until a section has been opened for the first time, on a busy machine."""
HEADINGS = {"Overview": "How good is the grader?", "Grade a photograph": "What does it make of a photograph, and why?",
            "Threshold": "From which probability should a patient be referred?", "Many photographs": "A folder of photographs",
            "Failures": "Where was it wrong?"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The dashboard of the committed results and the committed grader."""
    with browser.serve_dashboard("retinopathy") as found:
        yield found


def open_section(page: "Page", name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click(timeout=FIRST_MS)
    expect(page.get_by_role("heading", name=HEADINGS[name])).to_be_visible(timeout=FIRST_MS)
    settle(page)


def photograph(grade: int, name: str) -> dict[str, object]:
    """Give a drawn retina as a browser uploads it."""
    return {"name": name, "mimeType": "image/jpeg", "buffer": encode_jpeg(draw_fundus(np.random.default_rng(grade), grade=grade, side=512))}


def test_every_section_fits_the_screen(page: "Page") -> None:
    for name in HEADINGS:
        open_section(page, name)
        expect(page.get_by_text(DISCLAIMER).first).to_be_visible()
        assert len(page.screenshot()) > 10_000, f"{name} is nearly blank"
        assert overhang_px(page) <= 0, f"{name} is wider than the screen"


def test_an_uploaded_photograph_gets_an_answer_with_its_overlay(page: "Page") -> None:
    open_section(page, "Grade a photograph")
    page.locator("input[type=file]").first.set_input_files(photograph(3, "eye.jpg"))
    expect(page.get_by_text("The field, as it was found")).to_be_visible(timeout=FIRST_MS)
    expect(page.get_by_text("Red adds to a referral", exact=False)).to_be_visible(timeout=FIRST_MS)
    expect(page.get_by_role("slider", name="Strength of the colour")).to_be_visible()
    settle(page)
    assert overhang_px(page) <= 0


def test_a_file_that_is_no_picture_is_refused_in_one_sentence(page: "Page") -> None:
    open_section(page, "Grade a photograph")
    page.locator("input[type=file]").first.set_input_files({"name": "eye.jpg", "mimeType": "image/jpeg", "buffer": b"no picture at all"})
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("must be a JPEG, PNG, TIFF or DICOM picture", timeout=FIRST_MS)
    expect(alert).not_to_contain_text("no picture at all")


def test_several_photographs_give_a_table(page: "Page") -> None:
    open_section(page, "Many photographs")
    page.locator("input[type=file]").first.set_input_files([photograph(0, "first.jpg"), photograph(4, "second.jpg")])
    expect(page.get_by_role("button", name="Table as CSV")).to_be_visible(timeout=FIRST_MS)
    expect(page.get_by_text("second.jpg").last).to_be_visible()
    settle(page)
    assert overhang_px(page) <= 0


def test_the_threshold_can_be_moved_by_keyboard(page: "Page") -> None:
    open_section(page, "Threshold")
    sensitivity = page.locator("[data-testid=stMetric]", has_text="Sensitivity").locator("[data-testid=stMetricValue]")
    slider = page.get_by_role("slider", name="Threshold of the probability of grade 2 and more")
    slider.focus()
    slider.press("Home")
    expect(sensitivity).to_have_text("100.0\u00a0%", timeout=FIRST_MS)
