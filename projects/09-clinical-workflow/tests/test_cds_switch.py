"""Off, shadow and show: what a client sees, what the ledger keeps, and what the gate says."""

import pytest

from clinical_workflow.cds.ledger import Call, KeptCard, Ledger
from clinical_workflow.cds.monitor import gate, monitor, stability_index
from clinical_workflow.cds.switch import FILE, mode_of, read_modes, set_mode

from .hospital_examples import hook, model_answers


def test_the_switch_holds_from_the_next_call_on(service, charts):
    asked = []

    def _counted(request):
        asked.append(request.url.path)
        return model_answers()(request)

    service.answer_with(_counted)
    assert len(service.ask("readmission-risk", hook(charts[0])).json()["cards"]) == 1
    moved = service.client.put("/admin/switch", json={"mode": "off", "why": "a test"})
    assert moved.status_code == 200
    asked.clear()
    answer = service.ask("readmission-risk", hook(charts[0]))
    assert (answer.status_code, answer.json(), asked) == (200, {"cards": []}, [])
    assert service.rows("SELECT mode, why FROM switches") == [("off", "a test")]


def test_in_shadow_mode_cards_are_logged_and_not_shown(service, charts):
    set_mode(service.state, "all", "shadow")
    assert service.ask("readmission-risk", hook(charts[0])).json() == {"cards": []}
    assert service.rows("SELECT service, topic, indicator, shown FROM cards") == [("readmission-risk", "readmission", "warning", 0)]
    assert service.rows("SELECT mode, status, risk FROM calls") == [("shadow", 200, 0.3)]


def test_a_service_is_in_shadow_mode_until_somebody_says_otherwise(tmp_path):
    assert mode_of("readmission-risk", read_modes(tmp_path)) == "shadow"


@pytest.mark.parametrize("content", ["{", "[]", '{"all": "loud"}', '{"all": null}'])
def test_a_switch_that_cannot_be_read_is_off(tmp_path, content):
    (tmp_path / FILE).write_text(content)
    assert mode_of("readmission-risk", read_modes(tmp_path)) == "off"


def test_a_service_has_its_own_setting_until_all_are_off(tmp_path):
    set_mode(tmp_path, "all", "show")
    set_mode(tmp_path, "note-summary", "off")
    assert [mode_of(name, read_modes(tmp_path)) for name in ("note-summary", "readmission-risk")] == ["off", "show"]
    set_mode(tmp_path, "all", "shadow")
    set_mode(tmp_path, "readmission-risk", "show")
    assert [mode_of(name, read_modes(tmp_path)) for name in ("note-summary", "readmission-risk")] == ["shadow", "show"]
    set_mode(tmp_path, "all", "off")
    assert mode_of("readmission-risk", read_modes(tmp_path)) == "off"


def test_the_gate_names_what_speaks_against_showing(tmp_path, settings):
    ledger = Ledger(tmp_path)
    for number in range(10):
        ledger.record(Call("readmission-risk", "shadow", 503 if number == 0 else 200, 900.0, "asked", risk=0.3),
                      [KeptCard(f"card-{number}", "readmission", "warning", ())])
    against = gate(ledger, "readmission-risk", settings.gate)
    assert [text.split()[0] for text in against] == ["10", "100.0", "1", "the"]


def test_the_gate_opens_on_enough_quiet_calls(tmp_path, settings):
    ledger = Ledger(tmp_path)
    for number in range(settings.gate.minimum_calls):
        ledger.record(Call("readmission-risk", "shadow", 200, 50.0, "asked", risk=0.05 + 0.1 * (number % 2)), [])
    assert gate(ledger, "readmission-risk", settings.gate) == []
    for _ in range(settings.gate.minimum_calls):
        ledger.record(Call("readmission-risk", "shadow", 200, 50.0, "asked", risk=0.5), [])
    assert "shifted" in gate(ledger, "readmission-risk", settings.gate)[0]


def test_cards_are_not_shown_before_the_gate_opens(service):
    service.client.put("/admin/switch", json={"mode": "shadow", "why": "a test"})
    refused = service.client.put("/admin/switch", json={"mode": "show", "why": "a test", "service": "readmission-risk"})
    assert refused.status_code == 409
    assert "0 calls in shadow mode" in refused.json()["detail"]
    assert service.client.get("/admin/switch").json()["readmission-risk"] == "shadow"


def test_the_stability_index_by_hand():
    assert stability_index([0.1] * 40) == 0
    assert stability_index([0.1] * 39) is None
    moved = stability_index([0.01] * 20 + [0.25] * 20)
    assert moved == pytest.approx(2 * (20.5 - 0.5) / 23 * __import__("math").log(20.5 / 0.5))


def test_the_monitor_counts_what_became_of_cards(service, charts):
    cards = [service.ask("readmission-risk", hook(charts[0])).json()["cards"][0] for _ in range(3)]
    when = {"outcomeTimestamp": "2026-01-01T10:00:00Z"}
    feedback = [{"card": cards[0]["uuid"], "outcome": "accepted", "acceptedSuggestions": [{"id": cards[0]["suggestions"][0]["uuid"]}],
                 **when},
                {"card": cards[1]["uuid"], "outcome": "overridden", "overrideReason": {"reason": {"code": "declined"}}, **when}]
    assert service.client.post("/cds-services/readmission-risk/feedback", json={"feedback": feedback}).json() == {"kept": 2}
    seen = monitor(service.client.app.state.desk.ledger, "readmission-risk")
    assert (seen.calls, seen.cards, seen.shown, seen.accepted, seen.overridden, seen.reasons) == (3, 3, 3, 1, 1, {"declined": 1})
    assert seen.alerts_per_100 == 100
