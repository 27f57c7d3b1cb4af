"""A run is made again in a process of its own and compared; what was changed in between is named."""

import copy
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from carefolio.exceptions import ConfigError
from model_registry import provenance
from model_registry.reproduce import choose_python, compare_environment, judge, lay_out_source, reproduce_run, to_toml
from model_registry.tracking.errors import RegistryError
from model_registry.tracking.runs import list_runs

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.usefixtures("_bare")


@pytest.fixture
def _bare(twin_only, monkeypatch):
    """No published file can be had, as when the run was made."""
    for name, value in twin_only.items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)


def commit(repository, *first):
    """Commit everything in a repository of the test's own."""
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for arguments in (*([first] if first else []), ("add", "."), (*identity, "commit", "-qm", "one")):
        subprocess.run(["git", "-C", str(repository), *arguments], check=True)


@pytest.fixture(scope="module")
def result(first_run):
    """What the first run recorded."""
    return json.loads((first_run.out / "result" / "readmission.json").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["readmission", "survival"])
def test_a_run_made_again_is_identical(first_run, name):
    found = reproduce_run(first_run.address, first_run.run_id(name), run_recorded_source=True)
    assert found.differences == ()
    assert found.identical
    assert found.largest <= 1e-9
    assert found.compared >= 10
    assert "the model's weights are the same bytes" in found.notes


@pytest.mark.slow
def test_a_trial_is_made_again_with_its_search(first_run):
    trials = list_runs(first_run.address, "survival", nested=True)
    found = reproduce_run(first_run.address, trials[0].run_id, run_recorded_source=True)
    assert found.identical
    assert found.compared == 2, "its folds"


@pytest.mark.slow
def test_a_committed_run_is_made_again_from_its_commit_whatever_came_after(small_config, invoke, tmp_path, monkeypatch):
    repository, out = tmp_path / "repository", tmp_path / "run"
    for folder in provenance.SOURCES:
        shutil.copytree(ROOT / folder, repository / folder, ignore=shutil.ignore_patterns("__pycache__"))
    commit(repository, "init", "-q")
    monkeypatch.setenv("CAREFOLIO_HOME", str(repository))
    invoke("search", "survival", "--config", small_config, "--out", out)
    assert not (out / "record" / "survival" / provenance.SOURCE_FILE).exists(), "a commit needs no copy"
    (repository / provenance.SOURCES[2] / "model_registry" / "survival.py").write_text("raise SystemExit('of a later commit')")
    commit(repository)
    journal = json.loads((out / "train" / "survival.json").read_text())["journal"]
    run_id = json.loads((out / "journal" / journal / "state.json").read_text())["run_id"]
    assert "identical: " in invoke("reproduce", run_id, "--out", out).output


@pytest.mark.slow
def test_a_planted_difference_is_named_and_the_exit_code_says_so(first_run, invoke, tmp_path, monkeypatch):
    """The source that is laid out fits with another seed than the recorded one."""
    lay_out = lay_out_source

    def alter(record, kept, folder, *, run_recorded_source):
        lay_out(record, kept, folder, run_recorded_source=run_recorded_source)
        file = folder / "projects/06-mlflow-registry/src/model_registry/model.py"
        text = file.read_text()
        assert '"seed": seed,' in text
        file.write_text(text.replace('"seed": seed,', '"seed": seed + 1,'))

    monkeypatch.setattr("model_registry.reproduce.lay_out_source", alter)
    said = invoke("reproduce", first_run.run_id(), "--tracking-uri", first_run.address, "--run-recorded-source", "--keep", tmp_path,
                  exit_code=16).output
    assert "differs: metric readmission.test.lightgbm.roc_auc: " in said
    assert "not identical" in said
    assert "data set" not in said, "the data is the same"
    assert "the model's weights are other bytes" in said


def test_a_trial_is_compared_alone(result):
    other = copy.deepcopy(result)
    other["trials"][0]["values"][0] += 1e-6
    assert judge(result, other, trial=1).identical
    found = judge(result, other, trial=0)
    assert not found.identical
    assert found.differences[0].startswith("metric trial 1, fold 1: ")


@pytest.mark.parametrize(("gap", "identical"), [(5e-10, True), (2e-9, False)])
def test_the_tolerance_is_one_in_a_thousand_million(result, gap, identical):
    other = copy.deepcopy(result)
    other["metrics"]["readmission.test.lightgbm.roc_auc"] += gap
    assert judge(result, other).identical is identical


@pytest.mark.parametrize(("path", "said"), [
    (("data", "provenance", "sha256"), "data set: "), (("data", "split", "sha256"), "split: "), (("data", "table_sha256",), "table: "),
])
def test_other_data_is_named_even_where_metrics_agree(result, path, said):
    other = copy.deepcopy(result)
    target = other
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = "0" * 64
    found = judge(result, other)
    assert not found.identical
    assert any(text.startswith(said) for text in found.differences)


def test_other_parameters_trials_and_absent_metrics_are_named(result):
    other = copy.deepcopy(result)
    other["trials"][1]["parameters"]["num_leaves"] = -1
    del other["trials"][3], other["metrics"]["readmission.test.lightgbm.brier_score"]
    text = "\n".join(judge(result, other).differences)
    assert "trial 2, parameter num_leaves: -1 now" in text
    assert "number of trials: 3 now, 4 then" in text
    assert "metric readmission.test.lightgbm.brier_score: absent now" in text


def test_an_environment_that_differs_is_named_and_would_be_built(first_run, tmp_path):
    record = {"python": "3.11.0", "packages": provenance.pinned_packages() | {"lightgbm": "0.0.1", "no-such-package": "1"}}
    present = compare_environment(record)
    assert any(text.startswith("package lightgbm is ") and text.endswith("0.0.1 then") for text in present)
    assert "package no-such-package is not installed here, 1 then" in present
    assert choose_python(record, present, "present", tmp_path, say=print)[1] is False
    assert choose_python(record, (), "auto", tmp_path, say=print)[1] is False


@pytest.mark.slow
def test_a_recorded_environment_is_built_of_its_pins_and_of_nothing_else(tmp_path):
    record = {"packages": {"packaging": provenance.pinned_packages()["packaging"]}}
    python, built = choose_python(record, ("package packaging is other",), "auto", tmp_path / "environment", say=print)
    assert built
    code = "import importlib.util, packaging; print(packaging.__version__, importlib.util.find_spec('numpy'))"
    said = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert said == [record["packages"]["packaging"], "None"]
    with pytest.raises(RegistryError, match="--environment present"):
        choose_python({"packages": {"no-such-package-of-carefolio": "0"}}, (), "build", tmp_path / "other", say=print)


def test_source_that_was_not_committed_runs_only_if_asked_for(first_run, tmp_path):
    (tmp_path / "kept").mkdir()
    provenance.keep_source(tmp_path / "kept" / provenance.SOURCE_FILE)
    record = {"altered": True, "commit": "a" * 40}
    with pytest.raises(RegistryError, match="--run-recorded-source"):
        lay_out_source(record, tmp_path / "kept", tmp_path / "source", run_recorded_source=False)
    lay_out_source(record, tmp_path / "kept", tmp_path / "source", run_recorded_source=True)
    assert (tmp_path / "source/projects/06-mlflow-registry/src/model_registry/config.toml").is_file()


def test_a_commit_is_laid_out_as_it_was(tmp_path):
    repository = tmp_path / "repository"
    for folder in provenance.SOURCES:
        (repository / folder).mkdir(parents=True)
        (repository / folder / "a.py").write_text("then")
    commit(repository, "init", "-q")
    source = provenance.read_source(repository)
    assert not source.altered
    changed = repository / provenance.SOURCES[0] / "a.py"
    changed.write_text("now")
    assert provenance.read_source(repository).altered
    provenance.check_out(source.commit, tmp_path / "laid", repository)
    assert (tmp_path / "laid" / provenance.SOURCES[0] / "a.py").read_text() == "then"
    assert changed.read_text() == "now", "the working tree is left alone"
    with pytest.raises(ConfigError, match="cannot be laid out"):
        provenance.check_out("0" * 40, tmp_path / "none", repository)


def test_a_run_that_is_no_search_cannot_be_made_again(first_run):
    with pytest.raises(RegistryError, match="there is no run"):
        reproduce_run(first_run.address, "0" * 32)
    assert list_runs(first_run.address, "no such experiment") == []


def test_settings_come_back_from_their_record(first_run):
    import tomllib

    record = json.loads((first_run.out / "record" / "readmission" / "record.json").read_text())
    assert tomllib.loads(to_toml(record["settings"])) == record["settings"]


def test_packages_are_followed_through_their_requirements():
    packages = provenance.pinned_packages()
    assert {"lightgbm", "mlflow", "polars", "sqlalchemy", "numpy"} <= set(packages)
    assert list(packages) == sorted(packages)
    assert provenance.requirement_lines(packages, ["lightgbm"]) == [f"lightgbm=={packages['lightgbm']}"]
    assert Path(provenance.source_path(Path("a")).split(":")[0]).is_absolute()
