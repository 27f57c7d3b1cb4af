import csv
import io
import re

import pandas as pd
import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from carefolio import dashboard
from carefolio.command import DISCLAIMER
from carefolio.evidence import Metric


def toy_page(origin: str | None, name: str = "diabetes130") -> None:
    import polars as pl
    from matplotlib.figure import Figure

    from carefolio import dashboard
    from carefolio.evidence import Evidence, Metric

    metric = Metric(value=0.6557, low=0.641, high=0.672, level=0.95, n=20353, higher_is_better=True)
    record = {"schema": 1, "project": "toy", "commit": "abc1234", "command": "toy run", "created": "2026-01-31T12:00:00Z", "seed": 7,
              "config": {}, "environment": {"python": "3.11.7", "packages": {}, "machine": "2 cores"}, "durations_s": {}, "figures": [],
              "artefacts": [], "metrics": {"all.test.lightgbm.roc_auc": metric}}
    evidence = None
    if origin is not None:
        evidence = Evidence(**record, data=[{"name": name, "origin": origin, "sha256": "0" * 64, "rows": 101766}])
    dashboard.page("Readmission", "🏥", "Who comes back within 30 days?", evidence=evidence)
    if evidence is not None:
        dashboard.metric_card("AUROC", evidence.metrics["all.test.lightgbm.roc_auc"], ".2f")
        dashboard.metric_card("Missing", evidence.metrics.get("none"))
        dashboard.download_table(pl.DataFrame({"age_years": [70]}), "ages")
        dashboard.download_figure(Figure(), "empty")
        dashboard.provenance_footer(evidence)


def show(*arguments):
    page = AppTest.from_function(toy_page, args=arguments, default_timeout=60).run()
    assert not page.exception
    return page


def test_head_says_what_it_is_and_what_it_is_not():
    page = show("mirror")
    assert page.title[0].value == "Readmission"
    assert page.markdown[0].value == "Who comes back within 30 days?"
    assert page.caption[0].value == DISCLAIMER


def test_real_data_is_named_with_rows_and_origin():
    page = show("publisher")
    assert page.success[0].value == "Real data: diabetes130, 101,766 rows (publisher)."
    assert not page.warning


def test_synthetic_data_is_a_warning():
    page = show("synthetic")
    assert page.warning[0].value.startswith("Synthetic data: diabetes130")
    assert not page.success


def test_published_data_that_a_program_made_is_never_called_real():
    page = show("mirror", "synthea_fhir_r4")
    assert page.warning[0].value.startswith("Published data that a program made: synthea_fhir_r4")
    assert not page.success


def test_page_without_evidence_says_what_to_run():
    page = show(None)
    assert "No evidence yet" in page.warning[0].value
    assert not page.metric


def test_metric_has_its_interval_and_a_missing_one_a_dash():
    page = show("mirror")
    assert [(card.label, card.value) for card in page.metric] == [("AUROC", "0.66"), ("Missing", "–")]
    captions = [caption.value for caption in page.caption]
    assert "95 % interval 0.64 to 0.67 · n = 20,353 · higher is better" in captions
    assert "not measured in this run" in captions


def test_downloads_and_footer_are_there():
    page = show("mirror")
    assert [button.proto.label for button in page.get("download_button")] == ["Download table (CSV)", "Download figure (PNG)"]
    (footer,) = page.expander
    assert "`toy run` at commit `abc1234`, 2026-01-31T12:00:00Z, seed 7" in footer.markdown[0].value
    assert footer.dataframe[0].value["rows"].tolist() == [101766]


@pytest.fixture
def downloads(monkeypatch):
    offered = []
    monkeypatch.setattr(dashboard.st, "download_button", lambda label, data, **options: offered.append((data, options)))
    return offered


@pytest.mark.parametrize("library", [pl, pd])
def test_table_is_csv_with_quoted_text(downloads, library):
    dashboard.download_table(library.DataFrame({"age_years": [70, None], "note": ['says "hm", waits', "Müller"]}), "notes")
    ((data, options),) = downloads
    rows = list(csv.reader(io.StringIO(data.decode("utf-8"))))
    assert rows[0] == ["age_years", "note"]
    assert rows[1][1] == 'says "hm", waits'
    assert rows[2] == ["", "Müller"]
    assert options["file_name"] == "notes.csv"


def test_figure_is_a_png(downloads):
    from matplotlib.figure import Figure

    dashboard.download_figure(Figure(figsize=(2, 1)), "small")
    ((data, options),) = downloads
    assert data.startswith(b"\x89PNG")
    assert options["file_name"] == "small.png"


def test_interval_text_without_interval_or_direction():
    assert dashboard.interval_text(Metric(value=0.1, n=3, higher_is_better=None)) == "n = 3"
    assert dashboard.interval_text(Metric(value=0.1, n=3, higher_is_better=False)) == "n = 3 · lower is better"


def test_palette_is_hexadecimal_and_without_doubles():
    colours = dashboard.palette()
    assert all(re.fullmatch("#[0-9A-F]{6}", colour) for colour in colours.values())
    assert len(set(colours.values())) == len(colours)
