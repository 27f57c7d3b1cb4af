"""The sections of the dashboard: they show what a run has written and never train."""
