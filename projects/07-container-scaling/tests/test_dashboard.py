"""The page says what the record says, calculates, and asks only what it is told to."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from carefolio.command import DISCLAIMER
from carefolio.evidence import read_evidence
from container_scaling.dashboard import SECTIONS

pytestmark = pytest.mark.slow


def show(folder: Path, section: str) -> AppTest:
    """Draw the page with one section open."""
    def script(folder: str) -> None:
        from pathlib import Path

        from container_scaling.dashboard import main

        main(Path(folder))

    app = AppTest.from_function(script, kwargs={"folder": str(folder)}, default_timeout=60)
    app.query_params["section"] = section
    return app.run()


def texts(app: AppTest) -> str:
    return " ".join(str(element.value) for kind in (app.caption, app.error, app.info, app.markdown, app.subheader) for element in kind)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_is_drawn_and_says_that_it_is_research(section, small_run):
    app = show(small_run, section)
    assert not app.exception
    assert not app.error, [element.value for element in app.error]
    assert DISCLAIMER in texts(app)
    assert app.subheader


def test_the_cards_say_what_the_record_says(small_run):
    metrics = read_evidence(small_run / "reports" / "evidence.json").metrics
    shown = {element.label: element.value for element in show(small_run, "Overview").metric}
    assert shown["One replica"] == f"{metrics['readmission.replicas_1.measured.throughput'].value:,.0f}"
    assert shown["Over mlflow models serve"] == "–", "a quick run measures no peer, and the page says so"


def test_the_calculator_follows_what_is_put_in(small_run):
    app = show(small_run, "Calculator")
    before = {element.label: element.value for element in app.metric}
    app = app.number_input(key="hospitals").set_value(100_000).run()
    after = {element.label: element.value for element in app.metric}
    assert int(after["Replicas"].replace(",", "")) > int(before["Replicas"].replace(",", ""))
    app = app.number_input(key="target").set_value(1.0).run()
    assert not app.exception


def test_nothing_is_asked_before_the_button(small_run):
    app = show(small_run, "Live")
    assert "Nothing is asked until" in texts(app)
    app = app.text_input(key="addresses").set_value("http://127.0.0.1:9").run()
    app = app.button(key="ask").click().run()
    assert "gives no metrics" in app.error[0].value


def test_a_page_without_a_run_says_how_to_make_one(tmp_path):
    for section in ("Overview", "Load", "Calculator"):
        app = show(tmp_path, section)
        assert not app.exception
        assert "scaling run" in texts(app)
