import polars as pl
import pytest

from carefolio.datasets.mts_dialog import NAME, PARTS, SECTION_HEADERS, load_mts_dialog, read_mts_dialog, validate_mts_dialog
from carefolio.exceptions import DataIntegrityError, DataUnavailableError, SchemaError
from carefolio.testing import requires_real_data

TABLE = '''ID,section_header,section_text,dialogue
0,GENHX,"Cough, 3 days.","Doctor: What is it?
Patient: A cough."
1,ALLERGY,None.,Doctor: Allergies? Patient: No.
'''


@pytest.fixture
def read(tmp_path):
    def read(table=TABLE, part="train"):
        (tmp_path / "pairs.csv").write_text(table)
        return read_mts_dialog({part: tmp_path / "pairs.csv"})
    return read


def test_a_conversation_keeps_its_lines_and_its_part(read):
    frame = read(part="test2")
    assert frame.columns == ["part", "id", "section_header", "section_text", "dialogue"]
    assert frame.row(0) == ("test2", 0, "GENHX", "Cough, 3 days.", "Doctor: What is it?\nPatient: A cough.")
    assert len(SECTION_HEADERS) == 20


@pytest.mark.parametrize(("old", "new", "said"), [
    ("section_text", "section", r"pairs.csv: 1 of 4 columns are missing, first 'section_text'"),
    ("GENHX", "HPI", r"'section_header' holds 1 value\(s\) that are not one of FAM/SOCHX, .*; first 'HPI' at row 0"),
    ("\n1,", "\nsecond,", r"'ID' holds 1 value\(s\) that are not whole numbers; first 'second' at row 1"),
    ("\n1,", "\n-1,", "'id' must satisfy id >= 0; 1 value"),
    ("\n1,", "\n0,", r"part, id must name one row; 1 row\(s\) repeat another, first train, 0 at row 1"),
    ("None.", '" "', r"'section_text' must satisfy a text that is not blank; 1 value\(s\) do not, first ' ' at row 1"),
    (",Doctor: Allergies? Patient: No.", ",", r"'dialogue' must not be missing; 1 value\(s\) are, first at row 1"),
    (TABLE, "", "is not a table"),
    (TABLE, "<html>Please log in</html>\n", "4 of 4 columns are missing"),
])
def test_each_fault_is_one_clear_line(read, old, new, said):
    assert old in TABLE
    with pytest.raises(SchemaError, match=said) as caught:
        read(TABLE.replace(old, new, 1))
    assert "\n" not in str(caught.value)


def test_without_the_files_the_error_says_what_to_do(cache, monkeypatch):
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    with pytest.raises(DataUnavailableError, match=f"{NAME}/Main-Dataset/MTS-Dialog-TrainingSet.csv is not available: .*data fetch {NAME}"):
        load_mts_dialog()


def test_a_changed_mirror_is_refused(cache, monkeypatch, tmp_path):
    for file in PARTS.values():
        path = tmp_path / "mirror" / NAME / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TABLE)
    monkeypatch.setenv("CAREFOLIO_DATA_DIR", str(tmp_path / "mirror"))
    with pytest.raises(DataIntegrityError, match="cut short"):
        load_mts_dialog()


@requires_real_data("mts_dialog")
def test_the_real_parts_have_the_published_counts():
    loaded = load_mts_dialog()
    frame = validate_mts_dialog(loaded.frame)
    assert dict(frame.group_by("part").len().rows()) == {"train": 1_201, "validation": 100, "test1": 200, "test2": 200}
    assert loaded.provenance.rows == 1_701
    assert frame["section_header"].n_unique() == 20
    again = frame.filter(pl.col("dialogue").is_duplicated())
    assert again.group_by("part", maintain_order=True).agg("id").rows() == [("train", [256, 901, 989, 1109]), ("test2", [59, 153])]
    assert again["dialogue"].n_unique() == 3
