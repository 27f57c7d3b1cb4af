import pytest

from carefolio.chapters import data_origins, headline, read_chapters, repository_root, select
from carefolio.exceptions import ConfigError


def test_planned_and_existing_chapters_stand_in_order(repository):
    chapters = read_chapters(repository)
    assert [chapter.folder for chapter in chapters][:3] == ["01-demo", "01-outcomes-analysis", "02-readmission-pipeline"]
    assert len(chapters) == 10
    demo = chapters[0]
    assert (demo.package, demo.command, demo.home) == ("demo_package", "demo", repository / "projects" / "01-demo")
    assert chapters[1].home is None


def test_the_headline_comes_from_the_evidence(repository):
    demo, planned = read_chapters(repository)[:2]
    assert headline(demo) == "ROC AUC 0.684 (95 % CI 0.672 to 0.696)"
    assert data_origins(demo) == "toy (mirror)"
    assert headline(planned) == "planned"
    assert data_origins(planned) == ""
    (repository / "projects" / "01-demo" / "reports" / "evidence.json").unlink()
    assert headline(demo) == "no evidence yet"


@pytest.mark.parametrize("name", ["demo", "demo_package", "01-demo", "01", "1"])
def test_a_chapter_is_picked_by_any_of_its_names(repository, name):
    assert [chapter.folder for chapter in select(read_chapters(repository), [name])] == ["01-demo"]


@pytest.mark.parametrize(("name", "said"), [("nothing", "is no chapter"), ("workflow", "does not exist yet")])
def test_a_name_that_cannot_run_is_refused(repository, name, said):
    with pytest.raises(ConfigError, match=said):
        select(read_chapters(repository), [name])


def test_no_names_means_all_that_exist(repository):
    assert [chapter.folder for chapter in select(read_chapters(repository), [])] == ["01-demo"]


@pytest.mark.parametrize("content", ["[project\n", "[project]\nname = 'x'\n", "[project.scripts]\n[tool.carefolio]\n"])
def test_a_chapter_that_does_not_describe_itself_is_refused(repository, content):
    (repository / "projects" / "01-demo" / "pyproject.toml").write_text(content)
    with pytest.raises(ConfigError, match="01-demo"):
        read_chapters(repository)


def test_the_repository_is_found_from_within_and_by_variable(repository, monkeypatch, tmp_path_factory):
    monkeypatch.delenv("CAREFOLIO_HOME", raising=False)
    monkeypatch.chdir(repository / "projects" / "01-demo" / "reports")
    assert repository_root() == repository
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    with pytest.raises(ConfigError, match="CAREFOLIO_HOME"):
        repository_root()
    monkeypatch.setenv("CAREFOLIO_HOME", str(repository))
    assert repository_root() == repository
