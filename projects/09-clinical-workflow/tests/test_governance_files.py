"""The governance files: whole, in agreement with the settings, readable, and refused where something does not fit."""

import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from carefolio.config import load_config
from carefolio.exceptions import ConfigError
from carefolio.markdown import parse, unmarked_numbers
from clinical_workflow.config import PROJECT, WorkflowSettings
from clinical_workflow.governance.check import check_governance, limit_problems
from clinical_workflow.governance.reading import FILES, read_governance
from clinical_workflow.governance.rendering import governance_markdown, hazard_log, sections
from clinical_workflow.governance.schemas import risk_level


@pytest.fixture(scope="module")
def governance():
    return read_governance()


@pytest.fixture(scope="module")
def settings():
    return load_config(WorkflowSettings, PROJECT)


@pytest.fixture
def folder(tmp_path):
    """A copy of the files that a test may spoil."""
    for name in FILES:
        shutil.copyfile(Path(str(files("clinical_workflow.governance") / name)), tmp_path / name)
    return tmp_path


def spoil(folder, name, old, new):
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1))


def test_the_files_say_what_the_chapter_promises(governance):
    assert len(governance.hazards) >= 12
    assert {role.id for role in governance.roles} == {"clinician", "nurse", "data_scientist", "privacy_officer", "it"}
    assert all(hazard.residual_level != "high" for hazard in governance.hazards)
    assert {hazard.level for hazard in governance.hazards} >= {"high", "medium"}
    chapters = {test.split("/")[1] for tests in governance.tests.values() for test in tests}
    assert len(chapters) >= 5, "controls stand all over the repository"


def test_limits_are_those_that_the_settings_act_on(governance, settings):
    assert limit_problems(governance, settings) == []
    assert sum(bool(measure.setting) for measure in governance.measures) >= 4


def test_a_limit_that_differs_and_a_setting_that_is_not_there_are_found(folder, settings):
    spoil(folder, "monitoring.toml", "limit = 500", "limit = 700")
    spoil(folder, "monitoring.toml", "gate.most_shift", "gate.no_such")
    found = check_governance(read_governance(folder), settings, root=folder, run_tests=False)
    assert [problem.split(":")[0] for problem in found] == ["M02", "M04"]
    assert "700" in found[0]
    assert "gate.no_such" in found[1]


@pytest.mark.parametrize(("file", "old", "new", "said"), [
    ("hazards.toml", 'severity = "serious"', 'severity = "bad"', "hazards.toml: H01 `severity`"),
    ("hazards.toml", 'owner = "it"', 'owner = "nobody"', "H01 `owner`: 'nobody' is no role"),
    ("hazards.toml", 'id = "H02"', 'id = "H01"', "H01 stands twice"),
    ("hazards.toml", 'residual_probability = "remote"', 'residual_probability = "frequent"', "likelier"),
    ("hazards.toml", 'harm = "Wrong follow-ups, trust lost, a patient overlooked"\n', "", "H01 `harm`"),
    ("monitoring.toml", "[[measure]]", "[[danger]]", "danger"),
    ("hazards.toml", "::test_", "::check_", "pattern"),
    ("hazards.toml", "[[hazard]]", "[[hazard]", "cannot be read"),
    ("roles.toml", 'accountable = "clinician"\n', "", "accountable"),
    ("roles.toml", 'informed = ["it"]', 'informed = ["nurse"]', "both consulted and informed"),
    ("roles.toml", "[[activity]]", '[[role]]\nid = "visitor"\nname = "Visitor"\ndoes = "Watches"\n\n[[activity]]', "no activity"),
    ("monitoring.toml", 'bound = "at most"', 'bound = "about"', "M01 `bound`"),
    ("monitoring.toml", 'acts = "data_scientist"', 'acts = "owner"', "M01 `acts`"),
    ("human_factors.toml", "to_be_studied =", "studied =", "F01"),
    ("intended_use.toml", "not_for", "for", "readmission_card"),
])
def test_what_does_not_fit_is_named(folder, file, old, new, said):
    spoil(folder, file, old, new)
    with pytest.raises(ConfigError) as error:
        read_governance(folder)
    assert said in str(error.value)
    assert file in str(error.value)


def test_a_high_risk_may_not_be_left_and_information_alone_is_no_control(folder):
    spoil(folder, "hazards.toml", 'severity = "serious"\nprobability = "probable"\nresidual_probability = "remote"',
          'severity = "critical"\nprobability = "frequent"\nresidual_probability = "probable"')
    with pytest.raises(ConfigError, match="high risk"):
        read_governance(folder)


def test_a_hazard_that_only_informs_is_refused(folder):
    spoil(folder, "hazards.toml", 'kind = "design"', 'kind = "information"')
    with pytest.raises(ConfigError, match="information alone"):
        read_governance(folder)


def test_a_missing_file_is_named(folder):
    (folder / "roles.toml").unlink()
    with pytest.raises(ConfigError, match=r"roles\.toml"):
        read_governance(folder)


@pytest.mark.parametrize(("severity", "probability", "level"), [
    ("negligible", "frequent", "medium"), ("minor", "remote", "low"), ("serious", "remote", "medium"), ("serious", "occasional", "medium"),
    ("serious", "probable", "high"), ("critical", "improbable", "low"), ("critical", "occasional", "high"),
    ("catastrophic", "improbable", "medium"),
])
def test_risk_levels_by_hand(severity, probability, level):
    assert risk_level(severity, probability) == level


def test_a_risk_is_worse_the_worse_the_harm_and_the_likelier():
    order = ["low", "medium", "high"]
    severities, probabilities = ["negligible", "minor", "serious", "critical", "catastrophic"], ["improbable", "remote", "occasional",
                                                                                                "probable", "frequent"]
    ranks = [[order.index(risk_level(one, two)) for two in probabilities] for one in severities]
    assert all(row == sorted(row) for row in ranks)
    assert all(list(column) == sorted(column) for column in zip(*ranks, strict=True))


def test_everything_is_written_as_markdown(governance):
    text = governance_markdown(governance)
    for hazard in governance.hazards:
        assert f"| {hazard.id} |" in text
        assert all(f"`{test.partition('::')[2]}`" in text for control in hazard.controls for test in control.tests)
    assert list(sections(governance)) == ["Intended use", "Hazard log", "Human factors", "Monitoring plan", "Who does what"]
    assert "not a medical device" in text
    assert unmarked_numbers(text) == []
    assert sum(token.type == "table_open" for token in parse(text)) == 4


def test_a_table_has_as_many_cells_in_each_row(governance):
    hazard = governance.hazards[0].model_copy(update={"cause": "a | bar\nand a line end"})
    lines = hazard_log([hazard]).splitlines()
    assert len(lines) == 3
    assert {line.replace("\\|", "").count("|") for line in lines} == {8}


def test_one_is_accountable_for_everything(governance):
    lines = sections(governance)["Who does what"].splitlines()[2:]
    assert len(lines) == len(governance.activities)
    assert all(sum("A" in cell.split("/") for cell in line.replace(" ", "").split("|")[2:]) == 1 for line in lines)
