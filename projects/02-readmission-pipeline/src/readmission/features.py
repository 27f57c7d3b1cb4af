"""What is known at discharge, as columns: patient, stay, diagnoses, medication and the patient's earlier stays.

Every function is pure and columnar. The order of a patient's stays is that of ``encounter_id``; the file has no dates. A row
sees its own stay and stays of the same patient that came before it, never one that came after: shift and running sums within
the patient are the only operations that look at other rows, and on sorted rows each is one pass without grouping.
`one_row.py` states the same features for a single encounter.
"""

import polars as pl

from carefolio.datasets.diabetes130 import DRUGS
from readmission.icd9 import category_table, charlson_index

PATIENT = "patient_nbr"
ENCOUNTER = "encounter_id"
COUNTS = {"los_days": "time_in_hospital", "lab_procedures": "num_lab_procedures", "procedures": "num_procedures",
          "medications": "num_medications", "outpatient_visits_1y": "number_outpatient", "emergency_visits_1y": "number_emergency",
          "inpatient_stays_1y": "number_inpatient", "diagnoses": "number_diagnoses"}
CODES = {"gender": "gender", "admission_type": "admission_type_id", "admission_source": "admission_source_id",
         "discharge_to": "discharge_disposition_id", "payer": "payer_code", "specialty": "medical_specialty",
         "glucose": "max_glu_serum", "a1c": "A1Cresult", "medication_change": "change", "diabetes_medication": "diabetesMed",
         "insulin": "insulin", "metformin": "metformin"}

NUMERIC = ("age_years", *COUNTS, "visits_1y", "drugs_taken", "drugs_increased", "drugs_decreased", "charlson_index",
           "elixhauser_count", "earlier_stays", "earlier_returns", "last_stay_returned", "earlier_bed_days", "last_los_days",
           "last_medications", "last_lab_procedures", "last_inpatient_stays_1y", "last_emergency_visits_1y", "same_group_as_last")
CATEGORICAL = (*CODES, "diagnosis_group_1", "diagnosis_group_2", "diagnosis_group_3", "last_discharge_to")
FEATURES = (*NUMERIC, *CATEGORICAL)


def build_features(encounters: pl.DataFrame) -> pl.DataFrame:
    """Compute all features of all encounters.

    Parameters
    ----------
    encounters : polars.DataFrame
        Validated encounters in the published columns; all stays of a patient must be present, in any order.

    Returns
    -------
    polars.DataFrame
        ``encounter_id``, ``patient_nbr`` and the columns of `FEATURES`, sorted by patient and encounter; a numeric null
        means "not known" or "no earlier stay". Race is left out on purpose: it is used to audit the model, not by it.
    """
    ordered = encounters.sort(PATIENT, ENCOUNTER)
    return ordered.pipe(add_patient_and_stay).pipe(add_medication).pipe(add_diagnoses).pipe(add_history).select(
        ENCOUNTER, PATIENT, *[pl.col(name).cast(pl.Float32) for name in NUMERIC], *CATEGORICAL)


def add_patient_and_stay(frame: pl.DataFrame) -> pl.DataFrame:
    """Add age, counts of the stay and of the year before, and the coded columns as text.

    Parameters
    ----------
    frame : polars.DataFrame
        Encounters.

    Returns
    -------
    polars.DataFrame
        With ``age_years`` (middle of the published decade), the keys of `COUNTS` and `CODES`, and ``visits_1y``.
    """
    visits = pl.col("number_outpatient") + pl.col("number_emergency") + pl.col("number_inpatient")
    return frame.with_columns(
        (pl.col("age").cast(pl.String).str.extract(r"\[(\d+)", 1).cast(pl.Int32) + 5).alias("age_years"),
        visits.alias("visits_1y"),
        *[pl.col(source).alias(name) for name, source in COUNTS.items()],
        *[pl.col(source).cast(pl.String).alias(name) for name, source in CODES.items()],
    )


def add_medication(frame: pl.DataFrame) -> pl.DataFrame:
    """Count the diabetes drugs taken, increased and decreased during the stay.

    Parameters
    ----------
    frame : polars.DataFrame
        Encounters with the 23 columns of `DRUGS` (``No``, ``Steady``, ``Up``, ``Down``).

    Returns
    -------
    polars.DataFrame
        With ``drugs_taken``, ``drugs_increased`` and ``drugs_decreased``.
    """
    drugs = [pl.col(drug) for drug in DRUGS]
    return frame.with_columns(
        pl.sum_horizontal((drug != "No").cast(pl.Int32) for drug in drugs).alias("drugs_taken"),
        pl.sum_horizontal((drug == "Up").cast(pl.Int32) for drug in drugs).alias("drugs_increased"),
        pl.sum_horizontal((drug == "Down").cast(pl.Int32) for drug in drugs).alias("drugs_decreased"),
    )


def add_diagnoses(frame: pl.DataFrame) -> pl.DataFrame:
    """Add clinical groups and comorbidity scores of the three diagnoses.

    Parameters
    ----------
    frame : polars.DataFrame
        Encounters with ``diag_1``, ``diag_2``, ``diag_3`` as ICD-9-CM text or null.

    Returns
    -------
    polars.DataFrame
        With ``diagnosis_group_1`` to ``_3`` (null where there is no code), ``charlson_index`` and ``elixhauser_count``.
    """
    table = category_table()
    for i in (1, 2, 3):
        category = pl.col(f"diag_{i}").str.split(".").list.first().str.zfill(3)
        columns = table.rename({"group": f"diagnosis_group_{i}", "charlson": f"_charlson_{i}", "elixhauser": f"_elixhauser_{i}"})
        frame = frame.with_columns(category.alias("_category")).join(
            columns, left_on="_category", right_on="category", how="left", maintain_order="left").drop("_category")
    present = [pl.col(f"diag_{i}").is_not_null() for i in (1, 2, 3)]
    frame = frame.with_columns(
        *[pl.when(present[i - 1]).then(pl.col(f"diagnosis_group_{i}").fill_null("other")).alias(f"diagnosis_group_{i}")
          for i in (1, 2, 3)],
        *[_union(f"_{name}").alias(f"_{name}") for name in ("charlson", "elixhauser")],
    )
    masks = frame["_charlson"].unique()
    return frame.with_columns(
        pl.col("_charlson").replace_strict(masks, [charlson_index(mask) for mask in masks], return_dtype=pl.Int32).alias("charlson_index"),
        pl.col("_elixhauser").bitwise_count_ones().alias("elixhauser_count"),
    )


def _union(prefix: str) -> pl.Expr:
    first, second, third = (pl.col(f"{prefix}_{i}").fill_null(0) for i in (1, 2, 3))
    return first | second | third


def add_history(frame: pl.DataFrame) -> pl.DataFrame:
    """Add what the patient's earlier stays tell.

    Parameters
    ----------
    frame : polars.DataFrame
        Result of the other steps, sorted by patient and encounter.

    Returns
    -------
    polars.DataFrame
        With counts and sums over earlier stays and the ``last_*`` columns, null at a patient's first stay.

    Notes
    -----
    Whether an earlier stay was followed by a return within 30 days is known by the time of a later stay, because that return
    is the later stay or lies before it. Only ``<30`` against the rest is used. ``NO`` on an earlier stay would contradict the
    later one (490 of 30,248 such rows in the real file) and hint at stays out of order.
    """
    returned = (pl.col("readmitted") == "<30").cast(pl.Int64)
    last = {"last_los_days": "los_days", "last_medications": "medications", "last_lab_procedures": "lab_procedures",
            "last_inpatient_stays_1y": "inpatient_stays_1y", "last_emergency_visits_1y": "emergency_visits_1y",
            "last_discharge_to": "discharge_to"}
    group = pl.col("diagnosis_group_1")
    return frame.with_columns(
        _sum_of_earlier(pl.repeat(1, pl.len(), dtype=pl.Int64)).alias("earlier_stays"),
        _sum_of_earlier(returned).alias("earlier_returns"),
        _previous(returned).alias("last_stay_returned"),
        _sum_of_earlier(pl.col("los_days").cast(pl.Int64)).alias("earlier_bed_days"),
        *[_previous(pl.col(source)).alias(name) for name, source in last.items()],
        (group == _previous(group)).cast(pl.Int32).alias("same_group_as_last"),
    )


def _is_first() -> pl.Expr:
    return pl.col(PATIENT).ne_missing(pl.col(PATIENT).shift(1))


def _previous(values: pl.Expr) -> pl.Expr:
    return pl.when(~_is_first()).then(values.shift(1))


def _sum_of_earlier(values: pl.Expr) -> pl.Expr:
    """Running sum up to the row before, less what it was at the patient's first row: no grouping, one pass."""
    before = values.cum_sum() - values
    return before - pl.when(_is_first()).then(before).forward_fill()
