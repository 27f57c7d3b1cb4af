"""Turn the results into what is committed: evidence, what the dashboard draws, figures and model card."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from carefolio.artefacts import write_json
from carefolio.evidence import Evidence, Metric
from carefolio.parts import data_records, read_record, read_results
from carefolio.reporting import write_reports
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
    return write_reports(out, settings, project=PROJECT, packages=PACKAGES, command=command, metrics=metrics, figures=figures,
                         data=data_records(out), card=record["parts"] == list(PARTS))
