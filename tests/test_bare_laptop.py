"""The promise of the README: every chapter's quick run works on a machine that has no data, no cache, no account and no network.

Here the settings are those that a newcomer gets. The chapters' own tests run on smaller ones.
"""

from pathlib import Path

import pytest

from carefolio.chapters import Chapter, read_chapters
from carefolio.command import command_line
from carefolio.evidence import read_evidence
from carefolio.runs import may_be_published

from .faults import ROOT, call, leftovers, variables

pytestmark = pytest.mark.slow
CHAPTERS = [chapter for chapter in read_chapters(ROOT) if chapter.home]
NOWHERE = "http://127.0.0.1:9"
"""A proxy that does not answer: loopback is reached, nothing else."""


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.package)
def test_the_quick_run_of_a_newcomer_ends_well(chapter: Chapter, tmp_path: Path):
    env = variables(tmp_path / "home", HTTP_PROXY=NOWHERE, HTTPS_PROXY=NOWHERE, NO_PROXY="127.0.0.1,localhost")
    del env["CAREFOLIO_OFFLINE"]
    out = tmp_path / "out"
    done = call(command_line(chapter.package, "run", "--quick", "--out", str(out)), env, timeout_s=300)
    evidence = read_evidence(out / "reports" / "evidence.json")
    assert {record.origin for record in evidence.data} <= {"synthetic", "package"}
    assert "synthetic" in {record.origin for record in evidence.data}
    assert not may_be_published(evidence)
    assert "SYNTHETIC DATA" in done.stderr
    assert evidence.metrics
    assert any((out / "reports" / "figures").iterdir())
    assert leftovers(out) == []
