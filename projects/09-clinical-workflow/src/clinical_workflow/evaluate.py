"""What of the published charts can be read: shares with intervals that resample patients, and the codes that are missing."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carefolio.evidence import Metric, metric
from carefolio.exceptions import DataIntegrityError
from carefolio.uncertainty import bootstrap_values
from clinical_workflow.fhir.chart import UnreadableBundleError, read_bundle
from clinical_workflow.fhir.coverage import Coverage, add_coverage, measure_coverage

COHORT = "synthea_fhir_r4"
NOW = datetime(2020, 1, 1, tzinfo=UTC)
"""End of stays that are not over: after the last day of the published charts, and the same for every run."""
REPLICATES = 1000
CONDITIONS = ("conditions_exact", "conditions_group", "conditions_none")
SHARES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "conditions_mapped": (("conditions_exact", "conditions_group"), CONDITIONS),
    "conditions_exact": (("conditions_exact",), CONDITIONS),
    "orders_coded": (("orders_coded",), ("orders_coded", "orders_uncoded")),
    "readings_read": (("readings_read",), ("readings_read", "readings_unread"))}
"""Name of a share to the counts that are its part and its whole."""
MOST_CODES = 40


def evaluate_charts(folder: Path, *, seed: int) -> tuple[dict[str, Metric], dict[str, Any]]:
    """Read every chart of a folder.

    Parameters
    ----------
    folder : Path
        Holds bundles, one a patient.
    seed : int
        Of the intervals.

    Returns
    -------
    metrics : dict of str to Metric
        By evidence id; higher is better for shares.
    coverage : dict
        Counts, and the codes that were not found, ready for JSON.

    Raises
    ------
    DataIntegrityError
        If there is no chart.
    """
    parts: list[Coverage] = []
    seconds: list[float] = []
    unread: list[str] = []
    for path in sorted(folder.glob("*.json")):
        begun = time.perf_counter()
        try:
            parts.append(measure_coverage(read_bundle(path.read_bytes()), now=NOW))
        except UnreadableBundleError as error:
            unread.append(str(error))
        seconds.append(time.perf_counter() - begun)
    if not parts:
        raise DataIntegrityError(f"{folder} holds no chart that can be read; run `workflow data` again.")
    total = add_coverage(parts)
    metrics = share_metrics(parts, seed=seed) | _count_metrics(total, len(parts), unread, seconds)
    return metrics, {"counts": dict(sorted(total.counts.items())), "charts": len(parts), "unread": unread, "unmapped": [
        {"system": system, "code": code, "display": display, "count": count}
        for (system, code, display), count in total.unmapped.most_common(MOST_CODES)]}


def share_metrics(parts: Sequence[Coverage], *, seed: int) -> dict[str, Metric]:
    """Compute the shares with intervals.

    Parameters
    ----------
    parts : sequence of Coverage
        One a chart, which is one patient.
    seed : int
        Of the bootstrap.

    Returns
    -------
    dict of str to Metric
        Shares, 0 to 1; with fewer than two patients that have something to map there is no interval.
    """
    found = {}
    for name, (part, whole) in SHARES.items():
        table = np.array([[sum(one.counts[count] for count in counts) for counts in (part, whole)] for one in parts], dtype=float)
        table = table[table[:, 1] > 0]
        if len(table) == 0:
            continue
        n = int(table[:, 1].sum())
        if len(table) < 2:
            found[f"{COHORT}.all.mapping.{name}"] = metric(table[:, 0].sum() / n, n=n, higher_is_better=True)
            continue
        estimate = bootstrap_values(partial(_weighted_share, table), groups=np.arange(len(table)), n_replicates=REPLICATES,
                                    random_state=seed)[0]
        found[f"{COHORT}.all.mapping.{name}"] = metric(estimate, n=n, higher_is_better=True)
    return found


def _weighted_share(table: NDArray[np.float64], weights: NDArray[np.float64]) -> list[float]:
    return [float((weights @ table[:, 0]) / (weights @ table[:, 1]))]


def _count_metrics(total: Coverage, charts: int, unread: Sequence[str], seconds: Sequence[float]) -> dict[str, Metric]:
    counts: Mapping[str, int] = total.counts
    flaws = sum(count for name, count in counts.items() if name.startswith("flaws_"))
    values: dict[str, tuple[float, bool | None]] = {
        "charts.read": (charts, True), "charts.unread": (len(unread), False), "charts.flaws": (flaws, False),
        "charts.hospital_stays": (counts["encounters_inpatient"], None), "charts.stays_in_scope": (counts["stays_in_scope"], None),
        "charts.seconds_median": (float(np.median(seconds)), False), "charts.conditions": (sum(counts[name] for name in CONDITIONS), None),
        "charts.drugs_by_code": (counts["drugs_by_code"], None), "charts.drugs_by_name": (counts["drugs_by_name"], None)}
    return {f"{COHORT}.all.{name}": metric(value, n=charts + len(unread), higher_is_better=better) for name, (value,
                                                                                                              better) in values.items()}
