"""The notes dashboard in a real browser, at desktop and phone width: a note is read, a statement shows its source, a leaflet is written."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from carefolio import browser
from carefolio.browser import WAIT_MS, overhang_px, settle
from carefolio.command import DISCLAIMER
from carefolio.config import project_home
from carefolio.testing import requires_browser

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; it comes with the test extra")
expect, Page = playwright.expect, playwright.Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, requires_browser()]

FIRST_MS = 180_000
"""Until a section that brings a language model or an index has been opened for the first time, on a busy machine."""
HEADINGS = {"Overview": "Where it comes from", "Summarise": "What does the note say, and where does it say it?",
            "Leaflet": "What would a patient like to know?", "Results": "How good is it, on texts that nothing was tuned on?",
            "Privacy": "Does it leak nobody?", "Downloads": "Take it with you"}
NOTE = ("Mrs. Odette Marchetti, MRN 5518203, was seen by Dr. Noor Haddad on 05/06/2024.\nShe has asthma and <script>gout</script>.\n"
        "Start allopurinol 100 mg daily. Return in 4 weeks.")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, twin_only: dict[str, str | None]) -> Iterator[str]:
    """The dashboard of the committed results, with an index of made-up pages; of made-up results where none are committed."""
    from click.testing import CliRunner

    from notes_summarizer.cli import main

    folder = tmp_path_factory.mktemp("notes")
    done = CliRunner().invoke(main, ["run", "--quick", "--part", "leaflets", "--out", str(folder)], env=twin_only)
    assert done.exit_code == 0, done.output
    committed = project_home("03-notes-summarizer") / "reports"
    if (committed / "evidence.json").is_file():
        shutil.rmtree(folder / "reports")
        shutil.copytree(committed, folder / "reports")
    with browser.serve_dashboard("notes_summarizer", ["--out", str(folder)]) as found:
        yield found


def open_section(page: "Page", name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click(timeout=FIRST_MS)
    expect(page.get_by_role("heading", name=HEADINGS[name])).to_be_visible(timeout=FIRST_MS)
    if name == "Leaflet":
        expect(page.get_by_role("button", name="Write a leaflet")).to_be_visible(timeout=FIRST_MS)
    settle(page)


def read_note(page: "Page", note: str) -> None:
    box = page.get_by_role("textbox", name="Note or conversation, in English")
    box.fill(note)
    page.get_by_role("button", name="Summarise", exact=True).click()
    expect(page.locator(".notes-summary")).to_be_visible(timeout=FIRST_MS)
    settle(page)


def test_every_section_fits_the_screen(page: "Page", tmp_path: Path) -> None:
    for name in HEADINGS:
        open_section(page, name)
        expect(page.get_by_text(DISCLAIMER).first).to_be_visible()
        picture = page.screenshot(path=tmp_path / f"{name}.png")
        assert len(picture) > 10_000, f"{name} is nearly blank"
        assert overhang_px(page) <= 0, f"{name} is wider than the screen"


def test_a_pasted_note_shows_identifiers_and_a_statement_its_source(page: "Page") -> None:
    open_section(page, "Summarise")
    read_note(page, NOTE)
    name = page.locator(".notes-id", has_text="Odette Marchetti")
    expect(name).to_have_attribute("title", re.compile(r"person: a model sees \[PERSON_1\]"))
    expect(page.locator(".notes-note")).to_contain_text("<script>gout</script>")
    statement = page.locator(".notes-statement", has_text="allopurinol 100 mg").first
    card = statement.locator(".notes-card")
    expect(card).to_be_hidden()
    statement.locator(".notes-text").hover()
    expect(card).to_be_visible()
    expect(card).to_contain_text("Start allopurinol 100 mg daily.")
    number = statement.locator(".notes-badge").first.inner_text()
    expect(page.locator(f"#note-s{number}")).to_have_css("background-color", "rgb(255, 233, 168)")
    statement.locator(".notes-badge").first.click()
    assert page.url.endswith(f"#note-s{number}")
    expect(page.locator(f"#note-s{number}")).to_be_in_viewport()
    assert "Marchetti" not in page.url
    assert overhang_px(page) <= 0


def test_a_model_sees_surrogates_and_the_note_can_be_cleared(page: "Page") -> None:
    open_section(page, "Summarise")
    read_note(page, NOTE)
    page.get_by_text("Show what a model sees").click()
    expect(page.locator(".notes-note", has_text="[PERSON_1]")).to_have_count(1, timeout=WAIT_MS)
    expect(page.locator(".notes-note", has_text="Marchetti")).to_have_count(0, timeout=WAIT_MS)
    settle(page)
    page.get_by_role("button", name="Clear note and summary").click()
    expect(page.locator(".notes-note")).to_have_count(0, timeout=WAIT_MS)
    expect(page.get_by_role("textbox", name="Note or conversation, in English")).to_have_value("")


def test_contradictory_orders_stand_on_top(page: "Page") -> None:
    open_section(page, "Summarise")
    page.get_by_role("radio", name="Contradictory orders").click()
    expect(page.get_by_role("textbox", name="Note or conversation, in English")).to_have_value(re.compile("Harold Finch"), timeout=WAIT_MS)
    settle(page)
    page.get_by_role("button", name="Summarise", exact=True).click()
    expect(page.locator(".notes-alert")).to_contain_text("Ordered in spite of an allergy", timeout=FIRST_MS)
    expect(page.locator(".notes-warning")).to_contain_text("orders to a language model")
    expect(page.locator(".notes-sentence.notes-order")).to_have_count(1)
    settle(page)
    assert overhang_px(page) <= 0


def test_a_question_is_answered_with_sources_or_refused(page: "Page") -> None:
    open_section(page, "Leaflet")
    suggested = page.locator('[data-testid="stMain"] button').filter(has_text=re.compile(r"\?$"))
    expect(suggested.nth(1)).to_be_visible(timeout=WAIT_MS)
    suggested.first.click()
    expect(page.locator(".notes-leaflet")).to_be_visible(timeout=FIRST_MS)
    settle(page)
    page.locator(".notes-cited .notes-text").first.hover()
    expect(page.locator(".notes-cited .notes-card").first).to_contain_text("On the page")
    expect(page.locator("#passage-1")).to_be_visible()
    page.locator("#passage-1 summary").click()
    expect(page.locator("#passage-1 p").first).to_be_visible()
    assert overhang_px(page) <= 0
    page.get_by_role("textbox", name="Question, in English").fill("Should I double my dose of metformin?")
    page.get_by_role("button", name="Write a leaflet").click()
    expect(page.locator(".notes-refusal")).to_contain_text("ask the doctor or pharmacist", timeout=WAIT_MS)
    expect(page.locator(".notes-leaflet")).to_have_count(0)
    settle(page)
    assert "metformin" not in page.url
    assert overhang_px(page) <= 0
