"""What is committed agrees with itself: cards with the evidence, weights with their seals, the searches with the weights."""

import json

import pytest

from carefolio.artefacts import verify_seal
from carefolio.config import project_home
from carefolio.evidence import read_evidence
from carefolio.model_card import card_problems
from model_registry.names import CARDS, FOLDER
from model_registry.report import write_card

HOME = project_home(FOLDER)
WEIGHTS = {"readmission": "model.lgb", "survival": "model.onnx"}


@pytest.fixture(scope="module")
def searches():
    """The committed snapshot of both searches."""
    return json.loads((HOME / "reports" / "registry.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CARDS)
def test_a_committed_card_says_what_the_evidence_says(name, searches):
    path = HOME / "reports" / CARDS[name]
    text = path.read_text(encoding="utf-8")
    assert card_problems(text, file=path) == []
    assert text == write_card(name, read_evidence(HOME / "reports" / "evidence.json"), searches[name]["data"])


@pytest.mark.parametrize("name", WEIGHTS)
def test_committed_weights_are_those_of_the_search(name, searches):
    assert verify_seal(HOME / "artefacts" / name / WEIGHTS[name]) == searches[name]["model_sha256"]
    verify_seal(HOME / "artefacts" / name / "encoding.json")
