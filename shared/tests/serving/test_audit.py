import json
import os
import time

import httpx
import pytest

from carefolio.exceptions import ConfigError, DataIntegrityError
from carefolio.serving.audit import FIRST, AuditLog, verify_audit_log

RISK = "/v1/patients/12345678/risk"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "logs" / "audit.jsonl"


def write(path, count, *, key=None):
    log = AuditLog(path, key=key)
    for number in range(count):
        log.append({"status": 200, "number": number})
    log.close()


def rewrite(path, change):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(change(lines)))


def test_chain_holds_and_goes_on_after_a_restart(path):
    write(path, 3)
    write(path, 2)
    summary = verify_audit_log(path)
    assert summary.records == 5
    assert json.loads(path.read_text().splitlines()[0])["previous"] == FIRST
    assert verify_audit_log(path, last_hash=summary.last_hash) == summary


@pytest.mark.parametrize(("change", "line"), [
    (lambda lines: lines[1:], 1),
    (lambda lines: lines[:2] + lines[3:], 3),
    (lambda lines: [lines[1], lines[0], *lines[2:]], 1),
    (lambda lines: [*lines[:2], lines[1], *lines[2:]], 3),
    (lambda lines: [lines[0], lines[1].replace(b"200", b"500"), *lines[2:]], 2),
    (lambda lines: [*lines[:4], lines[4][:20]], 5),
    (lambda lines: [lines[0], b"[]\n", *lines[1:]], 2),
], ids=["first removed", "middle removed", "moved", "doubled", "changed", "cut", "foreign"])
def test_tampering_is_found_at_its_line(path, change, line):
    write(path, 5)
    rewrite(path, change)
    with pytest.raises(DataIntegrityError, match=f"line {line}:"):
        verify_audit_log(path)


def test_cut_at_the_end_is_found_with_the_hash_kept_elsewhere(path):
    write(path, 5)
    last_hash = verify_audit_log(path).last_hash
    rewrite(path, lambda lines: lines[:-1])
    assert verify_audit_log(path).records == 4
    with pytest.raises(DataIntegrityError, match="records are missing at its end"):
        verify_audit_log(path, last_hash=last_hash)


def test_sealed_log_cannot_be_rewritten_without_the_key(path):
    write(path, 2, key=b"secret")
    assert verify_audit_log(path, key=b"secret").records == 2
    path.unlink()
    write(path, 2)
    with pytest.raises(DataIntegrityError, match="line 1: the hash does not hold"):
        verify_audit_log(path, key=b"secret")


def test_second_writer_is_refused(path):
    first = AuditLog(path)
    first.append({})
    with pytest.raises(ConfigError, match="written by another process"):
        AuditLog(path).append({})
    first.close()
    AuditLog(path.with_name("audit-{pid}.jsonl")).append({})
    assert path.with_name(f"audit-{os.getpid()}.jsonl").exists()


def test_log_that_ends_in_half_a_record_is_not_continued(path):
    write(path, 2)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(DataIntegrityError, match="move it aside"):
        AuditLog(path).open()


def test_file_is_only_for_its_owner(path):
    write(path, 1)
    assert path.stat().st_mode & 0o777 == 0o600


def test_requests_are_recorded_without_identifiers(make_app, call, path):
    app = make_app(audit_log=path)
    call(app, "GET", f"{RISK}?name=Jane")
    call(app, "POST", "/v1/predict", json={"patients": [{"age_years": 70, "sex": "Jane Example"}]})
    call(app, "GET", "/v1/Jane/12345678")
    call(app, "POST", "/v1/predict", headers={"X-API-Key": "Jane Example"})
    call(app, "GET", "/v1/broken")
    call(app, "GET", "/health/live")
    text = path.read_text()
    records = [json.loads(line) for line in text.splitlines()]
    assert [(record["route"], record["status"]) for record in records] == [
        ("/v1/patients/{patient_id}/risk", 200), ("/v1/predict", 422), ("unmatched", 404), ("/v1/predict", 401), ("/v1/broken", 500)]
    assert set(records[0]) == {"time", "request_id", "method", "route", "status", "duration_ms", "subject", "previous", "hash"}
    assert len({record["subject"] for record in records}) == 2
    assert records[3]["subject"] is None
    assert "Jane" not in text
    assert "12345678" not in text
    assert verify_audit_log(path).records == 5


def test_result_is_withheld_when_it_cannot_be_recorded(make_app, call, path, monkeypatch):
    app = make_app(audit_log=path)
    assert call(app, "GET", RISK).status_code == 200

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("carefolio.serving.audit.os.write", full)
    answer = call(app, "GET", RISK)
    assert answer.status_code == 500
    assert "risks" not in answer.text
    monkeypatch.undo()
    assert call(app, "GET", RISK).status_code == 200
    assert verify_audit_log(path).records == 2


def test_record_cut_short_by_a_full_disk_leaves_a_whole_log(path, monkeypatch):
    log = AuditLog(path)
    log.append({"number": 0})
    with monkeypatch.context() as patch:
        write_all = os.write
        patch.setattr("carefolio.serving.audit.os.write", lambda descriptor, line: write_all(descriptor, line[:10]))
        with pytest.raises(OSError, match="cut short"):
            log.append({"number": 1})
    log.append({"number": 2})
    log.close()
    assert verify_audit_log(path).records == 2


def test_path_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"CAREFOLIO_AUDIT_LOG: .* cannot be opened"):
        AuditLog(tmp_path / "file" / "audit.jsonl").open()


def test_server_syncs_and_closes_at_shutdown(make_app, serve, path, monkeypatch):
    synced = []
    monkeypatch.setattr("carefolio.serving.audit.os.fsync", synced.append)
    monkeypatch.setattr("carefolio.serving.app.SYNC_EVERY_S", 0.01)
    app = make_app(audit_log=path, auth="off", host="127.0.0.1")
    assert httpx.get(f"{serve(app)}{RISK}").status_code == 200
    deadline = time.monotonic() + 10
    while not synced and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(synced) == 1
