import hashlib

import polars as pl
import pytest

from carefolio.datasets.catalog import FileEntry
from carefolio.datasets.flusight_hub import content_sha256, read_week
from carefolio.datasets.resolve import resolve, verify
from carefolio.exceptions import DataIntegrityError, DataUnavailableError, SchemaError
from carefolio.local_server import free_port

WEEKS = ("2023-10-14", "2023-10-21", "2023-10-28")
HEADER = "reference_date,horizon,target,target_end_date,location,output_type,output_type_id,value\n"


def week_file(day: str) -> bytes:
    """Make a small weekly file with two lines that are no quantiles of admissions."""
    kept = "".join(f"{day},{horizon},wk inc flu hosp,{day},{place},quantile,{level},{value}\n"
                   for place, value in (("US", 10.5), ("01", 3)) for horizon in (0, 1) for level in ("0.01", "0.5"))
    other = f"{day},0,wk flu hosp rate change,{day},US,pmf,stable,0.7\n{day},0,wk inc flu hosp,{day},US,sample,1,9\n"
    return (HEADER + kept + other).encode()


def expected_text() -> str:
    lines = [f"{day},{horizon},{day},{place},{level},{value}" for day in WEEKS for horizon in (0, 1)
             for place, value in (("01", "3.000000"), ("US", "10.500000")) for level in ("0.010000", "0.500000")]
    return "\n".join(["reference_date,horizon,target_end_date,location,quantile,value", *lines, ""])


@pytest.fixture
def bodies(publisher, tools):
    """What the publisher serves, by file name; tests alter it."""
    served = {f"{day}-model.csv": week_file(day) for day in WEEKS}
    publisher.answers = [tools["by_name"](served)]
    return served


@pytest.fixture
def entries(publisher, cache, tools):
    def make(url=None, **changes):
        values = {"name": "model.parquet", "bytes": 1_000, "sha256": "0" * 64, "rows": 24, "parts": WEEKS, "assembled_by": "flusight_hub",
                  "urls": (url or publisher.url.replace("sample.csv", "{part}-model.csv"),),
                  "content_sha256": hashlib.sha256(expected_text().encode()).hexdigest()}
        entry = tools["make_entries"]("http://127.0.0.1:9/", ("x", b"x"))["sample"]
        return {"sample": entry.model_copy(update={"files": (FileEntry(**(values | changes)),)})}
    return make


def test_the_weeks_become_one_table_that_is_then_taken_from_the_cache(entries, bodies, cache, publisher):
    first = resolve("sample", "model.parquet", entries=entries())
    table = pl.read_parquet(first.path)
    assert table.shape == (24, 6)
    assert table["location"].unique().sort().to_list() == ["01", "US"]
    assert table.write_csv(float_precision=6) == expected_text()
    second = resolve("sample", "model.parquet", entries=entries())
    assert (first.origin, second.origin) == ("publisher", "cache")
    assert first.sha256 == second.sha256
    assert len(publisher.ranges) == 3
    assert verify("sample", entries=entries()) == [("model.parquet", "ok")]
    assert sorted(path.name for path in (cache / "sample").iterdir()) == ["model.parquet", "model.parquet.sha256"]


def test_a_missing_week_keeps_the_others_and_the_next_run_goes_on(entries, bodies, cache, publisher):
    last = bodies.pop(f"{WEEKS[2]}-model.csv")
    with pytest.raises(DataUnavailableError, match=r"2023-10-28-model.csv answered 404 .*; 2 of 3 weeks are here, the next run") as caught:
        resolve("sample", "model.parquet", entries=entries())
    assert "\n" not in str(caught.value)
    assert not (cache / "sample" / "model.parquet").exists()
    bodies[f"{WEEKS[2]}-model.csv"] = last
    asked = len(publisher.ranges)
    assert resolve("sample", "model.parquet", entries=entries()).origin == "publisher"
    assert len(publisher.ranges) == asked + 1


@pytest.mark.parametrize(("old", "new", "said"), [
    (b",10.5\n", b",11.5\n", "content of the 3 weekly files has SHA-256 [0-9a-f]{64}, expected"),
    (b"quantile,0.5,3", b"sample,0.5,3", "hold 22 rows, expected 24"),
])
def test_a_revised_week_is_refused_and_nothing_is_kept(entries, bodies, cache, old, new, said):
    right = dict(bodies)
    bodies[f"{WEEKS[1]}-model.csv"] = right[f"{WEEKS[1]}-model.csv"].replace(old, new)
    with pytest.raises(DataIntegrityError, match=said):
        resolve("sample", "model.parquet", entries=entries())
    assert [path for path in cache.rglob("*") if path.is_file()] == []
    bodies.update(right)
    assert resolve("sample", "model.parquet", entries=entries()).origin == "publisher"


def test_a_damaged_table_in_the_cache_is_set_aside(entries, bodies, cache):
    path = resolve("sample", "model.parquet", entries=entries()).path
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(DataIntegrityError, match=r"set aside as model.parquet.corrupt"):
        resolve("sample", "model.parquet", entries=entries())


def test_an_unreachable_hub_is_one_line(entries, cache):
    with pytest.raises(DataUnavailableError, match=r"cannot be reached .*; 0 of 3 weeks are here") as caught:
        resolve("sample", "model.parquet", entries=entries(f"http://127.0.0.1:{free_port()}/{{part}}.csv"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("text", "said"), [
    ("<html>Please log in</html>", "week.csv is not a weekly forecast file"),
    ("", "week.csv is not a weekly forecast file"),
    (HEADER.replace("value", "amount"), "week.csv is not a weekly forecast file"),
    (HEADER + "2023-10-14,0,wk inc flu hosp,2023-10-14,US,quantile,0.5,many\n", r"week.csv: column 'value' .* not numbers; first 'many'"),
    (HEADER + "2023-10-14,a,wk inc flu hosp,2023-10-14,US,quantile,0.5,1\n", r"column 'horizon' .* not whole numbers; first 'a' at row 0"),
])
def test_a_file_that_is_not_a_week_of_the_hub_is_named(tmp_path, text, said):
    (tmp_path / "week.csv").write_text(text)
    with pytest.raises(SchemaError, match=said):
        read_week(tmp_path / "week.csv")


def test_columns_may_stand_in_any_order_and_the_content_hash_ignores_order_and_type(tmp_path):
    (tmp_path / "a.csv").write_bytes(week_file(WEEKS[0]))
    frame = read_week(tmp_path / "a.csv")
    pl.read_csv(tmp_path / "a.csv", infer_schema=False).select(pl.all().reverse()).select(reversed(HEADER.strip().split(","))).write_csv(
        tmp_path / "b.csv")
    other = read_week(tmp_path / "b.csv")
    assert not frame.equals(other)
    assert content_sha256(frame) == content_sha256(other) == content_sha256(frame.with_columns(pl.col("horizon").cast(pl.Float64)))
    assert content_sha256(frame.with_columns(pl.col("value") + 1e-5)) != content_sha256(frame)
