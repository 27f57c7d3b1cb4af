"""Governance as files that are checked: hazards with the tests that prove their controls, intended use, people, monitoring, roles.

What other modules use::

    from clinical_workflow.governance.reading import read_governance
    from clinical_workflow.governance.rendering import governance_markdown, sections
    from clinical_workflow.governance.check import check_governance

    governance = read_governance()                                  # frozen; ConfigError names file and field
    text = governance_markdown(governance)                          # for a README or a page; sections() gives it piece by piece
    problems = check_governance(governance, settings, root=root)    # list of str, empty if all holds; runs the named tests
"""
