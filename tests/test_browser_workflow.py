"""Chapter 09 in a real browser: the mock hospital's whole story, and the dashboard as an app that is launched from a chart."""

import re
from pathlib import Path

import pytest

from carefolio.browser import SIZES, open_page, settle
from carefolio.command import command_line
from carefolio.local_server import free_port, run_server
from carefolio.testing import requires_browser
from clinical_workflow.cds.ledger import Ledger
from clinical_workflow.cds.switch import set_mode
from clinical_workflow.config import CONFIG_VARIABLE, STATE_VARIABLE
from clinical_workflow.processes import run_chapter, run_loop

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; it comes with the test extra").expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, requires_browser()]
WAIT_MS = 180_000
"""On a busy machine."""


@pytest.fixture(autouse=True)
def _patience():
    expect.set_options(timeout=WAIT_MS)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture(scope="module")
def app_port():
    return free_port()


@pytest.fixture(scope="module")
def loop(tmp_path_factory, app_port):
    over = ["data.made_up_patients = 6", "data.bundles = 1"]
    with run_chapter("readmission") as readmission, run_loop(tmp_path_factory.mktemp("loop"), models={"readmission": readmission},
                                                             over=over,
                                                             app_url=f"http://127.0.0.1:{app_port}/") as one:
        set_mode(one.state, "all", "show")
        yield one


def picture(page, tmp_path: Path, name: str) -> None:
    """Take a picture that a person can look at when a test fails."""
    page.screenshot(path=tmp_path / f"{name}.png", full_page=True)


def test_admit_discharge_card_accept_task_feedback_and_audit(loop, tmp_path):
    problems = []
    with open_page(loop.hospital, **dict(zip(("width", "height"), SIZES["desktop"], strict=True)), problems=problems) as page:
        page.set_default_timeout(WAIT_MS)
        picture(page, tmp_path, "patients")
        page.get_by_role("link", name="Muster, Ada").click()
        page.get_by_role("link", name="Discharge").click()
        page.get_by_role("button", name="Confirm discharge home").click()
        page.get_by_role("button", name="Admit").click()
        expect(page.get_by_text("in the house since")).to_be_visible()
        card = page.locator("article.card", has_text="photograph of the retina")
        card.get_by_label("Reason").select_option("declined")
        card.get_by_label("Comment").fill("not today")
        card.get_by_role("button", name="Put aside").click()
        expect(page.get_by_text("Reason: The patient declines")).to_be_visible()
        page.get_by_role("link", name="Patients").click()
        page.get_by_role("link", name="Esempio, Clara").click()
        picture(page, tmp_path, "chart")
        page.get_by_role("link", name="Discharge").click()
        card = page.locator("article.card.warning")
        expect(card).to_contain_text(re.compile(r"Readmission risk \d+% within 30 days"))
        expect(card).to_contain_text("not a medical device", ignore_case=True)
        picture(page, tmp_path, "discharge")
        card.get_by_role("button", name=re.compile("Book follow-up")).click()
        for line in ("RiskAssessment", "ServiceRequest", "Appointment", "Task", "Provenance", "Communication"):
            expect(page.get_by_text(f"{line} written")).to_be_visible()
        expect(page.get_by_text("Feedback stored by the service")).to_be_visible()
        page.get_by_role("link", name="Go on with the discharge").click()
        page.get_by_role("button", name="Confirm discharge home").click()
        page.get_by_role("link", name="Inbox").click()
        expect(page.get_by_role("row", name=re.compile("Call the patient within 2 days.*Clara"))).to_be_visible()
        page.get_by_role("button", name="Done").click()
        expect(page.get_by_text("Nothing to do.")).to_be_visible()
        page.get_by_role("link", name="Audit").click()
        for line in ("accepted a card of readmission-risk", "put aside a card of retinopathy-screening: The patient declines",
                     "discharged"):
            expect(page.get_by_text(line).first).to_be_visible()
        picture(page, tmp_path, "audit")
    assert problems == []
    ledger = Ledger(loop.state)
    assert ledger.rows("SELECT outcome, reason, commented FROM feedback ORDER BY outcome") == [("accepted", None, 0), ("overridden",
                                                                                                                       "declined", 1)]
    ledger.close()


def test_the_kill_switch_empties_the_next_page(loop):
    with open_page(f"{loop.hospital}/patients/made-up-002", width=390, height=844) as page:
        expect(page.locator("article.card")).to_have_count(1, timeout=WAIT_MS)
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
        set_mode(loop.state, "all", "off")
        page.reload()
        expect(page.locator("article.card")).to_have_count(0, timeout=WAIT_MS)
        expect(page.get_by_text("That does not mean that there is no risk.")).to_be_visible()
        set_mode(loop.state, "all", "show")


def test_the_dashboard_is_launched_from_a_chart(loop, app_port, tmp_path):
    command = command_line("clinical_workflow", "dashboard", "--port", str(app_port))
    variables = {CONFIG_VARIABLE: str(loop.settings_file), STATE_VARIABLE: str(loop.state)}
    with run_server(command, ready_url=f"http://127.0.0.1:{app_port}/_stcore/health", env=variables), open_page(
            f"{loop.hospital}/patients/made-up-004", width=1280, height=900) as page:
        page.set_default_timeout(WAIT_MS)
        page.get_by_role("button", name="Workflow dashboard").click()
        page.get_by_role("tab", name="Patient").click()
        expect(page.get_by_text("Read with the scopes")).to_be_visible(timeout=WAIT_MS)
        settle(page)
        expect(page.get_by_text("Esempio, Clara")).to_be_visible()
        picture(page, tmp_path, "app")
        page.get_by_role("tab", name="Monitor").click()
        settle(page)
        expect(page.get_by_text("Readmission risk at discharge").first).to_be_visible()
        picture(page, tmp_path, "monitor")
