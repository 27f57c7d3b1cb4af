"""What the command prints: runs, versions, differences, and what came of a reproduction."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Column, Table

from carefolio.command import DISCLAIMER
from carefolio.evidence import Metric
from model_registry.tracking.aliases import Version, compare, find_version, list_versions
from model_registry.tracking.runs import list_runs, read_record, read_run

if TYPE_CHECKING:
    from model_registry.reproduce import Reproduction


def show_registry(tracking_uri: str, names: Sequence[str]) -> None:
    """Print the searches and the versions.

    Parameters
    ----------
    tracking_uri : str
        Address of the server, or of a database.
    names : sequence of str
        Experiments.
    """
    console = Console()
    for name in names:
        runs = Table(_run_column(), "begun", "status", "commit", "value", "data", title=f"{name}: searches", title_justify="left")
        for run in list_runs(tracking_uri, name, nested=False):
            primary = run.tags.get("carefolio.primary_metric", "")
            altered = " (altered)" if run.tags.get("carefolio.altered") == "true" else ""
            runs.add_row(run.run_id, run.name.removeprefix("search "), run.status, run.tags.get("carefolio.commit", "")[:12] + altered,
                         _number(run.metrics.get(primary)), "synthetic" if run.tags.get("carefolio.synthetic") == "true" else "published")
        console.print(runs)
        versions = Table("version", "alias", "value", _run_column(), "sha256", title=f"{name}: versions", title_justify="left")
        for version in list_versions(tracking_uri, name):
            versions.add_row(version.version, ", ".join(version.aliases), _number(version.value), version.run_id, version.sha256[:12])
        console.print(versions)
    console.print(DISCLAIMER, style="dim")


def _run_column() -> Column:
    """An id that is cut off cannot be copied into the next command."""
    return Column("run", no_wrap=True, min_width=32)


def describe(version: Version) -> str:
    """Say a version in a line.

    Parameters
    ----------
    version : Version
        The version.

    Returns
    -------
    str
        Name, number, aliases, value and hash.
    """
    called = f" ({', '.join(version.aliases)})" if version.aliases else ""
    made_up = "; made on synthetic data" if version.synthetic else ""
    return (f"{version.name} version {version.version}{called}: {version.metric} {_number(version.value)}, run {version.run_id}, "
            f"sha256 {version.sha256[:12]}{made_up}")


def differences(tracking_uri: str, name: str, first: str, second: str) -> dict[str, list[tuple[str, Any, Any]]]:
    """Compare two versions.

    Parameters
    ----------
    tracking_uri : str
        Address of the server, or of a database.
    name : str
        Name of the registered model.
    first, second : str
        Numbers or aliases.

    Returns
    -------
    dict of str to list of (name, first, second)
        By kind: ``model``, ``settings``, ``data``, ``environment``, ``metrics``.
    """
    sides = []
    for which in (first, second):
        version = find_version(tracking_uri, name, which)
        run = read_run(tracking_uri, version.run_id)
        with TemporaryDirectory() as folder:
            record, _ = read_record(tracking_uri, version.run_id, Path(folder))
        sides.append({"model": {"version": version.version, "sha256": version.sha256, "commit": record["commit"]},
                      "settings": run.parameters, "data": run.inputs, "metrics": run.metrics,
                      "environment": record["packages"] | {"python": record["python"], "machine": record["machine"]}})
    return {kind: compare(sides[0][kind], sides[1][kind]) for kind in sides[0]}


def show_difference(tracking_uri: str, name: str, first: str, second: str) -> None:
    """Print in what two versions differ.

    Parameters
    ----------
    tracking_uri : str
        Address of the server, or of a database.
    name : str
        Name of the registered model.
    first, second : str
        Numbers or aliases.
    """
    console = Console()
    for kind, rows in differences(tracking_uri, name, first, second).items():
        if not rows:
            console.print(f"{kind}: the same")
            continue
        table = Table(kind, first, second, title_justify="left")
        for key, left, right in rows:
            table.add_row(key, _text(left), _text(right))
        console.print(table)


def describe_lead(lead: Metric) -> str:
    """Say by how much one version does better than another.

    Parameters
    ----------
    lead : Metric
        Result of `model_registry.paired.compare_versions`.

    Returns
    -------
    str
        The difference, its interval, and whether that tells the two apart.
    """
    interval, apart = "", False
    if lead.low is not None and lead.high is not None and lead.level is not None:
        interval = f", {100 * lead.level:g} % interval {lead.low:+.4f} to {lead.high:+.4f}"
        apart = lead.low > 0 or lead.high < 0
    verdict = "they differ by more than chance" if apart else "chance alone may have made it"
    return f"{lead.value:+.4f}{interval}, on {lead.n:,} held-out rows; {verdict}"


def show_reproduction(found: "Reproduction") -> None:
    """Print what came of making a run again.

    Parameters
    ----------
    found : Reproduction
        What was compared.
    """
    for note in found.notes:
        click.echo(f"note: {note}")
    for difference in found.differences:
        click.echo(f"differs: {difference}")
    verdict = "identical" if found.identical else "not identical"
    click.echo(f"{verdict}: {found.compared} metrics compared, largest difference {found.largest:.1e}")


def _number(value: Any) -> str:
    return "–" if value is None else f"{value:.4f}"


def _text(value: Any) -> str:
    return "–" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
