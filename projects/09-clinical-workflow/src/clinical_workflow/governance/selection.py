"""A pytest plugin: of all tests that the given files hold, only those run that a hazard log names."""

import os
from typing import Any

VARIABLE = "CLINICAL_WORKFLOW_CONTROLS"
"""Name of the variable that lists node ids, one a line."""


def name_of(node_id: str) -> str:
    """Take the parameters off a node id.

    Parameters
    ----------
    node_id : str
        As pytest gives it.

    Returns
    -------
    str
        The test's name with its file.
    """
    return node_id.partition("[")[0]


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Keep the named tests; pytest calls this when it has collected.

    Parameters
    ----------
    config : pytest.Config
        Of the run.
    items : list of pytest.Item
        What was collected; changed in place.
    """
    named = set(os.environ[VARIABLE].splitlines())
    config.hook.pytest_deselected(items=[item for item in items if name_of(item.nodeid) not in named])
    items[:] = [item for item in items if name_of(item.nodeid) in named]
