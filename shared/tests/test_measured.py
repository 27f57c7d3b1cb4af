"""What a benchmark keeps is what the report reads."""

import json
from pathlib import Path

from carefolio.evidence import metric
from carefolio.measured import read_measured, write_measured


def test_metrics_come_back_from_several_files(tmp_path: Path) -> None:
    speed = {"serving.local.model.speed_ratio": metric(5.5, n=100, higher_is_better=True)}
    memory = {"bulk.local.model.peak_memory_mb": metric(400.0, n=10, higher_is_better=False)}
    write_measured(tmp_path / "speed.json", speed, command="python speed.py")
    write_measured(tmp_path / "memory.json", memory, command="python memory.py")
    assert read_measured(tmp_path) == speed | memory


def test_a_record_says_when_where_and_how(tmp_path: Path) -> None:
    path = write_measured(tmp_path / "x.json", {}, command="python x.py --rows 5")
    record = json.loads(path.read_text(encoding="utf-8"))
    assert set(record) == {"created", "commit", "command", "machine", "metrics"}
    assert record["command"] == "python x.py --rows 5"


def test_a_missing_folder_holds_nothing(tmp_path: Path) -> None:
    assert read_measured(tmp_path / "none") == {}
