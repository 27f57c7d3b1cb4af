import json
import os
import shlex

from carefolio.serving import start
from carefolio.serving.start import curl_line, server_environment


def test_server_started_by_hand_makes_a_key_on_loopback_only():
    variables, key = server_environment({}, host="127.0.0.1", no_auth=False)
    assert len(key) > 40
    assert variables["CAREFOLIO_API_KEYS"] != key
    assert server_environment({}, host="0.0.0.0", no_auth=False) == ({"CAREFOLIO_HOST": "0.0.0.0"}, "$API_KEY")
    assert server_environment({"CAREFOLIO_API_KEYS": "a" * 64}, host="127.0.0.1", no_auth=False)[1] == "$API_KEY"
    assert server_environment({}, host="127.0.0.1", no_auth=True) == ({"CAREFOLIO_HOST": "127.0.0.1", "CAREFOLIO_AUTH": "off"}, "")


def test_curl_line_is_one_command_with_the_body():
    words = shlex.split(curl_line("127.0.0.1", 8000, "secret", path="/predict", body={"age_years": 70}))
    assert words[:3] == ["curl", "-s", "http://127.0.0.1:8000/predict"]
    assert "X-API-Key: secret" in words
    assert json.loads(words[-1]) == {"age_years": 70}


def test_a_server_is_started_with_its_variables_and_says_how_to_try_it(monkeypatch, capsys):
    started = {}
    monkeypatch.setattr(start, "serve_app",
                        lambda app, **place: started.update(app=app, **place, artefacts=os.environ["CAREFOLIO_ARTEFACTS"]))
    monkeypatch.setattr(os, "environ", {"CAREFOLIO_ARTEFACTS": "elsewhere"})
    start.start_server("a.api:create_app", host="127.0.0.1", port=8000, no_auth=True, hint=lambda key: f"ask{start.key_header(key)}",
                       variables={"CAREFOLIO_ARTEFACTS": "here"})
    assert started == {"app": "a.api:create_app", "host": "127.0.0.1", "port": 8000, "artefacts": "here"}
    assert capsys.readouterr().out == "try it from another terminal:\nask\n"
    assert start.key_header("k") == ' -H "X-API-Key: k"'
