"""Which model runs, where does it come from, and can any past run be made again, to the digit?

A readmission model and a survival model are searched for, recorded on an MLflow server with a real database, registered under the
aliases ``champion`` and ``challenger``, and served. Every run keeps what it takes to make it again: commit, data, split, environment
and settings. For research and education; not a medical device.
"""
