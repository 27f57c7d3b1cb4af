"""Names that the command needs before anything heavy is imported."""

PROJECT = "model_registry"
FOLDER = "06-mlflow-registry"
COMMAND = "registry"
EXPERIMENTS = ("readmission", "survival")
"""The experiments; a registered model has the name of its experiment."""
CHAMPION, CHALLENGER = "champion", "challenger"
URI_VARIABLE = "MLFLOW_TRACKING_URI"
DEFAULT_SERVER = "http://127.0.0.1:5000"
