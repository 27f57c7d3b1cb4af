"""What the ledger keeps, and what it must not."""

import time

import pytest

from carefolio.exceptions import ConfigError
from clinical_workflow.cds.ledger import Ledger

from .hospital_examples import FRAIL, hook


def test_the_ledger_holds_no_identifier(service, charts):
    card = service.ask("readmission-risk", hook(charts[0])).json()["cards"][0]
    item = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-01-01T10:00:00Z",
            "overrideReason": {"reason": {"code": "disagree"}, "userComment": "Mrs Muster of bed 7 does not want it"}}
    assert service.client.post("/cds-services/readmission-risk/feedback", json={"feedback": [item]}).status_code == 200
    service.client.app.state.desk.ledger.close()
    content = b"".join(path.read_bytes() for path in service.state.glob("ledger.sqlite*"))
    assert card["uuid"].encode() in content
    assert [word for word in (FRAIL, "Muster", "bed 7", "dr-muster") if word.encode() in content] == []
    service.client.app.state.desk = service.client.app.state.desk.__class__(**{
        **vars(service.client.app.state.desk), "ledger": Ledger(service.state)})


def test_a_token_is_remembered_over_a_restart_until_it_has_expired(tmp_path):
    first = Ledger(tmp_path)
    assert first.take_once("hospital", "token-1", time.time() + 60)
    first.close()
    second = Ledger(tmp_path)
    assert not second.take_once("hospital", "token-1", time.time() + 60)
    assert second.take_once("clinic", "token-1", time.time() + 60)
    assert second.take_once("hospital", "old", time.time() - 1)
    assert second.take_once("hospital", "old", time.time() - 1)


def test_a_folder_that_cannot_be_written_is_said_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be opened"):
        Ledger(tmp_path / "file")


@pytest.mark.parametrize("change", [{"card": "6f9619ff-8b86-d011-b42d-00c04fc964ff"}, {"acceptedSuggestions": [
    {"id": "6f9619ff-8b86-d011-b42d-00c04fc964ff"}]}])
def test_feedback_on_what_was_not_shown_is_refused_whole(service, charts, change):
    cards = [service.ask("readmission-risk", hook(charts[0])).json()["cards"][0] for _ in range(2)]
    items = [{"card": one["uuid"], "outcome": "accepted", "acceptedSuggestions": [{"id": one["suggestions"][0]["uuid"]}],
              "outcomeTimestamp": "2026-01-01T10:00:00Z"} for one in cards]
    answer = service.client.post("/cds-services/readmission-risk/feedback", json={"feedback": [items[0], items[1] | change]})
    assert answer.status_code == 404
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert service.rows("SELECT count(*) FROM feedback") == [(0,)]
