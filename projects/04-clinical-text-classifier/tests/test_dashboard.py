"""The page says what the record says, asks the exported model, shows words as text, and keeps nothing."""

import csv
import io
import logging
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from carefolio.artefacts import read_json, write_json
from carefolio.command import DISCLAIMER
from carefolio.config import load_config, project_home
from carefolio.evidence import DataRecord, Evidence, Metric, SplitRecord, environment, read_evidence, utc_now, write_evidence
from carefolio.views import metrics_csv, percent_with_interval, with_interval
from text_classifier.config import FOLDER, PARTS, PROJECT, TextClassifierSettings
from text_classifier.dashboard import SECTIONS
from text_classifier.figures import SYSTEMS
from text_classifier.predictor import Classified, WordWeight
from text_classifier.schemas import DIALOGUE, LONGEST_TEXT
from text_classifier.views import mistakes, training
from text_classifier.views.examples import EXAMPLES
from text_classifier.views.mistakes import most_mixed
from text_classifier.views.results import SCORE_NAMES, label_in_words, read_results, verdict
from text_classifier.views.try_text import ASKED, Asked, problem_of
from text_classifier.views.word_marks import answer_html, legend_html, marked_html

COMMITTED = project_home(FOLDER)
HAS_COMMITTED = (COMMITTED / "reports" / "evidence.json").is_file()
LABELS = {"headers": ["ALLERGY", "CC", "GENHX"], "decisions": ["maybe", "no", "yes"], "specialties": ["Neurology", "Urology"]}
TUNED = {"headers": ["minilm_full", "smollm2_lora"], "decisions": ["minilm_full"], "specialties": ["minilm_full"]}
LEADS = {"headers": (0.08, 0.03, 0.13), "decisions": (0.01, -0.04, 0.06), "specialties": (-0.09, -0.14, -0.04)}
"""Of `minilm_full`: ahead, undecided, behind."""
TEXTS = 40


def metric(value: float, low: float | None = None, high: float | None = None, *, better: bool = True) -> Metric:
    return Metric(value=value, low=low, high=high, level=None if low is None else 0.95, n=TEXTS, higher_is_better=better)


def metrics_of(task: str) -> dict[str, Metric]:
    """What `evaluate` records of a task: made-up numbers."""
    found = {}
    for place, system in enumerate(["majority", "tfidf_lr", "embeddings_lr", *TUNED[task]]):
        value = 0.4 + 0.1 * place
        for score in ("accuracy", "macro_f1", "coverage_95"):
            found[f"{task}.test.{system}.{score}"] = metric(value, value - 0.05, value + 0.05)
        for score in ("log_loss", "calibration_error"):
            found[f"{task}.test.{system}.{score}"] = metric(1 - value, 0.9 - value, 1.1 - value, better=False)
        found[f"{task}.test.{system}.precision_95"] = metric(0.96)
    for system in TUNED[task]:
        for score in ("accuracy", "macro_f1"):
            found[f"{task}.test.{system}_minus_tfidf_lr.{score}"] = metric(*LEADS[task])
        costs = {"parameters": 22e6, "trained_parameters": 7e5, "core_seconds": 120.0, "texts_per_core_s": 15.2, "energy_wh": 1.0}
        found |= {f"{task}.train.{system}.{name}": metric(value, better=False) for name, value in costs.items()}
        for kind in ("probe_accuracy", "probe_accuracy_untouched", "probe_accuracy_change"):
            found[f"{task}.forgetting.{system}.{kind}"] = metric(0.5, 0.4, 0.6)
    for kind in ("torch_accuracy", "accuracy", "accuracy_change", "same_label", "torch_latency_p50_ms", "latency_p50_ms", "speed_up"):
        found[f"{task}.test.served.{kind}"] = metric(0.5, 0.4, 0.6)
    if task == "headers":
        for group in ("several_sections", "fits_as_well", "too_little", "plain", "unread", "wrong"):
            found[f"{task}.errors_read.minilm_full.{group}"] = metric(0.2)
    return found


def curves_of(task: str) -> dict[str, Any]:
    """What `curves.draw` gives: made-up numbers."""
    labels, tuned = LABELS[task], TUNED[task]
    counts = [[10 if row == column else row + 1 for column in range(len(labels))] for row in range(len(labels))]
    groups = {"mean_predicted": [0.5, 0.9], "observed": [0.4, 0.8], "low": [0.3, 0.6], "high": [0.5, 0.9], "count": [20.0, 20.0]}
    epochs = [{"epoch": number, "train_loss": 2 / number, "valid_loss": 2.2 / number, "valid_accuracy": 0.3 * number, "seconds": 1.0}
              for number in (1, 2)]
    both = ("tfidf_lr", "minilm_full")
    points = [{"share": 0.5, "texts": 50, "accuracy": 0.5}, {"share": 1.0, "texts": 100, "accuracy": 0.6}]
    return {"labels": labels, "counts": {"train": 100, "valid": 30, "test": TEXTS}, "baseline": "tfidf_lr", "best": "minilm_full",
            "systems": ["majority", "tfidf_lr", "embeddings_lr", *tuned], "label_counts": dict.fromkeys(labels, 50),
            "confusion": dict.fromkeys(both, counts), "reliability": dict.fromkeys(both, groups),
            "risk_coverage": {name: {"coverage": [0.2, 0.6, 1.0], "risk": [0.0, 0.1, 0.3]} for name in both},
            "thresholds": {"majority": [None], "tfidf_lr": [0.7], "embeddings_lr": [0.8], **{name: [0.6, None] for name in tuned}},
            "history": {name: [epochs, epochs] for name in tuned},
            "curve": points if task == "headers" else []}


@pytest.fixture(scope="session")
def shown_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run on twins, without figures, card and exported models."""
    folder = tmp_path_factory.mktemp("shown")
    for task in PARTS:
        write_json(folder / "reports" / f"{task}.json", curves_of(task))
    data = [DataRecord(name=name, origin="synthetic", sha256="0" * 64, rows=170) for names in PARTS.values() for name in names]
    write_evidence(folder / "reports" / "evidence.json", Evidence(
        schema=1, project=PROJECT, commit="0" * 7, command="textclass run --quick", created=utc_now(), seed=0,
        config=load_config(TextClassifierSettings, PROJECT, quick=True).model_dump(mode="json"), data=data,
        split=SplitRecord(unit="text", sha256="0" * 64, parts={"train": 300, "valid": 90, "test": 120}), environment=environment(["numpy"]),
        durations_s={"data": 1.0}, metrics={name: one for task in PARTS for name, one in metrics_of(task).items()}, figures=[],
        artefacts=[]))
    return folder


@pytest.fixture
def no_model(home: Path) -> Path:
    """A repository in which no model is exported."""
    return home


@pytest.fixture
def served(tiny_artefacts: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny exported model is the one to use."""
    monkeypatch.setenv("CAREFOLIO_ARTEFACTS", str(tiny_artefacts))
    return tiny_artefacts


def draw(folder: "Path") -> None:
    from text_classifier.dashboard import main

    main(folder)


def open_section(folder: Path, section: str, **state: Any) -> AppTest:
    app = AppTest.from_function(draw, args=(folder,), default_timeout=180)
    app.query_params["section"] = section
    for name, value in state.items():
        app.session_state[name.replace("_", "-")] = value
    app.run()
    assert not app.exception
    return app


def html_of(app: AppTest) -> str:
    return "\n".join(str(element.proto.body) for element in app.get("html"))


def press(app: AppTest, key: str, value: str) -> None:
    groups: Any = app.get("button_group")
    next(group for group in groups if group.key == key).set_value(value).run()
    assert not app.exception


def choose(app: AppTest, key: str, value: str) -> AppTest:
    press(app, key, value)
    assert not app.error
    return app


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_draws_under_a_banner(section: str, shown_run: Path, served: Path) -> None:
    app = open_section(shown_run, section)
    assert not app.error
    assert app.warning[0].value.startswith("Synthetic data")
    assert app.caption[0].value == DISCLAIMER


@pytest.mark.skipif(not HAS_COMMITTED, reason="no reports are committed yet")
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_of_the_committed_run_draws(section: str) -> None:
    app = open_section(COMMITTED, section)
    assert not app.error
    assert not app.warning
    assert len(app.subheader) >= 1


@pytest.mark.parametrize("section", [section for section in SECTIONS if section != "Try a text"])
def test_without_a_run_a_section_says_which_command_makes_one(section: str, tmp_path: Path) -> None:
    app = open_section(tmp_path, section)
    assert "textclass run --quick" in app.error[0].value


def test_the_headline_is_the_one_in_the_evidence(shown_run: Path) -> None:
    app = open_section(shown_run, "Overview")
    found = read_evidence(shown_run / "reports" / "evidence.json").metrics["headers.test.minilm_full.accuracy"]
    assert app.metric[0].value == f"{found.value:.1%}"
    assert "95 % interval" in app.caption[1].value


def test_the_overview_says_whether_a_lead_counts(shown_run: Path) -> None:
    said = [markdown.value for markdown in open_section(shown_run, "Overview").markdown if "**" in markdown.value]
    words = " ".join(said)
    assert "leads word counts + linear layer" in words
    assert "No difference is shown" in words
    assert "is behind word counts + linear layer" in words
    assert "Tuning did not pay here" in words


def test_a_missing_task_is_a_message_and_the_rest_stays(shown_run: Path, tmp_path: Path) -> None:
    shutil.copytree(shown_run / "reports", tmp_path / "reports")
    (tmp_path / "reports" / "decisions.json").unlink()
    app = open_section(tmp_path, "Overview")
    assert any("PubMedQA" in warning.value for warning in app.warning)
    assert len(app.metric) == 6
    assert not open_section(tmp_path, "Compare").error


@pytest.mark.parametrize("task", PARTS)
@pytest.mark.parametrize("score", SCORE_NAMES)
def test_every_score_of_every_system_is_the_one_in_the_evidence(task: str, score: str, shown_run: Path) -> None:
    app = open_section(shown_run, "Compare")
    choose(choose(app, "task", task), f"score-{task}", score)
    metrics = read_evidence(shown_run / "reports" / "evidence.json").metrics
    shown = app.table[0].value.set_index("System")
    for system in curves_of(task)["systems"]:
        one = metrics[f"{task}.test.{system}.{score}"]
        written = percent_with_interval(one.value, one.low, one.high) if score in ("accuracy", "coverage_95") else with_interval(one)
        words = SYSTEMS[system]
        assert shown.loc[words[:1].upper() + words[1:]].iloc[1] == written


def test_leads_stand_beside_their_verdict_and_the_published_figure(shown_run: Path) -> None:
    app = open_section(shown_run, "Compare")
    assert "Published: best published, accuracy" in app.table[0].value["System"].to_list()
    assert app.table[1].value["Verdict"].to_list() == ["ahead: the interval excludes 0"] * len(TUNED["headers"])
    assert verdict(metric(0.1, 0.0, 0.2)).startswith("no difference")
    assert verdict(None) == "not compared"


@pytest.mark.parametrize("view", [view for view in mistakes.VIEWS if view != "Read by hand"])
@pytest.mark.parametrize("task", PARTS)
def test_every_view_of_the_errors_draws(view: str, task: str, shown_run: Path) -> None:
    app = choose(choose(open_section(shown_run, "Errors"), "errors", view), "task", task)
    assert app.table


def test_errors_that_were_read_have_their_groups(shown_run: Path) -> None:
    app = choose(open_section(shown_run, "Errors"), "errors", "Read by hand")
    assert app.table[0].value["Group"].to_list()[-2:] == ["A plain mistake: a reader would have seen it", "Not read"]


def test_errors_that_nobody_read_have_no_groups(shown_run: Path, tmp_path: Path) -> None:
    shutil.copytree(shown_run, tmp_path / "run")
    path = tmp_path / "run" / "reports" / "evidence.json"
    evidence = read_json(path)
    evidence["metrics"] = {name: one for name, one in evidence["metrics"].items() if ".errors_read." not in name}
    write_json(path, evidence)
    app = choose(open_section(tmp_path / "run", "Errors"), "errors", "Read by hand")
    assert "Nobody has read" in app.info[0].value


@pytest.mark.parametrize("view", training.VIEWS)
def test_every_view_of_the_training_draws(view: str, shown_run: Path) -> None:
    assert choose(open_section(shown_run, "Training"), "training", view).table


def test_energy_is_called_an_estimate(shown_run: Path) -> None:
    app = choose(open_section(shown_run, "Training"), "training", "Cost")
    assert any("estimate" in column for column in app.table[0].value.columns)
    assert any("nothing was metered" in caption.value for caption in app.caption)


def test_a_run_without_a_learning_curve_says_so(shown_run: Path, tmp_path: Path) -> None:
    shutil.copytree(shown_run / "reports", tmp_path / "reports")
    write_json(tmp_path / "reports" / "headers.json", curves_of("headers") | {"curve": []})
    app = open_section(tmp_path, "Training")
    press(app, "training", "Learning curve")
    assert "curve_shares" in app.error[0].value


def test_the_downloads_hold_every_metric(shown_run: Path) -> None:
    run = read_results(shown_run)
    rows = list(csv.DictReader(io.StringIO(metrics_csv(run.evidence).decode())))
    assert {row["id"] for row in rows} == set(run.evidence.metrics)
    assert len(open_section(shown_run, "Downloads").get("download_button")) == 2 + len(PARTS)


def test_most_frequent_mistakes_come_first() -> None:
    mixed = most_mixed(["a", "b", "c"], [[5, 1, 0], [3, 2, 0], [0, 0, 4]])
    assert [(row["right"], row["answer"], row["texts"], row["of"]) for row in mixed] == [("b", "a", 3, 5), ("a", "b", 1, 6)]
    assert label_in_words("CC") == "CC (chief complaint)"
    assert label_in_words("Neurology") == "Neurology"


def test_without_an_exported_model_the_page_says_how_to_make_one(no_model: Path, tmp_path: Path) -> None:
    assert "textclass run" in open_section(tmp_path, "Try a text").error[0].value


def classify(app: AppTest) -> AppTest:
    next(button for button in app.button if button.label == "Classify").click().run()
    assert not app.exception
    return app


def test_a_click_shows_the_answer_and_logs_nothing_of_the_text(served: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    app = open_section(tmp_path, "Try a text")
    app.text_area[0].set_value(DIALOGUE)
    classify(app)
    assert not app.error
    page = html_of(app)
    assert "tc-answer" in page
    text = re.search(r'<div class="tc-text".*?</div>', page)
    assert text
    assert re.sub(r"<sup>.*?</sup>|<[^>]+>", "", text.group()) == DIALOGUE
    assert "Latex" not in str(dict(app.query_params))
    assert "Latex" not in caplog.text
    assert DIALOGUE not in repr(app.session_state[ASKED])


def test_a_long_text_is_said_to_be_cut(served: Path, tmp_path: Path) -> None:
    app = open_section(tmp_path, "Try a text")
    app.text_area[0].set_value(f"{DIALOGUE} " * 5)
    assert any("was not read" in warning.value for warning in classify(app).warning)
    assert '<span class="tc-unread"' in html_of(app)


@pytest.mark.parametrize(("text", "said"), [("", "letter"), ("123 ?", "letter"), ("a\x00b", "control character"),
                                            ("a" * (LONGEST_TEXT + 1), "at most 20,000")])
def test_an_unsuitable_text_is_a_message(text: str, said: str) -> None:
    assert said in problem_of(text)


def test_an_empty_text_is_a_message_on_the_page(served: Path, tmp_path: Path) -> None:
    app = open_section(tmp_path, "Try a text")
    app.text_area[0].set_value("")
    assert "letter" in classify(app).error[0].value


def test_another_example_replaces_the_text_and_it_can_be_cleared(served: Path, tmp_path: Path) -> None:
    app = open_section(tmp_path, "Try a text")
    assert app.text_area[0].value == EXAMPLES["headers"]["Allergies"]
    choose(app, "tc-example-headers", "Family")
    assert app.text_area[0].value == EXAMPLES["headers"]["Family"]
    classify(app)
    next(button for button in app.button if button.label.startswith("Clear")).click().run()
    assert app.text_area[0].value == ""
    assert ASKED not in app.session_state
    assert "Clear text and answer" not in [button.label for button in app.button]


def test_the_answer_to_another_task_is_not_shown(served: Path, tmp_path: Path) -> None:
    kept = Asked("specialties", "A knee.", Classified("Orthopedic", 0.9, {"Orthopedic": 0.9, "Urology": 0.1}, False), (), 7)
    assert "tc-answer" not in html_of(open_section(tmp_path, "Try a text", **{ASKED: kept})).replace(".tc-answer", "")


def test_words_are_marked_as_text_with_sign_and_line() -> None:
    text = 'No <script>alert("x")</script> rash\n& fever.'
    words = [WordWeight("rash", text.index("rash"), text.index("rash") + 4, 0.3), WordWeight("fever", text.index("fever"),
             text.index("fever") + 5, -0.1), WordWeight("No", 0, 2, 0.001)]
    page = marked_html(text, words)
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert '<mark class="tc-for"' in page
    assert "rash</mark><sup>+0.30</sup>" in page
    assert "fever</mark><sup>−0.10</sup>" in page
    assert page.count("<mark") == 2
    assert "dashed line" in legend_html()


def test_an_unsure_answer_says_so_in_words() -> None:
    answer = Classified("<b>CC</b>", 0.4, {"<b>CC</b>": 0.4, "ROS": 0.6}, False)
    page = answer_html(answer, answer.label, abstains=True)
    assert "Too unsure" in page
    assert "<b><b>" not in page
    assert "Too unsure" not in answer_html(answer, answer.label, abstains=False)
    assert "answers nothing" in answer_html(answer, answer.label, abstains=True, reason="This model answers nothing by itself")


def test_examples_are_there_for_every_task_and_can_be_read() -> None:
    assert set(EXAMPLES) == set(PARTS)
    assert all(problem_of(text) == "" for texts in EXAMPLES.values() for text in texts.values())


def test_a_file_of_another_version_is_a_message(shown_run: Path, tmp_path: Path) -> None:
    shutil.copytree(shown_run / "reports", tmp_path / "reports")
    broken = read_json(tmp_path / "reports" / "headers.json")
    del broken["thresholds"]
    write_json(tmp_path / "reports" / "headers.json", broken)
    assert "another version" in open_section(tmp_path, "Compare").error[0].value
