"""Files whose hash the catalogue cannot know: the publisher revises them, so a download's hash is noted beside it."""

import hashlib

import pytest

from carefolio.artefacts import sha256_file
from carefolio.datasets.provenance import ResolvedFile
from carefolio.datasets.resolve import combine, resolve, verify
from carefolio.exceptions import DataIntegrityError, DataUnavailableError

OLD, NEW = b"week,value\n1,5\n", b"week,value\n1,6\n2,7\n"


@pytest.fixture
def entries(publisher, cache, tools):
    """Catalogue with the hash of an older state than the publisher serves."""
    publisher.answers = [tools["whole"](NEW)]
    made = tools["make_entries"](publisher.url, ("sample.csv", OLD))
    file = made["sample"].files[0].model_copy(update={"changes": True})
    return {"sample": made["sample"].model_copy(update={"files": (file,)})}


def test_a_revised_file_is_taken_and_its_hash_noted(entries, cache, publisher):
    first = resolve("sample", "sample.csv", entries=entries)
    assert (first.origin, first.sha256) == ("publisher", hashlib.sha256(NEW).hexdigest())
    assert (cache / "sample" / "sample.csv.sha256").read_text() == f"{first.sha256}  sample.csv\n"
    second = resolve("sample", "sample.csv", entries=entries)
    assert (second.origin, second.sha256, second.path) == ("cache", first.sha256, first.path)
    assert len(publisher.ranges) == 1
    assert verify("sample", entries=entries) == [("sample.csv", "ok")]
    assert sorted(path.name for path in (cache / "sample").iterdir()) == ["sample.csv", "sample.csv.sha256"]


@pytest.mark.parametrize("damage", [NEW[:-3], NEW.replace(b"7", b"9"), OLD])
def test_a_cached_copy_that_is_not_what_was_downloaded_is_set_aside(entries, cache, damage):
    path = resolve("sample", "sample.csv", entries=entries).path
    path.write_bytes(damage)
    assert verify("sample", entries=entries) == [("sample.csv", "corrupt")]
    with pytest.raises(DataIntegrityError, match=r"has SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}. It was set aside"):
        resolve("sample", "sample.csv", entries=entries)
    assert not path.exists()
    assert resolve("sample", "sample.csv", entries=entries).origin == "publisher"
    assert verify("sample", entries=entries) == [("sample.csv", "ok")]


@pytest.mark.parametrize("note", ["", "0" * 64])
def test_a_note_that_was_emptied_or_altered_is_refused(entries, cache, note):
    resolve("sample", "sample.csv", entries=entries)
    (cache / "sample" / "sample.csv.sha256").write_text(note)
    with pytest.raises(DataIntegrityError, match="set aside"):
        resolve("sample", "sample.csv", entries=entries)


def test_a_copy_without_a_note_must_be_the_one_that_the_catalogue_names(entries, cache):
    folder = cache / "sample"
    folder.mkdir(parents=True)
    (folder / "sample.csv").write_bytes(OLD)
    assert resolve("sample", "sample.csv", entries=entries).sha256 == hashlib.sha256(OLD).hexdigest()
    (folder / "sample.csv").write_bytes(NEW)
    with pytest.raises(DataIntegrityError, match="set aside"):
        resolve("sample", "sample.csv", entries=entries)


def test_a_mirror_must_have_the_catalogues_bytes_even_with_a_note(entries, monkeypatch, tmp_path):
    folder = tmp_path / "mirror" / "sample"
    folder.mkdir(parents=True)
    monkeypatch.setenv("CAREFOLIO_DATA_DIR", str(folder.parent))
    (folder / "sample.csv").write_bytes(NEW)
    (folder / "sample.csv.sha256").write_text(sha256_file(folder / "sample.csv"))
    assert verify("sample", entries=entries) == [("sample.csv", "corrupt")]
    with pytest.raises(DataIntegrityError, match="left as it is"):
        resolve("sample", "sample.csv", entries=entries)
    (folder / "sample.csv").write_bytes(OLD)
    assert resolve("sample", "sample.csv", entries=entries).origin == "mirror"


def test_a_download_that_fails_leaves_neither_file_nor_note(entries, cache, publisher, tools):
    publisher.answers = [tools["cut_short"](NEW)]
    with pytest.raises(DataUnavailableError, match="failed 3 times"):
        resolve("sample", "sample.csv", entries=entries)
    assert [path for path in cache.rglob("*") if path.is_file()] == []


def test_files_are_combined_in_order_and_the_origin_is_the_latest(tmp_path):
    one, two = ResolvedFile(tmp_path, "mirror", "a" * 64), ResolvedFile(tmp_path, "cache", "b" * 64)
    origin, sha256 = combine([one, two])
    assert origin == "cache"
    assert sha256 == hashlib.sha256(b"a" * 64 + b"b" * 64).hexdigest()
    assert combine([two, one])[1] != sha256
    assert combine([one])[0] == "mirror"
