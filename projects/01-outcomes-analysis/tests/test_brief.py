"""The page about a country, a state and a disease group: whole in one file, right names, clear refusals."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Command = Callable[[list[str]], Result]


@pytest.fixture(scope="module")
def page(small_run: Path, small_config: Path, invoke: Command) -> str:
    """A page about all three."""
    result = invoke(["report", "--config", str(small_config), "--out", str(small_run), "--country", "USA", "--state", "ohio",
                     "--group", "lung cancer"])
    assert result.exit_code == 0, result.output
    return Path(result.output.strip().removeprefix("written: ")).read_text(encoding="utf-8")


def test_the_page_names_what_it_is_about(page: str) -> None:
    assert re.findall(r"<h2>(.*?)</h2>", page) == ["COVID-19 in US", "Influenza in Ohio", "SUPPORT2: Lung Cancer"]
    assert "Not a medical device" in page


def test_the_page_stands_alone(page: str) -> None:
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(sources) == 3
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "<script" not in page
    assert all(len(alt) > 30 for alt in re.findall(r'alt="([^"]*)"', page))


def test_made_up_data_is_called_so_on_the_page(page: str) -> None:
    warning = re.search(r'<p class="warning">(.*?)</p>', page)
    assert warning
    assert "covid19_jhu" in warning[1]
    assert "flusight" in warning[1]
    assert "support2" not in warning[1], "these patients are real"


def test_the_page_shows_no_hole(page: str) -> None:
    text = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    assert re.findall(r"\b(?:None|nan|NaN|inf)\b|\{\{", text) == []


@pytest.mark.parametrize(("option", "name", "hint"), [
    ("--country", "Germny", "Did you mean 'Germany'?"), ("--state", "Ohoi", "Ohio"), ("--group", "Lung Cancr", "Lung Cancer"),
    ("--country", "<script>", "no country"), ("--group", "", "Lung Cancer"), ("--country", "", "no country")])
def test_an_unknown_name_gets_one_line_with_the_nearest(option: str, name: str, hint: str, small_run: Path, small_config: Path,
                                                        invoke: Command) -> None:
    result = invoke(["report", "--config", str(small_config), "--out", str(small_run), option, name])
    assert result.exit_code != 0
    errors = [line for line in result.output.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert hint in errors[0]
    assert "Traceback" not in result.output


def test_a_country_needs_no_run_before(small_config: Path, invoke: Command, tmp_path: Path) -> None:
    result = invoke(["report", "--config", str(small_config), "--out", str(tmp_path), "--country", "Germany"])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "reports" / "brief-germany.html").is_file()


def test_a_state_without_forecasts_says_how_to_make_them(small_config: Path, invoke: Command, tmp_path: Path) -> None:
    result = invoke(["report", "--config", str(small_config), "--out", str(tmp_path), "--state", "Ohio"])
    assert result.exit_code == 8
    assert "outcomes run --part forecast" in result.output


def test_a_page_leaves_the_record_of_a_run_as_it_is(small_config: Path, invoke: Command, tmp_path: Path) -> None:
    options = ["--config", str(small_config), "--out", str(tmp_path)]
    assert invoke(["data", *options, "--part", "waves"]).exit_code == 0
    before = (tmp_path / "data" / "data.json").read_bytes()
    result = invoke(["report", *options, "--country", "Germany", "--group", "Coma"])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "data" / "data.json").read_bytes() == before
