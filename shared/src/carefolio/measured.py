"""Metrics that are measured apart from a run, such as speed: one small JSON file a benchmark, merged into the evidence."""

from collections.abc import Mapping
from pathlib import Path

from carefolio.artefacts import read_json, write_json
from carefolio.evidence import Metric, environment, git_commit, utc_now


def write_measured(path: Path, metrics: Mapping[str, Metric], *, command: str) -> Path:
    """Keep what a benchmark measured, with when, where and by which command.

    Parameters
    ----------
    path : Path
        Destination, usually below ``reports/measured``.
    metrics : mapping of str to Metric
        By evidence id.
    command : str
        The command that was given.

    Returns
    -------
    Path
        The destination.
    """
    values = {name: value.model_dump(mode="json") for name, value in metrics.items()}
    return write_json(path, {"created": utc_now(), "commit": git_commit(), "command": command,
                             "machine": environment([]).machine, "metrics": values})


def read_measured(folder: Path) -> dict[str, Metric]:
    """Read every such file of a folder.

    Parameters
    ----------
    folder : Path
        Holds JSON files that `write_measured` wrote; a folder that is not there holds none.

    Returns
    -------
    dict of str to Metric
        All metrics together, by evidence id.
    """
    return {name: Metric(**value) for path in sorted(folder.glob("*.json")) for name, value in read_json(path)["metrics"].items()}
