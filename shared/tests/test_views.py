import csv
import io

import pytest

from carefolio import views
from carefolio.evidence import Metric
from carefolio.exceptions import ArtefactError


def test_numbers_break_only_before_the_bracket():
    metric = Metric(value=0.6749, low=0.647, high=0.706, level=0.95, n=10, higher_is_better=True)
    assert views.with_interval(metric) == f"0.675 (0.647{views.NBSP}to{views.NBSP}0.706)"
    assert views.with_interval(Metric(value=1234.5, n=1, higher_is_better=None), digits=1) == "1,234.5"
    assert views.percent(0.1169) == f"11.7{views.NBSP}%"
    assert views.percent_with_interval(0.213, 0.18, 0.249) == f"21.3{views.NBSP}% (18.0{views.NBSP}to{views.NBSP}24.9)"
    assert views.percent_with_interval(0.5, None, None, digits=0) == f"50{views.NBSP}%"


def test_a_missing_file_names_the_command(tmp_path):
    (tmp_path / "here.png").write_bytes(b"png")
    assert views.read_file(tmp_path / "here.png", command="toy report") == b"png"
    with pytest.raises(ArtefactError, match=r"gone\.png is missing; write it again with `toy report`"):
        views.read_file(tmp_path / "gone.png", command="toy report")


def test_a_picture_holds_itself():
    assert views.inline_image(b"\x89PNG") == "data:image/png;base64,iVBORw=="


def test_csv_has_every_name_of_any_row():
    rows = list(csv.reader(io.StringIO(views.to_csv([{"a": 1}, {"a": 'x, "y"', "b": None}]).decode())))
    assert rows == [["a", "b"], ["1", ""], ['x, "y"', ""]]


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-cmd|x", "\t=1", "\r=1", "=HYPERLINK(\"http://x\")"])
def test_csv_text_that_a_spreadsheet_would_run_is_kept_from_it(text):
    rows = list(csv.reader(io.StringIO(views.to_csv([{"file": text}]).decode(), newline="")))
    assert rows[1] == [f"'{text}"]


@pytest.mark.parametrize("value", [-1.5, "-1.5", "+0.20", "-0.1 (-0.2 to 0.0)", "-1.5e-3", "−0.2", "-3 %", "a=b", "photo.jpg", ""])
def test_csv_numbers_stay_as_they_are(value):
    rows = list(csv.reader(io.StringIO(views.to_csv([{"a": value, "b": 1}]).decode())))
    assert rows[1] == [str(value), "1"]
