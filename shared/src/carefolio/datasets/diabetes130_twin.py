"""A synthetic twin of the diabetes130 table, for machines that cannot get the real one.

No row and no relation between columns is taken or fitted from patients: the tables below are stated assumptions, rounded so
that each column alone looks plausible for such a hospital population. The assumed truth is that earlier inpatient stays,
discharge to a nursing or rehabilitation place, age, length of stay and an unseen frailty raise the risk of readmission within
30 days; everything else is noise. Results on the twin show that code runs. They say nothing about patients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from carefolio.datasets.diabetes130 import DRUGS, LABELS, column_types

if TYPE_CHECKING:
    import polars as pl

Vector = np.ndarray[Any, np.dtype[Any]]

AGE_WEIGHTS = (0.002, 0.008, 0.02, 0.04, 0.10, 0.17, 0.22, 0.25, 0.16, 0.03)
RACE_WEIGHTS = (0.19, 0.01, 0.74, 0.02, 0.02, 0.02)
"""The last is missing."""
EVER_TAKEN = dict(zip(DRUGS, (
    0.20, 0.015, 0.007, 0.001, 0.05, 0.0005, 0.12, 0.10, 0.001, 0.07, 0.06, 0.003, 0.001, 0.0005, 0.001, 0.0, 0.0,
    0.53, 0.007, 0.0005, 0.0005, 0.0005, 0.0005), strict=True))
"""Assumed share of encounters with the drug."""
ADMISSION_TYPES = ((1, 0.53), (2, 0.18), (3, 0.19), (5, 0.05), (6, 0.05))
ADMISSION_SOURCES = ((7, 0.57), (1, 0.29), (4, 0.04), (6, 0.03), (2, 0.02), (17, 0.05))
DISCHARGES = ((1, 0.62), (3, 0.12), (6, 0.13), (22, 0.03), (2, 0.03), (5, 0.02), (18, 0.04), (7, 0.01))
DISCHARGES_OLD = ((1, 0.46), (3, 0.24), (6, 0.16), (22, 0.04), (2, 0.03), (5, 0.02), (18, 0.04), (7, 0.01))
LAST_DISCHARGES = ((0, 0.965), (11, 0.022), (13, 0.006), (14, 0.007))
"""How a patient's last encounter may end: 0 keeps the ordinary discharge; 11 died; 13 and 14 hospice."""
DIAGNOSES = (
    ("428", 0.10), ("414", 0.09), ("786", 0.06), ("410", 0.05), ("486", 0.05), ("427", 0.05), ("491", 0.04), ("715", 0.04),
    ("682", 0.04), ("434", 0.03), ("780", 0.03), ("996", 0.03), ("276", 0.07), ("250", 0.08), ("250.6", 0.02), ("250.8", 0.03),
    ("250.13", 0.01), ("401", 0.06), ("496", 0.03), ("599", 0.03), ("403", 0.02), ("584", 0.02), ("V57", 0.01), ("E888", 0.01))
PAYERS = (("MC", 0.32), ("HM", 0.07), ("SP", 0.05), ("BC", 0.05), ("MD", 0.04), ("UN", 0.03), ("CP", 0.03), ("OG", 0.01), (None, 0.40))
SPECIALTIES = (
    ("InternalMedicine", 0.15), ("Emergency/Trauma", 0.08), ("Family/GeneralPractice", 0.08), ("Cardiology", 0.06),
    ("Surgery-General", 0.04), ("Nephrology", 0.03), ("Orthopedics", 0.03), ("Pulmonology", 0.02), (None, 0.51))
WEIGHT_BANDS = (("[50-75)", 0.01), ("[75-100)", 0.013), ("[100-125)", 0.007), (None, 0.97))
GLUCOSE = (("not_measured", 0.95), ("Norm", 0.025), (">200", 0.015), (">300", 0.01))
HBA1C = (("not_measured", 0.83), ("Norm", 0.05), (">7", 0.04), (">8", 0.08))
FRAIL_PLACES = (2, 3, 5, 22)


def make_diabetes130_twin(n_patients: int, random_state: int) -> pl.DataFrame:
    """Generate encounters with the schema and the codes of the real table.

    Parameters
    ----------
    n_patients : int
        Number of patients, at least 1; about 1.4 encounters each.
    random_state : int
        Seed; the same seed gives the same table.

    Returns
    -------
    polars.DataFrame
        One row an encounter, sorted by ``encounter_id``, whose order is the order of time within each patient.

    Raises
    ------
    ValueError
        If ``n_patients`` is less than 1.
    """
    if n_patients < 1:
        raise ValueError(f"n_patients must be at least 1; got {n_patients}.")
    import polars as pl

    rng = np.random.default_rng(random_state)
    patients = _patients(n_patients, rng)
    rows = _encounters(patients, rng)
    columns = rows | _treatment(len(rows["encounter_id"]), rng)
    columns["readmitted"] = _outcome(columns, rng)
    frame = pl.DataFrame({name: _series(columns[name], name, dtype) for name, dtype in column_types().items()})
    return frame.sort("encounter_id")


def _patients(n: int, rng: np.random.Generator) -> dict[str, Vector]:
    age = rng.choice(10, n, p=_normalised(AGE_WEIGHTS))
    frailty = rng.normal(0, 1, n) + 0.15 * (age - 6.5)
    return {
        "patient_nbr": rng.permutation(np.cumsum(rng.integers(1, 2_000, n))),
        "race": rng.choice(6, n, p=RACE_WEIGHTS),
        "gender": rng.choice(2, n, p=(0.54, 0.46)),
        "age": age,
        "frailty": frailty,
        "encounters": 1 + np.minimum(rng.poisson(0.30 * np.exp(0.6 * frailty)), 30),
    }


def _encounters(patients: dict[str, Vector], rng: np.random.Generator) -> dict[str, Any]:
    count = patients["encounters"]
    n = int(count.sum())
    ends = np.cumsum(count)
    earlier = np.arange(n) - np.repeat(ends - count, count)
    rows: dict[str, Any] = {name: np.repeat(values, count) for name, values in patients.items() if name != "encounters"}
    rows["earlier"], rows["is_last"] = earlier, np.isin(np.arange(n), ends - 1)
    rows["encounter_id"] = _ids_in_order_of_time(earlier, rng)
    return rows | _stay(rows, n, rng)


def _ids_in_order_of_time(earlier: Vector, rng: np.random.Generator) -> Vector:
    patient = np.cumsum(earlier == 0) - 1
    start = rng.uniform(0, 10, patient[-1] + 1)[patient]
    time = start + earlier + rng.uniform(0, 0.9, len(earlier))
    ids = np.empty(len(earlier), dtype=np.int64)
    ids[np.argsort(time, kind="stable")] = 10_000 + np.cumsum(rng.integers(1, 3_000, len(earlier)))
    return ids


def _stay(rows: dict[str, Any], n: int, rng: np.random.Generator) -> dict[str, Any]:
    frailty, old = rows["frailty"], rows["age"] >= 7
    days = np.clip(1 + rng.gamma(1.6, 2.1, n).astype(int), 1, 14)
    final = _pick(LAST_DISCHARGES, n, rng) * rows["is_last"]
    place = np.where(old, _pick(DISCHARGES_OLD, n, rng), _pick(DISCHARGES, n, rng))
    return {
        "admission_type_id": _pick(ADMISSION_TYPES, n, rng),
        "admission_source_id": _pick(ADMISSION_SOURCES, n, rng),
        "discharge_disposition_id": np.where(final > 0, final, place),
        "time_in_hospital": days,
        "num_lab_procedures": np.clip(rng.normal(43, 19, n).astype(int), 1, 120),
        "num_procedures": np.minimum(rng.poisson(1.3, n), 6),
        "num_medications": np.clip(rng.poisson(12 + 0.9 * days), 1, 80),
        "number_outpatient": np.minimum(rng.poisson(0.3 * np.exp(rng.normal(0, 0.8, n))), 40),
        "number_emergency": np.minimum(rng.poisson(0.12 * np.exp(0.6 * frailty)), 60),
        "number_inpatient": np.minimum(rng.poisson(0.3 * np.exp(0.7 * frailty)) + rng.binomial(rows["earlier"], 0.5), 20),
        "number_diagnoses": np.clip(rng.normal(7.5 + 0.2 * frailty, 1.8, n).astype(int), 1, 16),
    }


def _treatment(n: int, rng: np.random.Generator) -> dict[str, Any]:
    columns: dict[str, Any] = {"weight": _pick(WEIGHT_BANDS, n, rng), "payer_code": _pick(PAYERS, n, rng),
                               "medical_specialty": _pick(SPECIALTIES, n, rng), "max_glu_serum": _pick(GLUCOSE, n, rng),
                               "A1Cresult": _pick(HBA1C, n, rng)}
    for place, missing in (("diag_1", 0.0002), ("diag_2", 0.004), ("diag_3", 0.014)):
        columns[place] = _pick(DIAGNOSES, n, rng)
        columns[place][rng.random(n) < missing] = None
    taken, changed = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    for drug, share in EVER_TAKEN.items():
        steady = 0.57 if drug == "insulin" else 0.90
        dose = rng.choice(3, n, p=((1 - steady) / 2, steady, (1 - steady) / 2)) + 1
        columns[drug] = np.where(rng.random(n) < share, dose, 0)
        taken |= columns[drug] > 0
        changed |= (columns[drug] == 1) | (columns[drug] == 3)
    columns["change"] = changed | (taken & (rng.random(n) < 0.2))
    columns["diabetesMed"] = taken
    return columns


def _outcome(columns: dict[str, Any], rng: np.random.Generator) -> Vector:
    place, inpatient = columns["discharge_disposition_id"], np.minimum(columns["number_inpatient"], 6)
    n = len(place)
    soon = (-2.60 + 0.40 * inpatient + 0.45 * np.isin(place, FRAIL_PLACES) + 0.20 * (place == 6)
            + 0.08 * (columns["age"] - 6) + 0.03 * (columns["time_in_hospital"] - 4) + 0.25 * columns["frailty"])
    later = -0.70 + 0.30 * inpatient + 0.15 * columns["frailty"]
    label = np.where(rng.random(n) < _logistic(soon), 2, np.where(rng.random(n) < _logistic(later), 1, 0))
    return np.where(np.isin(place, (11, 13, 14)), 0, label)


def _logistic(x: Vector) -> Vector:
    return 1 / (1 + np.exp(-x))


def _normalised(weights: tuple[float, ...]) -> Vector:
    return np.asarray(weights) / sum(weights)


def _pick(table: tuple[tuple[Any, float], ...], n: int, rng: np.random.Generator) -> Vector:
    values, weights = zip(*table, strict=True)
    kind = np.int64 if isinstance(values[0], int) else object
    return np.asarray(values, dtype=kind)[rng.choice(len(values), n, p=_normalised(weights))]


def _series(values: Any, name: str, dtype: Any) -> pl.Series:
    import polars as pl

    if values.dtype == object:
        return pl.Series(name, values.tolist(), dtype=dtype)
    if name in LABELS:
        labels = pl.Series(name, [*LABELS[name], None], dtype=dtype)
        return labels.gather(values.astype(np.uint32))
    return pl.Series(name, values, dtype=dtype)
