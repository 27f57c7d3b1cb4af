"""Take the README's pictures of the dashboards: ``python docs/make_screenshots.py [--only PACKAGE] [--to docs/images]``."""

from pathlib import Path
from typing import Any

import click

from carefolio.browser import WAIT_MS, open_page, open_section, serve_dashboard, serve_hub, settle

HUB = "carefolio"
VIEWS: dict[str, dict[str, tuple[int, int, str]]] = {
    HUB: {"hub.png": (1280, 1000, ""), "hub-phone.png": (390, 844, "")},
    "outcomes_analysis": {"outcomes-dashboard.png": (1280, 1200, "COVID-19"), "outcomes-dashboard-phone.png": (390, 844, "Survival")},
    "notes_summarizer": {"notes-dashboard.png": (1280, 1200, "Summarise"), "notes-dashboard-phone.png": (390, 844, "Summarise")},
    "text_classifier": {"textclass-dashboard.png": (1280, 1200, "Try a text"), "textclass-dashboard-phone.png": (390, 844, "Compare")},
    "retraining": {"retraining-dashboard.png": (1280, 1300, "Decisions"), "retraining-dashboard-phone.png": (390, 844, "Timeline")},
    "model_registry": {"registry-dashboard.png": (1280, 1300, "Lineage"), "registry-dashboard-phone.png": (390, 844, "Checks")},
    "container_scaling": {"scaling-dashboard.png": (1280, 1300, "Load"), "scaling-dashboard-phone.png": (390, 844, "Calculator")},
    "retinopathy": {"retinopathy-dashboard.png": (1280, 1400, "Grade a photograph"),
                    "retinopathy-dashboard-phone.png": (390, 844, "Threshold")},
    "clinical_workflow": {"workflow-dashboard.png": (1280, 1300, "Simulation"), "workflow-dashboard-phone.png": (390, 844, "Overview")},
    "readmission": {"readmission-dashboard.png": (1280, 1110, "Decisions"), "readmission-dashboard-phone.png": (390, 844, "Overview")},
}
"""Package -> file -> width, height, section; the home page has no sections."""
PRESSED: dict[str, tuple[Any, str, str]] = {
    "Summarise": ("button", "Summarise", ".notes-note"), "Try a text": ("button", "Classify", ".tc-answer"),
    "Grade a photograph": ("radio", "3", "[data-testid=stImage]")}
"""Section -> role and name of what is pressed before its picture is taken, and what it brings up, which is then scrolled to."""


@click.command()
@click.option("--only", type=click.Choice(list(VIEWS)), help="The package whose pictures are taken; default all.")
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), default=Path("docs/images"), show_default=True)
def main(only: str | None, folder: Path) -> None:
    """Start each dashboard, open it at desktop and phone width, and save a picture of each view."""
    folder.mkdir(parents=True, exist_ok=True)
    for package in [only] if only else list(VIEWS):
        with serve_hub() if package == HUB else serve_dashboard(package) as address:
            for name, (width, height, section) in VIEWS[package].items():
                with open_page(address, width=width, height=height) as page:
                    open_section(page, section) if section else settle(page)
                    if section in PRESSED:
                        role, pressed, result = PRESSED[section]
                        page.get_by_role(role, name=pressed, exact=True).click()
                        page.locator(result).first.scroll_into_view_if_needed(timeout=WAIT_MS)
                        settle(page)
                    page.wait_for_timeout(1500)  # charts fade in
                    page.screenshot(path=folder / name)


if __name__ == "__main__":
    main()
