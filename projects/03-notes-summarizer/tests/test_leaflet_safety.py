import pytest

from carefolio.datasets.medquad_twin import make_medquad_twin
from notes_summarizer.leaflet.safety import triage


@pytest.mark.parametrize("question", [
    "I have chest pain right now", "my father can’t breathe", "She is not breathing", "I want to die", "He took too many pills an hour ago",
    "My child swallowed bleach", "My mom is having a seizure and it won't stop",
])
def test_an_emergency_is_told_to_call(question):
    assert triage(question) == "emergency"


@pytest.mark.parametrize("question", [
    "How much ibuprofen can I take?", "Should I stop my tablets and take less?", "Is it safe for me to fly?",
    "What do my blood test results mean?",
    "Do I have asthma?", "What dose is right for my daughter?",
])
def test_what_only_a_clinician_can_say_is_not_answered(question):
    assert triage(question) == "personal"


@pytest.mark.parametrize("question", [
    "What causes chest pain?", "What are the treatments for seizures ?",
    "How many people are affected by glycogen storage disease type I ?",
    "What should I do to keep my heart well?", "my doctor says i have asthma. what should i know about it?", "How to prevent poisoning ?",
])
def test_a_general_question_passes(question):
    assert triage(question) == ""


def test_no_question_of_the_twin_is_held_back():
    assert {triage(question) for question in make_medquad_twin(0)["question"]} == {""}
