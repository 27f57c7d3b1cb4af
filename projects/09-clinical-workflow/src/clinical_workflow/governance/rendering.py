"""The governance files as Markdown, for a README and for a page of the dashboard."""

from collections.abc import Iterable, Sequence

from clinical_workflow.governance.schemas import Governance, Hazard


def governance_markdown(governance: Governance) -> str:
    """Write everything as one document.

    Parameters
    ----------
    governance : Governance
        The files.

    Returns
    -------
    str
        Markdown with a heading of the second level for each subject.
    """
    return "\n".join(f"## {title}\n\n{text}\n" for title, text in sections(governance).items())


def sections(governance: Governance) -> dict[str, str]:
    """Write each subject.

    Parameters
    ----------
    governance : Governance
        The files.

    Returns
    -------
    dict of str to str
        Title to Markdown, in the order in which a reader needs them.
    """
    return {"Intended use": intended_use(governance), "Hazard log": hazard_log(governance.hazards),
            "Human factors": human_factors(governance), "Monitoring plan": monitoring_plan(governance),
            "Who does what": responsibilities(governance)}


def intended_use(governance: Governance) -> str:
    """Write what each function is for.

    Parameters
    ----------
    governance : Governance
        The files.

    Returns
    -------
    str
        One block a function.
    """
    blocks = []
    for use in governance.uses:
        facts = (("Purpose", use.purpose), ("Users", use.users), ("Patients", use.patients), ("Inputs", use.inputs), ("Output", use.output),
                 ("Who decides", use.decides), ("Not for", "; ".join(use.not_for)), ("Limits", "; ".join(use.limits)))
        blocks.append(f"**{use.function}**\n\n" + "\n".join(f"- {name}: {words}" for name, words in facts))
    return "For research and education; not a medical device.\n\n" + "\n\n".join(blocks)


def hazard_log(hazards: Sequence[Hazard]) -> str:
    """Write the hazards with their controls and the tests that prove them.

    Parameters
    ----------
    hazards : sequence of Hazard
        The log.

    Returns
    -------
    str
        A table.
    """
    rows = [(hazard.id, f"**{hazard.title}** {hazard.cause}", hazard.harm, f"{hazard.severity}, {hazard.probability}: {hazard.level}",
             "; ".join(f"{control.what} ({control.kind}: {_tests(control.tests)})" for control in hazard.controls),
             f"{hazard.residual_probability}: {hazard.residual_level}", hazard.owner.replace("_", " ")) for hazard in hazards]
    header = ("", "Hazard and cause", "Harm", "Risk without control", "Controls and the tests that prove them", "Risk left", "Owner")
    return table(header, rows)


def human_factors(governance: Governance) -> str:
    """Write where people and software may work badly together.

    Parameters
    ----------
    governance : Governance
        The files.

    Returns
    -------
    str
        A table.
    """
    rows = [(factor.id, f"{factor.user.replace('_', ' ')}: {factor.task}", factor.problem,
             factor.design + (f" ({_tests(factor.tests)})" if factor.tests else ""), factor.to_be_studied)
            for factor in governance.human_factors]
    return table(("", "Who and what", "What may go wrong", "What the design does", "What a study with people must show"), rows)


def monitoring_plan(governance: Governance) -> str:
    """Write what is watched, with limits, and who acts.

    Parameters
    ----------
    governance : Governance
        The files.

    Returns
    -------
    str
        A table.
    """
    names = {role.id: role.name for role in governance.roles}
    rows = [(measure.id, f"{measure.measure} ({measure.source})", f"{measure.bound} `{measure.limit:g}` {measure.unit}", measure.frequency,
             names[measure.acts], measure.action) for measure in governance.measures]
    return table(("", "Measure and source", "Limit", "How often", "Who acts", "What they do"), rows)


def responsibilities(governance: Governance) -> str:
    """Write who is responsible (R), accountable (A), consulted (C) and informed (I).

    Parameters
    ----------
    governance : Governance
        The files.

    Returns
    -------
    str
        A table, one column a role.
    """
    rows = []
    for one in governance.activities:
        letters = {role.id: "/".join(letter for letter, group in (("R", one.responsible), ("A", (one.accountable,)), ("C", one.consulted),
                                                                  ("I", one.informed)) if role.id in group) for role in governance.roles}
        rows.append((one.activity, *letters.values()))
    return table(("Activity", *(role.name for role in governance.roles)), rows)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table.

    Parameters
    ----------
    header : sequence of str
        Titles of the columns.
    rows : iterable of sequence of str
        Cells; bars and line ends in them are made harmless.

    Returns
    -------
    str
        Markdown.
    """
    lines = [header, ["---"] * len(header), *([_cell(text) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _tests(tests: Sequence[str]) -> str:
    return ", ".join(f"`{test.rpartition('::')[2]}`" for test in tests)
