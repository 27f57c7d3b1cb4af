"""Take the README's pictures of a chapter's dashboard: ``python docs/make_screenshots.py [--out FOLDER_OF_A_RUN] [--to docs/images]``."""

import sys
from pathlib import Path

import click
from playwright.sync_api import Page, expect, sync_playwright

from carefolio.exceptions import ConfigError
from carefolio.local_server import free_port, run_server
from carefolio.testing import CHROMIUM_FLAGS, chromium_path

VIEWS = {"readmission-dashboard.png": (1280, 1110, "Decisions"), "readmission-dashboard-phone.png": (390, 844, "Overview")}


def open_section(page: Page, section: str) -> None:
    """Click a tab and wait until its content stands still.

    Parameters
    ----------
    page : Page
        The dashboard.
    section : str
        Name of the tab.
    """
    page.get_by_role("tab", name=section).click(timeout=60_000)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=60_000)
    page.wait_for_timeout(1500)  # charts fade in


@click.command()
@click.option("--out", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of a run; default the committed.")
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), default=Path("docs/images"), show_default=True)
def main(out: Path | None, folder: Path) -> None:
    """Start the dashboard, open it at desktop and phone width, and save a picture of each."""
    chromium = chromium_path()
    if chromium is None:
        raise ConfigError("Chromium is not on the PATH; install it (Debian: apt-get install chromium).")
    port = free_port()
    command = [sys.executable, "-c", "from readmission.cli import main; main()", "dashboard", "--port", str(port)]
    folder.mkdir(parents=True, exist_ok=True)
    with (run_server([*command, *(["--out", str(out)] if out else [])], ready_url=f"http://127.0.0.1:{port}/_stcore/health") as address,
          sync_playwright() as playwright):
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_FLAGS))
        for name, (width, height, section) in VIEWS.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(address)
            open_section(page, section)
            page.screenshot(path=folder / name)
        browser.close()


if __name__ == "__main__":
    main()
