"""What the chapters' Streamlit pages have in common: head, disclaimer, origin of the data, numbers with intervals, downloads, footer."""

import io
from importlib import import_module
from typing import TYPE_CHECKING, Any

import streamlit as st

from carefolio.command import DISCLAIMER

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from carefolio.evidence import Evidence, Metric

PNG_DPI = 200


def palette() -> dict[str, str]:
    """Give the colours of all figures; they can be told apart with any kind of colour vision.

    Returns
    -------
    dict of str to str
        Hexadecimal colours by name.
    """
    from carefolio.plots import PALETTE

    return dict(PALETTE)


def page(title: str, icon: str, question: str, *, evidence: "Evidence | None" = None) -> None:
    """Set up a page and draw its head; call it before anything else is drawn.

    Parameters
    ----------
    title : str
        Name of the chapter.
    icon : str
        Emoji or Material symbol for the browser tab.
    question : str
        The clinical question in a sentence.
    evidence : Evidence, optional
        Record of the run that is shown; None says that there is none yet.
    """
    for name in ("pandas", "polars"):
        import_module(name)  # a click during the first run starts a second thread; altair in it must not find them half-imported
    st.set_page_config(page_title=title, page_icon=icon, layout="wide")
    st.html(style())
    st.title(title)
    st.markdown(question)
    st.caption(DISCLAIMER)
    data_banner(evidence)


def data_banner(evidence: "Evidence | None") -> None:
    """Say in colour and words whether the numbers come from real data.

    Parameters
    ----------
    evidence : Evidence or None
        Record of the run.
    """
    from carefolio.evidence import MADE_BY_PROGRAM, is_synthetic

    if evidence is None:
        st.warning("No evidence yet: run the chapter's `run` command, then load this page again.")
        return
    listed = _listed(evidence)
    if not evidence.data:
        st.info("This run read no data set.")
    elif is_synthetic(evidence):
        st.warning(f"Synthetic data: {listed}. The numbers show that the code runs; they say nothing about patients.")
    elif any(data.name in MADE_BY_PROGRAM for data in evidence.data):
        st.warning(f"Published data that a program made: {listed}. Nobody in them is real.")
    else:
        st.success(f"Real data: {listed}.")


def _listed(evidence: "Evidence") -> str:
    """Name the data sets: with their rows if they are few, else by origin, so that the line stays short on a phone."""
    if len(evidence.data) <= 2:
        return "; ".join(f"{data.name}, {data.rows:,} rows ({data.origin})" for data in evidence.data)
    by_origin: dict[str, list[str]] = {}
    for data in evidence.data:
        by_origin.setdefault(data.origin, []).append(data.name)
    return "; ".join(f"{', '.join(names)} ({origin})" for origin, names in by_origin.items())


def metric_card(label: str, metric: "Metric | None", number_format: str = ".3f", *, explanation: str | None = None) -> None:
    """Show a measured value with its interval.

    Parameters
    ----------
    label : str
        What was measured, in words.
    metric : Metric or None
        Entry of ``evidence.metrics``; None shows a dash.
    number_format : str
        Format specification, such as ``".3f"`` or ``".1%"``.
    explanation : str, optional
        Shown behind the question mark.
    """
    if metric is None:
        st.metric(label, "–", help=explanation, border=True)
        st.caption("not measured in this run")
        return
    st.metric(label, format(metric.value, number_format), help=explanation, border=True)
    st.caption(interval_text(metric, number_format))


def interval_text(metric: "Metric", number_format: str = ".3f") -> str:
    """Put interval, size and direction of a metric in words.

    Parameters
    ----------
    metric : Metric
        Entry of ``evidence.metrics``.
    number_format : str
        Format specification of the bounds.

    Returns
    -------
    str
        For example ``95 % interval 0.641 to 0.672 · n = 20,353 · higher is better``.
    """
    parts = []
    if metric.low is not None and metric.high is not None and metric.level is not None:
        parts.append(f"{100 * metric.level:.0f} % interval {metric.low:{number_format}} to {metric.high:{number_format}}")
    parts.append(f"n = {metric.n:,}")
    if metric.higher_is_better is not None:
        parts.append("higher is better" if metric.higher_is_better else "lower is better")
    return " · ".join(parts)


def download_table(frame: Any, name: str) -> None:
    """Offer a table as CSV.

    Parameters
    ----------
    frame : polars.DataFrame or pandas.DataFrame
        The table; a pandas index is left out.
    name : str
        File name without its ending; also the key of the button, so unique on the page.
    """
    text = frame.write_csv() if hasattr(frame, "write_csv") else frame.to_csv(index=False)
    st.download_button("Download table (CSV)", text.encode("utf-8"), file_name=f"{name}.csv", mime="text/csv", key=f"table-{name}")


def download_figure(figure: "Figure", name: str) -> None:
    """Offer a figure as PNG, large enough for print.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure; it is left open.
    name : str
        File name without its ending; also the key of the button, so unique on the page.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=PNG_DPI, bbox_inches="tight")
    st.download_button("Download figure (PNG)", buffer.getvalue(), file_name=f"{name}.png", mime="image/png", key=f"figure-{name}")


def provenance_footer(evidence: "Evidence") -> None:
    """Say where the numbers of the page come from: command, commit, time, seed, data and machine.

    Parameters
    ----------
    evidence : Evidence
        Record of the run.
    """
    st.divider()
    with st.expander("Where these numbers come from"):
        st.markdown(f"`{evidence.command}` at commit `{evidence.commit}`, {evidence.created}, seed {evidence.seed}, "
                    f"Python {evidence.environment.python}, {evidence.environment.machine}.")
        st.dataframe([{"data": data.name, "origin": data.origin, "rows": data.rows, "sha256": data.sha256} for data in evidence.data],
                     hide_index=True)


def style() -> str:
    """Give what all pages share of their look: room at the top, the colour of figures, and large enough on a phone.

    Returns
    -------
    str
        A ``<style>`` element.
    """
    accent = palette()["blue"]
    return f"""<style>
.block-container {{ padding-top: 3.5rem; }}
[data-testid="stMetric"] {{ border-left: 0.3rem solid {accent}; }}
[data-testid="stMetricValue"] > div, [data-testid="stMetricLabel"] p {{ white-space: normal; overflow-wrap: anywhere; }}
@media (max-width: 640px) {{
  .block-container {{ padding: 2.5rem 0.75rem 1rem; }}
  .block-container h1 {{ font-size: 1.5rem; }}
  [data-testid="stMetricValue"] {{ font-size: 1.4rem; }}
  [data-testid="stDownloadButton"] button {{ width: 100%; min-height: 2.75rem; }}
}}
</style>"""
