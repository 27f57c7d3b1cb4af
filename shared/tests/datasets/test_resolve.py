import hashlib
from pathlib import Path

import pytest

from carefolio.artefacts import sha256_file
from carefolio.datasets.catalog import FileEntry
from carefolio.datasets.resolve import fetch, local_copy, resolve, verify
from carefolio.exceptions import ConfigError, DataIntegrityError, DataUnavailableError
from carefolio.local_server import free_port


def put(path: Path, body: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_downloads_once_then_takes_the_cache(publisher, cache, tools, content):
    publisher.answers = [tools["whole"](content)]
    entries = tools["make_entries"](publisher.url, ("sample.csv", content))
    first = resolve("sample", "sample.csv", entries=entries)
    second = resolve("sample", "sample.csv", entries=entries)
    assert (first.origin, second.origin) == ("publisher", "cache")
    assert first.path.read_bytes() == content
    assert first.sha256 == sha256_file(second.path)
    assert len(publisher.ranges) == 1


def test_mirror_goes_before_cache_and_network(publisher, cache, tools, content, monkeypatch, tmp_path):
    entries = tools["make_entries"](publisher.url, ("sample.csv", content))
    put(cache / "sample" / "sample.csv", content)
    mirrored = put(tmp_path / "mirror" / "sample" / "sample.csv", content)
    monkeypatch.setenv("CAREFOLIO_DATA_DIR", str(tmp_path / "mirror"))
    found = resolve("sample", "sample.csv", entries=entries)
    assert (found.origin, found.path) == ("mirror", mirrored)
    assert publisher.ranges == []


def test_a_changed_mirror_is_an_error_and_is_left_as_it_is(cache, tools, content, monkeypatch, tmp_path):
    entries = tools["make_entries"]("http://127.0.0.1:9/", ("sample.csv", content))
    changed = put(tmp_path / "mirror" / "sample" / "sample.csv", content.replace(b"9", b"8"))
    monkeypatch.setenv("CAREFOLIO_DATA_DIR", str(tmp_path / "mirror"))
    with pytest.raises(DataIntegrityError, match=r"has SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}.*left as it is"):
        resolve("sample", "sample.csv", entries=entries)
    assert files_in(tmp_path / "mirror") == ["sample.csv"]
    assert changed.read_bytes() != content


@pytest.mark.parametrize(("damage", "said"), [(lambda body: body[:-7], "cut short"), (lambda body: body[:-1] + b"x", "has SHA-256")])
def test_a_bad_cached_file_is_set_aside_and_the_next_run_recovers(publisher, cache, tools, content, damage, said):
    publisher.answers = [tools["whole"](content)]
    entries = tools["make_entries"](publisher.url, ("sample.csv", content))
    put(cache / "sample" / "sample.csv", damage(content))
    assert verify("sample", entries=entries) == [("sample.csv", "corrupt")]
    with pytest.raises(DataIntegrityError, match=f"{said}.*expected.*set aside as sample.csv.corrupt"):
        resolve("sample", "sample.csv", entries=entries)
    assert files_in(cache) == ["sample.csv.corrupt"]
    assert resolve("sample", "sample.csv", entries=entries).origin == "publisher"
    assert verify("sample", entries=entries) == [("sample.csv", "ok")]


def test_a_download_that_breaks_off_goes_on_where_it_stopped(publisher, cache, tools, content):
    publisher.answers = [tools["cut_short"](content), tools["rest"](content)]
    found = resolve("sample", "sample.csv", entries=tools["make_entries"](publisher.url, ("sample.csv", content)))
    assert found.path.read_bytes() == content
    assert publisher.ranges[0] is None
    assert 0 < int(publisher.ranges[1].removeprefix("bytes=").removesuffix("-")) <= len(content) // 2


def test_a_server_that_knows_no_ranges_sends_the_whole_file_again(publisher, cache, tools, content):
    publisher.answers = [tools["cut_short"](content), tools["whole"](content)]
    found = resolve("sample", "sample.csv", entries=tools["make_entries"](publisher.url, ("sample.csv", content)))
    assert found.path.read_bytes() == content


def test_a_download_that_always_breaks_off_leaves_nothing(publisher, cache, tools, content):
    publisher.answers = [tools["cut_short"](content)]
    with pytest.raises(DataUnavailableError, match="failed 3 times") as caught:
        resolve("sample", "sample.csv", entries=tools["make_entries"](publisher.url, ("sample.csv", content)))
    assert "\n" not in str(caught.value)
    assert files_in(cache) == []
    assert len(publisher.ranges) == 3


def test_a_server_error_is_tried_again(publisher, cache, tools, content):
    publisher.answers = [tools["failure"](500), tools["whole"](content)]
    found = resolve("sample", "sample.csv", entries=tools["make_entries"](publisher.url, ("sample.csv", content)))
    assert found.origin == "publisher"
    assert len(publisher.ranges) == 2


def test_a_missing_page_is_not_tried_again(publisher, cache, tools, content):
    publisher.answers = [tools["failure"](404)]
    with pytest.raises(DataUnavailableError, match="answered 404"):
        resolve("sample", "sample.csv", entries=tools["make_entries"](publisher.url, ("sample.csv", content)))
    assert len(publisher.ranges) == 1


def test_a_wrong_file_from_the_publisher_is_refused(publisher, cache, tools, content):
    publisher.answers = [tools["whole"](b"something else")]
    with pytest.raises(DataIntegrityError, match="serves another file") as caught:
        resolve("sample", "sample.csv", entries=tools["make_entries"](publisher.url, ("sample.csv", content)))
    assert hashlib.sha256(content).hexdigest() in str(caught.value)
    assert hashlib.sha256(b"something else").hexdigest() in str(caught.value)
    assert "\n" not in str(caught.value)
    assert files_in(cache) == []


def test_one_zip_gives_all_its_files_in_one_request(publisher, cache, tools, content):
    publisher.answers = [tools["whole"](tools["make_zip"](**{"a.csv": content, "folder/b.csv": b"id\n1\n"}))]
    entries = tools["make_entries"](publisher.url, ("a.csv", content), ("b.csv", b"id\n1\n"), zipped=True)
    assert [file.origin for file in fetch("sample", entries=entries)] == ["publisher", "cache"]
    assert files_in(cache) == ["a.csv", "b.csv"]
    assert len(publisher.ranges) == 1


@pytest.mark.parametrize(("members", "said"), [
    ({"a.csv": b"id\n9\n"}, "a.csv inside .* has SHA-256"),
    ({"a.csv": b"id\n1\n" * 100_000}, "larger than the 5 bytes expected"),
    ({"../a.csv": b"id\n1\n", "b/a.csv": b"id\n1\n"}, "expected one a.csv inside the zip, found 2"),
    ({"c.csv": b"id\n1\n"}, "expected one a.csv inside the zip, found 0"),
])
def test_a_zip_with_a_bad_member_leaves_nothing(publisher, cache, tools, members, said):
    publisher.answers = [tools["whole"](tools["make_zip"](**members))]
    entries = tools["make_entries"](publisher.url, ("a.csv", b"id\n1\n"), zipped=True)
    with pytest.raises(DataIntegrityError, match=said):
        resolve("sample", "a.csv", entries=entries)
    assert files_in(cache) == []


def test_a_member_that_climbs_out_of_its_folder_lands_in_the_cache(publisher, cache, tools):
    publisher.answers = [tools["whole"](tools["make_zip"](**{"../../a.csv": b"id\n1\n"}))]
    found = resolve("sample", "a.csv", entries=tools["make_entries"](publisher.url, ("a.csv", b"id\n1\n"), zipped=True))
    assert found.path == cache / "sample" / "a.csv"


def test_a_page_instead_of_a_zip_is_refused(publisher, cache, tools):
    publisher.answers = [tools["whole"](b"<html>Please log in</html>")]
    with pytest.raises(DataIntegrityError, match="not a whole zip"):
        resolve("sample", "a.csv", entries=tools["make_entries"](publisher.url, ("a.csv", b"id\n1\n"), zipped=True))
    assert files_in(cache) == []


def test_no_network_gives_one_line_with_what_was_tried(cache, tools, content):
    entries = tools["make_entries"](f"http://127.0.0.1:{free_port()}/x", ("sample.csv", content))
    with pytest.raises(DataUnavailableError) as caught:
        resolve("sample", "sample.csv", entries=entries)
    message = str(caught.value)
    assert "\n" not in message
    for said in ("CAREFOLIO_DATA_DIR is not set", "the cache has no", "cannot be reached", "no package ships it"):
        assert said in message
    assert "run `carefolio data fetch sample`" in message


def test_offline_never_asks_the_publisher(publisher, cache, tools, content, monkeypatch):
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    with pytest.raises(DataUnavailableError, match="turned off by CAREFOLIO_OFFLINE"):
        resolve("sample", "sample.csv", entries=tools["make_entries"](publisher.url, ("sample.csv", content)))
    assert publisher.ranges == []


def test_a_package_ships_the_file(cache, tools):
    import polars

    path = Path(polars.__file__)
    shipped = FileEntry(name="init.txt", bytes=path.stat().st_size, sha256=sha256_file(path), package="polars",
                        package_path="polars/__init__.py")
    entry = tools["make_entries"]("http://127.0.0.1:9/", ("sample.csv", b"x"))["sample"].model_copy(update={"files": (shipped,)})
    assert resolve("sample", "init.txt", entries={"sample": entry}).origin == "package"
    assert verify("sample", entries={"sample": entry}) == [("init.txt", "ok")]
    absent = shipped.model_copy(update={"package": "no-such-distribution"})
    with pytest.raises(DataUnavailableError, match="no-such-distribution is not installed"):
        resolve("sample", "init.txt", entries={"sample": entry.model_copy(update={"files": (absent,)})})


def test_verify_changes_nothing_and_says_missing(cache, tools, content):
    entries = tools["make_entries"]("http://127.0.0.1:9/", ("sample.csv", content))
    assert verify("sample", entries=entries) == [("sample.csv", "missing")]
    assert local_copy(entries["sample"], entries["sample"].files[0]) is None
    assert not cache.exists()


def test_unknown_names_and_a_missing_mirror_are_configuration_errors(cache, tools, content, monkeypatch):
    entries = tools["make_entries"]("http://127.0.0.1:9/", ("sample.csv", content))
    with pytest.raises(ConfigError, match="unknown data set 'other'; the catalogue holds sample"):
        fetch("other", entries=entries)
    with pytest.raises(ConfigError, match=r"no file 'other.csv'; it has sample.csv"):
        resolve("sample", "other.csv", entries=entries)
    monkeypatch.setenv("CAREFOLIO_DATA_DIR", "/no/such/folder")
    with pytest.raises(ConfigError, match="not a folder"):
        resolve("sample", "sample.csv", entries=entries)


