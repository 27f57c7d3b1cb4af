"""From a chart to what the readmission model reads: one stay and the stays before it, in the columns of its API.

Nothing is guessed in silence: a column whose value the chart does not hold gets the published code for "not recorded", and its name goes
into ``assumed``. Whether the model may be asked at all is said in ``reasons_not``: it was made for inpatients with diabetes who go home.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from clinical_workflow.fhir.chart import Chart
from clinical_workflow.fhir.elements import Code, codes, items, moment, period, reference_id, status_codes, table, when
from clinical_workflow.fhir.terms import (
    Diagnosis,
    Drug,
    code_list,
    diabetes_drug,
    diagnosis,
    is_diabetes,
    is_laboratory,
    reading,
)

YEAR = timedelta(days=365)
MONTH = timedelta(days=30)
LONGEST_STAY_DAYS = 14
MOST_DIAGNOSES = 16
MOST_EARLIER = 50
DIED = (11, 19, 20, 21)
HOSPICE = (13, 14)
NOT_RECORDED = {"admission_type_id": 6, "admission_source_id": 17, "discharge_disposition_id": 18}
Coded = list[tuple[dict[str, Any], Diagnosis]]


@dataclass(frozen=True)
class StayFeatures:
    """What the readmission API is asked, which of its columns had to be assumed, and why it may not be asked, if so."""

    request: dict[str, Any]
    assumed: tuple[str, ...]
    reasons_not: tuple[str, ...]

    @property
    def applies(self) -> bool:
        """Say whether the model was made for such a stay.

        Returns
        -------
        bool
            True where no reason speaks against it.
        """
        return not self.reasons_not


def build_stay(chart: Chart, encounter: dict[str, Any], *, now: datetime) -> StayFeatures:
    """Describe a stay as the readmission API reads it.

    Parameters
    ----------
    chart : Chart
        The patient's chart, with exactly one Patient.
    encounter : dict
        The Encounter that ends.
    now : datetime
        End of a stay that is not over.

    Returns
    -------
    StayFeatures
        The request; it is complete even where the model does not apply.
    """
    earlier = earlier_stays(chart, encounter, now=now)
    columns, assumed = stay_columns(chart, encounter, now=now)
    starts = [*(period(stay)[0] for stay in earlier[1:]), period(encounter)[0]]
    past = [_past_columns(chart, stay, following, now=now) for stay, following in zip(earlier, starts, strict=False)]
    request = {"encounter": columns, "earlier_encounters": past}
    return StayFeatures(request, tuple(assumed), tuple(reasons_not(chart, encounter, columns)))


def _past_columns(chart: Chart, stay: dict[str, Any], following: datetime | None, *, now: datetime) -> dict[str, Any]:
    columns, _ = stay_columns(chart, stay, now=now)
    end = period(stay)[1]
    if columns["discharge_disposition_id"] in DIED:  # another stay follows, so the code cannot be right
        columns["discharge_disposition_id"] = NOT_RECORDED["discharge_disposition_id"]
    return columns | {"returned_within_30_days": bool(end and following and following - end <= MONTH)}


def reasons_not(chart: Chart, encounter: dict[str, Any], columns: dict[str, Any]) -> list[str]:
    """Say why the readmission model may not be asked about a stay.

    Parameters
    ----------
    chart : Chart
        The patient's chart.
    encounter : dict
        The stay.
    columns : dict
        Its columns.

    Returns
    -------
    list of str
        Empty where nothing speaks against it.
    """
    patient = chart.patient() or {}
    found = []
    if encounter_kind(encounter) != "inpatient":
        found.append("not a hospital stay")
    if period(encounter)[0] is None:
        found.append("start of the stay not known")
    if moment(patient.get("birthDate")) is None:
        found.append("age not known")
    if not has_diabetes(chart):
        found.append("no diabetes on record")
    if columns["discharge_disposition_id"] in DIED or patient.get("deceasedBoolean") is True or patient.get("deceasedDateTime"):
        found.append("the patient died")
    if columns["discharge_disposition_id"] in HOSPICE:
        found.append("discharged to hospice")
    return found


def has_diabetes(chart: Chart) -> bool:
    """Say whether the chart has a diagnosis of diabetes or a drug that is given for nothing else.

    Parameters
    ----------
    chart : Chart
        The patient's chart.

    Returns
    -------
    bool
        Metformin alone does not count: it is given for other reasons too.
    """
    if any(is_diabetes(diagnosis(condition.get("code"))) for condition in chart.of("Condition")):
        return True
    drugs = (diabetes_drug(order.get("medicationCodeableConcept")) for order in chart.of("MedicationRequest"))
    return any(drug and drug.column != "metformin" for drug in drugs)


def stay_columns(chart: Chart, encounter: dict[str, Any], *, now: datetime) -> tuple[dict[str, Any], list[str]]:
    """Describe one stay in the columns that current and earlier stays have in common.

    Parameters
    ----------
    chart : Chart
        The patient's chart.
    encounter : dict
        The stay.
    now : datetime
        End of a stay that is not over, and its start where none is known.

    Returns
    -------
    columns : dict
        By the API's field names.
    assumed : list of str
        Columns whose value the chart does not hold.
    """
    start, end = period(encounter)
    start, end = start or now, end or now
    columns: dict[str, Any] = {}
    assumed: list[str] = []
    for name, value, otherwise in _administrative(chart, encounter, start):
        columns[name] = otherwise if value is None else value
        assumed += [name] if value is None else []
    days = max(1, (end.date() - start.date()).days)
    columns["time_in_hospital"] = min(days, LONGEST_STAY_DAYS)
    columns |= _counts(chart, encounter, start, end) | _diagnoses(chart, encounter, start) | _readings(chart, encounter, start, end)
    columns |= _drugs(chart, encounter, start, end)
    assumed += [name for name, missing in (("time_in_hospital", days > LONGEST_STAY_DAYS or period(encounter)[0] is None),
                                           ("diag_1", columns["diag_1"] is None)) if missing]
    return columns, assumed


def _administrative(chart: Chart, encounter: dict[str, Any], start: datetime) -> list[tuple[str, Any, Any]]:
    """Give name, value and what stands for a missing one."""
    patient, hospital, lists = chart.patient() or {}, table(encounter.get("hospitalization")), code_list("encounter")
    gender = {"male": "Male", "female": "Female"}.get(str(patient.get("gender")))
    specialties = [code for service in [encounter.get("serviceType")] for code in codes(service)]
    return [
        ("gender", gender, "Unknown/Invalid"),
        ("age", _age(moment(patient.get("birthDate")), start), "[60-70)"),
        ("admission_type_id", _first(codes(encounter.get("priority")), lists["priority"]), NOT_RECORDED["admission_type_id"]),
        ("admission_source_id", _first(codes(hospital.get("admitSource")), lists["admit_source"]), NOT_RECORDED["admission_source_id"]),
        ("discharge_disposition_id", _disposition(hospital), NOT_RECORDED["discharge_disposition_id"]),
        ("medical_specialty", _first(specialties, lists["specialty"]), None)]


def _first(found: Sequence[Code], known: dict[str, Any]) -> Any:
    return next((known[code.code] for code in found if code.code in known), None)


def _disposition(hospital: dict[str, Any]) -> int | None:
    lists = code_list("encounter")["disposition"]
    found = codes(hospital.get("dischargeDisposition"))
    return next((lists[code.system][code.code] for code in found if code.code in lists.get(code.system, {})), None)


def _age(birth: datetime | None, at: datetime) -> str | None:
    if birth is None or birth > at:
        return None
    years = at.year - birth.year - ((at.month, at.day) < (birth.month, birth.day))
    low = min(years // 10, 9) * 10
    return f"[{low}-{low + 10})"


def encounter_kind(encounter: dict[str, Any]) -> str | None:
    """Say how an encounter is counted.

    Parameters
    ----------
    encounter : dict
        An Encounter.

    Returns
    -------
    str or None
        ``"inpatient"``, ``"emergency"`` or ``"outpatient"``; None for another class.
    """
    known: dict[str, str] = code_list("encounter")["class"]
    return known.get(str(table(encounter.get("class")).get("code")))


def earlier_stays(chart: Chart, encounter: dict[str, Any], *, now: datetime) -> list[dict[str, Any]]:
    """Find the hospital stays that were over before another began.

    Parameters
    ----------
    chart : Chart
        The patient's chart.
    encounter : dict
        The stay that ends now.
    now : datetime
        Start of a stay that has none.

    Returns
    -------
    list of dict
        Oldest first, the last 50.
    """
    start = period(encounter)[0] or now
    ended = [(span[1], stay) for stay in chart.of("Encounter") if encounter_kind(stay) == "inpatient"
             and stay.get("id") != encounter.get("id") and stay.get("status") == "finished"
             and (span := period(stay))[0] and span[1] and span[1] <= start]
    return [stay for _, stay in sorted(ended, key=lambda pair: pair[0])][-MOST_EARLIER:]


def _counts(chart: Chart, encounter: dict[str, Any], start: datetime, end: datetime) -> dict[str, int]:
    kinds = [encounter_kind(other) for other in chart.of("Encounter")
             if other.get("id") != encounter.get("id") and (began := period(other)[0]) and start - YEAR <= began < start]
    tests = [one for one in chart.of("Observation") if _during(one, encounter, start, end) and is_laboratory(one)]
    done = [one for one in chart.of("Procedure") if one.get("status") == "completed" and _during(one, encounter, start, end)]
    return {"num_lab_procedures": min(len(tests), 200), "num_procedures": min(len(done), 50),
            **{f"number_{kind}": min(kinds.count(kind), 366) for kind in ("outpatient", "emergency", "inpatient")}}


def _during(resource: dict[str, Any], encounter: dict[str, Any], start: datetime, end: datetime) -> bool:
    """Say whether a resource belongs to a stay: by its reference, else by its time."""
    named = reference_id(resource.get("encounter"))
    if named:
        return named == encounter.get("id")
    at = when(resource)
    return at is not None and start <= at <= end


def stay_conditions(chart: Chart, encounter: dict[str, Any], start: datetime) -> Coded:
    """List the diagnoses of a stay, the most important first.

    Parameters
    ----------
    chart : Chart
        The patient's chart.
    encounter : dict
        The stay.
    start : datetime
        Its start.

    Returns
    -------
    list of (dict, Diagnosis)
        Those that the encounter lists by rank, then its reasons, then conditions recorded in it, then active ones; an illness once.
    """
    by_id = {str(condition.get("id")): condition for condition in chart.of("Condition")}
    ranked = sorted(items(encounter.get("diagnosis")), key=lambda one: _rank(one.get("rank")))
    listed = [by_id[found] for one in ranked if (found := reference_id(one.get("condition"))) in by_id]
    reasons = [by_id[found] for one in items(encounter.get("reasonReference")) if (found := reference_id(one)) in by_id]
    reasons += [{"code": concept} for concept in items(encounter.get("reasonCode"))]
    here = [one for one in by_id.values() if reference_id(one.get("encounter")) == encounter.get("id")]
    active = [one for one in by_id.values() if _active(one, start)]
    each: dict[str, tuple[dict[str, Any], Diagnosis]] = {}
    for condition in (*listed, *reasons, *here, *active):
        coded = diagnosis(condition.get("code"))
        each.setdefault(coded.icd9 or f"unmapped {coded.source}", (condition, coded))
    return list(each.values())


def _rank(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 99


def _active(condition: dict[str, Any], start: datetime) -> bool:
    began, over = when(condition), moment(condition.get("abatementDateTime"))
    now_active = not status_codes(condition.get("clinicalStatus")) & {"inactive", "resolved", "remission"}
    return (began is None or began <= start) and (over > start if over else now_active)


def _diagnoses(chart: Chart, encounter: dict[str, Any], start: datetime) -> dict[str, Any]:
    found = stay_conditions(chart, encounter, start)
    mapped = [coded.icd9 for _, coded in found]
    first = mapped[0] if mapped else None
    others = [code for code in mapped[1:] if code]
    columns: dict[str, Any] = dict(zip(("diag_1", "diag_2", "diag_3"), [first, *others, None, None], strict=False))
    return columns | {"number_diagnoses": min(len(found), MOST_DIAGNOSES)}


def _readings(chart: Chart, encounter: dict[str, Any], start: datetime, end: datetime) -> dict[str, str]:
    own = [one for one in chart.of("Observation") if _during(one, encounter, start, end)]
    a1c = [found.value for one in own if (found := reading(one, "hba1c"))]
    glucose = [found.value for one in own if (found := reading(one, "glucose"))]
    return {"A1Cresult": _level(a1c, [(8, ">8"), (7, ">7")]), "max_glu_serum": _level(glucose, [(300, ">300"), (200, ">200")])}


def _level(values: list[float], limits: list[tuple[float, str]]) -> str:
    if not values:
        return "not_measured"
    return next((name for limit, name in limits if max(values) > limit), "Norm")


def _drugs(chart: Chart, encounter: dict[str, Any], start: datetime, end: datetime) -> dict[str, Any]:
    """Give the dose of each drug in this stay against before: the published file's No, Down, Steady, Up."""
    orders = sorted(((at, order) for order in chart.of("MedicationRequest") if (at := when(order)) and at <= end), key=lambda pair: pair[0])
    own = [order for _, order in orders if _during(order, encounter, start, end)]
    before = [order for at, order in orders if at < start and order not in own]
    carried = [order for order in before if order.get("status") == "active"]
    earlier, present, stopped = _by_drug(before), _by_drug([o for o in own if o.get("status") != "stopped"]), _by_drug(
        [o for o in own if o.get("status") == "stopped"])
    doses = {column: _dose(earlier.get(column), drug) for column, drug in (_by_drug(carried) | present).items()}
    changed = set(doses.values()) & {"Up", "Down"} or set(present) - set(earlier) or set(stopped) - set(present)
    distinct = {tuple(sorted((code.system, code.code) for code in codes(order.get("medicationCodeableConcept"))))
                for order in own + carried}
    return {**doses, "num_medications": min(len(distinct), 150), "change": "Ch" if changed else "No",
            "diabetesMed": "Yes" if doses else "No"}


def _by_drug(orders: Sequence[dict[str, Any]]) -> dict[str, Drug]:
    found = (diabetes_drug(order.get("medicationCodeableConcept")) for order in orders)
    return {drug.column: drug for drug in found if drug}


def _dose(before: Drug | None, now: Drug) -> str:
    if before is None or before.strength is None or now.strength is None or before.strength == now.strength:
        return "Steady"
    return "Up" if now.strength > before.strength else "Down"
