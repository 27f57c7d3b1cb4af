import pytest

from carefolio.exceptions import ArtefactError
from carefolio.junit import HOUSE, read_test_run

JUNIT = """<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="abc1234" timestamp="2026-01-31T12:00:05.123" time="9">
<testcase classname="projects.01-demo.tests.test_api" name="a"/>
<testcase classname="projects.01-demo.tests.test_api" name="b"><failure message="no"/></testcase>
<testcase classname="projects.02-more.tests.test_api" name="c"><error message="no"/></testcase>
<testcase classname="shared.tests.test_cli" name="d"><skipped message="no browser"/></testcase>
<testcase classname="tests.test_documents" name="e"/></testsuite></testsuites>"""


def test_tests_are_told_apart_by_chapter(tmp_path):
    (tmp_path / "tests.xml").write_text(JUNIT)
    run = read_test_run(tmp_path / "tests.xml")
    assert (run.when, run.commit) == ("2026-01-31 12:00", "abc1234")
    assert {name: str(tally) for name, tally in run.tallies.items()} == {
        "01-demo": "1 passed, 1 failed", "02-more": "0 passed, 1 failed", HOUSE: "1 passed, 1 skipped"}
    assert str(run.total) == "2 passed, 2 failed, 1 skipped"


@pytest.mark.parametrize(("text", "message"), [("", "is not a JUnit file"), ("<testsuites/>", "holds no test"),
                                               ("{}", "is not a JUnit file")])
def test_what_is_no_run_is_refused(tmp_path, text, message):
    (tmp_path / "tests.xml").write_text(text)
    with pytest.raises(ArtefactError, match=message):
        read_test_run(tmp_path / "tests.xml")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ArtefactError, match="is not a JUnit file"):
        read_test_run(tmp_path / "tests.xml")
