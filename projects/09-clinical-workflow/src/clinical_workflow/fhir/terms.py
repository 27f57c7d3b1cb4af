"""Codes and units of charts in the words of the models: SNOMED CT, ICD-10-CM, LOINC, RxNorm and UCUM, from the files in ``codes``."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any, Literal

from carefolio.runs import read_packaged_toml
from clinical_workflow.fhir.elements import Code, codes, items, label, table

SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
ICD9 = "http://hl7.org/fhir/sid/icd-9-cm"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
CPT = "http://www.ama-assn.org/go/cpt"
_ICD9 = re.compile(r"[EV]?[0-9]{1,3}(\.[0-9]{1,2})?")
_ICD10 = re.compile(r"[A-Z][0-9][0-9A-Z](\.?[0-9A-Z]{1,4})?")
_STRENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(MG|UNT)\b", re.IGNORECASE)

How = Literal["exact", "group", "none"]
"""``exact``: by category; ``group``: only the group of diseases is known; ``none``: nothing is."""


@dataclass(frozen=True)
class Diagnosis:
    """A diagnosis in ICD-9-CM, and how it was found; ``icd9`` is None where it was not."""

    icd9: str | None
    how: How
    source: Code | None


@dataclass(frozen=True)
class Drug:
    """A diabetes drug: its column in the readmission model, its strength in the product's own unit, and whether the code was known."""

    column: str
    strength: float | None
    by: Literal["code", "name"]


@dataclass(frozen=True)
class Reading:
    """A measured value in the unit of its quantity."""

    value: float
    unit: str


@functools.cache
def code_list(name: str) -> dict[str, Any]:
    """Read one of the code lists.

    Parameters
    ----------
    name : str
        File name without its ending.

    Returns
    -------
    dict
        The parsed file.
    """
    return read_packaged_toml("clinical_workflow.fhir.codes", f"{name}.toml")


def diagnosis(concept: Any) -> Diagnosis:
    """Find the ICD-9-CM category of a diagnosis, which the readmission model reads.

    Parameters
    ----------
    concept : Any
        A Condition's ``code``, or an Encounter's ``reasonCode``.

    Returns
    -------
    Diagnosis
        By its ICD-9-CM code if it has one, else by ICD-10-CM, else by SNOMED CT.
    """
    found = codes(concept)
    nine = next((code for code in found if code.system == ICD9 and _ICD9.fullmatch(code.code)), None)
    if nine:
        return Diagnosis(nine.code, "exact", nine)
    candidates = [(code, _icd10_of(code)) for code in found]
    looked_up = [(code, *_icd9_of(ten)) for code, ten in candidates if ten]
    for how in ("exact", "group"):
        for code, nine_code, found_how in looked_up:
            if found_how == how:
                return Diagnosis(nine_code, found_how, code)
    return Diagnosis(None, "none", found[0] if found else None)


def _icd10_of(code: Code) -> str | None:
    if code.system == ICD10:
        return code.code.upper() if _ICD10.fullmatch(code.code.upper()) else None
    if code.system == SNOMED:
        return code_list("snomed_icd10")["diagnosis"].get(code.code)
    return None


def _icd9_of(icd10: str) -> tuple[str | None, How]:
    lists = code_list("icd10_icd9")
    if exact := lists["category"].get(icd10[:3]):
        return exact, "exact"
    group = lists["group"].get(icd10[:2]) or lists["group"].get(icd10[:1])
    return (group, "group") if group else (None, "none")


def is_diabetes(found: Diagnosis) -> bool:
    """Say whether a diagnosis is diabetes mellitus.

    Parameters
    ----------
    found : Diagnosis
        As `diagnosis` gives it.

    Returns
    -------
    bool
        True for ICD-9-CM 249 and 250.
    """
    return found.icd9 is not None and found.how == "exact" and found.icd9[:3] in ("249", "250")


def diabetes_drug(concept: Any) -> Drug | None:
    """Recognise a diabetes drug.

    Parameters
    ----------
    concept : Any
        A MedicationRequest's ``medicationCodeableConcept``.

    Returns
    -------
    Drug or None
        By its RxNorm code, else by the ingredients that its words name; None where it is no drug of the model's columns.
    """
    lists, words = code_list("rxnorm_drugs"), " ".join([label(concept), *(code.display for code in codes(concept))]).lower()
    named = sorted({column for name, column in lists["name"].items() if re.search(rf"\b{name}\b", words)})
    strength = _STRENGTH.search(words)
    amount = float(strength[1]) if strength else None
    if combined := lists["combination"].get("+".join(named)):
        return Drug(combined, amount, "name")
    coded = next((lists["code"][code.code] for code in codes(concept) if code.system == RXNORM and code.code in lists["code"]), None)
    if coded:
        return Drug(coded, amount, "code")
    return Drug(named[0], amount, "name") if named else None


def reading(observation: dict[str, Any], quantity: str) -> Reading | None:
    """Read a measured value in the unit that is wanted.

    Parameters
    ----------
    observation : dict
        An Observation.
    quantity : {"hba1c", "glucose", "egfr"}
        Which; see ``codes/loinc.toml``.

    Returns
    -------
    Reading or None
        None where it is another observation, has no value, or a UCUM unit that is not listed.
    """
    wanted = code_list("loinc")[quantity]
    if not any(code.system == LOINC and code.code in wanted["codes"] for code in codes(observation.get("code"))):
        return None
    value = table(observation.get("valueQuantity"))
    line = wanted["units"].get(value.get("code") if value.get("system") == UCUM else value.get("unit"))
    number = value.get("value")
    if line is None or isinstance(number, bool) or not isinstance(number, int | float) or value.get("comparator"):
        return None
    factor, offset = line
    return Reading(float(number) * factor + offset, wanted["unit"])


def is_quantity(observation: dict[str, Any], quantity: str) -> bool:
    """Say whether an observation is of a kind that is read, whatever its unit.

    Parameters
    ----------
    observation : dict
        An Observation.
    quantity : {"hba1c", "glucose", "egfr"}
        Which.

    Returns
    -------
    bool
        By its LOINC code.
    """
    wanted = code_list("loinc")[quantity]["codes"]
    return any(code.system == LOINC and code.code in wanted for code in codes(observation.get("code")))


def is_laboratory(observation: dict[str, Any]) -> bool:
    """Say whether an observation comes from the laboratory.

    Parameters
    ----------
    observation : dict
        An Observation.

    Returns
    -------
    bool
        By its category.
    """
    return any(code.code == "laboratory" for category in items(observation.get("category")) for code in codes(category))


def saw_retina(resource: dict[str, Any]) -> bool:
    """Say whether a procedure, an observation or a report is an examination of the retina.

    Parameters
    ----------
    resource : dict
        Such a resource.

    Returns
    -------
    bool
        By its codes in ``codes/retina.toml``.
    """
    lists = code_list("retina")
    known = {SNOMED: lists["snomed"], LOINC: lists["loinc"], CPT: lists["cpt"]}
    parts = [resource.get("code"), *(table(part).get("code") for part in items(resource.get("contained")))]
    return any(code.code in known.get(code.system, ()) for concept in parts for code in codes(concept))
