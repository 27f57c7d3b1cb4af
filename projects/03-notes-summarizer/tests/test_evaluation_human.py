import polars as pl
import pytest

from carefolio.datasets.mts_dialog_twin import make_mts_dialog_twin
from carefolio.exceptions import SchemaError
from notes_summarizer.evaluation.human import SCORES, SUMMARIES, agreement, read_judged
from notes_summarizer.evaluation.settings import EvaluationSettings

SETTINGS = EvaluationSettings(max_sections=0, max_notes=0, meter_documents=0, minimum_header_cases=1, replicates=100, level=0.95,
                              max_output_tokens=64,
                              bert_batch=8)
HEADER = "FactualPrecision,FactualRecall,FactualF1,HallucinationRate,OmissionRate,Edit Distance (Correction)\n"


@pytest.fixture
def validation():
    return make_mts_dialog_twin(0).filter(part="validation")


@pytest.fixture
def folder(tmp_path, validation):
    """Two summaries a conversation: the reference, judged right, and one with an invented drug, judged half wrong."""
    invented = "Also takes warfarin 999 mg."
    right, wrong = (validation.select(pl.col("id").alias("ID"), pl.col("dialogue").alias("Dialogue"), pl.col("section_text").alias(
        "Reference Summary"), written.alias("Automatic Summary")) for written in (pl.col("section_text"), pl.lit(invented)))
    pl.concat([right, wrong]).write_csv(tmp_path / SUMMARIES)
    rows = ["1,1,1,0,0,0"] * right.height + ["0.5,0.5,0.5,0.5,1,1"] * (wrong.height - 1) + ["0.5,0.5,0.5,0.5,-1,1"]
    (tmp_path / SCORES).write_text(HEADER + "\n".join(rows))
    return tmp_path


def test_rules_that_see_what_people_see_agree_with_them(folder, validation):
    judged = read_judged(folder, validation)
    found = agreement(judged, SETTINGS, terms=["warfarin"], seed=0)
    values = {name.rpartition(".")[2]: value.value for name, value in found.items()}
    assert values == pytest.approx({"roc_auc_wrong_fact": 1, "sensitivity_wrong_fact": 1, "specificity_wrong_fact": 1,
                                    "sensitivity_hallucination": 1, "pearson_precision": 1, "pearson_omission": 1})
    assert found["meter.human_scores.rules.sensitivity_wrong_fact"].n == 20
    assert all(value.low <= value.value <= value.high + 1e-9 for value in found.values())


def test_a_share_below_zero_is_no_share(folder, validation):
    assert read_judged(folder, validation)["omission"].null_count() == 1


def test_other_conversations_are_refused(folder, validation):
    with pytest.raises(SchemaError, match=r"2 conversation\(s\) are not those of the validation part, first ID 3"):
        read_judged(folder, validation.with_columns(dialogue=pl.when(pl.col("id") == 3).then(pl.lit("Other.")).otherwise("dialogue")))


def test_missing_or_other_files_are_refused(folder, validation):
    (folder / SCORES).write_text(HEADER + "1,1,1,0,0,0\n")
    with pytest.raises(SchemaError, match=r"as many scores as summaries .* got 40 and 1 rows"):
        read_judged(folder, validation)
    (folder / SCORES).unlink()
    with pytest.raises(SchemaError, match=r"is missing; get both files from https://github\.com/abachaa/MTS-Dialog"):
        read_judged(folder, validation)
