import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from carefolio.artefacts import sha256_file
from carefolio.conventions import MODULES, VERBS
from carefolio.evidence import ArtefactRecord, DataRecord, Environment, Evidence, FigureRecord, Metric, SplitRecord, write_evidence
from carefolio.model_card import card_template, render_card

PYPROJECT = """[project]
name = "demo"
[project.scripts]
demo = "demo_package.cli:main"
[tool.carefolio]
activity = "A demonstration"
question = "Does it hold together?"
headline = "all.test.model.roc_auc"
[tool.carefolio.without]
""" + "".join(f'"{name}" = "a demonstration"\n' for name in (*MODULES, *VERBS))


@pytest.fixture
def make_record() -> Callable[..., Evidence]:
    """Make evidence of a small project; keyword arguments replace fields."""
    def make(origin: str = "mirror", **changes: object) -> Evidence:
        values = {
            "project": "demo_package", "commit": "abc1234", "command": "demo run", "created": "2026-01-31T12:00:00Z", "seed": 0,
            "config": {}, "data": [DataRecord(name="toy", origin=origin, sha256="0" * 64, rows=101766)],
            "split": SplitRecord(unit="patient", sha256="1" * 64, parts={"train": 80000, "test": 21766}),
            "environment": Environment(python="3.11.0", packages={}, machine="Linux x86_64, 2 cores"), "durations_s": {"train": 12.5},
            "metrics": {"all.test.model.roc_auc": Metric(value=0.684, low=0.672, high=0.696, level=0.95, n=21766, higher_is_better=True)},
            "figures": [], "artefacts": [],
        }
        return Evidence(**(values | changes))
    return make


@pytest.fixture
def make_card() -> Callable[[], dict]:
    """Make a card with every answer given."""
    return lambda: tomllib.loads(card_template().replace('= ""', '= "Answered {ev:all.test.model.roc_auc .3f}."'))


@pytest.fixture
def repository(tmp_path: Path, make_record: Callable[..., Evidence], make_card: Callable[[], dict]) -> Path:
    """Make a repository with one chapter in which everything is well."""
    home = tmp_path / "projects" / "01-demo"
    for folder in ("reports/figures", "artefacts", "src/demo_package", "tests"):
        (home / folder).mkdir(parents=True)
    (tmp_path / "shared").mkdir()
    (home / "pyproject.toml").write_text(PYPROJECT)
    (home / "references.toml").write_text('[paper]\nvalue = "0.672"\nsource = "a paper"\ncohort = "one visit a patient"\n')
    (home / "artefacts" / "model.txt").write_text("tree")
    (home / "reports" / "figures" / "roc.png").write_bytes(b"png")
    record = make_record(figures=[FigureRecord(file="figures/roc.png", alt="A curve")],
                         artefacts=[ArtefactRecord(file="artefacts/model.txt", sha256=sha256_file(home / "artefacts" / "model.txt"))])
    write_evidence(home / "reports" / "evidence.json", record)
    (home / "reports" / "model_card.md").write_text(render_card(make_card(), record))
    (tmp_path / "README.md").write_text("# House\n\nReached <!--ev demo_package/all.test.model.roc_auc .3f-->0.684<!--/ev-->, "
                                        "see [the chapter](projects/01-demo/README.md#the-result).\n")
    (home / "README.md").write_text("# Demo\n\n## The result\n\nReached <!--ev all.test.model.roc_auc ci.3f-->"
                                    "0.684 (95 % CI 0.672 to 0.696)<!--/ev--> "
                                    "against <!--cite paper-->0.672<!--/cite-->.\n\n![A curve](reports/figures/roc.png)\n")
    (home / "article.md").write_text("# Article\n\nSee [above](README.md).\n")
    return tmp_path


@pytest.fixture
def track() -> Callable[[Path], None]:
    """Put a folder under version control, all files added."""
    def add(root: Path) -> None:
        for arguments in (["init"], ["add", "--force", "."]):
            subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True)
    return add
