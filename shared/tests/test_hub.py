"""The home page, drawn without a browser; tests/test_browser_hub.py opens it in one."""

from importlib.resources import files

import pytest
from streamlit.testing.v1 import AppTest

from carefolio import hub
from carefolio.chapters import read_chapters
from carefolio.hub import readable
from carefolio.junit import FILE

PNG = b"\x89PNG"


@pytest.fixture
def home(repository, monkeypatch):
    """A small repository that the page shows."""
    monkeypatch.setenv("CAREFOLIO_HOME", str(repository))
    hub.age.clear()
    return repository


def draw(**query):
    page = AppTest.from_file(str(files("carefolio").joinpath("hub.py")), default_timeout=30)
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def texts(elements):
    return "\n".join(element.value for element in elements)


def test_every_chapter_shows_question_result_data_and_age(home):
    page = draw()
    assert page.subheader[0].value == "01 · A demonstration"
    assert len(page.subheader) == 10
    shown = texts(page.markdown)
    assert "Does it hold together?" in shown
    assert "**ROC AUC 0.684 (95 % CI 0.672 to 0.696)**" in shown
    assert shown.count("**Planned**") == 9
    facts = texts(page.caption)
    assert "Data: toy (mirror)" in facts
    assert "Evidence: made " in facts
    assert "days ago at abc1234" in facts
    assert "Not a medical device" in facts


def test_a_result_in_words_is_preferred(home):
    path = home / "projects" / "01-demo" / "pyproject.toml"
    path.write_text(path.read_text().replace('question =', 'result = "AUROC {ev:all.test.model.roc_auc .2f} on paper"\nquestion ='))
    assert "**AUROC 0.68 on paper**" in texts(draw().markdown)


def test_the_last_tests_are_shown_by_chapter(home):
    assert "No tests were run in this checkout yet" in texts(draw().markdown)
    (home / "outputs").mkdir()
    (home / FILE).write_text('<testsuites><testsuite timestamp="2026-01-31T12:00:05">'
                             '<testcase classname="projects.01-demo.tests.a" name="a"/>'
                             '<testcase classname="tests.b" name="b"><failure/></testcase></testsuite></testsuites>')
    page = draw()
    assert "Last tests: 1 passed, 1 failed, 2026-01-31 12:00. Across chapters: 0 passed, 1 failed." in texts(page.markdown)
    assert "Tests: 1 passed" in texts(page.caption)
    (home / FILE).write_text("no tests")
    assert "is not a JUnit file" in texts(draw().markdown)


def test_what_is_not_installed_cannot_be_started(home):
    assert [button.label for button in draw().button] == ["README", "Article", "Model card"]


def test_a_page_opens_and_leads_back(home):
    page = draw()
    next(button for button in page.button if button.label == "README").click().run()
    assert page.query_params["read"] == "01-demo/README.md"
    assert "## The result" in texts(page.markdown)
    page.button[0].click().run()
    assert "read" not in page.query_params
    assert len(page.subheader) == 10


@pytest.mark.parametrize("wanted", ["../../secret", "01-demo/../../README.md", "02-readmission-pipeline/README.md",
                                    "01-demo/pyproject.toml", "x"])
def test_only_pages_of_chapters_open(home, wanted):
    assert [error.value for error in draw(read=wanted).error] == ["There is no such page; go back and choose one."]


def test_damaged_evidence_is_named_and_the_others_stay(home):
    (home / "projects" / "01-demo" / "reports" / "evidence.json").write_text("{")
    page = draw()
    assert len(page.error) == 1
    assert len(page.subheader) == 10


def test_a_page_is_made_fit_to_read(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path.parent / "secret.png").write_bytes(PNG)
    text = "A <!--ev x-->1<!--/ev-->, [b](b.md), [c](https://example.org), ![d](a.png), ![e](../secret.png), ![f](gone.png)"
    assert readable(text, tmp_path) == ("A 1, b, [c](https://example.org), ![d](data:image/png;base64,iVBORw==), *e*, *f*")


def test_chapters_of_this_repository_say_their_result_in_words(pytestconfig):
    existing = [chapter for chapter in read_chapters(pytestconfig.rootpath) if chapter.home]
    assert [chapter.folder for chapter in existing if not chapter.result] == []
