"""Everything that must hold of the governance files, in one list."""

from functools import reduce
from pathlib import Path
from typing import Any

from carefolio.config import Settings
from clinical_workflow.governance.controls import check_controls
from clinical_workflow.governance.schemas import Governance


def check_governance(governance: Governance, settings: Settings, *, root: Path, run_tests: bool = True) -> list[str]:
    """Check limits against the settings, and run the tests that the hazards and human factors name.

    Parameters
    ----------
    governance : Governance
        The files.
    settings : Settings
        The chapter's settings, in which ``setting`` of a measure is looked up.
    root : Path
        Root of the repository.
    run_tests : bool, default True
        Whether the named tests are run; without, only the files are checked.

    Returns
    -------
    list of str
        What does not hold, one line each; empty if all does.
    """
    problems = limit_problems(governance, settings)
    return problems + [str(refused) for refused in check_controls(governance.tests, root=root)] if run_tests else problems


def limit_problems(governance: Governance, settings: Settings) -> list[str]:
    """Compare the limits of the monitoring plan with the settings that act on them.

    Parameters
    ----------
    governance : Governance
        The files.
    settings : Settings
        The chapter's settings.

    Returns
    -------
    list of str
        Settings that do not exist or have another value.
    """
    problems = []
    for measure in governance.measures:
        if not measure.setting:
            continue
        found = _look_up(settings, measure.setting)
        if found is None:
            problems.append(f"{measure.id}: there is no setting {measure.setting}; name one of the chapter's settings.")
        elif found != measure.limit:
            problems.append(f"{measure.id}: the plan says {measure.limit:g}, the setting {measure.setting} is {found:g}; make them agree.")
    return problems


def _look_up(settings: Any, path: str) -> float | None:
    found = reduce(lambda place, name: getattr(place, name, None), path.split("."), settings)
    return float(found) if isinstance(found, int | float) else None
