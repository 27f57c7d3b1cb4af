"""Measure the firewall: recall of identifiers, precision, over-redaction and time, on ASQ-PHI, Presidio-research and ACI-Bench.

Run ``python shared/benchmarks/privacy_quality.py``; ``--json`` keeps the figures for the evidence. Rules were developed on one half
of each data set (``--half development``: ASQ-PHI by query, Presidio-research by template, ACI-Bench's part train) and the other half
is reported. Of Presidio-research's labels those inside the Safe Harbor method count, and beside them ``phi_recall_all_labels`` counts
every one; an employer's name is inside it, but the labels do not say which company is one. An identifier is recalled if all of its
letters and digits are gone, apart from words such as "Dr." and "ID"; beside it stands the looser count of those of which any part is
gone. Intervals resample queries, templates or visits.
"""

import argparse
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from carefolio.datasets.aci_bench import load_aci_bench, name_spans
from carefolio.datasets.asq_phi import load_asq_phi, load_published_metrics
from carefolio.datasets.presidio_synth import OUTSIDE_SAFE_HARBOR, load_presidio_synth
from carefolio.evidence import metric
from carefolio.measured import write_measured
from carefolio.metrics.privacy import covered_identifiers, justified_redactions, over_redaction, phi_precision, phi_recall
from carefolio.privacy.facts import is_term
from carefolio.privacy.firewall import firewall
from carefolio.uncertainty import bootstrap_values

FEWEST = 20
"""Fewest identifiers of a type for which an interval is given."""


@dataclass
class Document:
    """A text with its labelled identifiers."""

    unit: object
    text: str
    identifiers: list[tuple[str, int, int]]
    phi_free: bool


@dataclass
class Scored:
    """What the firewall did to a set of texts, one row an identifier, a redaction or a text without identifiers."""

    identifiers: list[tuple[object, str, bool, bool]] = field(default_factory=list)
    redactions: list[tuple[object, bool]] = field(default_factory=list)
    phi_free: list[tuple[object, int]] = field(default_factory=list)
    all_labels: list[tuple[object, str, bool]] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)


def asq_documents(half: str) -> list[Document]:
    """Each value counts once, at its first place as a whole word if there is one."""
    documents = []
    for row in load_asq_phi().frame.filter(half=half).iter_rows(named=True):
        spans = [(tag["identifier_type"], *locate(row["text"], tag["value"])) for tag in row["identifiers"]]
        documents.append(Document(row["number"], row["text"], spans, not spans))
    return documents


def locate(text: str, value: str) -> tuple[int, int]:
    """Find a value, as a whole word where it stands as one."""
    import re

    match = re.search(rf"(?<![^\W_]){re.escape(value)}(?![^\W_])", text) or re.search(re.escape(value), text)
    return match.span()


def synth_documents(half: str, *, all_labels: bool = False) -> list[Document]:
    """Keep the types that the Safe Harbor method takes out; leave countries, states and bare years to the text.

    With ``all_labels`` every label counts: titles, nationalities, ages up to 89, companies, countries and years too.
    """
    documents = []
    for row in load_presidio_synth().frame.filter(half=half).iter_rows(named=True):
        tags = [(tag["identifier_type"], tag["start"], tag["end"]) for tag in row["identifiers"]]
        spans = [(kind, start, end) for kind, start, end in tags
                 if all_labels or (kind not in OUTSIDE_SAFE_HARBOR and not is_kept(kind, row["text"][start:end]))]
        documents.append(Document(row["template"], row["text"], spans, not row["identifiers"]))
    return documents


def is_kept(kind: str, value: str) -> bool:
    """Say whether a value is one that the method does not ask to take out, or a placeholder that was not filled."""
    return (kind == "GPE" and all(map(is_term, value.split()))) or (kind == "DATE_TIME" and value.isdigit()) or value == "nan"


def aci_documents(half: str) -> list[Document]:
    """Conversations and notes with the names that the metadata gives."""
    frame = load_aci_bench().frame
    frame = frame.filter(part="train") if half == "development" else frame.filter(frame["part"] != "train")
    return [Document(row["encounter_id"], row[column], [(f"{column.upper()}_{kind}", start, end) for kind, start, end in name_spans(
                row[column], first=row["patient_firstname"], family=row["patient_familyname"], doctor=row["doctor_name"])], False)
            for row in frame.iter_rows(named=True) for column in ("dialogue", "note")]


def score(documents: list[Document]) -> Scored:
    """Run the firewall over texts; each starts with a mapping of its own."""
    scored = Scored()
    for document in documents:
        start = time.perf_counter()
        result = firewall(document.text)
        scored.milliseconds.append(1e3 * (time.perf_counter() - start))
        spans = [(begin, end) for _, begin, end in document.identifiers]
        redacted = [(entity.start, entity.end) for entity in result.entities]
        whole, part = (covered_identifiers(document.text, spans, redacted, whole=whole) for whole in (True, False))
        kinds = [kind for kind, _, _ in document.identifiers]
        scored.identifiers += [(document.unit, kind, bool(a), bool(b)) for kind, a, b in zip(kinds, whole, part, strict=True)]
        scored.redactions += [(document.unit, bool(flag)) for flag in justified_redactions(spans, redacted)]
        if document.phi_free:
            scored.phi_free.append((document.unit, len(redacted)))
    return scored


def share(function, rows, value, *, replicates: int, seed: int):
    """Give a share with its interval, or without one where there are too few rows."""
    values, units = np.array([row[value] for row in rows]), np.array([row[0] for row in rows])
    if len(rows) < FEWEST:
        return metric(function(values), n=len(rows), higher_is_better=function is not over_redaction)
    interval = bootstrap_values(lambda weights: [function(values, sample_weight=weights)], groups=units, n_replicates=replicates,
                                random_state=seed)[0]
    return metric(interval, higher_is_better=function is not over_redaction)


def summarise(name: str, scored: Scored, *, precision: bool, replicates: int, seed: int) -> dict:
    """Make the metrics of one data set, by evidence id."""
    options = {"replicates": replicates, "seed": seed}
    prefix = f"{name}.firewall."
    metrics = {prefix + "phi_recall": share(phi_recall, scored.identifiers, 2, **options),
               prefix + "phi_recall_any_part": share(phi_recall, scored.identifiers, 3, **options)}
    if precision:
        metrics[prefix + "phi_precision"] = share(phi_precision, scored.redactions, 1, **options)
    if scored.phi_free:
        metrics[prefix + "over_redaction"] = share(over_redaction, scored.phi_free, 1, **options)
    for kind in sorted({row[1] for row in scored.identifiers}):
        rows = [row for row in scored.identifiers if row[1] == kind]
        metrics[f"{prefix}phi_recall_{kind.lower()}"] = share(phi_recall, rows, 2, **options)
    if name.startswith("presidio_synth"):
        metrics[prefix + "phi_recall_all_labels"] = share(phi_recall, scored.all_labels, 2, **options)
    for percentile in (50, 95):
        value = float(np.percentile(scored.milliseconds, percentile))
        metrics[f"{prefix}latency_p{percentile}_ms"] = metric(value, n=len(scored.milliseconds), higher_is_better=False)
    return metrics


def show(metrics: dict) -> None:
    """Print one line a metric."""
    for name, one in metrics.items():
        interval = "" if one.low is None else f"  ({one.low:.4f} to {one.high:.4f})"
        print(f"{name:70s} {one.value:8.4f}{interval}  n={one.n}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=("report", "development"), default="report")
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where to write the metrics")
    options = parser.parse_args()
    firewall("Loads the language model before the clock starts.")
    metrics = {}
    for name, documents in (("asq_phi", asq_documents), ("presidio_synth", synth_documents), ("aci_bench", aci_documents)):
        scored = score(documents(options.half))
        if name == "presidio_synth":
            strict = score(synth_documents(options.half, all_labels=True)).identifiers
            scored.all_labels = [(unit, kind, whole) for unit, kind, whole, _ in strict]
        metrics |= summarise(f"{name}.{options.half}", scored, precision=name == "asq_phi", replicates=options.replicates,
                             seed=options.seed)
    show(metrics)
    print("For comparison, Amazon Comprehend Medical on all 1,051 queries of ASQ-PHI, as its authors publish:")
    for row in load_published_metrics().iter_rows(named=True):
        print(f"  threshold {row['threshold']}: recall {row['recall']:.4f}, over-redaction {row['over_redaction_rate']:.4f}")
    if options.json:
        write_measured(options.json, metrics, command=" ".join(["privacy_quality.py", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
