"""From the results of a run to its reports: evidence, model card, and their way into the repository."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from carefolio.artefacts import read_json, write_text
from carefolio.config import project_home
from carefolio.evidence import (
    ArtefactRecord,
    DataRecord,
    Evidence,
    FigureRecord,
    Metric,
    SplitRecord,
    environment,
    git_commit,
    utc_now,
    write_evidence,
)
from carefolio.model_card import render_card
from carefolio.runs import may_be_published, measured_metrics, publish, read_packaged_toml, timed_step


def write_reports(out: Path, settings: Any, *, project: str, packages: Sequence[str], command: str, metrics: Mapping[str, Metric],
                  figures: Mapping[str, str], data: Sequence[DataRecord], split: SplitRecord | None = None,
                  artefacts: Sequence[ArtefactRecord] = (), card: bool = True) -> Evidence:
    """Write model card and evidence of a run, the evidence last.

    Parameters
    ----------
    out : Path
        Folder of the run, with its ``durations.json``; figures stand below ``reports/figures`` already.
    settings : Settings
        With ``seed``; goes into the evidence.
    project : str
        Import name of the chapter, which holds ``card.toml`` and ``references.toml``.
    packages : sequence of str
        Distributions whose versions count.
    command : str
        The command that was given.
    metrics : mapping of str to Metric
        By evidence id.
    figures : mapping of str to str
        File name to what the figure shows, in words.
    data : sequence of DataRecord
        Data sets that were used.
    split : SplitRecord, optional
        How rows were divided.
    artefacts : sequence of ArtefactRecord, optional
        Files that were made.
    card : bool, default True
        Whether all that the model card quotes is there.

    Returns
    -------
    Evidence
        The record that was written to ``<out>/reports/evidence.json``.
    """
    reports = out / "reports"
    evidence = Evidence(
        schema=1, project=project, commit=git_commit(), command=command, created=utc_now(), seed=settings.seed,
        config=settings.model_dump(mode="json"), split=split, environment=environment(list(packages)), data=list(data),
        durations_s=read_json(out / "durations.json"), metrics=dict(metrics),
        figures=[FigureRecord(file=f"figures/{file}", alt=alt) for file, alt in figures.items()], artefacts=list(artefacts))
    if card:
        told, references = (read_packaged_toml(project, name) for name in ("card.toml", "references.toml"))
        write_text(reports / "model_card.md", render_card(told, evidence, references))
    write_evidence(reports / "evidence.json", evidence)
    return evidence


def report_run(build: Callable[..., Evidence], settings: Any, out: Path, *, folder: str, command: str, to_repository: bool,
               whole: bool = True) -> bool:
    """Write the reports of a run, and publish them if it was a whole one on published data.

    Parameters
    ----------
    build : callable
        ``build(out, settings, command=..., measured=...)`` of the chapter.
    settings : Settings
        Settings.
    out : Path
        Folder of the run.
    folder : str
        The project's folder.
    command : str
        The command that was given.
    to_repository : bool
        Whether this run may replace the committed reports.
    whole : bool, default True
        Whether all parts and systems were run.

    Returns
    -------
    bool
        Whether the reports were published.
    """
    with timed_step("report", out):
        evidence = build(out, settings, command=command, measured=measured_metrics(folder))
    if not (to_repository and whole and may_be_published(evidence)):
        return False
    publish(out, project_home(folder))
    return True
