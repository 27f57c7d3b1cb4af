"""Names that the command needs before anything heavy is imported."""

PROJECT = "model_registry"
FOLDER = "06-mlflow-registry"
COMMAND = "registry"
EXPERIMENTS = ("readmission", "survival")
"""The experiments; a registered model has the name of its experiment."""
SERVED = {"readmission": "lightgbm", "survival": "hazards"}
RANKED_BY = {"readmission": "roc_auc", "survival": "uno_c"}
PRIMARY = {name: f"{name}.test.{SERVED[name]}.{RANKED_BY[name]}" for name in SERVED}
"""Evidence id of the metric by which versions are ranked; higher is better for both."""
CARDS = {"readmission": "model_card.md", "survival": "model_card_survival.md"}
"""File of each one's model card among the reports."""
CHAMPION, CHALLENGER = "champion", "challenger"
URI_VARIABLE = "MLFLOW_TRACKING_URI"
DEFAULT_SERVER = "http://127.0.0.1:5000"
