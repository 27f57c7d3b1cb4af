"""A ward and a screening clinic over many simulated years, with the models and without; every result is labelled ``simulated``.

What other modules use::

    from clinical_workflow.simulation.settings import SimulationSettings   # field `simulation` of the chapter's settings
    from clinical_workflow.simulation.results import simulate, metrics_of
    from clinical_workflow.simulation.figures import draw_simulation

    done = simulate(settings.simulation, seed=settings.seed, risk_threshold=settings.cds.risk_threshold)
    metrics = metrics_of(done)                   # dict of evidence id to Metric, part "simulated"
    curves = done.curves                         # ready for JSON: figures and dashboard draw it
    captions = draw_simulation(curves, folder)   # PNG files; dict of file name to alt text

Operating points are read from the committed evidence of the chapters on readmission and retinopathy.

Assumptions, ranges and sources stand in ``inputs.toml`` and again in ``curves["inputs"]``.
"""
