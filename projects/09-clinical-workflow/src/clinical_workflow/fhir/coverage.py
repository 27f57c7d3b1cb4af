"""What of a chart the models could read, and what not: counts and codes, never a value of a patient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from clinical_workflow.features import build_stay, encounter_kind
from clinical_workflow.fhir.chart import Chart
from clinical_workflow.fhir.elements import codes
from clinical_workflow.fhir.terms import RXNORM, diabetes_drug, diagnosis, is_quantity, reading

QUANTITIES = ("hba1c", "glucose", "egfr")


@dataclass(frozen=True)
class Coverage:
    """Counts of one chart or of many.

    Attributes
    ----------
    counts : Counter
        By name: ``conditions_exact``, ``conditions_group``, ``conditions_none``, ``orders_coded``, ``orders_uncoded``, ``drugs_by_code``,
        ``drugs_by_name``, ``readings_read``, ``readings_unread``, ``encounters_<kind>``, ``stays_in_scope``, ``flaws_<kind>``, and
        ``assumed_<column>`` over the hospital stays.
    unmapped : Counter
        Codes of diagnoses that were not found: ``(system, code, words)``.
    """

    counts: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def share(self, part: Sequence[str], whole: Sequence[str]) -> tuple[float, int]:
        """Give a share of the counts.

        Parameters
        ----------
        part, whole : sequence of str
            Names of counts that are added up.

        Returns
        -------
        tuple of (float, int)
            The share, 0 to 1 (0 where there is nothing), and what it is a share of.
        """
        n = sum(self.counts[name] for name in whole)
        return (sum(self.counts[name] for name in part) / n if n else 0.0), n


def measure_coverage(chart: Chart, *, now: datetime) -> Coverage:
    """Count what of one chart could be read.

    Parameters
    ----------
    chart : Chart
        A chart.
    now : datetime
        End of stays that are not over.

    Returns
    -------
    Coverage
        Its counts.
    """
    counts: Counter[str] = Counter({f"flaws_{kind}": count for kind, count in chart.flaw_counts().items()})
    unmapped: Counter[tuple[str, str, str]] = Counter()
    for condition in chart.of("Condition"):
        found = diagnosis(condition.get("code"))
        counts[f"conditions_{found.how}"] += 1
        if found.how == "none" and found.source:
            unmapped[(found.source.system, found.source.code, found.source.display)] += 1
    _count_orders(chart, counts)
    for observation in chart.of("Observation"):
        for quantity in QUANTITIES:
            if is_quantity(observation, quantity):
                counts["readings_unread" if reading(observation, quantity) is None else "readings_read"] += 1
    _count_stays(chart, counts, now)
    return Coverage(counts, unmapped)


def _count_orders(chart: Chart, counts: Counter[str]) -> None:
    for order in chart.of("MedicationRequest"):
        concept: Any = order.get("medicationCodeableConcept")
        counts["orders_coded" if any(code.system == RXNORM for code in codes(concept)) else "orders_uncoded"] += 1
        if drug := diabetes_drug(concept):
            counts[f"drugs_by_{drug.by}"] += 1


def _count_stays(chart: Chart, counts: Counter[str], now: datetime) -> None:
    for encounter in chart.of("Encounter"):
        kind = encounter_kind(encounter)
        counts[f"encounters_{kind or 'other'}"] += 1
        if kind == "inpatient" and chart.patient():
            stay = build_stay(chart, encounter, now=now)
            counts["stays_in_scope"] += stay.applies
            counts.update(f"assumed_{column}" for column in stay.assumed)


def add_coverage(parts: Iterable[Coverage]) -> Coverage:
    """Add up the counts of many charts.

    Parameters
    ----------
    parts : iterable of Coverage
        One a chart.

    Returns
    -------
    Coverage
        Their sum.
    """
    total = Coverage()
    for part in parts:
        total.counts.update(part.counts)
        total.unmapped.update(part.unmapped)
    return total
