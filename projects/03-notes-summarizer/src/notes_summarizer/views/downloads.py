"""The section with everything to take along: metrics as CSV, the record, the model card, figures as PNG."""

from pathlib import Path

import streamlit as st

from carefolio.views import inline_image, metrics_csv, offer
from notes_summarizer.views.results import TITLES, Results, read_results


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
        offer("All metrics (CSV)", metrics_csv(results.evidence), "notes-metrics.csv", "text/csv")
        offer("Whole record (JSON)", results.file("evidence.json"), "notes-evidence.json", "application/json")
        offer("Model card (Markdown)", results.file("model_card.md"), "notes-model_card.md", "text/markdown")
        for part, title in TITLES.items():
            if (results.folder / "reports" / f"{part}.json").is_file():
                offer(f"{title}, what is drawn (JSON)", results.file(f"{part}.json"), f"notes-{part}.json", "application/json")
    _figures(results)


def _figures(results: Results) -> None:
    st.markdown("**Figures (PNG)**")
    columns = st.columns(2)
    for place, figure in enumerate(results.evidence.figures):
        name = Path(figure.file).stem
        with columns[place % 2].container(border=True):
            content = results.file(figure.file)
            st.image(inline_image(content), caption=figure.alt, width="stretch", alt=figure.alt)
            offer(name.replace("_", " ").capitalize(), content, f"notes-{name}.png", "image/png")
