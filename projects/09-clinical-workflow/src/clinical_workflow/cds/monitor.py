"""The monitor reads the ledger: how often, how fast, how many cards, what became of them, and whether risks have shifted. And the gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from clinical_workflow.cds.ledger import Ledger
from clinical_workflow.config import GateSettings

FEWEST_FOR_SHIFT = 20
BANDS = (0.0, 0.05, 0.10, 0.15, 0.20, 0.30, 1.0001)
"""Risk bands of the stability index."""


@dataclass(frozen=True)
class Monitored:
    """What the ledger says of one service, or of all."""

    service: str
    calls: int
    failed: int
    p50_ms: float | None
    p95_ms: float | None
    alerts_per_100: float
    cards: int
    shown: int
    accepted: int
    overridden: int
    shift: float | None
    reasons: dict[str, int]


def monitor(ledger: Ledger, service: str | None = None, *, mode: str | None = None) -> Monitored:
    """Read the ledger.

    Parameters
    ----------
    ledger : Ledger
        The open ledger.
    service : str, optional
        One service; all by default.
    mode : str, optional
        Only calls made in this mode.

    Returns
    -------
    Monitored
        Counts, times in milliseconds, alerts (warning and critical cards) per 100 calls, and the stability index.
    """
    calls = ledger.rows("SELECT status, ms, risk FROM calls WHERE (?1 IS NULL OR service = ?1) AND (?2 IS NULL OR mode = ?2) "
                        "AND mode <> 'off' ORDER BY id", (service, mode))
    cards = ledger.rows("SELECT cards.indicator, cards.shown, feedback.outcome, feedback.reason FROM cards JOIN calls "
                        "ON calls.id = cards.call LEFT JOIN feedback ON feedback.card = cards.uuid "
                        "WHERE (?1 IS NULL OR cards.service = ?1) AND (?2 IS NULL OR calls.mode = ?2)", (service, mode))
    times = [ms for _, ms, _ in calls]
    outcomes = [outcome for _, _, outcome, _ in cards]
    alerts = sum(indicator != "info" for indicator, *_ in cards)
    return Monitored(
        service=service or "all", calls=len(calls), failed=sum(status >= 500 for status, *_ in calls),
        p50_ms=float(np.percentile(times, 50)) if times else None, p95_ms=float(np.percentile(times, 95)) if times else None,
        alerts_per_100=100 * alerts / len(calls) if calls else 0.0, cards=len(cards), shown=sum(shown for _, shown, *_ in cards),
        accepted=outcomes.count("accepted"), overridden=outcomes.count("overridden"),
        shift=stability_index([risk for *_, risk in calls if risk is not None]), reasons=_reasons(cards))


def _reasons(cards: Sequence[tuple[Any, ...]]) -> dict[str, int]:
    found = [reason or "none given" for *_, outcome, reason in cards if outcome == "overridden"]
    return {reason: found.count(reason) for reason in sorted(set(found))}


def stability_index(risks: Sequence[float]) -> float | None:
    """Compare the second half of risks with the first by the population stability index.

    Parameters
    ----------
    risks : sequence of float
        In order of time, 0 to 1.

    Returns
    -------
    float or None
        ``sum((p - q) * ln(p / q))`` over `BANDS`, each count raised by a half so that an empty band has a logarithm; lower is better. None
        below 2 x 20 risks.
    """
    half = len(risks) // 2
    if half < FEWEST_FOR_SHIFT:
        return None
    first, second = (_shares(part) for part in (risks[:half], risks[half:]))
    return float(np.sum((second - first) * np.log(second / first)))


def _shares(risks: Sequence[float]) -> Any:
    counts = np.array([sum(low <= risk < high for risk in risks) for low, high in pairwise(BANDS)]) + 0.5
    return counts / counts.sum()


def gate(ledger: Ledger, service: str, settings: GateSettings) -> list[str]:
    """Say what speaks against showing a service's cards, from its shadow log.

    Parameters
    ----------
    ledger : Ledger
        The open ledger.
    service : str
        Its id.
    settings : GateSettings
        What must hold.

    Returns
    -------
    list of str
        Empty if cards may be shown.
    """
    seen = monitor(ledger, service, mode="shadow")
    against = []
    if seen.calls < settings.minimum_calls:
        against.append(f"{seen.calls} calls in shadow mode, at least {settings.minimum_calls} are wanted")
    if seen.alerts_per_100 > settings.most_alerts_per_100:
        against.append(f"{seen.alerts_per_100:.1f} alerts per 100 calls, at most {settings.most_alerts_per_100:g} are borne")
    if seen.calls and seen.failed / seen.calls > settings.most_failed_share:
        against.append(f"{seen.failed} of {seen.calls} calls failed, at most {settings.most_failed_share:.0%} are borne")
    if seen.p95_ms is not None and seen.p95_ms > settings.most_p95_ms:
        against.append(f"the 95th percentile of the time is {seen.p95_ms:.0f} ms, at most {settings.most_p95_ms:g} is borne")
    if seen.shift is not None and seen.shift > settings.most_shift:
        against.append(f"risks have shifted (index {seen.shift:.2f}, at most {settings.most_shift:g})")
    return against
