"""The same features as `features.py` for one encounter in plain Python.

The service answers one patient at a time, where building a data frame costs more than the model. The tests hold both
statements equal on every row, so this is also the readable reference of the columnar code.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from carefolio.datasets.diabetes130 import DRUGS
from readmission.features import CODES, COUNTS
from readmission.icd9 import category_lookup, charlson_index, icd9_category

Encounter = Mapping[str, Any]


def build_one(encounter: Encounter, earlier: Sequence[Encounter] = ()) -> dict[str, Any]:
    """Compute the features of one encounter.

    Parameters
    ----------
    encounter : mapping
        Published column name to value; None is "not known".
    earlier : sequence of mapping
        Earlier stays of the same patient, oldest first, each with its ``readmitted``.

    Returns
    -------
    dict
        A value for each name in `readmission.features.FEATURES`.
    """
    stay = _stay(encounter)
    visits = encounter["number_outpatient"] + encounter["number_emergency"] + encounter["number_inpatient"]
    age_years = int(encounter["age"].lstrip("[").split("-")[0]) + 5
    states = [encounter[drug] for drug in DRUGS]
    return stay | _diagnoses(encounter) | _history(stay, earlier) | {
        "age_years": age_years,
        "visits_1y": visits,
        "drugs_taken": sum(state != "No" for state in states),
        "drugs_increased": states.count("Up"),
        "drugs_decreased": states.count("Down"),
    }


def _stay(encounter: Encounter) -> dict[str, Any]:
    counts = {name: encounter[source] for name, source in COUNTS.items()}
    codes = {name: None if encounter[source] is None else str(encounter[source]) for name, source in CODES.items()}
    return counts | codes | {"diagnosis_group_1": _group(encounter["diag_1"])}


def _group(code: str | None) -> str | None:
    return None if code is None else category_lookup().get(icd9_category(code), ("other", 0, 0))[0]


def _diagnoses(encounter: Encounter) -> dict[str, Any]:
    codes = [encounter[f"diag_{i}"] for i in (1, 2, 3)]
    found = [category_lookup().get(icd9_category(code), ("other", 0, 0)) for code in codes if code is not None]
    charlson = elixhauser = 0
    for _, charlson_mask, elixhauser_mask in found:
        charlson |= charlson_mask
        elixhauser |= elixhauser_mask
    groups = {f"diagnosis_group_{i}": _group(code) for i, code in enumerate(codes, start=1)}
    return groups | {"charlson_index": charlson_index(charlson), "elixhauser_count": elixhauser.bit_count()}


def _history(stay: dict[str, Any], earlier: Sequence[Encounter]) -> dict[str, Any]:
    last = _stay(earlier[-1]) if earlier else {}
    returned = [past["readmitted"] == "<30" for past in earlier]
    groups = (stay["diagnosis_group_1"], last.get("diagnosis_group_1"))
    return {
        "earlier_stays": len(earlier),
        "earlier_returns": sum(returned),
        "last_stay_returned": int(returned[-1]) if returned else None,
        "earlier_bed_days": sum(past["time_in_hospital"] for past in earlier),
        "last_los_days": last.get("los_days"),
        "last_medications": last.get("medications"),
        "last_lab_procedures": last.get("lab_procedures"),
        "last_inpatient_stays_1y": last.get("inpatient_stays_1y"),
        "last_emergency_visits_1y": last.get("emergency_visits_1y"),
        "last_discharge_to": last.get("discharge_to"),
        "same_group_as_last": None if None in groups else int(groups[0] == groups[1]),
    }
