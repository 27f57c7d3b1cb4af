"""Names that the command needs before anything heavy is imported."""

PROJECT = "retraining"
FOLDER = "05-retraining-cicd"
COMMAND = "retraining"
APPROVER_VARIABLE, ROLE_VARIABLE = "RETRAINING_APPROVER", "RETRAINING_APPROVER_ROLE"
SERVICE_VARIABLE = "RETRAINING_SERVICE"
"""Address of a service that follows the deployment; where it is not set, a cycle starts one for as long as it runs."""
DEPLOYMENT_VARIABLE, POLL_VARIABLE = "RETRAINING_DEPLOYMENT", "RETRAINING_POLL_S"
OUTCOMES = ("promoted", "rejected", "unchanged", "rolled_back")
"""What can come of a cycle; each is an honest end."""
FAULT_TITLES = {
    "unit_change": "Length of stay delivered in weeks instead of days",
    "lab_code_missing": "HbA1c results no longer delivered",
    "training_unit": "The training job reads earlier inpatient stays a month instead of a year",
    "gates_open": "Outcomes joined to the wrong encounters in training, and every gate set wide open",
    "damaged_model": "The model file is damaged between gate and deployment",
}
"""Faults that are planted into real data to see them caught."""
