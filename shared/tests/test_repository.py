import pytest

from carefolio.chapters import headline, read_chapters
from carefolio.evidence import ArtefactRecord, FigureRecord, read_evidence
from carefolio.exceptions import EvidenceError
from carefolio.repository import check_repository, documents


def messages(root, **options):
    return [str(problem) for problem in check_repository(root, **options)]


def change(root, file, old, new):
    path = root / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_repository_in_order_has_no_problems(repository, track):
    assert messages(repository) == []
    track(repository)
    assert messages(repository) == []
    assert [path.relative_to(repository).as_posix() for path in documents(repository)] == [
        "README.md", "projects/01-demo/README.md", "projects/01-demo/article.md", "projects/01-demo/reports/model_card.md"]


def test_stale_text_is_found_and_written_anew(repository):
    change(repository, "README.md", "0.684", "0.701")
    assert messages(repository) == ["README.md:3: `demo_package/all.test.model.roc_auc .3f` is stale: expected '0.684', got '0.701'; "
                                    "run `carefolio check --write`."]
    assert messages(repository, write=True) == []
    assert ">0.684<" in (repository / "README.md").read_text()


def test_a_change_in_the_evidence_makes_every_document_stale(repository):
    change(repository, "projects/01-demo/reports/evidence.json", '"value": 0.684', '"value": 0.685')
    stale = {message.split(":")[0] for message in messages(repository) if "stale" in message}
    assert stale == {"README.md", "projects/01-demo/README.md", "projects/01-demo/reports/model_card.md"}
    assert messages(repository, write=True) == []


def test_writing_goes_on_past_an_unknown_id(repository):
    change(repository, "README.md", "Reached", "So <!--ev demo_package/a.b.c.d .3f-->0.1<!--/ev--> and")
    change(repository, "README.md", "0.684", "old")
    assert len(messages(repository, write=True)) == 1
    assert ">0.684<" in (repository / "README.md").read_text()


@pytest.mark.parametrize(("file", "old", "new", "said"), [
    ("README.md", "Reached", "Reached 0.7 or", "README.md:3: '0.7' stands without a marker"),
    ("README.md", "README.md#the-result", "README.md#no-result", "no heading for #no-result"),
    ("README.md", "01-demo/README.md", "01-demo/GONE.md", "there is no such file"),
    ("projects/01-demo/README.md", "reports/figures/roc.png", "reports/figures/pr.png", "there is no such file"),
    ("projects/01-demo/reports/evidence.json", '"project": "demo_package"', '"project": "demo"',
     "expected the package name 'demo_package'"),
    ("projects/01-demo/reports/evidence.json", '"seed": 0', '"seed": "zero"', "is not a run record"),
    ("projects/01-demo/artefacts/model.txt", "tree", "bush", "artefact artefacts/model.txt has SHA-256"),
    ("projects/01-demo/reports/model_card.md", "## TRIPOD+AI checklist", "## Another", "section 'TRIPOD+AI checklist' is missing"),
])
def test_a_planted_fault_is_found(repository, file, old, new, said):
    change(repository, file, old, new)
    assert any(said in message for message in messages(repository))


@pytest.mark.parametrize("origin", ["synthetic", "file"])
def test_evidence_on_unpublished_data_is_found(repository, origin):
    change(repository, "projects/01-demo/reports/evidence.json", '"origin": "mirror"', f'"origin": "{origin}"')
    assert any("committed evidence stands on" in message for message in messages(repository))


def test_synthetic_evidence_is_not_written_into_documents(repository):
    change(repository, "projects/01-demo/reports/evidence.json", '"origin": "mirror"', '"origin": "synthetic"')
    change(repository, "projects/01-demo/reports/evidence.json", '"value": 0.684', '"value": 0.999')
    messages(repository, write=True)
    assert "0.999" not in (repository / "README.md").read_text()


def test_missing_figures_and_artefacts_are_found(repository, make_record):
    from carefolio.evidence import write_evidence

    path = repository / "projects" / "01-demo" / "reports" / "evidence.json"
    record = read_evidence(path)
    gone = record.model_copy(update={"figures": [FigureRecord(file="figures/no.png", alt=" ")],
                                     "artefacts": [ArtefactRecord(file="artefacts/no.txt", sha256="0" * 64)]})
    write_evidence(path, gone)
    found = messages(repository)
    assert [next(word for word in ("missing", "describes") if word in message) for message in found] == ["missing", "describes", "missing"]


@pytest.mark.parametrize("text", ["123-45-6789", "a.person@hospital.org", "(617) 555-0123", "617-555-0123", "MRN: 00123456"])
def test_identifiers_in_reports_are_found(repository, text):
    (repository / "projects" / "01-demo" / "reports" / "notes.csv").write_text(f"a,b\n1,{text}\n")
    assert [message.split(": ")[0] for message in messages(repository)] == ["projects/01-demo/reports/notes.csv:2"]


@pytest.mark.parametrize("text", ["0.1234567890", "2026-01-31", "someone@example.org", "1234567890", "192.168.100.2000"])
def test_ordinary_figures_are_no_identifiers(repository, text):
    (repository / "projects" / "01-demo" / "reports" / "notes.csv").write_text(f"a,b\n1,{text}\n")
    assert messages(repository) == []


@pytest.mark.parametrize("name", ["uv.lock", "shared/package-lock.json", "projects/01-demo/artefacts/model.pkl"])
def test_forbidden_files_are_found_once_tracked(repository, track, name):
    track(repository)
    (repository / name).write_text("x")
    assert messages(repository) == []
    track(repository)
    assert messages(repository) == [f"{name}:1: must not be committed: lock files hold index addresses, pickles run code; remove it."]


def test_a_quoted_figure_without_source_is_refused(repository):
    change(repository, "projects/01-demo/references.toml", 'cohort = "one visit a patient"', "")
    with pytest.raises(EvidenceError, match=r"\[paper\] lacks cohort"):
        check_repository(repository)


def test_a_chapter_in_the_making_may_have_published_nothing_yet(repository):
    home = repository / "projects" / "02-next"
    home.mkdir()
    text = (repository / "projects" / "01-demo" / "pyproject.toml").read_text().replace("demo", "next")
    (home / "pyproject.toml").write_text(text)
    assert messages(repository) == [
        "projects/02-next/reports/evidence.json:1: projects/02-next/reports/evidence.json is missing; the project's `run` writes it."]
    (home / "pyproject.toml").write_text(text.replace("headline =", "in_the_making = true\nheadline ="))
    assert messages(repository) == []
    chapter = next(chapter for chapter in read_chapters(repository) if chapter.folder == "02-next")
    assert headline(chapter) == "in the making"
