"""A chapter's dashboard in a real browser, for tests and pictures; needs Chromium and playwright (both come with the test set-up)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from carefolio.command import command_line
from carefolio.exceptions import ConfigError
from carefolio.local_server import free_port, run_server
from carefolio.testing import CHROMIUM_FLAGS, CHROMIUM_NAMES, chromium_path

if TYPE_CHECKING:
    from playwright.sync_api import Page

SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
"""Width and height, in pixels."""
WAIT_MS = 60_000
REPLACED = re.compile(r"Client Error: Download Button source error - 404|status of 404 .*/media/\w+\.\w+'")
"""What Streamlit notes when it asks for the file of a download button that a rerun has replaced meanwhile; nobody is shown that file."""
_OVERHANG = "document.querySelector('[data-testid=stMain]').scrollWidth - document.querySelector('[data-testid=stMain]').clientWidth"


@contextmanager
def serve_dashboard(package: str, arguments: Sequence[str] = ()) -> Iterator[str]:
    """Start a chapter's dashboard as a user would, and end it with the block.

    Parameters
    ----------
    package : str
        Import name of the chapter's package.
    arguments : sequence of str, optional
        Further arguments of its ``dashboard`` verb.

    Yields
    ------
    str
        Its address on loopback.
    """
    with _serve(package, "dashboard", *arguments) as address:
        yield address


@contextmanager
def serve_hub() -> Iterator[str]:
    """Start the home page of all chapters as a user would, and end it with the block.

    Yields
    ------
    str
        Its address on loopback.
    """
    with _serve("carefolio", "hub") as address:
        yield address


@contextmanager
def _serve(package: str, verb: str, *arguments: str) -> Iterator[str]:
    port = free_port()
    command = command_line(package, verb, "--port", str(port), *arguments)
    with run_server(command, ready_url=f"http://127.0.0.1:{port}/_stcore/health") as address:
        yield address


@contextmanager
def open_page(address: str, *, width: int, height: int, problems: list[str] | None = None) -> Iterator[Page]:
    """Open an address in a fresh headless browser.

    Parameters
    ----------
    address : str
        Where to go.
    width, height : int
        Size of the window in pixels.
    problems : list of str, optional
        Receives what the browser's console reports as an error, but for downloads that a rerun has just replaced.

    Yields
    ------
    playwright.sync_api.Page
        The page.

    Raises
    ------
    ConfigError
        If there is no Chromium.
    """
    from playwright.sync_api import sync_playwright

    chromium = chromium_path()
    if chromium is None:
        raise ConfigError(f"none of {', '.join(CHROMIUM_NAMES)} is on the PATH; install it (Debian: apt-get install chromium).")
    noted: list[str] = problems if problems is not None else []

    def _note(message: Any) -> None:
        said = f"{message.text} {message.location}"
        if message.type == "error" and not REPLACED.search(said):
            noted.append(said)

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=list(CHROMIUM_FLAGS))
        page = browser.new_page(viewport={"width": width, "height": height})
        page.on("console", _note)
        page.on("pageerror", lambda error: noted.append(str(error)))
        page.goto(address)
        yield page
        browser.close()


def open_section(page: Page, name: str) -> None:
    """Click a tab of a dashboard and wait until its content stands.

    Parameters
    ----------
    page : playwright.sync_api.Page
        The dashboard.
    name : str
        Name of the tab.
    """
    page.get_by_role("tab", name=name, exact=True).click(timeout=WAIT_MS)
    settle(page)


def settle(page: Page) -> None:
    """Wait until the dashboard's script has ended, and see that it raised nothing.

    Parameters
    ----------
    page : playwright.sync_api.Page
        The dashboard.
    """
    from playwright.sync_api import expect

    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=WAIT_MS)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def overhang_px(page: Page) -> int:
    """Measure by how much a dashboard is wider than the window.

    Parameters
    ----------
    page : playwright.sync_api.Page
        The dashboard.

    Returns
    -------
    int
        Pixels that one would have to scroll sideways; 0 is right.
    """
    return int(page.evaluate(_OVERHANG))
