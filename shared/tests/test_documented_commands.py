import click
import pytest

from carefolio.cli import main
from carefolio.documented_commands import line_problems, make_targets, page_problems


@pytest.mark.parametrize(("line", "found"), [
    ("make demo test", []), ("make deploy", ["make has no target 'deploy'"]), ("make demo JOBS=2", []),
    ("carefolio list && carefolio check --write", []), ("carefolio lst", ["carefolio has no verb 'lst'"]),
    ("carefolio data fetch diabetes130", []), ("carefolio data get", ["carefolio data has no verb 'get'"]),
    ("carefolio run --all --quik", ["carefolio run: No such option '--quik'. Did you mean '--quick'?"]),
    ("carefolio hub --port many", ["carefolio hub: Invalid value for '--port': 'many' is not a valid integer."]),
    ("carefolio hub home", ["carefolio hub: Got unexpected extra argument (home)"]),
    ("carefolio --all", ["carefolio takes a verb before --all"]), ("carefolio --help", []), ("carefolio run --help", []),
    ("carefolio summary --junit results/not-there-yet.xml", []),
    ("CAREFOLIO_DATA_DIR=/data .venv/bin/carefolio data verify", []),
    ("readmision run", ["unknown program 'readmision'"]), ("git clone https://example.org/x && cd x", []),
    ("carefolio list > out.txt 2>&1", []),
    ("carefolio list | lss", ["unknown program 'lss'"]), ("carefolio list  # then look", []),
])
def test_a_command_that_would_be_refused_is_found(line, found):
    assert line_problems(line, {"carefolio": main}, {"demo", "test"}) == found


def test_a_file_that_the_reader_brings_need_not_be_here():
    path = click.Option(["--config"], type=click.Path(exists=True))
    known = {"demo": click.Group(commands=[click.Command("run", params=[path, click.Option(["--seed"], type=int)])])}
    assert line_problems("demo run --config mine.toml", known, ()) == []
    assert line_problems("demo run --config mine.toml --sed 1", known, ()) != []


def test_targets_are_read_from_a_makefile():
    assert make_targets(".PHONY: a b\nVAR := x: y\na b: c  ## help\n\techo no: no\nc:\n") == {"a", "b", "c"}


def test_a_page_names_the_line_of_a_wrong_command(tmp_path):
    page = tmp_path / "README.md"
    page.write_text("# Page\n\n```console\nmake demo\nmake dmo    # wrong\n```\n")
    (problem,) = page_problems(page, {}, {"demo"})
    assert (problem.line, problem.message) == (5, "make has no target 'dmo'; correct the command.")
