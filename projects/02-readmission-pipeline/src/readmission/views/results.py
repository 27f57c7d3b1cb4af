"""What the dashboard shows: the record and curves of one run, read once, and how their numbers are written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carefolio.charts import SeriesStyle
from carefolio.plots import PALETTE
from carefolio.runs import read_packaged_toml
from carefolio.shown_run import ShownRun, read_shown_run
from readmission.names import GROUP_VALUES, MODEL_NAMES

PRIMARY = "all_encounters"
COHORTS = {
    "all_encounters": "All encounters, split by patient",
    "one_encounter": "One stay a patient, hospice kept",
    "later_encounters": "Later encounters, split by time",
}
MODELS = {name: MODEL_NAMES[name] for name in ("lightgbm", "logistic", "lace")}
STYLES = {"LightGBM": SeriesStyle(PALETTE["blue"]), "logistic regression": SeriesStyle(PALETTE["orange"], (8, 3), "square"),
          "LACE-like score": SeriesStyle(PALETTE["green"], (3, 2), "triangle-up")}
GROUPS = {"race": "Race", "sex": "Sex", "age_group": "Age"}
SUBGROUP_METRICS = {"roc_auc": "AUROC", "observed_minus_predicted": "Observed minus predicted", "sensitivity": "Sensitivity in top 20 %"}


@dataclass(frozen=True)
class Results(ShownRun):
    """One run: its record, its curves, the published figures to set beside it, and the folder that holds them."""

    curves: dict[str, Any]
    references: dict[str, dict[str, str]]


def read_results(folder: Path) -> Results:
    """Read a run, again only when its record has changed.

    Parameters
    ----------
    folder : Path
        Holds ``reports`` and ``artefacts``.

    Returns
    -------
    Results
        Record, curves and references.
    """
    run = read_shown_run(folder, command="readmission", package="readmission", titles={"curves": "Curves"}, keys={"curves": ()})
    return Results(run.evidence, run.folder, run.command, run.titles, run.keys, run.part("curves"),
                   read_packaged_toml("readmission", "references.toml"))


def group_value(value: str) -> str:
    """Name a member of a subgroup.

    Parameters
    ----------
    value : str
        As in the data.

    Returns
    -------
    str
        For example ``"African American"``.
    """
    name = GROUP_VALUES.get(value, value.replace("_", " "))
    return name[:1].upper() + name[1:]
