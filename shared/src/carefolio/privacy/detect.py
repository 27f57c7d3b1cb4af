"""The analyzer: Presidio with the language model and the rules of this package, built once a process and policy.

Presidio's own recognisers for numbers are not used: on clinical text they take record numbers for dates and bank accounts. Its
address recognisers for e-mail and web look up domain suffixes over the network; the rules here need none.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import regex

from carefolio.privacy.addresses import ADDRESSES, ZIPS
from carefolio.privacy.codes import CODES
from carefolio.privacy.names import find_names
from carefolio.privacy.nlp import load_language_model, without_heavy_imports
from carefolio.privacy.patterns import AGES, CONTACTS, DATES, Rules
from carefolio.privacy.people import CLINICIANS, PEOPLE
from carefolio.privacy.places import HOSPITALS, LOCATIONS

with without_heavy_imports():
    from presidio_analyzer import AnalyzerEngine, LocalRecognizer, RecognizerRegistry, RecognizerResult
    from presidio_analyzer.nlp_engine import NlpArtifacts, SpacyNlpEngine

RULES: Mapping[str, Rules] = {
    "DATE": DATES, "AGE_OVER_89": AGES, "ADDRESS": ADDRESSES, "ZIP": ZIPS, "CLINICIAN": CLINICIANS, "PERSON": PEOPLE,
    "HOSPITAL": HOSPITALS, "LOCATION": LOCATIONS, **CONTACTS, **CODES,
}
NER_TYPES = {"PERSON": "PERSON", "GPE": "LOCATION", "LOC": "LOCATION", "FAC": "LOCATION"}
"""Labels of OntoNotes that can be identifiers here; its dates, numbers and organisations are left to the rules."""

_PIECE = 5000
"""Characters that the language model reads at once."""


class RuleRecognizer(LocalRecognizer):
    """Find one type by its rules.

    Parameters
    ----------
    identifier_type : str
        Type of identifier.
    rules : tuple of (str, float)
        Expressions and scores.
    """

    def __init__(self, identifier_type: str, rules: Rules) -> None:
        self.rules = [(regex.compile(expression, regex.MULTILINE), score) for expression, score in rules]
        super().__init__(supported_entities=[identifier_type], name=f"rules for {identifier_type}", supported_language="en")

    def load(self) -> None:
        """Do nothing: there is nothing to load."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None) -> list[RecognizerResult]:
        """Find every match.

        Parameters
        ----------
        text : str
            The text.
        entities : list of str
            Types asked for.
        nlp_artifacts : NlpArtifacts, optional
            Not used.

        Returns
        -------
        list of RecognizerResult
            One a match.
        """
        kind = self.supported_entities[0]
        return [RecognizerResult(kind, match.start(), match.end(), score) for rule, score in self.rules for match in rule.finditer(text)
                if match.end() > match.start()]


class NameRecognizer(LocalRecognizer):
    """Pass on the people and places that the language model found, with less trust in single words and capitals."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["PERSON", "LOCATION"], name="language model", supported_language="en")

    def load(self) -> None:
        """Do nothing: the language model is loaded by the engine."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None) -> list[RecognizerResult]:
        """Give the names among the model's entities.

        Parameters
        ----------
        text : str
            The text.
        entities : list of str
            Types asked for.
        nlp_artifacts : NlpArtifacts, optional
            What the model found.

        Returns
        -------
        list of RecognizerResult
            One a name; a bare number or a word without a capital is none.
        """
        found = []
        for entity in nlp_artifacts.entities if nlp_artifacts else []:
            kind = NER_TYPES.get(entity.label_)
            if kind and any(map(str.isupper, entity.text)) and not any(map(str.isdigit, entity.text)) and ".," not in entity.text:
                score = _trust(entity.text, text[max(0, entity.start_char - 3):entity.start_char])
                found.append(RecognizerResult(kind, entity.start_char, entity.end_char, score - (0.1 if kind == "LOCATION" else 0)))
        return found


def _trust(name: str, before: str) -> float:
    """Trust two words more than one, and one least where any word has a capital: at the beginning of a sentence or line."""
    words = name.split()
    if all(word.isupper() for word in words):
        return 0.4
    if len(words) > 1:
        return 0.84
    return 0.62 if before[-2:].strip(" \"'(").isalpha() or before.endswith((", ", "(")) else 0.45


class LexiconRecognizer(LocalRecognizer):
    """Pass on the names that `names.find_names` finds."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["PERSON"], name="lexicon", supported_language="en")

    def load(self) -> None:
        """Do nothing: the lists are read when they are first needed."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None) -> list[RecognizerResult]:
        """Give the names.

        Parameters
        ----------
        text : str
            The text.
        entities : list of str
            Types asked for.
        nlp_artifacts : NlpArtifacts, optional
            What the language model found; names joined to its people are names too.

        Returns
        -------
        list of RecognizerResult
            One a name.
        """
        people = [entity for entity in (nlp_artifacts.entities if nlp_artifacts else []) if entity.label_ == "PERSON"]
        found = find_names(text, [(entity.start_char, entity.end_char) for entity in people])
        return [RecognizerResult("PERSON", start, end, score) for start, end, score in found]


class PiecewiseNlpEngine(SpacyNlpEngine):
    """Run the language model over a long text piece by piece, which takes half the time; pieces end at the end of a line or a blank."""

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        """Find the names of a text.

        Parameters
        ----------
        text : str
            The text.
        language : str
            Its language.

        Returns
        -------
        NlpArtifacts
            As for the text in one piece.
        """
        from spacy.tokens import Doc

        if len(text) <= _PIECE:
            return super().process_text(text, language)
        pipeline = self.nlp[language]  # type: ignore[index]  # Presidio annotates it as None
        return self._doc_to_nlp_artifact(Doc.from_docs([pipeline(piece) for piece in _pieces(text)], ensure_whitespace=False), language)


def _pieces(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > _PIECE:
        end = start + _PIECE
        cut = text.rfind("\n", start, end) + 1 or text.rfind(" ", start, end) + 1
        yield text[start:cut if cut > start else end]
        start = cut if cut > start else end
    yield text[start:]


@functools.lru_cache(maxsize=4)
def build_analyzer(language_model: str, sha256: str | None) -> Any:
    """Build the analyzer once a process.

    Parameters
    ----------
    language_model : str
        Name or folder of a spaCy pipeline.
    sha256 : str or None
        Its expected hash.

    Returns
    -------
    presidio_analyzer.AnalyzerEngine
        Ready to use.
    """
    engine = PiecewiseNlpEngine(models=[{"lang_code": "en", "model_name": language_model}])
    pipeline = load_language_model(language_model, sha256)
    engine.nlp = {"en": pipeline}  # type: ignore[assignment]  # Presidio annotates it as None
    engine.ner_model_configuration.model_to_presidio_entity_mapping = {label: label for label in NER_TYPES}
    engine.ner_model_configuration.labels_to_ignore = [label for label in pipeline.get_pipe("ner").labels if label not in NER_TYPES]
    recognizers = [RuleRecognizer(kind, rules) for kind, rules in RULES.items()]
    registry = RecognizerRegistry(recognizers=[*recognizers, LexiconRecognizer(), NameRecognizer()], supported_languages=["en"])
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])


def run_analyzer(analyzer: Any, text: str) -> list[RecognizerResult]:
    """Run every recogniser over a text.

    `AnalyzerEngine.analyze` compares every result with every other to drop those inside another, which takes minutes where a long
    text holds thousands; here `spans.join` does that in one pass.

    Parameters
    ----------
    analyzer : presidio_analyzer.AnalyzerEngine
        As `build_analyzer` gives it.
    text : str
        The text.

    Returns
    -------
    list of RecognizerResult
        In no order; they may overlap.
    """
    artifacts = analyzer.nlp_engine.process_text(text, "en")
    return [result for recognizer in analyzer.registry.recognizers
            for result in recognizer.analyze(text, recognizer.supported_entities, artifacts)]
