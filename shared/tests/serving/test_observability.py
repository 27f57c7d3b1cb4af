import asyncio
import logging
import re
import uuid

import pytest

from carefolio.exceptions import ArtefactError, ConfigError
from carefolio.serving.observability import request_id

RISK = "/v1/patients/12345678/risk"
OFFERED = "3f2b8c1e-5d4a-4f6b-9c7d-0123456789ab"


@pytest.mark.parametrize("offered", [OFFERED, OFFERED.replace("-", "")])
def test_request_id_is_taken_over(make_app, call, offered):
    assert call(make_app(), "GET", "/health/live", headers={"X-Request-ID": offered}).headers["x-request-id"] == offered


@pytest.mark.parametrize("offered", ["", "12345678", "Jane", "a" * 33, "x" * 32, f"{OFFERED}\n", "../../etc"])
def test_other_request_id_is_replaced(offered):
    made = request_id(offered)
    assert made != offered
    assert uuid.UUID(made)


def test_metrics_count_by_template(make_app, call):
    app = make_app()
    for path in (RISK, "/v1/patients/2/risk", "/nowhere/12345678"):
        call(app, "GET", path)
    call(app, "BREW", RISK)
    call(app, "GET", RISK, headers={})
    answer = call(app, "GET", "/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = answer.text
    assert 'carefolio_http_requests_total{method="GET",route="/v1/patients/{patient_id}/risk",status="200"} 2.0' in text
    assert 'carefolio_http_requests_total{method="GET",route="unmatched",status="404"} 1.0' in text
    assert 'carefolio_http_requests_total{method="GET",route="unmatched",status="401"} 1.0' in text
    assert 'method="OTHER"' in text
    assert 'carefolio_http_request_duration_seconds_bucket{le="0.005",method="GET",route="/v1/patients/{patient_id}/risk"}' in text
    assert "12345678" not in text


def test_two_apps_count_apart(make_app, call):
    first, second = make_app(), make_app()
    call(first, "GET", RISK)
    assert 'route="/v1/patients/{patient_id}/risk"' in call(first, "GET", "/metrics").text
    assert 'route="/v1/patients/{patient_id}/risk"' not in call(second, "GET", "/metrics").text


def test_unexpected_error_is_logged_with_the_id_and_not_shown(make_app, call, caplog):
    with caplog.at_level(logging.INFO, logger="carefolio.serving"):
        answer = call(make_app(), "GET", "/v1/broken")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "RuntimeError" not in answer.text
    assert "Jane" not in answer.text
    (record,) = caplog.records
    assert answer.json()["request_id"] in record.getMessage()
    assert "RuntimeError" in record.getMessage()
    assert "Jane" not in record.getMessage()


@pytest.mark.parametrize("path", ["/health/live", RISK, "/nowhere", "/v1/broken"])
def test_security_headers_are_on_every_answer(make_app, call, path):
    headers = call(make_app(), "GET", path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "strict-transport-security" not in headers


def test_documentation_page_stands_only_without_authentication(make_app, call):
    assert call(make_app(), "GET", "/docs").status_code == 404
    assert call(make_app(), "GET", "/docs/files/swagger-ui.css").status_code == 404
    assert call(make_app(auth="off", host="127.0.0.1"), "GET", "/docs").status_code == 200


def test_documentation_page_needs_nothing_from_elsewhere(make_app, call):
    app = make_app(auth="off", host="127.0.0.1")
    page = call(app, "GET", "/docs")
    assert "//" not in page.headers["content-security-policy"]
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(addresses) == 3
    for address in addresses:
        assert address.startswith("/docs/files/")
        assert call(app, "GET", address).status_code == 200
    assert call(app, "GET", "/docs/files/../consts.py").status_code == 404


def test_readiness_follows_the_model(make_app, call, caplog):
    state = {"missing": True}

    def ready():
        if state["missing"]:
            raise ArtefactError("model.onnx is missing; train first.")

    app = make_app({"ready": ready})
    with caplog.at_level(logging.WARNING, logger="carefolio.serving"):
        answer = call(app, "GET", "/health/ready")
    assert answer.status_code == 503
    assert "model.onnx" not in answer.text
    assert "model.onnx" in caplog.text
    state["missing"] = False
    assert call(app, "GET", "/health/ready").json() == {"status": "ready"}
    assert call(app, "GET", "/health/live").json() == {"status": "alive"}


def test_model_card_in_both_forms(make_app, call, tmp_path):
    card = tmp_path / "model_card.md"
    card.write_text("# Toy\n")
    app = make_app({"model_card": card}, auth="off", host="127.0.0.1")
    markdown = call(app, "GET", "/model-card", headers={})
    assert (markdown.headers["content-type"], markdown.text) == ("text/markdown; charset=utf-8", "# Toy\n")
    answer = call(app, "GET", "/model-card", headers={"Accept": "application/json"})
    assert answer.json() == {"title": "Toy", "version": "1", "markdown": "# Toy\n"}
    assert call(make_app(), "GET", "/model-card").status_code == 404


def test_a_card_that_can_change_is_asked_for_at_each_request(make_app, call):
    cards = ["# One", "# Two", ""]
    app = make_app({"model_card": lambda: cards.pop(0)}, auth="off", host="127.0.0.1")
    answers = [call(app, "GET", "/model-card") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 404]
    assert [answer.text for answer in answers[:2]] == ["# One", "# Two"]


def test_unreadable_model_card_stops_the_start(make_app, tmp_path):
    with pytest.raises(ArtefactError, match="cannot be read"):
        make_app({"model_card": tmp_path / "none.md"})


def test_example_for_an_unknown_path_stops_the_start(make_app):
    with pytest.raises(ConfigError, match="examples are given for /predict"):
        make_app({"examples": {"/predict": {"typical": {}}}})


def drive(app, scope, messages):
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    base = {"http_version": "1.1", "method": "GET", "path": RISK, "query_string": b"", "headers": [(b"host", b"127.0.0.1")],
            "client": ("127.0.0.1", 1)}
    asyncio.run(app(base | scope, receive, send))
    return sent


def test_websocket_is_refused(make_app):
    sent = drive(make_app(), {"type": "websocket", "path": "/v1/predict"}, [{"type": "websocket.connect"}])
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_client_that_goes_away_is_counted_and_gets_nothing(make_app, call):
    app = make_app(auth="off", host="127.0.0.1")
    assert drive(app, {"type": "http", "method": "POST", "path": "/v1/predict"}, [{"type": "http.disconnect"}]) == []
    assert 'method="POST",route="/v1/predict",status="499"} 1.0' in call(app, "GET", "/metrics").text


def test_strict_transport_is_asked_for_over_https(make_app):
    sent = drive(make_app(), {"type": "http", "scheme": "https", "path": "/health/live"}, [{"type": "http.request"}])
    assert (b"strict-transport-security", b"max-age=31536000") in sent[0]["headers"]
