"""Turn the results into what is committed: evidence, what the dashboard draws, figures and model card."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from carefolio.artefacts import read_json, write_json, write_text
from carefolio.evidence import Evidence, FigureRecord, Metric, environment, git_commit, utc_now, write_evidence
from carefolio.model_card import render_card
from carefolio.parts import data_records, read_record, read_results
from carefolio.runs import read_packaged_toml
from notes_summarizer.config import PARTS, PROJECT
from notes_summarizer.evaluation import figures as summary_figures
from notes_summarizer.leaflet import figures as leaflet_figures

if TYPE_CHECKING:
    from notes_summarizer.config import NotesSettings

PACKAGES = ["bert-score", "bm25s", "langchain-core", "langchain-openai", "numpy", "openai", "polars", "presidio-analyzer", "rouge-score",
            "spacy", "textstat", "torch", "transformers", "xllamacpp"]
FIGURES = {"summaries": summary_figures.draw, "leaflets": leaflet_figures.draw}


def build_report(out: Path, settings: "NotesSettings", *, command: str, measured: Mapping[str, Metric]) -> Evidence:
    """Write ``reports`` of a run: figures first, evidence last.

    Parameters
    ----------
    out : Path
        Folder of the run, with the results of the other stages.
    settings : NotesSettings
        Goes into the evidence.
    command : str
        The command that was given.
    measured : mapping of str to Metric
        Metrics that are measured apart, by evidence id.

    Returns
    -------
    Evidence
        The record that was written to ``<out>/reports/evidence.json``.
    """
    record, reports = read_record(out), out / "reports"
    metrics: dict[str, Metric] = dict(measured)
    figures: dict[str, str] = {}
    for part in record["parts"]:
        found, curves = read_results(out, part)
        metrics |= found
        figures |= FIGURES[part](found, curves, reports / "figures")
        write_json(reports / f"{part}.json", curves)
    evidence = Evidence(
        schema=1, project=PROJECT, commit=git_commit(), command=command, created=utc_now(), seed=settings.seed,
        config=settings.model_dump(mode="json"), split=None, environment=environment(PACKAGES), data=data_records(out),
        durations_s=read_json(out / "durations.json"), metrics=metrics,
        figures=[FigureRecord(file=f"figures/{file}", alt=alt) for file, alt in figures.items()], artefacts=[])
    if record["parts"] == list(PARTS):
        card, references = (read_packaged_toml(PROJECT, name) for name in ("card.toml", "references.toml"))
        write_text(reports / "model_card.md", render_card(card, evidence, references))
    write_evidence(reports / "evidence.json", evidence)
    return evidence
