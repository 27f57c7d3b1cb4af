import json
import shutil
import tomllib
from importlib.resources import files

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever

from carefolio.config import merge
from carefolio.datasets.medquad_twin import make_medquad_twin
from carefolio.exceptions import ArtefactError
from notes_summarizer.leaflet.build import EMBEDDINGS, RECORD, choose_answers
from notes_summarizer.leaflet.embeddings import MiniLM
from notes_summarizer.leaflet.index import LeafletIndex, build_index
from notes_summarizer.leaflet.relevance import relevance
from notes_summarizer.leaflet.retriever import PassageRetriever
from notes_summarizer.leaflet.settings import LeafletSettings


def settings_with(**index):
    table = tomllib.loads(files("notes_summarizer").joinpath("config.toml").read_text(encoding="utf-8"))["leaflet"]
    return LeafletSettings(**merge(table, {"index": {"shard_passages": 16, **index}}))


@pytest.fixture(scope="module")
def answers():
    return make_medquad_twin(0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, answers):
    path = tmp_path_factory.mktemp("index")
    build_index(answers, settings_with(), path)
    return path


@pytest.fixture(scope="module")
def index(folder):
    return LeafletIndex.open(folder)


@pytest.mark.parametrize("method", ["hybrid", "bm25", "dense"])
def test_a_question_finds_its_page_first(index, method):
    hits = index.search("What are the symptoms of Cobalt cough?", k=3, method=method)
    assert hits[0].passage.title == "Cobalt cough: symptoms"
    assert [hit.rank for hit in hits] == [1, 2, 3]
    assert hits[0].score >= hits[1].score >= hits[2].score


def test_a_word_that_no_page_has_finds_nothing_by_words(index):
    assert index.search("xylophone", k=3, method="bm25") == []
    assert len(index.search("xylophone", k=3)) == 3


def test_a_topic_can_be_left_out(index):
    question = "What causes Dune foot?"
    found = index.rank([question], k=10, without=["dune foot"])[0]
    assert all("dune foot" not in index.topics[ranked.rows] for ranked in found.values())
    assert relevance(index, question, found["hybrid"]) < 0.6 < relevance(index, question, index.rank([question], k=10)[0]["hybrid"])


def test_the_retriever_is_one_of_langchain(index):
    retriever = PassageRetriever(index=index, k=2)
    assert isinstance(retriever, BaseRetriever)
    documents = retriever.invoke("treatment of ember rash")
    assert documents[0].metadata["title"] == "Ember rash: treatment"
    assert documents[0].metadata["url"].startswith("https://example.org/")
    assert len(documents) == 2


def test_the_embeddings_are_those_of_langchain_and_have_length_one():
    model = MiniLM()
    assert isinstance(model, Embeddings)
    alone = np.array(model.embed_query("an itchy rash"))
    together = np.array(model.embed_documents(["a much longer text about a sore knee and what to do about it", "an itchy rash", ""]))
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-5)
    assert together[1] == pytest.approx(alone, abs=1e-5)
    assert alone @ np.array(model.embed_query("skin that itches")) > alone @ np.array(model.embed_query("tax return")) + 0.2
    assert model.encode([]).shape == (0, 384)


def test_a_build_that_was_stopped_goes_on_where_it_was(tmp_path, answers, folder):
    def stop(done, total):
        if done >= 70:
            raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        build_index(answers, settings_with(), tmp_path, progress=stop)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("shards-*/*.safetensors")}
    assert len(kept) >= 4
    assert not (tmp_path / RECORD).exists()
    seen = []
    build_index(answers, settings_with(), tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert seen[0][0] >= 16
    assert (tmp_path / EMBEDDINGS).read_bytes() == (folder / EMBEDDINGS).read_bytes()
    assert not list(tmp_path.glob("shards-*"))


def test_a_finished_index_is_not_built_again_but_takes_new_search_settings(tmp_path, answers, folder):
    copy = shutil.copytree(folder, tmp_path / "copy")
    before = (copy / EMBEDDINGS).stat().st_mtime_ns
    settings = settings_with()
    changed = settings.model_copy(update={"search": settings.search.model_copy(update={"least_relevance": 0.5})})
    build_index(answers, changed, copy, progress=lambda done, total: pytest.fail("embedded again"))
    assert (copy / EMBEDDINGS).stat().st_mtime_ns == before
    assert LeafletIndex.open(copy).search_settings.least_relevance == 0.5
    calls = []
    build_index(answers, settings_with(passage_words=40), copy, progress=lambda done, total: calls.append(done))
    assert calls


@pytest.mark.parametrize("name", [EMBEDDINGS, RECORD, "passages.parquet"])
def test_an_altered_file_is_refused(tmp_path, folder, name):
    copy = shutil.copytree(folder, tmp_path / "copy")
    path = copy / name
    path.write_bytes(path.read_bytes()[:-2] + b"  ")
    with pytest.raises(ArtefactError, match="SHA-256"):
        LeafletIndex.open(copy)


def test_a_folder_without_an_index_says_so(tmp_path):
    with pytest.raises(ArtefactError, match=r"index\.json is missing"):
        LeafletIndex.open(tmp_path)


def test_nothing_that_is_written_is_a_pickle(folder):
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["embeddings.safetensors", "index.json", "index.json.sha256", "passages.parquet"]
    assert json.loads((folder / RECORD).read_text())["answers"] == 60


def test_whole_documents_are_taken_always_the_same(answers):
    taken = choose_answers(answers, most=10)
    assert taken.height == 12
    assert taken.group_by("document").len()["len"].unique().to_list() == [4]
    assert choose_answers(answers.reverse(), most=10)["document"].unique().sort().to_list() == taken["document"].unique().sort().to_list()
    assert choose_answers(answers, most=0).height == 60


def test_the_same_answers_give_the_same_bytes(tmp_path, answers, folder):
    build_index(answers, settings_with(), tmp_path)
    made, first = ({path.relative_to(base).as_posix(): path.read_bytes() for path in base.rglob("*") if path.is_file()}
                   for base in (tmp_path, folder))
    assert made == first != {}
