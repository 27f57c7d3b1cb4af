"""Names shown to people, for figures, documents and the dashboard; free of heavy imports."""

MODEL_NAMES = {"lightgbm": "LightGBM", "logistic": "logistic regression", "lace": "LACE-like score", "prevalence": "prevalence"}
GROUP_VALUES = {"AfricanAmerican": "African American", "Other": "other race", "Female": "women", "Male": "men",
                "under 50": "under 50 years", "50 to 69": "50 to 69 years", "70 to 79": "70 to 79 years",
                "80 and over": "80 years and over"}
LEAK_TITLES = {
    "honest": "honest: split by patient",
    "row_split": "split by row: a patient on both sides",
    "future_stays": "a feature that counts the patient's later stays",
    "smote_before_split": "SMOTE before a split by row",
}
