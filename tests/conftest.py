"""What the browser tests share: a page of the dashboard at ``address``, which each module starts, at both sizes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from carefolio.browser import SIZES, open_page

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(params=SIZES)
def page(request: pytest.FixtureRequest, address: str) -> Iterator["Page"]:
    """A fresh page at one size; the test fails on what the browser's console reports as an error."""
    width, height = SIZES[request.param]
    problems: list[str] = []
    with open_page(address, width=width, height=height, problems=problems) as opened:
        yield opened
    assert problems == []
