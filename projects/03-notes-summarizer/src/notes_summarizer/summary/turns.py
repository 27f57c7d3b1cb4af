"""Questions and answers of a conversation turned into statements about the patient, each with the sentences that it was made from.

"Any fever? No." gives "Denies fever."; "Do you smoke? Yes." gives "The patient smokes."; an answer that says more gives a statement of its
own; greetings and thanks give none. English, by rules, and only for plain questions: a question of another form gives no statement, and
its answer stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from carefolio.metrics.faithfulness import NO, YES
from notes_summarizer.summary.injection import is_order
from notes_summarizer.summary.wording import Person, clean, digits, expand, sentence_case, third_person, to_third_person


@dataclass(frozen=True)
class Said:
    """A sentence that somebody said.

    Attributes
    ----------
    number : int
        Its number.
    speaker : str
        Who, such as ``"Doctor"``.
    text : str
        The sentence.
    """

    number: int
    speaker: str
    text: str


@dataclass(frozen=True)
class Told:
    """A statement made from what was said.

    Attributes
    ----------
    text : str
        In the third person.
    numbers : tuple of int
        Sentences that it was made from.
    kind : {"denied", "confirmed", "answer", "patient", "clinician"}
        How: a no, a yes, an answer to another question, what else the patient or family says, what a clinician says.
    question : str
        The question that it answers; empty if none.
    """

    text: str
    numbers: tuple[int, ...]
    kind: str
    question: str


_SMALL_TALK = re.compile(
    r"\b(?:how are you|how're you|good (?:morning|afternoon|evening)|nice to (?:meet|see)|thank you|thanks|you're welcome|you are welcome|"
    r"no problem|have a (?:good|great|nice)|take care|see you (?:later|soon)|bye|sounds good|sounds great|that makes sense|my name is|"
    r"i'm doctor|i am doctor|pleasure|how can i help|what brings you|make yourself|sorry to hear|glad to hear|good to hear|that's (?:good|"
    r"great|fine|okay|awesome|right)|i understand|i appreciate|don't worry|let me (?:see|check|look|know)|any (?:other )?questions|"
    r"hey dragon|show me|dax|is that okay|okay with you|i (?:will|'ll) be right back|come (?:on )?in|have a seat|i hope)\b", re.IGNORECASE)
_QUESTION_WORDS = re.compile(r"\b(?:what|how|when|where|why|which|who|whose)\b", re.IGNORECASE)
_HAS_ANY = re.compile(
    r"^(?:(?:and|so|but|also)\s+)*(?:(?:do|did|does|have|are|were|is|was|has|had)\s+(?:you|he|she|they|there|the patient)\s+)?(?:(?:ever|"
    r"currently|also|been|recently|still|now)\s+)*(?:(?:have|had|has|having|get|getting|gotten|got|noticed|notice|noticing|experience|"
    r"experienced|experiencing|feel|felt|feeling|seen|suffer from|suffered from|develop|developed|report|"
    r"been having)\s+)?(?:any(?:\s+(?:other|more|new|kind of|type of|sort of|history of|issues with|problems with|trouble with|"
    r"concerns about))?|how about(?: any)?|what about(?: any)?|anything like)\s+(?P<what>.+)$",
    re.IGNORECASE)
_YES_NO = re.compile(r"^(?:(?:and|so|but|also|then)\s+)*(?P<verb>do|did|have|are|were|can|could|will|"
                     r"would)\s+you\s+(?P<rest>.+)$", re.IGNORECASE)
_LEADING_REPLY = re.compile(r"^\s*(?:(?:no|nope|nah|yes|yeah|yep|yup|sure|not really|not at all)\s*(?:[,.!;]+\s*|$))+", re.IGNORECASE)
_VAGUE = re.compile(r"\b(?:anything|something|anyone|someone)\b", re.IGNORECASE)
_TAIL = re.compile(r"(?:,?\s*(?:at all|lately|recently|that you know of|right now|currently|today|or anything(?: like that| else)?|"
                   r"or something|ma'am|sir|miss|by any chance|in the past|then|with (?:it|that|this)|anything like that|correct|right|"
                   r"please|or no|or not))+$",
                   re.IGNORECASE)
_SHE = re.compile(r"\b(?:ma'am|maam|miss|mrs|ms|female|woman|lady|pregnan\w+|my husband|hysterectomy|menstrual)\b", re.IGNORECASE)
_HE = re.compile(r"\b(?:sir|mr|male|gentleman|my wife|prostate)\b", re.IGNORECASE)
_LEAST_WORDS = 2


def tell(said: Sequence[Said]) -> list[Told]:
    """Turn a conversation into statements.

    Parameters
    ----------
    said : sequence of Said
        Sentences in order; those that give orders to a language model are left out.

    Returns
    -------
    list of Told
        In order, without those that say nothing.
    """
    heard = [one for one in said if not is_order(one.text)]
    person = person_of(heard)
    told: list[Told] = []
    asked: Said | None = None
    for one in heard:
        is_clinician = _is_clinician(one.speaker)
        if is_clinician and one.text.rstrip(" \"'").endswith("?"):
            asked = one
            continue
        if is_clinician:
            asked = None
            told += _statement(one, person, None)
            continue
        told += _answer(one, asked, person)
        asked = asked if asked and not _reply(one.text) and len(one.text) < 12 else None
    return [one for one in told if len(one.text.split()) >= _LEAST_WORDS or one.question]


def person_of(said: Sequence[Said]) -> Person:
    """Tell from the words of a conversation how to speak of the patient.

    Parameters
    ----------
    said : sequence of Said
        The conversation.

    Returns
    -------
    {"he", "she", "they"}
        ``they`` where nothing tells.
    """
    text = " ".join(one.text for one in said)
    she, he = len(_SHE.findall(text)), len(_HE.findall(text))
    if any("family" in one.speaker.lower() for one in said):
        she += len(re.findall(r"\b(?:she|her)\b", text, re.IGNORECASE))
        he += len(re.findall(r"\b(?:he|his|him)\b", text, re.IGNORECASE))
    return "she" if she > he else "he" if he > she else "they"


def _is_clinician(speaker: str) -> bool:
    return bool(re.search(r"doc|clini|nurse|physician|provider|interviewer|\bdr\b", speaker, re.IGNORECASE))


def _answer(one: Said, asked: Said | None, person: Person) -> list[Told]:
    """Read an answer: what it says about the question, then what else it says."""
    if asked is None:
        return _statement(one, person, None)
    reply = _reply(one.text)
    about = _about(asked.text, reply) if reply else ""
    first = [Told(about, (asked.number, one.number), "confirmed" if reply == "yes" else "denied", asked.text)] if about else []
    return first + _statement(one, person, asked)


def _reply(text: str) -> str:
    words = re.findall(r"[a-z']+", text.lower())[:3]
    lead = next((word for word in words if word not in ("um", "uh", "well", "oh", "so", "hm", "hmm", "actually")), "")
    return "yes" if lead in YES | {"okay"} - {"okay"} or lead in ("mhm", "uhhuh") else "no" if lead in NO else ""


def _about(question: str, reply: str) -> str:
    """State what a yes or no says about a question."""
    asked = digits(clean(question)).rstrip("?!. ")
    asked = _TAIL.sub("", re.split(r"(?<=[a-z])[.?!]\s", asked)[-1]).strip(" ,")
    if any_of := _HAS_ANY.match(asked):
        what = _TAIL.sub("", any_of["what"]).strip(" ,")
        what = re.sub(r"\byour\b", "the", re.sub(r"\b(?:that you|you)\b.*$", "", what).strip(" ,") or what, flags=re.IGNORECASE)
        return sentence_case(f"Denies {what}" if reply == "no" else f"The patient has {what}")
    if _QUESTION_WORDS.match(asked):
        return ""
    plain = None if reply == "yes" and _VAGUE.search(asked) else _YES_NO.match(asked)
    return _of_yes_no(plain["verb"].lower(), plain["rest"], reply) if plain else ""


def _of_yes_no(verb: str, rest: str, reply: str) -> str:
    rest = re.sub(r"^(?:ever|also|currently|still)\s+", "", re.sub(r"\byour\b", "the", rest, flags=re.IGNORECASE), flags=re.IGNORECASE)
    rest = re.sub(r"\byou\b", "the patient", rest, flags=re.IGNORECASE)
    if reply == "no":
        denied = {"do": "does not", "did": "did not", "have": "has not", "are": "is not", "were": "was not"}.get(verb, f"{verb} not")
        has = re.match(r"(?:have|had|get|feel|experience)\s+(?:any\s+|an?\s+)?(.+)", rest, re.IGNORECASE)
        return sentence_case(f"Denies {has.group(1)}" if has and verb in ("do", "did", "have") else f"The patient {denied} {rest}")
    head, _, tail = rest.partition(" ")
    told = {"do": f"{third_person(head)} {tail}", "did": f"did {rest}", "have": f"has {rest}", "are": f"is {rest}", "were": f"was {rest}"}
    return sentence_case(f"The patient {told.get(verb, f'{verb} {rest}')}")


def _statement(one: Said, person: Person, asked: Said | None) -> list[Told]:
    """Give what a sentence says by itself."""
    if _SMALL_TALK.search(one.text) and len(one.text.split()) < 14:
        return []
    bare = digits(clean(_LEADING_REPLY.sub("", clean(one.text))))
    if len(bare.split()) < (1 if asked else _LEAST_WORDS) or not re.search(r"\w", bare) or bare.endswith("?"):
        return []
    is_clinician = _is_clinician(one.speaker)
    is_family = bool(re.search("family|mother|father|caregiver", one.speaker, re.IGNORECASE))
    text = _plan(bare) if is_clinician else bare
    whole = sentence_case(expand(text)) if is_family else to_third_person(text, person, speaker_is_patient=not is_clinician)
    kind = "clinician" if is_clinician else "answer" if asked else "patient"
    numbers = (asked.number, one.number) if asked else (one.number,)
    return [Told(whole, numbers, kind, asked.text if asked else "")] if whole else []


def _plan(text: str) -> str:
    """Say of a clinician's intention what a note says of it."""
    text = re.sub(r"\b(?:i'm|i am|we're|we are) (?:just )?(?:going to|gonna)\b", "we will", text, flags=re.IGNORECASE)
    text = re.sub(r"\b(?:i'll|i will|we'll|let's|i'd like to|i would like to|i want to|we should)\b", "we will", text, flags=re.IGNORECASE)
    return re.sub(r"\b(?:i want|i'd like|i would like|i need) you to\b", "the patient should", text, flags=re.IGNORECASE)
