import subprocess

import pytest
from click.testing import CliRunner

from carefolio.chapters import read_chapters
from carefolio.cli import main
from carefolio.evidence import DataRecord, Metric, write_evidence
from carefolio.evidence_diff import evidence_diff
from carefolio.exceptions import ArtefactError, ConfigError, EvidenceError
from carefolio.run_summary import tests_section as section_of_tests

JUNIT = """<?xml version="1.0"?><testsuites><testsuite>
<testcase classname="a.test_x" name="test_one" time="1.5"/>
<testcase classname="a.test_x" name="test_two" time="0.5"><failure message="no">trace</failure></testcase>
<testcase classname="a.test_x" name="test_three" time="0"><skipped message="needs &lt;Chromium&gt; | a browser"/></testcase>
<testcase classname="a.test_y" name="test_four" time="0"><skipped message="needs &lt;Chromium&gt; | a browser"/></testcase>
</testsuite></testsuites>"""


def commit(root):
    for arguments in (["add", "--all"], ["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--message", "all"]):
        subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True)


@pytest.fixture
def call(repository, monkeypatch):
    monkeypatch.setenv("CAREFOLIO_HOME", str(repository))
    monkeypatch.chdir(repository)
    return lambda *arguments: CliRunner().invoke(main, list(arguments))


def test_tests_are_counted_failures_named_and_skips_explained(tmp_path):
    (tmp_path / "junit.xml").write_text(JUNIT)
    assert section_of_tests(tmp_path / "junit.xml").splitlines() == [
        "**Tests:** 1 passed, 1 failed, 2 skipped, 2 s", "- failed: `a.test_x::test_two`", "- skipped 2: needs &lt;Chromium> / a browser"]


@pytest.mark.parametrize(("text", "words"), [(None, "is not a JUnit file"), ("<cut", "is not a JUnit file"),
                                             ("<testsuites/>", "holds no test")])
def test_a_file_that_shows_no_tests_is_refused(tmp_path, text, words):
    if text is not None:
        (tmp_path / "junit.xml").write_text(text)
    with pytest.raises(ArtefactError, match=words):
        section_of_tests(tmp_path / "junit.xml")


def test_metrics_of_the_run_stand_beside_the_committed_ones_and_synthetic_ones_are_called_so(call, repository, make_record):
    record = make_record(data=[DataRecord(name="toy", origin="synthetic", sha256="0" * 64, rows=10)],
                         metrics={"all.test.model.roc_auc": Metric(value=0.5, n=10, higher_is_better=True),
                                  "all.test.model.rows": Metric(value=12345, n=10, higher_is_better=None)})
    write_evidence(repository / "outputs" / "demo_package" / "quick" / "reports" / "evidence.json", record)
    result = call("summary", "demo")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert "| metric | committed (data: mirror) | this run, quick (synthetic data: no result) |" in lines
    assert "| `all.test.model.roc_auc` | 0.684 (95% CI 0.672 to 0.696), n = 21,766 | 0.5, n = 10 |" in lines
    assert "| `all.test.model.rows` |  | 12,345, n = 10 |" in lines
    assert "1 further metrics" in result.output
    assert "Not a medical device" in lines[-1]


def test_a_chapter_without_evidence_says_so(call, repository):
    (repository / "projects" / "01-demo" / "reports" / "evidence.json").unlink()
    assert "No evidence yet." in call("summary").output


def test_changed_metrics_are_shown_with_their_direction(call, repository, make_record, track):
    track(repository)
    commit(repository)
    assert call("diff").output == "No metric differs from HEAD.\n"
    record = make_record(metrics={"all.test.model.roc_auc": Metric(value=0.6, n=10, higher_is_better=True),
                                  "all.test.model.brier": Metric(value=0.1, n=10, higher_is_better=False)})
    write_evidence(repository / "projects" / "01-demo" / "reports" / "evidence.json", record)
    lines = call("diff").output.splitlines()
    assert "| `all.test.model.brier` |  | 0.1, n = 10 | new |" in lines
    assert "| `all.test.model.roc_auc` | 0.684 (95% CI 0.672 to 0.696), n = 21,766 | 0.6, n = 10 | worse |" in lines


def test_a_commit_that_is_not_there_and_a_damaged_record_are_one_error_each(repository, track):
    track(repository)
    chapters = read_chapters(repository)
    for base in ("nowhere", "--output=x"):
        with pytest.raises(ConfigError, match="is no commit"):
            evidence_diff(repository, chapters, base=base)
    path = repository / "projects" / "01-demo" / "reports" / "evidence.json"
    good = path.read_text()
    path.write_text("{}")
    commit(repository)
    path.write_text(good)
    with pytest.raises(EvidenceError, match="in HEAD is not a run record"):
        evidence_diff(repository, chapters)
