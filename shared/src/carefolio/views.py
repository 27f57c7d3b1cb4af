"""How the sections of a dashboard write numbers, show pictures and problems, and offer files."""

import base64
import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from carefolio.evidence import Evidence, Metric
from carefolio.exceptions import ArtefactError, CarefolioError

NBSP = "\u00a0"
ORIGINS = {"publisher": "the published file, from its publisher", "mirror": "the published file, from a local mirror",
           "cache": "the published file, from the local cache", "package": "the published file, from a package",
           "file": "a file named by the user", "synthetic": "made up by a program; no patient's data"}
"""Where a data set came from, in words."""
_NUMBER = re.compile(r"[-+][\d\s.,%()eEto+-]*")
ResultsT = TypeVar("ResultsT")


def show_sections(sections: Mapping[str, Callable[[ResultsT], None]], results: ResultsT) -> None:
    """Draw the open one of several tabs; an expected error is shown in its place, and the other tabs go on working.

    Parameters
    ----------
    sections : mapping of str to callable
        Title of a tab to what draws it. The open tab stands in the page's address.
    results : object
        What each of them is given.
    """
    for tab, show in zip(st.tabs(list(sections), key="section", bind="query-params"), sections.values(), strict=True):
        if tab.open:
            with tab:
                try:
                    show(results)
                except CarefolioError as error:
                    show_problem(error)


def late_section(package: str, module: str, function: str) -> Callable[[Path], None]:
    """Name what draws a tab, to be imported when the tab is opened: each brings libraries of its own.

    Parameters
    ----------
    package : str
        Import name of the project.
    module : str
        Within its ``views``.
    function : str
        Of the module; it is given the folder of a run.

    Returns
    -------
    callable
        For `show_sections`.
    """
    def _show(folder: Path) -> None:
        getattr(import_module(f"{package}.views.{module}"), function)(folder)

    return _show


def read_file(path: Path, *, command: str) -> bytes:
    """Read a file of a run.

    Parameters
    ----------
    path : Path
        A figure, card or record.
    command : str
        The command that writes it, for the message.

    Returns
    -------
    bytes
        Its content.

    Raises
    ------
    ArtefactError
        If it is missing.
    """
    if not path.is_file():
        raise ArtefactError(f"{path} is missing; write it again with `{command}` or restore the committed reports.")
    return path.read_bytes()


def inline_image(content: bytes) -> str:
    """Give a picture as an address that holds it: Streamlit drops its own copy when a reader leaves the section before it has loaded.

    Parameters
    ----------
    content : bytes
        A PNG.

    Returns
    -------
    str
        A ``data:`` address.
    """
    return f"data:image/png;base64,{base64.b64encode(content).decode('ascii')}"


def with_interval(metric: Metric, *, digits: int = 3) -> str:
    """Write a value with its interval.

    Parameters
    ----------
    metric : Metric
        What to write.
    digits : int, default 3
        Decimals.

    Returns
    -------
    str
        For example ``"0.675 (0.647 to 0.706)"``, which breaks only before the bracket; the value alone where there is no interval.
    """
    return number_with_interval(metric.value, metric.low, metric.high, digits=digits)


def bounds(metric: Metric) -> dict[str, float]:
    """Give value and interval as a chart takes them.

    Parameters
    ----------
    metric : Metric
        Of the evidence.

    Returns
    -------
    dict of str to float
        ``value``, ``low`` and ``high``; the bounds are the value where there is no interval.
    """
    return {"value": metric.value, "low": metric.value if metric.low is None else metric.low,
            "high": metric.value if metric.high is None else metric.high}


def number_with_interval(value: float, low: float | None, high: float | None, *, digits: int = 3) -> str:
    """Write a number with its interval.

    Parameters
    ----------
    value : float
        The number.
    low, high : float or None
        Its interval.
    digits : int, default 3
        Decimals.

    Returns
    -------
    str
        As `with_interval`.
    """
    if low is None or high is None:
        return f"{value:,.{digits}f}"
    return f"{value:,.{digits}f} ({low:,.{digits}f}{NBSP}to{NBSP}{high:,.{digits}f})"


def percent(share: float, *, digits: int = 1) -> str:
    """Write a share.

    Parameters
    ----------
    share : float
        In [0, 1].
    digits : int, default 1
        Decimals.

    Returns
    -------
    str
        For example ``"11.7 %"``.
    """
    return f"{100 * share:.{digits}f}{NBSP}%"


def percent_with_interval(value: float, low: float | None, high: float | None, *, digits: int = 1) -> str:
    """Write a share with its interval.

    Parameters
    ----------
    value : float
        In [0, 1].
    low, high : float or None
        Its interval.
    digits : int, default 1
        Decimals.

    Returns
    -------
    str
        For example ``"21.3 % (18.0 to 24.9)"``.
    """
    if low is None or high is None:
        return percent(value, digits=digits)
    return f"{percent(value, digits=digits)} ({100 * low:.{digits}f}{NBSP}to{NBSP}{100 * high:.{digits}f})"


def show_problem(error: CarefolioError) -> None:
    """Show an expected error as a message.

    Parameters
    ----------
    error : CarefolioError
        What went wrong and what to do.
    """
    st.error(str(error), icon=":material/error:")


def show_table(rows: Sequence[Mapping[str, Any]], *, hide_header: bool = False) -> None:
    """Show rows as a plain table that wraps on a phone instead of scrolling.

    Parameters
    ----------
    rows : sequence of mapping
        What each row says, by column; text already written as it is to be read.
    hide_header : bool, default False
        Leave the names of the columns out.
    """
    st.table([dict(row) for row in rows], border="horizontal", hide_index=True, hide_header=hide_header)


def offer(label: str, content: bytes, file_name: str, mime: str) -> None:
    """Offer a file.

    Parameters
    ----------
    label : str
        Words on the button.
    content : bytes
        The file.
    file_name : str
        Also the key of the button, so unique on the page.
    mime : str
        Kind of file, such as ``"text/csv"``.
    """
    st.download_button(label, content, file_name=file_name, mime=mime, key=file_name, icon=":material/download:", on_click="ignore")


def listed(chapter: str, rows: Sequence[Mapping[str, Any]], name: str, *, raw: Sequence[Mapping[str, Any]] | None = None) -> None:
    """Show a table with a button that gives it as CSV.

    Parameters
    ----------
    chapter : str
        Command of the chapter; begins the name of the file.
    rows : sequence of mapping
        As they are to be read.
    name : str
        The rest of the name without its ending, unique on the page.
    raw : sequence of mapping, optional
        Plain numbers for the file; default the rows as shown.
    """
    show_table(rows)
    offer("Table (CSV)", to_csv(raw if raw is not None else rows), f"{chapter}-{name}.csv", "text/csv")


def to_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Write rows as CSV.

    Parameters
    ----------
    rows : sequence of mapping
        At least one; a name that a row lacks is left empty.

    Returns
    -------
    bytes
        UTF-8; the first line holds the names. Text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(dict.fromkeys(name for row in rows for name in row)))
    writer.writeheader()
    writer.writerows([{name: _without_formula(value) for name, value in row.items()} for row in rows])
    return text.getvalue().encode("utf-8")


def _without_formula(value: Any) -> Any:
    """Put an apostrophe before text that a spreadsheet would run, such as the name of an uploaded file; numbers stay."""
    runs = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) and not _NUMBER.fullmatch(value)
    return f"'{value}" if runs else value


def metrics_csv(evidence: Evidence) -> bytes:
    """Write all metrics of a run as CSV.

    Parameters
    ----------
    evidence : Evidence
        Record of the run.

    Returns
    -------
    bytes
        One line a metric: id, value, interval, level, n, direction.
    """
    return to_csv([{"id": name} | metric.model_dump() for name, metric in evidence.metrics.items()])
