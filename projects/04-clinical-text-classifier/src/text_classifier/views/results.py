"""What the results sections show: the record of one run and what each task drew; a task that is missing says so."""

from functools import partial
from pathlib import Path

import streamlit as st

from carefolio import views
from carefolio.charts import SeriesStyle
from carefolio.datasets.mts_dialog import SECTION_HEADERS
from carefolio.evidence import Metric
from carefolio.exceptions import ArtefactError
from carefolio.plots import PALETTE
from carefolio.shown_run import ShownRun, read_shown_run
from carefolio.views import NBSP
from text_classifier.config import BASELINES, PROJECT
from text_classifier.figures import PUBLISHED, SYSTEMS, TASKS

KEYS = dict.fromkeys(TASKS, ("labels", "counts", "baseline", "best", "systems", "confusion", "reliability", "risk_coverage", "thresholds",
                             "history", "curve"))
"""What ``reports/<task>.json`` must hold."""
SHORT = {"headers": "Section of the note", "decisions": "Yes, no or maybe", "specialties": "Specialty"}
"""Tasks, where there is room for two words."""
SCORE_NAMES = {"accuracy": "Accuracy", "macro_f1": "Macro F1", "log_loss": "Log loss", "calibration_error": "Calibration error",
               "coverage_95": f"Coverage at 95{NBSP}% precision"}
"""What every system is judged by, in words; in the order of the choice."""
SHARES = ("accuracy", "coverage_95")
"""Scores that are written in per cent."""
BASELINE_STYLE, TUNED_STYLE = SeriesStyle(PALETTE["grey"], (8, 3), "square"), SeriesStyle(PALETTE["blue"], (1, 0), "circle")

Results = ShownRun
"""One run: its record and the folder that holds it."""
listed = partial(views.listed, "textclass")
"""Show a table with a button that gives it as CSV."""


def read_results(folder: Path) -> Results:
    """Read a run, again only when its record has changed.

    Parameters
    ----------
    folder : Path
        Holds ``reports``.

    Returns
    -------
    Results
        The record.
    """
    return read_shown_run(folder, command="textclass", package=PROJECT, titles=TASKS, keys=KEYS)


def tasks_of(results: Results) -> list[str]:
    """List the tasks that a run holds.

    Parameters
    ----------
    results : Results
        The run.

    Returns
    -------
    list of str
        In the usual order.
    """
    return [task for task in TASKS if (results.folder / "reports" / f"{task}.json").is_file()]


def choose_task(results: Results) -> str:
    """Let the reader choose a task; the choice stays in all sections and in the page's address.

    Parameters
    ----------
    results : Results
        The run.

    Returns
    -------
    str
        One that the run holds.

    Raises
    ------
    ArtefactError
        If it holds none.
    """
    found = tasks_of(results)
    if not found:
        raise ArtefactError(f"{results.folder / 'reports'} holds no results of a task: expected one of "
                            f"{', '.join(f'{task}.json' for task in TASKS)}. Make them with `textclass run --quick`.")
    chosen = st.pills("Task", found, default=found[0], required=True, format_func=SHORT.__getitem__, key="task", bind="query-params",
                      persist_state="session")
    task = str(chosen or found[0])
    counts = results.part(task)["counts"]
    st.caption(f"{capital(TASKS[task])}: {counts['train']:,} texts to learn from, {counts['valid']:,} to choose on, {counts['test']:,} to "
               f"judge on; {len(results.part(task)['labels'])} labels.")
    return task


def in_words(system: str) -> str:
    """Name a system for people.

    Parameters
    ----------
    system : str
        Its name in the settings.

    Returns
    -------
    str
        The name itself where no words are known.
    """
    return SYSTEMS.get(system, system)


def capital(words: str) -> str:
    """Begin with a capital and leave the rest as it is.

    Parameters
    ----------
    words : str
        Any.

    Returns
    -------
    str
        The same words.
    """
    return words[:1].upper() + words[1:]


def kind_of(system: str) -> str:
    """Tell baselines from tuned systems.

    Parameters
    ----------
    system : str
        Its name in the settings.

    Returns
    -------
    str
        ``"baseline"`` or ``"tuned"``.
    """
    return "baseline" if system in BASELINES else "tuned"


def label_in_words(label: str) -> str:
    """Say what a label stands for.

    Parameters
    ----------
    label : str
        As the data has it.

    Returns
    -------
    str
        For example ``"MEDICATIONS (medications)"`` stays ``"MEDICATIONS"``, and ``"CC"`` becomes ``"CC (chief complaint)"``.
    """
    words = SECTION_HEADERS.get(label, "")
    return label if not words or words.replace(" ", "") == label.lower() else f"{label} ({words})"


def lead_of(results: Results, task: str, system: str, score: str | None = None) -> Metric | None:
    """Give a system's lead over the best baseline, on the same replicates of the bootstrap.

    Parameters
    ----------
    results : Results
        The run.
    task, system : str
        Names.
    score : str, optional
        ``accuracy`` or ``macro_f1``; default what the task's published figure is in.

    Returns
    -------
    Metric or None
        None where the run did not compare them.
    """
    baseline = results.part(task)["baseline"]
    return results.evidence.metrics.get(f"{task}.test.{system}_minus_{baseline}.{score or PUBLISHED[task][0]}")


def verdict(lead: Metric | None) -> str:
    """Say whether an interval of a lead excludes 0.

    Parameters
    ----------
    lead : Metric or None
        A difference.

    Returns
    -------
    str
        Words for a table.
    """
    if lead is None or lead.low is None or lead.high is None:
        return "not compared"
    if lead.low > 0:
        return "ahead: the interval excludes 0"
    return "behind: the interval excludes 0" if lead.high < 0 else "no difference shown: the interval includes 0"
