"""Do the tests that a hazard log names exist, and do they pass? pytest is asked, in a process of its own."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from carefolio.exceptions import CarefolioError
from clinical_workflow.governance import selection
from clinical_workflow.governance.selection import VARIABLE, name_of

TIMEOUT_S = 900
OWN_TEST = "test_governance"
"""Part of the name of files whose tests run this check; a control among them would run without end."""
OF_AN_OUTER_RUN = ("PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "PYTEST_XDIST", "COV_CORE")
"""Variables that a pytest sets which may have started this check; its child must not take them over."""
IN_WORDS = {"failure": "fails", "error": "cannot be set up", "skipped": "is skipped, so it proves nothing"}
OPTIONS = ("-q", "-p", "no:cacheprovider", "-p", selection.__name__, "-o", "junit_family=xunit1", "--continue-on-collection-errors")
NOTHING_FOUND = 5
"""What pytest leaves with if it found no test."""
MISSING = "does not exist, or its file cannot be imported; write it or name another"


class ControlsNotRunError(CarefolioError):
    """The tests could not be run, or took too long."""

    exit_code = 15


class Refused(NamedTuple):
    """A test that proves nothing, and why."""

    owner: str
    test: str
    why: str

    def __str__(self) -> str:
        """Give one line.

        Returns
        -------
        str
            Who names the test, the test, and what is wrong.
        """
        return f"{self.owner}: {self.test} {self.why}"


def check_controls(named: Mapping[str, Iterable[str]], *, root: Path) -> list[Refused]:
    """Run the named tests.

    Parameters
    ----------
    named : mapping of str to iterable of str
        Id of a hazard to the node ids of its tests, relative to ``root``.
    root : Path
        Root of the repository.

    Returns
    -------
    list of Refused
        Tests that do not exist, fail, are skipped, or lie in the governance tests themselves; empty if all pass.

    Raises
    ------
    ControlsNotRunError
        If pytest breaks off or takes longer than 15 minutes.
    """
    tests = list(dict.fromkeys(test for group in named.values() for test in group))
    problems = {test: "lies in the tests that run this check; name another" for test in tests if OWN_TEST in test}
    asked = [test for test in tests if test not in problems]
    outcomes = run([test for test in asked if (root / test.partition("::")[0]).is_file()], root=root)
    problems |= {test: outcomes.get(test, MISSING) for test in asked if outcomes.get(test) != "passed"}
    return [Refused(owner, test, problems[test]) for owner, group in named.items() for test in group if test in problems]


def run(tests: Sequence[str], *, root: Path) -> dict[str, str]:
    """Collect the files of tests, and run those tests.

    Parameters
    ----------
    tests : sequence of str
        Node ids in files that exist.
    root : Path
        Root of the repository.

    Returns
    -------
    dict of str to str
        Test to ``"passed"``, or to what was wrong with the first case that did not pass; a test that was not found is left out.

    Raises
    ------
    ControlsNotRunError
        If pytest breaks off or takes longer than 15 minutes.
    """
    if not tests:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        _pytest([f"--rootdir={root}", f"--junitxml={report}", *sorted({test.partition("::")[0] for test in tests})], tests, root)
        return read_report(report.read_text(encoding="utf-8"))


def read_report(text: str) -> dict[str, str]:
    """Read what pytest wrote of a run.

    Parameters
    ----------
    text : str
        JUnit XML of the family ``xunit1``, which names the file of each case.

    Returns
    -------
    dict of str to str
        Node id without parameters to ``"passed"``, or to what was wrong with the first case that did not pass.
    """
    outcomes: dict[str, str] = {}
    for case in ElementTree.fromstring(text).iter("testcase"):  # noqa: S314 - written by pytest a moment ago
        test = f"{case.get('file')}::{name_of(str(case.get('name')))}"
        found = next((child.tag for child in case if child.tag in IN_WORDS), "passed")
        if outcomes.get(test, "passed") == "passed":
            outcomes[test] = IN_WORDS.get(found, found)
    return outcomes


def _pytest(arguments: Sequence[str], tests: Sequence[str], root: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OF_AN_OUTER_RUN)}
    environment[VARIABLE] = "\n".join(tests)
    command = [sys.executable, "-m", "pytest", *OPTIONS, *arguments]
    try:
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise ControlsNotRunError(f"the control tests took longer than {TIMEOUT_S} s; run them by themselves to see which.") from None
    if done.returncode not in (0, 1, NOTHING_FOUND):
        last = (done.stdout + done.stderr).strip().splitlines()[-1:]
        raise ControlsNotRunError(f"pytest left with {done.returncode} in {root}: {' '.join(last)}. Install the tests' packages with `make "
                                  ".venv/.testing` and run it from inside the repository.")
