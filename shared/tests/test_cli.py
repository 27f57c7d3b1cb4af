import json
import subprocess
import sys
import sysconfig

import pytest
from click.testing import CliRunner

from carefolio.cli import main

HEAVY = ["fastapi", "matplotlib", "mlflow", "numba", "numpy", "pandas", "polars", "pydantic", "rich", "sklearn", "streamlit"]


@pytest.fixture
def call(repository, monkeypatch):
    """Call the command inside a small repository."""
    monkeypatch.setenv("CAREFOLIO_HOME", str(repository))
    monkeypatch.chdir(repository)
    monkeypatch.setenv("COLUMNS", "250")
    return lambda *arguments: CliRunner().invoke(main, list(arguments))


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a stand-in for the chapter's command on the path."""
    def write(body):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        (folder / "demo").write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
        (folder / "demo").chmod(0o755)
        monkeypatch.setattr(sysconfig, "get_path", lambda name: str(folder))
    return write


def test_list_shows_what_exists_and_what_is_planned(call):
    result = call("list")
    assert result.exit_code == 0
    assert "ROC AUC 0.684 (95 % CI 0.672 to 0.696)" in result.output
    assert result.output.count("planned") == 9


def test_run_passes_the_options_on_and_prints_a_table(call, install, repository):
    install("import pathlib; pathlib.Path('seen').write_text(' '.join(sys.argv[1:]))")
    result = call("run", "demo", "--quick")
    assert result.exit_code == 0, result.output
    assert (repository / "seen").read_text() == "run --quick", "a chapter runs where the caller stands, so that relative paths hold"
    assert "done" in result.output


def test_run_says_at_the_end_what_failed(call, install):
    install("print('step one', file=sys.stderr); print('error: no such column', file=sys.stderr); sys.exit(6)")
    result = call("run", "--all")
    assert result.exit_code == 1
    assert "step one" in result.stderr
    assert result.stderr.strip().splitlines()[-1] == "01-demo failed: exit code 6: error: no such column"


def test_run_goes_on_after_a_failure(call, install, repository):
    second = repository / "projects" / "02-more"
    second.mkdir()
    second.joinpath("pyproject.toml").write_text((repository / "projects" / "01-demo" / "pyproject.toml").read_text())
    install("import pathlib; first = not pathlib.Path('ran').exists(); pathlib.Path('ran').touch(); sys.exit(first)")
    result = call("run", "--all")
    assert result.exit_code == 1
    assert "02-more" in result.output
    assert "02-more failed" not in result.output
    assert "01-demo failed: exit code 1: no message" in result.output


def test_run_names_a_command_that_is_not_installed(call, monkeypatch, tmp_path):
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    result = call("run", "01")
    assert result.exit_code == 1
    assert "'demo' is not installed; run `make setup`" in result.stderr


@pytest.mark.parametrize("arguments", [["run"], ["run", "--all", "demo"]])
def test_run_wants_names_or_all(call, arguments):
    assert call(*arguments).exit_code == 2


def test_an_unknown_chapter_is_one_line_with_its_exit_code(call):
    result = call("run", "nothing")
    assert result.exit_code == 3
    assert result.stderr.startswith("error: 'nothing' is no chapter")
    assert result.stderr.count("\n") == 1


def test_check_passes_fails_and_writes(call, repository):
    assert call("check").output == "4 documents agree with their evidence; their commands exist; the chapters are alike.\n"
    readme = repository / "README.md"
    readme.write_text(readme.read_text().replace("0.684", "0.9"))
    failed = call("check")
    assert failed.exit_code == 9
    assert failed.stdout.startswith("README.md:3: ")
    assert failed.stderr.startswith("error: 1 problem in the documents")
    assert call("check", "--write").exit_code == 0
    assert "0.684" in readme.read_text()


def test_data_list_shows_the_catalogue(call, monkeypatch, tmp_path):
    monkeypatch.setenv("CAREFOLIO_CACHE_DIR", str(tmp_path))
    result = call("data", "list")
    assert result.exit_code == 0
    assert "diabetes130" in result.output


def test_data_verify_tells_missing_from_corrupt(call, monkeypatch, tmp_path):
    monkeypatch.delenv("CAREFOLIO_DATA_DIR", raising=False)
    monkeypatch.setenv("CAREFOLIO_CACHE_DIR", str(tmp_path / "cache"))
    result = call("data", "verify", "diabetes130")
    assert result.exit_code == 0
    assert "diabetes130/diabetic_data.csv: missing" in result.output
    (tmp_path / "cache" / "diabetes130").mkdir(parents=True)
    (tmp_path / "cache" / "diabetes130" / "diabetic_data.csv").write_text("cut")
    result = call("data", "verify", "diabetes130")
    assert result.exit_code == 5
    assert "diabetes130/diabetic_data.csv: not the bytes" in result.stderr


def test_data_fetch_offline_is_one_line(call, monkeypatch, tmp_path):
    monkeypatch.delenv("CAREFOLIO_DATA_DIR", raising=False)
    monkeypatch.setenv("CAREFOLIO_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    result = call("data", "fetch", "diabetes130")
    assert result.exit_code == 4
    assert result.stderr.count("\n") == 1


def test_an_unknown_data_set_is_refused(call):
    assert call("data", "fetch", "nothing").exit_code == 3


def test_help_shows_no_internals_and_imports_nothing_heavy():
    for verb in ([], ["run"], ["data", "fetch"], ["check"], ["hub"]):
        text = CliRunner().invoke(main, [*verb, "--help"]).output
        assert "Usage" in text
        assert "----" not in text.replace("--help", "")
    code = "import carefolio.cli, json, sys; print(json.dumps([name for name in sys.argv[1:] if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code, *HEAVY], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
