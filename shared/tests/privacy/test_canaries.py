import json
import logging
import sys
import urllib.parse

import pytest

from carefolio.exceptions import PrivacyError
from carefolio.privacy.canaries import assert_no_canary, find_canaries, make_canaries, plant
from carefolio.privacy.firewall import firewall, guard
from carefolio.privacy.logs import protected
from carefolio.privacy.policy import SAFE_HARBOR

CANARIES = make_canaries()
NOTE = "CHIEF COMPLAINT\n\nCough.\n\nThe patient has had a cough for 2 weeks and takes Lisinopril 10 mg."


def test_there_is_a_canary_of_every_type_that_text_can_hold():
    assert {canary.identifier_type for canary in CANARIES} == {label for rule in SAFE_HARBOR for label in rule.types}


@pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary.identifier_type)
def test_a_planted_canary_does_not_pass_the_firewall_alone(canary):
    result = firewall(plant(NOTE, [canary]))
    assert_no_canary({"prompt": guard(result.text, result.mapping)}, CANARIES)
    assert canary.identifier_type in {entity.identifier_type for entity in result.entities}


def test_all_canaries_together_reach_no_output(caplog, capsys, tmp_path):
    caplog.set_level(logging.DEBUG)
    text = plant(NOTE, CANARIES)
    result = firewall(text)
    (tmp_path / "cache.json").write_text(json.dumps({"prompt": result.text, "result": repr(result)}))
    sys.stdout.write(f"{result}\n")
    with pytest.raises(PrivacyError) as caught, protected(result.mapping):
        raise ValueError(f"no answer to {text}")
    outputs = {"prompt": result.text, "log": caplog.records, "error": caught.value, "cache": tmp_path, "stdout": capsys.readouterr().out}
    assert_no_canary(outputs, CANARIES)
    assert "Lisinopril 10 mg" in result.text
    assert result.mapping.reidentify(result.text) == text


@pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary.identifier_type)
def test_a_leak_is_seen_in_every_kind_of_output_and_not_repeated(canary, tmp_path):
    (tmp_path / "file").write_bytes(canary.value.encode())
    record = logging.makeLogRecord({"msg": "%s", "args": (canary.value,)})
    chained = ValueError("later")
    chained.__context__ = KeyError(canary.value)
    leaking = {"text": canary.value.upper(), "bytes": canary.value.encode(), "folder": tmp_path, "record": [record], "error": chained,
               "percent": urllib.parse.quote_plus(canary.value), "json": json.dumps(canary.value)}
    found = {leak.output for leak in find_canaries(leaking, [canary])}
    assert found == set(leaking)
    with pytest.raises(PrivacyError, match=f"{canary.identifier_type} in text") as caught:
        assert_no_canary(leaking, [canary])
    assert canary.value not in str(caught.value)
    assert canary.value not in repr(canary)


def test_no_outputs_are_not_a_pass():
    with pytest.raises(PrivacyError, match="at least one output"):
        assert_no_canary({}, CANARIES)
