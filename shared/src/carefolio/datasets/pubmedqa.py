"""PubMedQA: questions that titles of research articles ask, with the abstract as context and an expert's yes, no or maybe."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carefolio.datasets.catalog import find_dataset
from carefolio.datasets.provenance import LoadedData, Provenance
from carefolio.datasets.resolve import combine, resolve
from carefolio.datasets.schema import validate
from carefolio.exceptions import DataUnavailableError, SchemaError

if TYPE_CHECKING:
    import polars as pl

NAME = "pubmedqa"
QUESTIONS_FILE = "ori_pqal.json"
TEST_FILE = "test_ground_truth.json"
DECISIONS = ("yes", "no", "maybe")
PARTS = ("train", "test")
FIELDS = {"QUESTION": str, "CONTEXTS": list, "LONG_ANSWER": str, "YEAR": str | None, "final_decision": str}
"""Fields of a record that are read, and their types in JSON."""


def column_types() -> dict[str, Any]:
    """Give the polars type of each column of the loaded table.

    Returns
    -------
    dict of str to polars data type
        In the order of the columns.
    """
    import polars as pl

    return {"part": pl.Enum(PARTS), "pubmed_id": pl.String(), "question": pl.String(), "context": pl.String(), "long_answer": pl.String(),
            "decision": pl.Enum(DECISIONS), "year": pl.Int16()}


@functools.cache
def questions_schema() -> Any:
    """Build the pandera schema of the loaded table, once a process.

    Returns
    -------
    pandera.polars.DataFrameSchema
        Types, labels, ranges, unique ids, and texts that are not blank; only the year may be missing.
    """
    import pandera.polars as pa

    text = [pa.Check.str_matches(r"\S", error="a text that is not blank")]
    checks = {"pubmed_id": [pa.Check.str_matches(r"^\d+$", error="digits only")], "question": text, "context": text, "long_answer": text,
              "year": [pa.Check.in_range(1900, 2100, error="1900 <= year <= 2100")]}
    return pa.DataFrameSchema({name: pa.Column(dtype, checks=checks.get(name, []), unique=name == "pubmed_id", nullable=name == "year")
                               for name, dtype in column_types().items()}, name=NAME)


def validate_pubmedqa(frame: pl.DataFrame) -> pl.DataFrame:
    """Check the table: types, labels, texts, one row an article, and no context that holds its long answer.

    Parameters
    ----------
    frame : polars.DataFrame
        As ``load_pubmedqa`` gives it.

    Returns
    -------
    polars.DataFrame
        The same table.

    Raises
    ------
    SchemaError
        Naming column, count, first bad value and row.
    """
    import polars as pl

    validate(frame, questions_schema(), dataset=NAME)
    told = frame.select(pl.col("context").str.contains(pl.col("long_answer").str.strip_chars(), literal=True).arg_true()).to_series()
    if len(told):
        raise SchemaError(f"{NAME}: column 'context' must not hold the long answer, which gives the decision away; {len(told)} value(s) "
                          f"do, first that of {frame['pubmed_id'][int(told[0])]} at row {told[0]}. Leave the conclusion out.")
    return frame


def read_pubmedqa(questions: Path, test: Path) -> pl.DataFrame:
    """Read and check the publisher's files; their hashes may be any.

    Parameters
    ----------
    questions : Path
        JSON object of records by PubMed id.
    test : Path
        JSON object of decisions by PubMed id, those of the official test.

    Returns
    -------
    polars.DataFrame
        As ``load_pubmedqa`` gives it, in the order of the file of questions.

    Raises
    ------
    SchemaError
        If a file is not of the form, or the two do not go together.
    """
    import polars as pl

    records, truth = _read_object(questions), _read_object(test)
    lost = [identifier for identifier in truth if identifier not in records]
    if lost:
        raise SchemaError(f"{NAME}: {test} names {len(lost)} question(s) that {questions.name} does not hold, first {lost[0]}. Fetch both "
                          "files again.")
    rows = [_read_record(identifier, record, part="test" if identifier in truth else "train") for identifier, record in records.items()]
    frame = pl.DataFrame(rows, schema=column_types(), orient="row")
    differing = [identifier for identifier, decision in truth.items() if records[identifier]["final_decision"] != decision]
    if differing:
        first = differing[0]
        raise SchemaError(f"{NAME}: {len(differing)} decision(s) differ between {questions.name} and {test.name}, first that of {first}: "
                          f"{records[first]['final_decision']!r} and {truth[first]!r}. Fetch both files again.")
    return validate_pubmedqa(frame)


def _read_object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise SchemaError(f"{NAME}: {path} is not JSON ({error}); the file may be cut short. Delete it and fetch it again.") from None
    if not isinstance(content, dict) or not content:
        raise SchemaError(f"{NAME}: {path} must be a JSON object with an entry a PubMed id; got {type(content).__name__} of "
                          f"{len(content) if isinstance(content, list | dict) else 'no'} entries. Fetch it again.")
    return content


def _read_record(identifier: str, record: Any, *, part: str) -> tuple[Any, ...]:
    where = f"{NAME}: question {identifier}"
    missing = [name for name in FIELDS if name not in record] if isinstance(record, dict) else list(FIELDS)
    if missing:
        raise SchemaError(f"{where} lacks {', '.join(missing)}; use the publisher's file of expert-labelled questions.")
    wrong = [name for name, kind in FIELDS.items() if not isinstance(record[name], kind)]
    if wrong or not all(isinstance(section, str) for section in record["CONTEXTS"]):
        name = wrong[0] if wrong else "CONTEXTS"
        raise SchemaError(f"{where} must have a text as {name} (CONTEXTS: a list of texts); got "
                          f"{record[name]!r:.80}. Fetch the file again.")
    decision, year = record["final_decision"], record["YEAR"]
    if decision not in DECISIONS:
        raise SchemaError(f"{where} must be decided by one of {', '.join(DECISIONS)}; got {decision!r}. Fetch the file again.")
    if year is not None and not (year.isdecimal() and len(year) == 4):
        raise SchemaError(f"{where} must have a year of four digits or none; got {year!r}. Fetch the file again.")
    return part, identifier, record["QUESTION"], "\n".join(record["CONTEXTS"]), record["LONG_ANSWER"], decision, year and int(year)


def load_pubmedqa(*, allow_synthetic: bool = False, random_state: int = 0) -> LoadedData:
    """Load the expert-labelled questions, or the synthetic twin where the caller allows it and no source has the real files.

    Parameters
    ----------
    allow_synthetic : bool, default False
        Take the twin, with a line on standard error, instead of failing with ``DataUnavailableError``.
    random_state : int, default 0
        Seed of the twin.

    Returns
    -------
    LoadedData
        One row a question: ``part`` (``test`` for the official test, else ``train``), ``pubmed_id``, ``question``, ``context`` (the
        sections of the abstract without its conclusion, a line each), ``long_answer`` (the conclusion: never an input), ``decision``
        (``yes``, ``no`` or ``maybe``) and ``year`` (null where it is not given). The hash of the provenance combines those of the two
        files (``carefolio.datasets.resolve.combine``).

    Raises
    ------
    DataUnavailableError
        If no source has a file and the twin is not allowed.
    DataIntegrityError
        If a file is not the one that the catalogue names.
    SchemaError
        If a file is not of the expected form.
    """
    try:
        files = [resolve(NAME, name) for name in (QUESTIONS_FILE, TEST_FILE)]
    except DataUnavailableError as error:
        if not allow_synthetic:
            raise
        return _load_twin(random_state, str(error))
    frame = read_pubmedqa(files[0].path, files[1].path)
    origin, sha256 = combine(files)
    return LoadedData(frame, Provenance(NAME, origin, sha256, frame.height, find_dataset(NAME).licence))


def _load_twin(random_state: int, reason: str) -> LoadedData:
    from carefolio.datasets.pubmedqa_twin import make_pubmedqa_twin
    from carefolio.datasets.twin import announce_twin

    return announce_twin(validate_pubmedqa(make_pubmedqa_twin(random_state)), name=NAME, rows="questions", reason=reason)
