"""The scaling dashboard in a real browser, at desktop and phone width: every section, the calculator, nothing off the screen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from carefolio import browser
from carefolio.browser import WAIT_MS, overhang_px, settle
from carefolio.config import project_home
from carefolio.testing import requires_browser

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; it comes with the test extra")
expect, Page = playwright.expect, playwright.Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, requires_browser()]

HEADINGS = {"Overview": "What does one replica carry, and two?", "Load": "How long does an answer take as the load rises?",
            "Overload": "What happens when too much comes?", "Calculator": "How many replicas, and what do they cost?",
            "Live": "What is a running stack doing now?"}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The dashboard of the committed results; of a quick run where none are committed yet."""
    from container_scaling.cli import main

    if (project_home("07-container-scaling") / "reports" / "evidence.json").is_file():
        arguments: list[str] = []
    else:
        folder = tmp_path_factory.mktemp("run")
        done = CliRunner().invoke(main, ["run", "--quick", "--out", str(folder)], env={"CAREFOLIO_OFFLINE": "1"})
        assert done.exit_code == 0, done.output
        arguments = ["--out", str(folder)]
    with browser.serve_dashboard("container_scaling", arguments) as found:
        yield found


def open_section(page: "Page", name: str) -> None:
    browser.open_section(page, name)
    expect(page.get_by_role("heading", name=HEADINGS[name])).to_be_visible(timeout=WAIT_MS)


def test_every_section_fits_the_screen(page: "Page", tmp_path: Path) -> None:
    for name in HEADINGS:
        open_section(page, name)
        settle(page)
        expect(page.get_by_text("Not a medical device")).to_be_visible()
        expect(page.get_by_test_id("stAlertContentError")).to_have_count(0)
        picture = page.screenshot(path=tmp_path / f"{name}.png")
        assert len(picture) > 10_000, f"{name} is nearly blank"
        assert overhang_px(page) <= 0, f"{name} is wider than the screen"


def test_more_hospitals_need_more_replicas(page: "Page") -> None:
    open_section(page, "Calculator")
    replicas = page.get_by_test_id("stMetric").filter(has_text="Replicas")
    expect(replicas).to_contain_text("2", timeout=WAIT_MS)
    box = page.get_by_role("spinbutton", name="Hospitals")
    box.fill("100000")
    box.press("Enter")
    expect(replicas).not_to_contain_text("Replicas2", timeout=WAIT_MS)
    settle(page)


def test_a_service_that_is_not_there_is_named(page: "Page") -> None:
    open_section(page, "Live")
    box = page.get_by_role("textbox", name="Addresses of replicas")
    box.fill("http://127.0.0.1:9")
    box.press("Enter")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_test_id("stAlert").filter(has_text="gives no metrics")).to_be_visible(timeout=WAIT_MS)
    settle(page)
