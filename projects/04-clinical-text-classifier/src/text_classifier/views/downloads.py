"""The section with everything to take along: metrics as CSV, the record, the model card, figures as PNG."""

from pathlib import Path

import streamlit as st

from carefolio.views import inline_image, metrics_csv, offer
from text_classifier.views.results import SHORT, Results, read_results, tasks_of

CARD = "model_card.md"


def show_downloads(folder: Path) -> None:
    """Offer the numbers, the figures and the model card.

    Parameters
    ----------
    folder : Path
        Of the run.
    """
    st.subheader("Take it with you")
    results = read_results(folder)
    with st.container(horizontal=True):
        offer("All metrics (CSV)", metrics_csv(results.evidence), "textclass-metrics.csv", "text/csv")
        offer("Whole record (JSON)", results.file("evidence.json"), "textclass-evidence.json", "application/json")
        if (results.folder / "reports" / CARD).is_file():
            offer("Model card (Markdown)", results.file(CARD), f"textclass-{CARD}", "text/markdown")
        for task in tasks_of(results):
            offer(f"{SHORT[task]}, what is drawn (JSON)", results.file(f"{task}.json"), f"textclass-{task}.json", "application/json")
    if not (results.folder / "reports" / CARD).is_file():
        st.caption("There is no model card: it is written only by a run that holds all tasks.")
    st.caption("None of these files holds a text of a data set. Wrong answers with their texts stay in `tables` of the run's folder, on "
               "the machine that made it.")
    _figures(results)


def _figures(results: Results) -> None:
    if not results.evidence.figures:
        st.info("This run drew no figures.")
        return
    st.markdown("**Figures (PNG)**")
    columns = st.columns(2)
    for place, figure in enumerate(results.evidence.figures):
        name = Path(figure.file).stem
        with columns[place % 2].container(border=True):
            content = results.file(figure.file)
            st.image(inline_image(content), caption=figure.alt, width="stretch", alt=figure.alt)
            offer(name.replace("_", " ").capitalize(), content, f"textclass-{name}.png", "image/png")
