import gzip
import hashlib
import io
import tarfile

import pytest

from carefolio.datasets import medquad
from carefolio.datasets.content import content_sha256
from carefolio.datasets.medquad import COLUMNS, FILE, NAME, load_medquad, parse_document, read_documents, read_medquad
from carefolio.exceptions import DataIntegrityError, DataUnavailableError, SchemaError
from carefolio.testing import requires_real_data

PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<Document id="0000003" source="CDC" url="https://example.org/a">
<Focus>Asthma</Focus>
<QAPairs>
<QAPair pid="1"><Question qid="0000003-1" qtype="information">What is asthma ?</Question>
<Answer> A disease of the airways: naïve T&#178; &amp; more. </Answer></QAPair>
<QAPair pid="2"><Question qid="0000003-2" qtype="causes">What causes it ?</Question><Answer></Answer></QAPair>
</QAPairs>
</Document>"""
OTHER_FORM = """<doc docid="0000007" corpus="NINDS" url="u"><doctitle-focus>Tremor</doctitle-focus><qaPairs><pair pid="1">
<question qid="0000007-1" qtype="information">what is tremor ?</question><answer>Shaking.</answer></pair></qaPairs></doc>"""
BOMB = '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>' + PAGE.split("\n", 1)[1].replace("Asthma", "&b;")


@pytest.fixture
def pack(tmp_path):
    """Write an archive of members given by name; a link where the content is a TarInfo type."""
    def pack(members, top="./"):
        path = tmp_path / FILE
        with tarfile.open(path, "w:gz") as archive:
            for name, content in members.items():
                info = tarfile.TarInfo(top + name)
                if isinstance(content, str):
                    info.size = len(content.encode())
                    archive.addfile(info, io.BytesIO(content.encode()))
                else:
                    info.type, info.linkname = content, "/etc/passwd"
                    archive.addfile(info)
        return path
    return pack


def test_answers_are_read_and_empty_ones_counted(pack):
    frame, n_empty = read_medquad(pack({"9_CDC_QA/0000003.xml": PAGE, "6_NINDS_QA/0000007.xml": OTHER_FORM, "readme.txt": "read me"}))
    assert n_empty == 1
    assert frame.columns == list(COLUMNS)
    assert frame.row(0) == ("6_NINDS_QA/0000007.xml", "NINDS", "u", "Tremor", "0000007-1", "information", "what is tremor ?", "Shaking.")
    assert frame.row(1)[3:] == ("Asthma", "0000003-1", "information", "What is asthma ?", "A disease of the airways: naïve T² & more.")


def test_the_folder_around_the_repository_and_the_order_do_not_matter(pack):
    pages = {"9_CDC_QA/0000003.xml": PAGE, "6_NINDS_QA/0000007.xml": OTHER_FORM}
    first, _ = read_medquad(pack(pages))
    extra = {"10_MPlus_ADAM_QA/0000001.xml": "<not read", "QA-TestSet.zip": "PK"}
    second, _ = read_medquad(pack(extra | dict(reversed(pages.items())), top="MedQuAD-577bd37b96c02d1833b2c9eed2de9f96964e96cb/"))
    assert content_sha256(first) == content_sha256(second)
    assert content_sha256(first) != content_sha256(first.reverse())


@pytest.mark.parametrize(("old", "new", "said"), [
    ("</Document>", "", "9_CDC_QA/0000003.xml cannot be read as XML .ParseError"),
    (PAGE, BOMB, "cannot be read as XML .DTDForbidden"),
    (PAGE, '<!DOCTYPE d SYSTEM "file:///etc/passwd"><Document source="CDC"/>', "cannot be read as XML .DTDForbidden"),
    ("Document", "Page", "must be a Document, DiseaseFile, doc; got 'Page'"),
    ('source="CDC"', 'source="NIDDK"', "must have the source 'CDC'; got 'NIDDK'"),
    ("<Answer></Answer>", "", "one question with qid and qtype and one answer a pair; got 1 and 0 in pair '2'"),
    (' qtype="causes"', "", "one question with qid and qtype"),
    ("What causes it ?", " ", "one question with qid and qtype"),
])
def test_each_fault_of_a_page_is_one_clear_line(old, new, said):
    assert old in PAGE
    with pytest.raises(SchemaError, match=said) as caught:
        parse_document("9_CDC_QA/0000003.xml", PAGE.replace(old, new).encode())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "content", "top"), [
    ("../9_CDC_QA/0000003.xml", PAGE, "./"), ("etc/passwd", PAGE, "/"), ("9_CDC_QA/../../a.xml", PAGE, ""),
    ("9_CDC_QA/0000003.xml", tarfile.SYMTYPE, "./"), ("9_CDC_QA/0000003.xml", tarfile.LNKTYPE, "./"),
])
def test_a_path_or_link_that_leads_out_is_refused(pack, name, content, top):
    with pytest.raises(DataIntegrityError, match="a link or a path that leads out of it"):
        read_medquad(pack({name: content}, top))


def test_an_archive_that_unpacks_to_too_much_is_refused(pack, monkeypatch):
    path = pack({"9_CDC_QA/0000003.xml": " " * 40_000})
    monkeypatch.setattr(medquad, "MAX_DOCUMENT_BYTES", 10_000)
    with pytest.raises(DataIntegrityError, match=r"0000003\.xml has 40000 bytes, more than 10000"):
        list(read_documents(path))
    monkeypatch.setattr(medquad, "MAX_ARCHIVE_BYTES", 20_000)
    with pytest.raises(DataIntegrityError, match="unpacks to more than 20000 bytes"):
        list(read_documents(path))


@pytest.mark.parametrize("body", [b"", b"<html>", gzip.compress(b"not a tar" * 100), gzip.compress(b"x" * 9000)[:-12]],
                         ids=["empty", "a page", "no tar", "cut short"])
def test_what_is_not_an_archive_is_refused(tmp_path, body):
    (tmp_path / FILE).write_bytes(body)
    with pytest.raises(DataIntegrityError, match=r"is not a whole tar\.gz archive"):
        read_medquad(tmp_path / FILE)


def test_an_archive_without_questions_is_refused(pack):
    with pytest.raises(SchemaError, match="holds no question; expected folders such as 1_CancerGov_QA"):
        read_medquad(pack({"readme.txt": "read me"}))


def test_a_download_that_says_something_else_is_refused(cache, pack, monkeypatch):
    path = pack({"9_CDC_QA/0000003.xml": PAGE})
    place = cache / NAME / FILE
    place.parent.mkdir(parents=True)
    path.replace(place)
    place.with_name(FILE + ".sha256").write_text(hashlib.sha256(place.read_bytes()).hexdigest())
    with pytest.raises(DataIntegrityError, match="holds other questions and answers than the catalogue names: content hash"):
        load_medquad()


def test_without_the_file_the_error_says_what_to_do(cache, monkeypatch):
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    with pytest.raises(DataUnavailableError, match=f"{NAME}/{FILE} is not available: .*data fetch {NAME}"):
        load_medquad()


@requires_real_data("medquad")
def test_the_real_archive_has_the_known_counts():
    loaded = load_medquad()
    frame = loaded.frame
    assert (frame.height, frame["document"].n_unique(), frame["source"].n_unique()) == (16_423, 5_490, 9)
    assert frame["question_type"].n_unique() == 16
    assert frame.null_count().row(0) == (0, 0, 0, 14, 0, 0, 0, 0)
    assert frame["answer"].str.len_chars().min() > 0


@requires_real_data("medquad")
def test_the_real_archive_holds_the_published_documents():
    from carefolio.datasets.resolve import resolve

    path = resolve(NAME, FILE).path
    assert sum(1 for _ in read_documents(path)) == 5_497
    assert read_medquad(path)[1] == 5
