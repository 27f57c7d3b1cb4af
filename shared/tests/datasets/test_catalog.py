import pytest

from carefolio.datasets.catalog import read_catalog
from carefolio.exceptions import ConfigError

SAMPLE = """
[sample]
title = "Sample"
publisher = "nobody"
doi = "10.0/0"
licence = "CC0"
licence_url = "https://example.org"
citation = "none"
[[sample.files]]
name = "sample.csv"
bytes = 3
sha256 = "{sha256}"
urls = ["https://example.org/sample.csv"]
"""


def test_the_catalogue_names_publisher_licence_and_hash_of_every_file():
    entries = read_catalog()
    assert list(entries) == ["diabetes130", "support2", "covid19_jhu", "flusight", "world_population", "asq_phi", "presidio_synth",
                             "aci_bench", "mts_dialog", "medquad", "mtsamples", "pubmedqa", "idrid", "retinamnist"]
    assert entries["diabetes130"].file("diabetic_data.csv").rows == 101_766
    assert entries["diabetes130"].licence == "CC BY 4.0"
    assert entries["support2"].files[0].package == "SurvSet"
    for entry in entries.values():
        assert entry.citation
        assert entry.traps


@pytest.mark.parametrize(("change", "said"), [
    (("title", "titel"), "title"),
    (("sample.csv\"\nbytes", "../sample.csv\"\nbytes"), "files.0.name"),
    (("sample.csv\"\nbytes", "a/../../sample.csv\"\nbytes"), "files.0.name"),
    (("sample.csv\"\nbytes", "/sample.csv\"\nbytes"), "files.0.name"),
    (("{sha256}", "abc"), "files.0.sha256"),
    (("urls = [\"https://example.org/sample.csv\"]", ""), "needs `urls`"),
    (("bytes = 3", "bytes = "), "not valid TOML"),
    (("bytes = 3", "bytes = 3\nchanges = true\nmember = \"a.csv\""), "`member` cannot be taken"),
    (("bytes = 3", "bytes = 3\nassembled_by = \"flusight_hub\""), "`assembled_by` needs `parts`"),
    (("bytes = 3", "bytes = 3\nassembled_by = \"nobody\""), "assembled_by"),
])
def test_a_faulty_entry_is_named(change, said):
    text = SAMPLE.replace(*change).replace("{sha256}", "0" * 64)
    with pytest.raises(ConfigError, match=said):
        read_catalog(text)


def test_the_forecasts_are_made_of_one_file_a_week():
    for model, rows in (("baseline", 518_075), ("ensemble", 454_687)):
        entry = read_catalog()["flusight"].file(f"FluSight-{model}_wk_inc_flu_hosp_quantiles.parquet")
        assert (len(entry.parts), entry.rows) == (85, rows)
        assert list(entry.parts) == sorted(set(entry.parts))
        assert entry.noted


def test_a_good_entry_is_read():
    assert read_catalog(SAMPLE.replace("{sha256}", "0" * 64))["sample"].file("sample.csv").bytes == 3
