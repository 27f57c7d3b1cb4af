"""MedQuAD: questions and answers about health from the websites of the US National Institutes of Health, one XML file a page.

Three of the twelve subsets carry no answers, for copyright; the other nine are read. The archive is read in memory and never
unpacked, its size is bounded, and XML with a document type or an entity is refused.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carefolio.datasets.catalog import find_dataset
from carefolio.datasets.content import check_content
from carefolio.datasets.provenance import LoadedData, Provenance
from carefolio.datasets.resolve import resolve, setting_aside
from carefolio.exceptions import DataIntegrityError, DataUnavailableError, SchemaError

if TYPE_CHECKING:
    import polars as pl

NAME = "medquad"
FILE = "medquad.tar.gz"
SOURCES = {
    "1_CancerGov_QA": "CancerGov", "2_GARD_QA": "GARD", "3_GHR_QA": "GHR", "4_MPlus_Health_Topics_QA": "MPlusHealthTopics",
    "5_NIDDK_QA": "NIDDK", "6_NINDS_QA": "NINDS", "7_SeniorHealth_QA": "NIHSeniorHealth", "8_NHLBI_QA_XML": "NHLBI", "9_CDC_QA": "CDC",
}
"""Folder of each subset that carries answers, and the source that it names."""
COLUMNS = ("document", "source", "url", "focus", "question_id", "question_type", "question", "answer")
MAX_ARCHIVE_BYTES = 128 * 2**20
MAX_DOCUMENT_BYTES = 2**20

_USUAL_TAGS = ("source", "Focus", "QAPair", "Question", "Answer")
_TAGS = {"Document": _USUAL_TAGS, "DiseaseFile": _USUAL_TAGS, "doc": ("corpus", "doctitle-focus", "pair", "question", "answer")}
_TOP_FOLDER = re.compile(r"^(\./|MedQuAD-[0-9A-Za-z._-]+/)")


def load_medquad(*, allow_synthetic: bool = False, random_state: int = 0) -> LoadedData:
    """Load the questions that have an answer, or the synthetic twin where the caller allows it and no source has the real archive.

    Parameters
    ----------
    allow_synthetic : bool, default False
        Take the twin, with a line on standard error, instead of failing with ``DataUnavailableError``.
    random_state : int, default 0
        Seed of the twin.

    Returns
    -------
    LoadedData
        One row an answer: ``document`` (the file's place in the archive), ``source`` (subset), ``url``, ``focus`` (what the page is
        about; null in three), ``question_id`` (as published, not unique), ``question_type``, ``question`` and ``answer``.

    Raises
    ------
    DataUnavailableError
        If no source has the file and the twin is not allowed.
    DataIntegrityError
        If the archive is not the one that the catalogue names, or says something else.
    SchemaError
        If a document is not of the expected form.
    """
    try:
        file, entry = resolve(NAME, FILE), find_dataset(NAME)
    except DataUnavailableError as error:
        if not allow_synthetic:
            raise
        return _load_twin(random_state, str(error))
    with setting_aside([file]):
        frame, _ = read_medquad(file.path)
        check_content(frame.select(COLUMNS), entry.file(FILE).content_sha256, path=file.path, holds="questions and answers")
    return LoadedData(frame, Provenance(NAME, file.origin, file.sha256, frame.height, entry.licence))


def _load_twin(random_state: int, reason: str) -> LoadedData:
    from carefolio.datasets.medquad_twin import make_medquad_twin
    from carefolio.datasets.twin import announce_twin

    return announce_twin(make_medquad_twin(random_state), name=NAME, rows="questions and answers", reason=reason)


def read_medquad(path: Path) -> tuple[pl.DataFrame, int]:
    """Read an archive; its hash may be any.

    Parameters
    ----------
    path : Path
        A ``tar.gz`` of the repository, with or without the folder that GitHub puts around it.

    Returns
    -------
    frame : polars.DataFrame
        As ``load_medquad`` gives it, sorted by document and place in it.
    n_empty : int
        Questions that were left out because they have no answer.

    Raises
    ------
    DataIntegrityError
        If the file is no such archive, is too large, or holds a path or a link that leads out of it.
    SchemaError
        If a document is not of the expected form.
    """
    import polars as pl

    rows = [row for document, content in sorted(read_documents(path)) for row in parse_document(document, content)]
    if not rows:
        raise SchemaError(f"{NAME}: {path} holds no question; expected folders such as {next(iter(SOURCES))}. Fetch it again.")
    frame = pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String()), orient="row")
    answered = frame.filter(pl.col("answer") != "")
    return answered, frame.height - answered.height


def read_documents(path: Path) -> Iterator[tuple[str, bytes]]:
    """Read the XML files of the nine subsets out of the archive, in its order; nothing is written.

    Parameters
    ----------
    path : Path
        The archive.

    Yields
    ------
    tuple of (str, bytes)
        Place such as ``9_CDC_QA/0000003.xml``, and content.

    Raises
    ------
    DataIntegrityError
        If the file is no such archive, is too large, or holds a path or a link that leads out of it.
    """
    try:
        with gzip.open(path) as stream:
            content = stream.read(MAX_ARCHIVE_BYTES + 1)
        if len(content) > MAX_ARCHIVE_BYTES:
            raise DataIntegrityError(f"{path} unpacks to more than {MAX_ARCHIVE_BYTES} bytes; it is not MedQuAD. Delete it and fetch it "
                                     "again.")
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            yield from _members(archive, path)
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise DataIntegrityError(f"{path} is not a whole tar.gz archive ({type(error).__name__}: {error}); delete it and fetch it "
                                 "again.") from None


def _members(archive: tarfile.TarFile, path: Path) -> Iterator[tuple[str, bytes]]:
    for member in archive:
        if member.name.startswith("/") or ".." in member.name.split("/") or member.issym() or member.islnk():
            raise DataIntegrityError(f"{path} holds {member.name!r}, a link or a path that leads out of it; MedQuAD has none. "
                                     "Delete it and fetch it again.")
        name = _TOP_FOLDER.sub("", member.name, count=1)
        stream = archive.extractfile(member) if name.endswith(".xml") and name.partition("/")[0] in SOURCES else None
        if stream is None:
            continue
        if member.size > MAX_DOCUMENT_BYTES:
            raise DataIntegrityError(f"{path}: {name} has {member.size} bytes, more than {MAX_DOCUMENT_BYTES}. Delete the archive and "
                                     "fetch it again.")
        yield name, stream.read()


def parse_document(document: str, content: bytes) -> list[tuple[str | None, ...]]:
    """Read one page's questions and answers.

    Parameters
    ----------
    document : str
        Its place in the archive.
    content : bytes
        XML in one of the two forms that the repository holds.

    Returns
    -------
    list of tuple
        Values of ``COLUMNS``; the answer is empty where the page has none.

    Raises
    ------
    SchemaError
        If it is not XML, has a document type or an entity, or is not of the form.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise SchemaError(f"{NAME}: {document} cannot be read as XML ({type(error).__name__}: {error}). Fetch the archive again.") from None
    if root.tag not in _TAGS:
        raise SchemaError(f"{NAME}: {document} must be a {', '.join(_TAGS)}; got {root.tag!r}. Fetch the archive again.")
    source, focus, pair, *_ = _TAGS[root.tag]
    expected = SOURCES[document.partition("/")[0]]
    if root.get(source) != expected:
        raise SchemaError(f"{NAME}: {document} must have the source {expected!r}; got {root.get(source)!r}. Fetch the archive again.")
    about = (root.findtext(focus) or "").strip() or None
    return [(document, expected, root.get("url"), about, *_read_pair(document, found, _TAGS[root.tag])) for found in root.iter(pair)]


def _read_pair(document: str, pair: Any, tags: tuple[str, ...]) -> tuple[str, ...]:
    questions, answers = pair.findall(tags[3]), pair.findall(tags[4])
    if len(questions) != 1 or len(answers) != 1 or not (questions[0].text or "").strip() or {"qid", "qtype"} - set(questions[0].keys()):
        raise SchemaError(f"{NAME}: {document} must have one question with qid and qtype and one answer a pair; got {len(questions)} and "
                          f"{len(answers)} in pair {pair.get('pid')!r}. Fetch the archive again.")
    return questions[0].get("qid"), questions[0].get("qtype"), questions[0].text.strip(), "".join(answers[0].itertext()).strip()
