"""What the API takes and gives. Label sets and ranges are those of the published file; nothing here identifies a patient.

A stay is described in the file's own columns, so that one record can go to the pipeline and to the service alike. Race,
weight and identifiers have no field: the model does not use them, and a request that holds one is refused.
"""

import functools
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import CoreSchema, core_schema

from carefolio.command import DISCLAIMER
from carefolio.datasets.diabetes130 import ICD9_PATTERN, LABELS, RANGES
from carefolio.serving.fields import Integer, whole
from readmission.data import DIED, HOSPICE

MOST_EARLIER = 50
MOST_STAYS = 1000


@functools.cache
def published_codes() -> dict[str, dict[Any, str]]:
    """Read the code lists of the published file.

    Returns
    -------
    dict
        Column to {code: meaning}; for payer and specialty the code is its own meaning.
    """
    table = tomllib.loads(files("readmission").joinpath("codes.toml").read_text(encoding="utf-8"))
    return {column: {int(code): meaning for code, meaning in codes.items()} if isinstance(codes, dict) else {code: code for code in codes}
            for column, codes in table.items()}


@dataclass(frozen=True)
class OneOf:
    """A closed set of labels, for use in ``Annotated``; `typing.Literal` does not take values computed elsewhere."""

    labels: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        """Tell pydantic which labels are valid.

        Parameters
        ----------
        source, handler : Any
            Given by pydantic; not needed.

        Returns
        -------
        CoreSchema
            A literal schema.
        """
        return core_schema.literal_schema(list(self.labels))


@dataclass(frozen=True)
class CodeOf:
    """The published codes of a column of numbers, without those that ``refused`` explains; for use in ``Annotated``."""

    column: str
    refused: tuple[int, ...] = ()

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        """Tell pydantic which codes are valid; a boolean or a text is none.

        Parameters
        ----------
        source, handler : Any
            Given by pydantic; not needed.

        Returns
        -------
        CoreSchema
            A strict integer, then a literal of all published codes.
        """
        codes = core_schema.literal_schema(list(published_codes()[self.column]))
        return core_schema.no_info_before_validator_function(whole, core_schema.chain_schema([core_schema.int_schema(strict=True), codes]))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        """Describe the codes in the OpenAPI document.

        Parameters
        ----------
        schema, handler : Any
            Given by pydantic; not needed.

        Returns
        -------
        dict
            An integer of an enumeration, with what each code means.
        """
        meanings = {code: text for code, text in published_codes()[self.column].items() if code not in self.refused}
        return {"type": "integer", "enum": sorted(meanings), "description": "; ".join(f"{code} {text}" for code, text in meanings.items())}


def can_return(code: int) -> int:
    """Refuse discharges after which no return can happen.

    Parameters
    ----------
    code : int
        ``discharge_disposition_id``.

    Returns
    -------
    int
        The same code.

    Raises
    ------
    ValueError
        For a death or a discharge to hospice.
    """
    if code in (*DIED, *HOSPICE):
        raise ValueError("a discharge after which a patient can come back; the model does not apply after death "
                         f"({_listed(DIED)}) or discharge to hospice ({_listed(HOSPICE)})")
    return code


def can_be_earlier(code: int) -> int:
    """Refuse an earlier stay that ended in death.

    Parameters
    ----------
    code : int
        ``discharge_disposition_id``.

    Returns
    -------
    int
        The same code.

    Raises
    ------
    ValueError
        For a death.
    """
    if code in DIED:
        raise ValueError(f"a discharge alive, because another stay follows; {_listed(DIED)} mean that the patient died")
    return code


def _listed(codes: tuple[int, ...]) -> str:
    return ", ".join(map(str, codes))


def _count(column: str, description: str) -> Any:
    low, high = RANGES[column]
    return Field(ge=low, le=high, description=description)


def _texts(column: str) -> OneOf:
    return OneOf(tuple(published_codes()[column]))


Dose = Annotated[str, OneOf(LABELS["insulin"])]
Diagnosis = Annotated[str, StringConstraints(pattern=ICD9_PATTERN)]
ReturnableDischarge = Annotated[int, CodeOf("discharge_disposition_id", refused=DIED + HOSPICE), AfterValidator(can_return)]
EarlierDischarge = Annotated[int, CodeOf("discharge_disposition_id", refused=DIED), AfterValidator(can_be_earlier)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Stay(_Model):
    """What current and earlier stays have in common, in the published file's columns."""

    gender: Annotated[str, OneOf(LABELS["gender"])]
    age: Annotated[str, OneOf(LABELS["age"])] = Field(description="Decade of age in years")
    admission_type_id: Annotated[int, CodeOf("admission_type_id")]
    admission_source_id: Annotated[int, CodeOf("admission_source_id")]
    time_in_hospital: Integer = _count("time_in_hospital", "Length of stay, in days")
    payer_code: Annotated[str, _texts("payer_code")] | None = Field(None, description="Rare payers count as not known")
    medical_specialty: Annotated[str, _texts("medical_specialty")] | None = Field(
        None, description="Specialty of the admitting physician; rare ones count as not known")
    num_lab_procedures: Integer = _count("num_lab_procedures", "Laboratory tests during the stay")
    num_procedures: Integer = _count("num_procedures", "Other procedures during the stay")
    num_medications: Integer = _count("num_medications", "Distinct medications during the stay")
    number_outpatient: Integer = _count("number_outpatient", "Outpatient visits in the year before the stay")
    number_emergency: Integer = _count("number_emergency", "Emergency visits in the year before the stay")
    number_inpatient: Integer = _count("number_inpatient", "Hospital stays in the year before the stay")
    diag_1: Diagnosis | None = Field(None, description="Main diagnosis, ICD-9-CM")
    diag_2: Diagnosis | None = Field(None, description="Second diagnosis, ICD-9-CM")
    diag_3: Diagnosis | None = Field(None, description="Third diagnosis, ICD-9-CM")
    number_diagnoses: Integer = _count("number_diagnoses", "Number of diagnoses on record")
    max_glu_serum: Annotated[str, OneOf(LABELS["max_glu_serum"])] = Field("not_measured", description="Glucose, mg/dL")
    A1Cresult: Annotated[str, OneOf(LABELS["A1Cresult"])] = Field("not_measured", description="HbA1c, percent")
    change: Annotated[str, OneOf(LABELS["change"])] = Field(description="Change of diabetes medication: Ch or No")
    diabetes_med: Annotated[str, OneOf(LABELS["diabetesMed"])] = Field(alias="diabetesMed", description="Any diabetes medication")
    metformin: Dose = "No"
    repaglinide: Dose = "No"
    nateglinide: Dose = "No"
    chlorpropamide: Dose = "No"
    glimepiride: Dose = "No"
    acetohexamide: Dose = "No"
    glipizide: Dose = "No"
    glyburide: Dose = "No"
    tolbutamide: Dose = "No"
    pioglitazone: Dose = "No"
    rosiglitazone: Dose = "No"
    acarbose: Dose = "No"
    miglitol: Dose = "No"
    troglitazone: Dose = "No"
    tolazamide: Dose = "No"
    examide: Dose = "No"
    citoglipton: Dose = "No"
    insulin: Dose = "No"
    glyburide_metformin: Dose = Field("No", alias="glyburide-metformin")
    glipizide_metformin: Dose = Field("No", alias="glipizide-metformin")
    glimepiride_pioglitazone: Dose = Field("No", alias="glimepiride-pioglitazone")
    metformin_rosiglitazone: Dose = Field("No", alias="metformin-rosiglitazone")
    metformin_pioglitazone: Dose = Field("No", alias="metformin-pioglitazone")


class Encounter(Stay):
    """The stay that ends now."""

    discharge_disposition_id: ReturnableDischarge


class EarlierEncounter(Stay):
    """A stay of the same patient that ended before."""

    discharge_disposition_id: EarlierDischarge
    returned_within_30_days: bool = Field(strict=True, description="Whether the patient was in hospital again within 30 days of it")


class PatientStay(_Model):
    """One discharge to predict for, with what is on file about the patient."""

    encounter: Encounter
    earlier_encounters: list[EarlierEncounter] = Field([], max_length=MOST_EARLIER, description="Oldest first; empty for a first stay")

    def columns(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Give the stays as `readmission.one_row.build_one` reads them.

        Returns
        -------
        tuple of (dict, list of dict)
            The current stay, and the earlier ones each with ``readmitted``; keys are published column names.
        """
        earlier = [stay.model_dump(by_alias=True) for stay in self.earlier_encounters]
        labels = ["<30" if stay["returned_within_30_days"] else "NO" for stay in earlier]
        return (self.encounter.model_dump(by_alias=True),
                [stay | {"readmitted": label} for stay, label in zip(earlier, labels, strict=True)])


class PatientStays(_Model):
    """Many discharges at once."""

    stays: list[PatientStay] = Field(min_length=1, max_length=MOST_STAYS)


class ServedModel(_Model):
    """Which model answered."""

    name: str = "readmission"
    version: str = Field(description="Version of the software")
    sha256: str = Field(description="SHA-256 of the model file")


class Prediction(_Model):
    """The risk of one patient."""

    risk: float = Field(ge=0, le=1, description="Probability of being in hospital again within 30 days of discharge")
    model: ServedModel
    disclaimer: str = DISCLAIMER


class Predictions(_Model):
    """The risks of many patients."""

    risks: list[Annotated[float, Field(ge=0, le=1)]] = Field(description="In the order of the request")
    model: ServedModel
    disclaimer: str = DISCLAIMER


class Reason(_Model):
    """What one feature does to one prediction."""

    feature: str
    label: str = Field(description="The feature in words")
    value: int | float | str | None = Field(description="Its value for this patient; null is not known")
    log_odds: float = Field(description="Its contribution; positive raises the risk")


class Explanation(_Model):
    """A risk, and what it is made of: ``baseline_log_odds`` and all ``log_odds`` of ``reasons`` sum to ``log_odds``."""

    risk: float = Field(ge=0, le=1, description="As `/predict` gives it")
    log_odds: float = Field(description="log(risk / (1 - risk))")
    baseline_log_odds: float = Field(description="Where every prediction starts")
    reasons: list[Reason] = Field(description="Every feature, strongest first; TreeSHAP contributions rounded to four decimals")
    model: ServedModel
    disclaimer: str = DISCLAIMER


FIRST_STAY: dict[str, Any] = {"encounter": {
    "gender": "Female", "age": "[60-70)", "admission_type_id": 3, "admission_source_id": 1, "discharge_disposition_id": 1,
    "time_in_hospital": 3, "num_lab_procedures": 35, "num_procedures": 1, "num_medications": 12, "number_outpatient": 0,
    "number_emergency": 0, "number_inpatient": 0, "number_diagnoses": 6, "diag_1": "715", "change": "No", "diabetesMed": "Yes",
    "metformin": "Steady"}}
"""A made-up patient, admitted for the first time, for an elective operation."""
RETURNING: dict[str, Any] = {
    "encounter": {
        "gender": "Male", "age": "[70-80)", "admission_type_id": 1, "admission_source_id": 7, "discharge_disposition_id": 3,
        "time_in_hospital": 8, "payer_code": "MC", "medical_specialty": "InternalMedicine", "num_lab_procedures": 61,
        "num_procedures": 2, "num_medications": 21, "number_outpatient": 1, "number_emergency": 2, "number_inpatient": 3,
        "number_diagnoses": 9, "diag_1": "428", "diag_2": "584", "diag_3": "250.4", "max_glu_serum": ">200", "A1Cresult": ">8",
        "change": "Ch", "diabetesMed": "Yes", "metformin": "Down", "insulin": "Up", "glyburide-metformin": "No"},
    "earlier_encounters": [{
        "gender": "Male", "age": "[70-80)", "admission_type_id": 1, "admission_source_id": 7, "discharge_disposition_id": 6,
        "time_in_hospital": 5, "payer_code": "MC", "num_lab_procedures": 48, "num_procedures": 0, "num_medications": 17,
        "number_outpatient": 0, "number_emergency": 1, "number_inpatient": 2, "number_diagnoses": 9, "diag_1": "427",
        "diag_2": "428", "diag_3": "250", "change": "Ch", "diabetesMed": "Yes", "insulin": "Steady",
        "returned_within_30_days": True}]}
"""A made-up patient with heart failure who was in hospital before."""
EXAMPLES: dict[str, dict[str, Any]] = {
    "/predict": {"first stay": FIRST_STAY, "returning": RETURNING},
    "/predict/batch": {"two patients": {"stays": [FIRST_STAY, RETURNING]}},
    "/explain": {"returning": RETURNING, "first stay": FIRST_STAY},
}
