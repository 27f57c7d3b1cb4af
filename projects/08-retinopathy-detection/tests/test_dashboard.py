"""The page says what the record says, grades what is loaded, and keeps nothing."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from carefolio.command import DISCLAIMER
from carefolio.evidence import read_evidence
from retinopathy.dashboard import SECTIONS
from retinopathy.predictor import RetinaPredictor
from retinopathy.views.results import CARDS


def show(folder: Path, section: str) -> AppTest:
    """Draw the page with one section open."""
    def script(folder: str) -> None:
        from pathlib import Path

        from retinopathy.dashboard import main

        main(Path(folder))

    app = AppTest.from_function(script, kwargs={"folder": str(folder)}, default_timeout=60)
    app.query_params["section"] = section
    return app.run()


def texts(app: AppTest) -> str:
    return " ".join(str(element.value) for kind in (app.caption, app.success, app.warning, app.error, app.info, app.markdown, app.subheader)
                    for element in kind)


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
    for name, (label, form, _) in CARDS.items():
        assert shown[label] == format(metrics[f"idrid.test.grader.{name}"].value, form)


def test_the_threshold_at_its_start_gives_the_recorded_sensitivity_and_moves(small_run):
    metrics = read_evidence(small_run / "reports" / "evidence.json").metrics
    app = show(small_run, "Threshold")
    shown = {element.label: element.value for element in app.metric}
    assert set(shown) == {"Sensitivity", "Specificity"}
    assert float(shown["Sensitivity"].split()[0].rstrip("%\u00a0")) == pytest.approx(
        100 * metrics["idrid.test.grader.sensitivity"].value, abs=15), "the slider has two digits"
    moved = app.slider(key="threshold").set_value(0.01).run()
    assert {element.label: element.value for element in moved.metric}["Sensitivity"].startswith("100.0")


def test_a_drawn_retina_is_graded_with_its_overlay(small_run):
    app = show(small_run, "Grade a photograph")
    assert "drawn retinas only" in texts(app), "the grader of a run on twins says so"
    app = app.get("button_group")[0].set_value("3").run()
    assert not app.exception
    assert (app.success[0] if app.success else app.warning[-1]).value.startswith("Grade ")
    assert app.slider(key="strength").value == 0.75, "it stands beside the overlay"
    assert len(app.table) == 2, "grades and measures"


def test_a_page_without_a_run_says_how_to_make_one(tmp_path):
    for section in ("Overview", "Threshold", "Grade a photograph"):
        app = show(tmp_path, section)
        assert not app.exception
        assert "retinopathy run" in texts(app)


def test_photographs_are_not_expected_in_the_repository(small_run, tmp_path):
    (tmp_path / "reports").mkdir()
    for file in ("evidence.json", "idrid.json"):
        (tmp_path / "reports" / file).write_bytes((small_run / "reports" / file).read_bytes())
    assert "Photographs are not part of the repository" in texts(show(tmp_path, "Failures"))


def test_rows_of_many_photographs_say_what_is_no_picture(small_run, retinas):
    from retinopathy.views.grade import _row

    predictor = RetinaPredictor.open(small_run / "artefacts")
    file = io.BytesIO()
    Image.fromarray(np.zeros((80, 80, 3), np.uint8)).save(file, "PNG")
    good, dark, none = (_row(predictor, content) for content in (retinas[1], file.getvalue(), b"%PDF"))
    assert set(good) == set(dark) == set(none)
    assert good["grade"] != ""
    assert "dark" in str(dark["a person should look"])
    assert "JPEG, PNG, TIFF or DICOM" in str(none["a person should look"])
