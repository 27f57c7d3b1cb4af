"""From a version back to its bytes of data: nodes and edges, and the graph in DOT."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from carefolio.evidence import Evidence

COLOURS = {"data": "#E69F00", "code": "#CC79A7", "run": "#56B4E9", "model": "#009E73", "alias": "#0072B2"}
LINE_BREAK = "\\n"
"""As DOT writes it: a backslash and an n."""


@dataclass(frozen=True)
class Node:
    """One thing that a model comes from: key, kind of `COLOURS`, and its lines of text."""

    key: str
    kind: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Lineage:
    """Nodes, and edges from what something is made of to what is made."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]


def trace(name: str, search: Mapping[str, Any], evidence: Evidence, versions: Iterable[Any] = ()) -> Lineage:
    """Trace a model back to its data.

    Parameters
    ----------
    name : str
        The experiment.
    search : mapping
        Its entry in ``reports/registry.json``.
    evidence : Evidence
        Record of the run.
    versions : iterable of Version, optional
        Versions of the registered model; those with the model's bytes are joined.

    Returns
    -------
    Lineage
        From the published file to the alias.
    """
    data = search["data"]
    provenance, split = data["provenance"], data["split"]
    parts = sorted(split["parts"], key=lambda part: part != "train")
    nodes = [Node("file", "data", (f"{provenance['name']} ({provenance['origin']})", f"{provenance['rows']:,} rows",
                                   _hash(provenance["sha256"]))),
             Node("split", "data", (f"split by {split['unit']}", ", ".join(f"{key} {split['parts'][key]:,}" for key in parts),
                                    _hash(split["sha256"]))),
             Node("table", "data", ("table of features", _hash(data["table_sha256"]))),
             Node("commit", "code", ("source", evidence.commit)),
             Node("environment", "code", (f"Python {evidence.environment.python}",
                                          *(f"{key} {value}" for key, value in list(evidence.environment.packages.items())[:4]))),
             Node("search", "run", (f"search: {len(search['leaderboard'])} trials", f"best: trial {search['best']}", evidence.created)),
             Node("model", "model", (f"{name} model", _hash(search["model_sha256"])))]
    edges = [("file", "split"), ("file", "table"), ("split", "table"), ("commit", "table"), ("table", "search"), ("commit", "search"),
             ("environment", "search"), ("search", "model")]
    for version in versions:
        if version.sha256 == search["model_sha256"]:
            key = f"version {version.version}"
            nodes.append(Node(key, "model", (key, f"run {version.run_id[:8]}…")))
            edges.append(("model", key))
            for alias in version.aliases:
                nodes.append(Node(f"alias {alias}", "alias", (alias,)))
                edges.append((key, f"alias {alias}"))
    return Lineage(tuple(nodes), tuple(edges))


def to_dot(lineage: Lineage) -> str:
    """Write a lineage for Graphviz.

    Parameters
    ----------
    lineage : Lineage
        Result of `trace`.

    Returns
    -------
    str
        DOT, from top to bottom, so that it can be read on a phone.
    """
    nodes = [f'  "{_quoted(node.key)}" [label="{LINE_BREAK.join(map(_quoted, node.lines))}", color="{COLOURS[node.kind]}"];'
             for node in lineage.nodes]
    edges = [f'  "{_quoted(start)}" -> "{_quoted(end)}";' for start, end in lineage.edges]
    head = '  rankdir=TB; nodesep=0.3; ranksep=0.35; node [shape=box, style=rounded, penwidth=2, fontname="sans-serif", fontsize=11];'
    return "\n".join(["digraph lineage {", head, *nodes, *edges, "}"])


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _hash(sha256: str) -> str:
    return f"sha256 {sha256[:12]}…"
