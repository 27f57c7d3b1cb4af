"""The protocol: what it says is understood, and what it gets wrong is said with its place."""

import pytest
import yaml

from carefolio.exceptions import ConfigError
from retraining.protocol import GATES, load_protocol, parse_protocol, with_open_gates


@pytest.fixture
def content():
    return yaml.safe_load(load_protocol().model_dump_json())


def test_the_chapters_protocol_has_the_three_parts_and_every_gate():
    protocol = load_protocol()
    assert protocol.description_of_modifications.may_change
    assert tuple(protocol.modification_protocol.gates) == GATES
    named = {control for impact in protocol.impact_assessment for control in impact.controls}
    assert set(GATES) <= named


def test_the_hash_does_not_depend_on_layout(tmp_path, content):
    path = tmp_path / "protocol.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    assert load_protocol(path).sha256() == load_protocol().sha256()
    content["version"] = "1.1"
    assert parse_protocol(content, "x").sha256() != load_protocol().sha256()


def _gate(name, rule):
    return lambda content: content["modification_protocol"]["gates"].update({name: rule})


@pytest.mark.parametrize(("change", "words"), [
    (_gate("rock_auc", {"margin": 0.1, "limit": 0.5}), "gates.rock_auc"),
    (_gate("roc_auc", {"margin": -0.1, "limit": 0.5}), "greater than or equal to 0"),
    (_gate("roc_auc", {"margin": 0.1, "limit": 0.5, "why": "x"}), "Extra inputs"),
    (lambda content: content["modification_protocol"]["gates"].pop("drift"), "no rule for drift"),
    (lambda content: content.pop("impact_assessment"), "impact_assessment"),
    (lambda content: content["impact_assessment"][0].update(controls=["hope"]), "a control 'hope' that there is not"),
    (lambda content: content.update(impact_assessment=content["impact_assessment"][:1]), "no risk of impact_assessment is controlled by"),
    (lambda content: content["modification_protocol"]["batch"].update(outcome_share=[0.3, 0.1]), "must rise"),
    (lambda content: content["modification_protocol"]["approval"].update(roles=[]), "roles"),
])
def test_a_protocol_that_does_not_hold_is_refused_with_the_place(content, change, words):
    change(content)
    with pytest.raises(ConfigError, match=words):
        parse_protocol(content, "protocol.yaml")


@pytest.mark.parametrize("text", ["a: [", "just text", "- 1", ""])
def test_a_file_that_is_no_protocol_is_refused(tmp_path, text):
    path = tmp_path / "protocol.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"protocol\.yaml"):
        load_protocol(path)


def test_yaml_runs_no_code(tmp_path):
    path = tmp_path / "protocol.yaml"
    path.write_text("name: !!python/object/apply:os.getcwd []", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_protocol(path)


def test_open_gates_hold_nothing_back_and_say_so():
    opened = with_open_gates(load_protocol())
    assert "gates open" in opened.version
    assert all(rule.margin > 1000 for rule in opened.modification_protocol.gates.values())
