"""Data, evaluation, evidence and serving shared by nine healthcare machine-learning projects.

Import the module you need (``from carefolio.metrics import discrimination``); nothing is loaded here, so that every
command starts at once.
"""

__version__ = "0.1.0"
