"""The section for one made-up patient: a form, the model's risk, where it stands, and what moved it."""

import functools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st
from pydantic import ValidationError

from carefolio import charts
from carefolio.datasets.diabetes130 import LABELS, RANGES
from carefolio.exceptions import CarefolioError
from carefolio.views import percent, show_problem
from readmission.data import DIED, HOSPICE
from readmission.model import MODEL_FILE
from readmission.schemas import PatientStay, published_codes
from readmission.views.results import PRIMARY, Results

if TYPE_CHECKING:
    from readmission.predictor import Explained, Predictor

NOT_RECORDED = "not recorded"
COUNTS = {"time_in_hospital": "Days in hospital", "num_lab_procedures": "Laboratory tests", "num_procedures": "Other procedures",
          "num_medications": "Medications given", "number_inpatient": "Hospital stays, year before",
          "number_emergency": "Emergency visits, year before", "number_outpatient": "Outpatient visits, year before",
          "number_diagnoses": "Diagnoses on record"}
CODES = {"admission_type_id": "Type of admission", "admission_source_id": "Source of admission",
         "discharge_disposition_id": "Discharged to"}
DIAGNOSES = {"diag_1": "Main diagnosis, ICD-9", "diag_2": "Second diagnosis", "diag_3": "Third diagnosis"}
DRUGS = {"insulin": "Insulin", "metformin": "Metformin", "glipizide": "Glipizide", "glyburide": "Glyburide"}
DEFAULTS: dict[str, Any] = {
    "gender": "Female", "age": "[60-70)", "admission_type_id": 1, "admission_source_id": 7, "discharge_disposition_id": 6,
    "time_in_hospital": 5, "num_lab_procedures": 45, "num_procedures": 1, "num_medications": 16, "number_outpatient": 0,
    "number_emergency": 1, "number_inpatient": 1, "number_diagnoses": 8, "diag_1": "428", "diag_2": "403", "diag_3": "250.6",
    "medical_specialty": "InternalMedicine", "payer_code": "MC", "max_glu_serum": "not_measured", "A1Cresult": ">8",
    "insulin": "Up", "metformin": "Steady", "glipizide": "No", "glyburide": "No"}
"""A made-up patient; not a row of the data."""
EARLIER_DEFAULTS = DEFAULTS | {"time_in_hospital": 4, "number_inpatient": 0, "number_emergency": 0, "insulin": "Steady",
                               "discharge_disposition_id": 1}
MOST_EARLIER = 4


def show_what_if(results: Results) -> None:
    """Ask for one patient and show the model's answer.

    Parameters
    ----------
    results : Results
        The run; its model stands in ``<folder>/artefacts``.
    """
    st.subheader("What would it say about one patient?")
    st.caption("The patient below is made up. Do not enter data of a real person; nothing that is entered is stored.")
    n_earlier = st.number_input("Earlier stays of the same patient on file", 0, MOST_EARLIER, 0, key="n_earlier", persist_state="session")
    with st.form("what-if"):
        encounter = _stay_form("stay", DEFAULTS, died_or_hospice=False)
        earlier = [_earlier_form(i, int(n_earlier)) for i in range(int(n_earlier))]
        asked = st.form_submit_button("Predict", type="primary")
    if asked:
        _answer(results, encounter, earlier)


def _stay_form(key: str, defaults: Mapping[str, Any], *, died_or_hospice: bool) -> dict[str, Any]:
    left, middle, right = st.columns(3)
    with left:
        found = _choices(key, defaults, {"gender": "Sex", "age": "Age"})
        found |= _codes(key, defaults, died_or_hospice=died_or_hospice) | _specialty(key, defaults)
    with middle:
        for name, label in COUNTS.items():
            low, high = RANGES[name]
            found[name] = st.number_input(label, low, high, int(defaults[name]), key=f"{key}-{name}", persist_state="session")
    with right:
        written = {name: st.text_input(label, defaults[name], key=f"{key}-{name}", persist_state="session",
                                       help="ICD-9-CM, such as 428 for heart failure or 250.6; empty if there is none")
                   for name, label in DIAGNOSES.items()}
        found |= {name: code.strip() or None for name, code in written.items()}
        found |= _choices(key, defaults, {"A1Cresult": "HbA1c, %", "max_glu_serum": "Glucose, mg/dL"} | DRUGS)
    return found | medication_summary(found)


def _choices(key: str, defaults: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    return {name: st.selectbox(label, LABELS[name], LABELS[name].index(defaults[name]), format_func=_in_words, key=f"{key}-{name}",
                               persist_state="session") for name, label in labels.items()}


def _in_words(label: str) -> str:
    if label.startswith("["):
        low, high = label.strip("[)").split("-")
        return f"{low} to {int(high) - 1} years"
    return {"No": "not given", "Norm": "normal"}.get(label, label.replace("_", " ").lower() if label != label.upper() else label)


def _codes(key: str, defaults: Mapping[str, Any], *, died_or_hospice: bool) -> dict[str, Any]:
    refused = () if died_or_hospice else DIED + HOSPICE
    options = {column: [code for code in published_codes()[column] if column != "discharge_disposition_id" or code not in refused]
               for column in CODES}
    return {column: st.selectbox(label, options[column], options[column].index(defaults[column]), key=f"{key}-{column}",
                                 format_func=functools.partial(code_in_words, column), persist_state="session")
            for column, label in CODES.items()}


def _specialty(key: str, defaults: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for column, label in (("medical_specialty", "Admitting specialty"), ("payer_code", "Payer")):
        options = [NOT_RECORDED, *published_codes()[column]]
        chosen = st.selectbox(label, options, options.index(defaults[column]), format_func=spaced, key=f"{key}-{column}",
                              persist_state="session")
        found[column] = None if chosen == NOT_RECORDED else chosen
    return found


def spaced(name: str) -> str:
    """Part the words of a published name that is written as one.

    Parameters
    ----------
    name : str
        For example ``"InternalMedicine"``.

    Returns
    -------
    str
        For example ``"Internal Medicine"``.
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)


def code_in_words(column: str, code: int) -> str:
    """Name a code of the published file.

    Parameters
    ----------
    column : str
        Published column.
    code : int
        Its code.

    Returns
    -------
    str
        Its meaning, without the words that all meanings of the column share.
    """
    meaning = published_codes()[column][code]
    for prefix in ("Discharged/transferred/referred to ", "Discharged/transferred to ", "Discharged to ", "Discharged/transferred "):
        meaning = meaning.removeprefix(prefix)
    return f"{meaning[:1].upper()}{meaning[1:]}"


def medication_summary(stay: Mapping[str, Any]) -> dict[str, str]:
    """Derive the two summary columns of medication from the drugs.

    Parameters
    ----------
    stay : mapping
        Doses of `DRUGS`.

    Returns
    -------
    dict of str to str
        ``diabetesMed`` and ``change``.
    """
    doses = {stay[drug] for drug in DRUGS}
    return {"diabetesMed": "No" if doses == {"No"} else "Yes", "change": "Ch" if doses & {"Up", "Down"} else "No"}


def _earlier_form(i: int, n: int) -> dict[str, Any]:
    with st.expander(f"Earlier stay {i + 1} of {n}" + (" (the last one)" if i + 1 == n else "")):
        returned = st.checkbox("The patient was back within 30 days of it", key=f"earlier-{i}-returned", persist_state="session")
        return _stay_form(f"earlier-{i}", EARLIER_DEFAULTS, died_or_hospice=True) | {"returned_within_30_days": returned}


def _answer(results: Results, encounter: dict[str, Any], earlier: list[dict[str, Any]]) -> None:
    try:
        patient = PatientStay.model_validate({"encounter": encounter, "earlier_encounters": earlier})
        explained = load_predictor(results.folder / "artefacts").explain(patient.columns())
    except ValidationError as error:
        st.warning(invalid_input(error), icon=":material/edit:")
    except CarefolioError as error:
        show_problem(error)
    else:
        _show_risk(results, explained)


def invalid_input(error: ValidationError) -> str:
    """Say what is wrong with the input.

    Parameters
    ----------
    error : ValidationError
        From `PatientStay`.

    Returns
    -------
    str
        One sentence a field.
    """
    labels = COUNTS | CODES | DIAGNOSES | DRUGS
    words = []
    for problem in error.errors():
        field = str(problem["loc"][-1])
        where = "" if "earlier_encounters" not in problem["loc"] else f" of earlier stay {int(problem['loc'][1]) + 1}"
        expected = "expected an ICD-9-CM code such as 428, 250.6 or V45" if field in DIAGNOSES else problem["msg"]
        words.append(f"**{labels.get(field, field)}**{where}: {expected}; got “{problem['input']}”.")
    return "\n\n".join(words)


def load_predictor(folder: Path) -> "Predictor":
    """Load the model, once for each file.

    Parameters
    ----------
    folder : Path
        Holds the sealed model.

    Returns
    -------
    Predictor
        Ready to predict.
    """
    path = folder / MODEL_FILE
    return _load(folder, path.stat().st_mtime_ns if path.is_file() else 0)


@st.cache_resource(show_spinner="Loading the model", max_entries=2)
def _load(folder: Path, changed: int) -> "Predictor":
    from readmission.predictor import Predictor

    return Predictor.load(folder)


def _show_risk(results: Results, explained: "Explained") -> None:
    average = results.metric(f"{PRIMARY}.test.outcome.prevalence").value
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.metric("Risk of return within 30 days", percent(explained.risk), border=True)
        st.markdown(f"That is **{explained.risk / average:.1f} times** the average of {percent(average)}, and "
                    f"{where_it_stands(explained.risk, results.curves)}")
    with right:
        st.markdown("**What moved it most**")
        rows = [{"label": reason_in_words(reason), "value": reason["log_odds"], "warned": reason["log_odds"] > 0}
                for reason in explained.reasons[:6]]
        st.altair_chart(charts.bars_chart(rows, title="contribution to the risk, log-odds", number_format="+.2f"),
                        alt="Strongest contributions to this risk")
        st.caption("Exact TreeSHAP contributions: red raises the risk, blue lowers it. They describe the model, not causes.")


def where_it_stands(risk: float, curves: Mapping[str, Any]) -> str:
    """Place a risk among those of the held-out discharges.

    Parameters
    ----------
    risk : float
        In [0, 1].
    curves : mapping
        ``risk_thresholds`` and ``flagged``.

    Returns
    -------
    str
        End of a sentence.
    """
    thresholds = curves["risk_thresholds"]
    shares = [point["flagged_fraction"] for point in curves["flagged"]["lightgbm"]]
    if risk < thresholds[0]:
        return f"lower than in {percent(shares[0])} of held-out discharges."
    if risk >= thresholds[-1]:
        return f"among the highest {percent(shares[-1])} of held-out discharges."
    return f"higher than in {percent(1 - _interpolate(risk, thresholds, shares), digits=0)} of held-out discharges."


def _interpolate(x: float, xs: Sequence[float], ys: Sequence[float]) -> float:
    i = max(place for place, value in enumerate(xs[:-1]) if value <= x)
    return ys[i] + (ys[i + 1] - ys[i]) * (x - xs[i]) / (xs[i + 1] - xs[i])


def reason_in_words(reason: Mapping[str, Any]) -> str:
    """Name a feature with its value.

    Parameters
    ----------
    reason : mapping
        ``feature``, ``label`` and ``value``.

    Returns
    -------
    str
        For example ``"discharged to: Home"``.
    """
    columns = {"admission_type": "admission_type_id", "admission_source": "admission_source_id", "discharge_to": "discharge_disposition_id",
               "last_discharge_to": "discharge_disposition_id"}
    value = reason["value"]
    if value is None:
        return f"{reason['label']}: {'none' if reason['feature'].startswith('last_') else NOT_RECORDED}"
    if reason["feature"] in columns:
        return f"{reason['label']}: {code_in_words(columns[reason['feature']], int(value))}"
    return f"{reason['label']}: {spaced(value) if isinstance(value, str) else value}"
