"""What a summary says that its source does not: numbers, terms, negations and sides, by rules that can be read here.

Each finding is a span of the summary that a person should look at, not proof of an error, and no finding is no proof that all is well: a
number may be right and belong to another drug, and what was left out is not seen. The rules are for English.

*Negation.* A cue (``no``, ``denies``, ``n't``) negates up to eleven words behind it, to the end of the sentence or a word such as ``but``
or ``has`` (``has not had`` goes on); ``negative``, ``absent`` or ``denied`` at a sentence's end negates those before. A question takes its
polarity from the first word of the answer, and none if that is neither yes nor no. *Sides.* ``left``, ``right`` or ``bilateral`` belongs to
the next three words of its sentence, up to ``and`` or another side, or to the word before ``on the``. Not seen: double negation,
``not only``, whose family member it is, ``L`` and ``R``.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from carefolio.metrics.quantities import Quantity, exact_numbers

Kind = Literal["number", "term", "negation", "laterality"]
DOSE_UNITS = frozenset(["mg", "ml", "kg", "lb", "oz", "unit", "mmol", "meq", "tablet", "capsule", "puff", "drop", "dose", "patch"])
"""Units that a number without one in the source does not support."""
CUES = frozenset([
    "no", "not", "never", "without", "denies", "denied", "deny", "denying", "none", "neither", "nor", "cannot", "negative", "absence",
    "free", "lacks",
])
STOPS = frozenset([
    "but", "however", "except", "although", "though", "besides", "has", "have", "had", "report", "reports", "reported", "complains",
    "notes", "admits", "endorses", "presents",
])
CUES_AT_END = frozenset(["negative", "absent", "denied", "no", "none"])
YES = frozenset(["yes", "yeah", "yep", "yup", "sure", "correct", "right", "absolutely", "definitely", "exactly"])
NO = frozenset(["no", "nope", "nah", "not", "never", "none"])
SIDES = {"left": "left", "right": "right", "bilateral": "bilateral", "bilaterally": "bilateral", "both": "bilateral"}
MAX_SCOPE = 12

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W_]+(?:['’][^\W_]+)*|[.?!](?=\s|$)|[;:\n,]")
_DATE = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})(?:-(?P<day>\d{2}))?")
_ENDS = frozenset(".?!;\n")
_GENERIC = frozenset([
    "about", "after", "again", "ago", "also", "always", "another", "anything", "because", "been", "before", "being", "came", "come",
    "coming", "could", "currently", "daily", "day", "days", "did", "does", "doing", "done", "doctor", "ever", "every", "feel", "feeling",
    "felt", "from", "getting", "given", "going", "good", "gone", "great", "have", "having", "head", "help", "here", "history", "hospital",
    "into", "just", "know", "known", "last", "like", "little", "long", "look", "made", "make", "many", "mean", "medical", "medication",
    "medications", "medicine", "more", "most", "much", "need", "never", "noted", "okay", "once", "only", "other", "otherwise", "past",
    "patient", "patients", "please", "present", "previous", "problem", "problems", "really", "recent", "recently", "right", "left", "same",
    "seen", "several", "should", "showed", "side", "since", "some", "something", "still", "such", "sure", "take", "taken", "takes",
    "taking", "tell", "than", "thank", "that", "their", "them", "then", "there", "these", "they", "thing", "things", "think", "this",
    "those", "time", "times", "today", "told", "took", "under", "until", "used", "using", "very", "want", "week", "weeks", "well", "went",
    "were", "what", "when", "where", "which", "while", "will", "with", "within", "would", "year", "years", "your", "issue", "issues",
    "significant", "normal", "positive", "symptom", "symptoms", "able", "any", "give", "certain", "specific",
])
_NOT_PLACES = frozenset([
    "the", "a", "an", "his", "her", "your", "my", "of", "is", "are", "was", "were", "in", "on", "at", "to", "for", "with", "it", "that",
    "so", "now", "away", "after", "before", "here", "there", "just", "then", "side", "sided", "hand",
])


@dataclass(frozen=True)
class Finding:
    """Something in the candidate that the source does not support.

    Attributes
    ----------
    kind : {"number", "term", "negation", "laterality"}
        Which rule found it.
    start, end : int
        Where it stands in the candidate.
    text : str
        What stands there.
    """

    kind: Kind
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class _Token:
    word: str
    start: int
    end: int


def unsupported(source: str, candidate: str, *, terms: Collection[str]) -> list[Finding]:
    """Find the numbers, terms, negations and sides of a candidate that its source does not support.

    Parameters
    ----------
    source : str
        What was summarised.
    candidate : str
        The summary.
    terms : collection of str
        Names that must not be invented, such as drugs and diseases; any case, several words allowed. A mapping gives the name that each
        stands for.

    Returns
    -------
    list of Finding
        In the order of the candidate.
    """
    found = [*numbers_not_in(source, candidate), *terms_not_in(source, candidate, terms=terms), *negation_flips(source, candidate),
             *laterality_flips(source, candidate)]
    return sorted(found, key=lambda finding: (finding.start, finding.end, finding.kind))


def numbers_not_in(source: str, candidate: str) -> list[Finding]:
    """Find the candidate's numbers, ratios and dates that the source does not hold with the same unit.

    A number without unit is supported by the same number with any; one with a unit of ``DOSE_UNITS`` or a compound unit needs the same
    unit in the source, other units (years, days, degrees) may be missing there. A date without a year, or a year alone, is supported by
    a date that has it. The word ``one`` without a unit is taken for a pronoun.

    Parameters
    ----------
    source : str
        What was summarised.
    candidate : str
        The summary.

    Returns
    -------
    list of Finding
        In the order of the candidate.
    """
    known = exact_numbers(source)
    pairs = {(number.value, number.unit) for number in known}
    bare = {part for number in known for part in _parts(number)}
    unknown = (number for number in exact_numbers(candidate) if not _is_known(number, pairs, bare))
    return [Finding("number", number.start, number.end, number.text) for number in unknown]


def _parts(number: Quantity) -> list[str]:
    if number.unit == "ratio":
        return [number.value, *number.value.split("/")]
    if number.unit == "date":
        match = _DATE.fullmatch(number.value)
        year, month, day = match.groups() if match else ("", "", "")
        return [number.value, year, f"{year}-{month}", f"--{month}-{day}"] if match else [number.value]
    return [number.value]


def _is_known(number: Quantity, pairs: Collection[tuple[str, str]], bare: Collection[str]) -> bool:
    if (number.value, number.unit) in pairs or (number.is_word and number.value == "1" and not number.unit):
        return True
    if number.unit in ("", "date"):
        return number.value in bare
    return number.unit not in DOSE_UNITS and "/" not in number.unit and (number.value, "") in pairs


def terms_not_in(source: str, candidate: str, *, terms: Collection[str]) -> list[Finding]:
    """Find the terms of a vocabulary that stand in the candidate and nowhere in the source.

    Parameters
    ----------
    source : str
        What was summarised.
    candidate : str
        The summary.
    terms : collection of str
        Vocabulary; whole words, any case, a plural ``s`` ignored. A mapping gives the name that each term stands for, so that a brand
        is supported by its generic name; without one, only the term itself supports it.

    Returns
    -------
    list of Finding
        In the order of the candidate, the longest term at each place.
    """
    meant = terms if isinstance(terms, Mapping) else {term: term for term in terms}
    vocabulary = {key: meant[term] for key, term in ((tuple(token.word for token in _tokens(term)), term) for term in meant) if key}
    known = {vocabulary[key] for key, _ in _phrases(list(_tokens(source)), vocabulary)}
    found = (tokens for key, tokens in _phrases(list(_tokens(candidate)), vocabulary) if vocabulary[key] not in known)
    return [_finding("term", candidate, tokens[0], tokens[-1]) for tokens in found]


def _phrases(tokens: list[_Token], vocabulary: Collection[tuple[str, ...]]) -> Iterator[tuple[tuple[str, ...], list[_Token]]]:
    lengths = sorted({len(key) for key in vocabulary}, reverse=True)
    place = 0
    while place < len(tokens):
        size = next((size for size in lengths if tuple(token.word for token in tokens[place:place + size]) in vocabulary), 0)
        if size:
            yield tuple(token.word for token in tokens[place:place + size]), tokens[place:place + size]
        place += size or 1


def negation_flips(source: str, candidate: str) -> list[Finding]:
    """Find words that the candidate negates and the source only affirms, or the other way round.

    Parameters
    ----------
    source : str
        What was summarised.
    candidate : str
        The summary.

    Returns
    -------
    list of Finding
        In the order of the candidate; words of four letters or more that are not generic.
    """
    known: dict[str, set[bool | None]] = defaultdict(set)
    for token, negated in _polarities(source):
        known[token.word].add(negated)
    return [_finding("negation", candidate, token, token) for token, negated in _polarities(candidate)
            if negated is not None and known.get(token.word) == {not negated}]


def _polarities(text: str) -> Iterator[tuple[_Token, bool | None]]:
    """Give each content word and whether it is negated; None in a question that is not answered by yes or no."""
    sentences = list(_sentences(text))
    for place, (tokens, mark) in enumerate(sentences):
        scope = _negated(tokens)
        if mark == "?":
            answer = _first_word(sentences[place + 1][0]) if place + 1 < len(sentences) else ""
            scope = [answer in NO if answer in YES | NO else None] * len(tokens)
        yield from ((token, negated) for token, negated in zip(tokens, scope, strict=True)
                    if len(token.word) > 3 and token.word.isalpha() and token.word not in _GENERIC | CUES | STOPS)


def _negated(tokens: list[_Token]) -> list[bool | None]:
    scope: list[bool | None] = []
    left = 0
    for token in tokens:
        is_cue = token.word in CUES or token.word.endswith(("n't", "n’t"))
        stops = token.word in STOPS and left < MAX_SCOPE
        left = MAX_SCOPE if is_cue else 0 if stops else max(left - (token.word != ","), 0)
        scope.append(left > 0 and not is_cue)
    ends_so = len(tokens) > 1 and tokens[-1].word in CUES_AT_END
    return [True] * len(tokens) if ends_so else scope


def _first_word(tokens: list[_Token]) -> str:
    """Give the first word of a sentence, the speaker's name before a colon left out."""
    words = [token.word for token in tokens]
    words = words[words.index(":") + 1:] if ":" in words[:3] else words
    return next((word for word in words if word[0].isalnum()), "")


def laterality_flips(source: str, candidate: str) -> list[Finding]:
    """Find sides that the candidate gives to a word with another side in the source, or with none in a source that never names that side.

    Of the words that a side belongs to, the first that has a side in the source decides.

    Parameters
    ----------
    source : str
        What was summarised.
    candidate : str
        The summary.

    Returns
    -------
    list of Finding
        In the order of the candidate; the span is that of the side.
    """
    known: dict[str, set[str]] = defaultdict(set)
    for side, noun in _sided(source):
        known[noun.word].add(SIDES[side.word])
    in_source = {token.word for token in _tokens(source)}
    sides = {SIDES[word] for word in in_source if word in SIDES}
    nouns: dict[_Token, list[str]] = defaultdict(list)
    for side, noun in _sided(candidate):
        nouns[side].append(noun.word)
    return [_finding("laterality", candidate, side, side) for side, words in nouns.items()
            if _flipped(SIDES[side.word], [known[word] for word in words if word in known], sides, not in_source.isdisjoint(words))]


def _flipped(side: str, given: list[set[str]], sides: set[str], in_source: bool) -> bool:
    if not given and not in_source:
        return False
    known = given[0] if given else sides
    covered = known | ({"left", "right"} if "bilateral" in known else set()) | ({"bilateral"} if known >= {"left", "right"} else set())
    return side not in covered


def _sided(text: str) -> Iterator[tuple[_Token, _Token]]:
    """Give each side and each word that it belongs to."""
    for tokens, _ in _sentences(text):
        for place, token in enumerate(tokens):
            if token.word not in SIDES:
                continue
            for noun in tokens[place + 1:place + 4]:
                if noun.word in SIDES or noun.word in ("and", "or", ",", ":"):
                    break
                if noun.word.isalpha() and noun.word not in _NOT_PLACES:
                    yield token, noun
            behind = [before.word for before in tokens[max(place - 2, 0):place]]
            if place > 2 and behind[0] in ("on", "in") and behind[1] in ("the", "my", "his", "her", "your"):
                yield token, tokens[place - 3]


def _sentences(text: str) -> Iterator[tuple[list[_Token], str]]:
    """Give the words, commas and colons of each sentence, and the mark or line break that ends it."""
    sentence: list[_Token] = []
    for token in _tokens(text):
        if token.word not in _ENDS:
            sentence.append(token)
        elif sentence:
            yield sentence, token.word
            sentence = []
    if sentence:
        yield sentence, ""


def _tokens(text: str) -> Iterator[_Token]:
    return (_Token(_singular(match.group().casefold()), match.start(), match.end()) for match in _TOKEN.finditer(text))


def _singular(word: str) -> str:
    is_plural = len(word) > 4 and word.endswith("s") and not word.endswith(("ss", "us", "is")) and word not in CUES | STOPS
    return word[:-1] if is_plural else word


def _finding(kind: Kind, candidate: str, first: _Token, last: _Token) -> Finding:
    return Finding(kind, first.start, last.end, candidate[first.start:last.end])
