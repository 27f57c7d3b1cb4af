"""Metrics as pure functions: ``metric(y_true, y_prob, *, sample_weight=None, ...)``.

Import the module you need (``from carefolio.metrics import calibration``); nothing is loaded here.
"""
