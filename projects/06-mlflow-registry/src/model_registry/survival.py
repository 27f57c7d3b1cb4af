"""The survival model: logistic hazards of the periods between given days, written as an ONNX graph that holds everything it needs.

The graph takes coded columns (NaN is not known), fills in medians, scales, spreads categories over columns, and gives the probability of
living beyond each of the days. Only columns of SUPPORT2 that are in step with their patients are read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from carefolio.encoding import to_matrix
from carefolio.metrics.survival import uno_c
from model_registry.config import RegistrySettings
from model_registry.features import Matrix, Prepared

EVENT, TIME = OUTCOMES = ("event", "time")
PACKAGES = ("numpy", "onnx", "onnxruntime")
"""What the model needs to be loaded."""
START = {"C": 1.0, "time_varying": False}
"""What the regression comes with: the first trial of a search, which the others have to beat."""
Floats = NDArray[np.float64]
OPSET = 17
OFFSET_SCALE = 30.0
"""Columns of the periods are this much larger, so that regularisation hardly draws the hazard of nobody in particular to one half."""


@dataclass(frozen=True)
class Design:
    """How coded columns become columns of the regression: medians, scales, and which category each further column marks."""

    numbers: NDArray[np.int64]
    medians: NDArray[np.float32]
    means: NDArray[np.float32]
    scales: NDArray[np.float32]
    marked_column: NDArray[np.int64]
    marked_code: NDArray[np.float32]

    def apply(self, X: Matrix) -> Floats:
        """Make the columns of the regression.

        Parameters
        ----------
        X : ndarray of shape (n, p)
            Coded rows.

        Returns
        -------
        ndarray of shape (n, q)
            Scaled numbers, then marks of categories.
        """
        numbers = np.where(np.isnan(X[:, self.numbers]), self.medians, X[:, self.numbers])
        return np.hstack([(numbers - self.means) / self.scales, X[:, self.marked_column] == self.marked_code]).astype(np.float64)


def suggest(trial: Any) -> dict[str, Any]:
    """Draw one set of parameters.

    Parameters
    ----------
    trial : optuna.Trial
        The trial.

    Returns
    -------
    dict
        ``C`` (inverse regularisation) and ``time_varying`` (whether effects may change with time).
    """
    return {"C": trial.suggest_float("C", 1e-3, 10, log=True), "time_varying": trial.suggest_categorical("time_varying", [False, True])}


def fit_design(prepared: Prepared) -> Design:
    """Take medians and scales from the train part.

    Parameters
    ----------
    prepared : Prepared
        Train rows.

    Returns
    -------
    Design
        The columns of the regression.
    """
    marks = [(prepared.features.index(name), code) for name, values in prepared.categories.items() for code in range(len(values))]
    numbers = np.array([i for i, name in enumerate(prepared.features) if name not in prepared.categories], dtype=np.int64)
    medians = np.nanmedian(prepared.X[:, numbers], axis=0)
    filled = np.where(np.isnan(prepared.X[:, numbers]), medians, prepared.X[:, numbers])
    scales = np.where(filled.std(axis=0) > 0, filled.std(axis=0), 1.0)
    return Design(numbers, medians.astype(np.float32), filled.mean(axis=0).astype(np.float32), scales.astype(np.float32),
                  np.array([column for column, _ in marks], dtype=np.int64), np.array([code for _, code in marks], dtype=np.float32))


@dataclass(frozen=True)
class PersonPeriods:
    """One row a patient and period entered: who, which, whether the patient died in it, and the share of it that was seen."""

    row: NDArray[np.int64]
    period: NDArray[np.int64]
    died: NDArray[np.int8]
    seen: Floats


def person_periods(event: NDArray[Any], time: NDArray[Any], times: Floats) -> PersonPeriods:
    """List the periods that each patient entered.

    Parameters
    ----------
    event, time : ndarray of shape (n,)
        1 if died, and days.
    times : ndarray of shape (k,)
        Ends of the periods.

    Returns
    -------
    PersonPeriods
        A period in which a patient was censored counts by the share of it that was seen: left out, it would make the others look
        shorter-lived; counted whole, longer-lived.
    """
    starts = np.concatenate([[0.0], times[:-1]])
    row, period = np.nonzero(time[:, None] > starts)
    died = (event[row] == 1) & (time[row] <= times[period])
    share = np.minimum(1.0, (time[row] - starts[period]) / (times[period] - starts[period]))
    return PersonPeriods(row, period, died.astype(np.int8), np.where(died, 1.0, share))


def fit_weights(Z: Floats, event: NDArray[Any], time: NDArray[Any], times: Floats,
                parameters: Mapping[str, Any]) -> tuple[Floats, Floats]:
    """Fit the hazards of all periods in one regression.

    Parameters
    ----------
    Z : ndarray of shape (n, q)
        Result of `Design.apply`.
    event, time : ndarray of shape (n,)
        1 if died, and days.
    times : ndarray of shape (k,)
        Ends of the periods.
    parameters : mapping
        Result of `suggest`.

    Returns
    -------
    weights : ndarray of shape (q, k)
        Effects on the log-odds of dying in each period.
    offsets : ndarray of shape (k,)
        Log-odds at the origin.
    """
    from sklearn.linear_model import LogisticRegression

    rows = person_periods(event, time, times)
    clock = np.log(times) - np.log(times).mean()
    columns = [Z[rows.row], OFFSET_SCALE * np.eye(times.size)[rows.period]]
    if parameters["time_varying"]:
        columns.append(Z[rows.row] * clock[rows.period, None])
    regression = LogisticRegression(C=parameters["C"], fit_intercept=False, max_iter=2000, tol=1e-8)
    fitted = regression.fit(np.hstack(columns), rows.died, sample_weight=rows.seen)
    q, k = Z.shape[1], times.size
    coefficients = fitted.coef_[0]
    weights = np.repeat(coefficients[:q, None], k, axis=1)
    if parameters["time_varying"]:
        weights = weights + coefficients[q + k:, None] * clock
    return weights, OFFSET_SCALE * coefficients[q:q + k]


def survival_of(Z: Floats, weights: Floats, offsets: Floats) -> Floats:
    """Give the probabilities of living beyond each day.

    Parameters
    ----------
    Z : ndarray of shape (n, q)
        Columns of the regression.
    weights, offsets : ndarray
        Result of `fit_weights`.

    Returns
    -------
    ndarray of shape (n, k)
        Probabilities.
    """
    return np.asarray(np.exp(-np.cumsum(np.logaddexp(0, Z @ weights + offsets), axis=1)))


def judge(prepared: Prepared, settings: RegistrySettings, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Fit one model a fold and judge the patients left out by Uno's C.

    Parameters
    ----------
    prepared : Prepared
        Train rows.
    settings : RegistrySettings
        Ends of the periods.
    parameters : mapping
        Result of `suggest`.

    Returns
    -------
    dict
        ``values``: Uno's C of each fold, up to the last of the days.
    """
    times, event, time = days_of(settings), prepared.outcomes[EVENT], prepared.outcomes[TIME]
    Z, values = fit_design(prepared).apply(prepared.X), []
    for train, valid in prepared.folds:
        weights, offsets = fit_weights(Z[train], event[train], time[train], times, parameters)
        risk = 1 - survival_of(Z[valid], weights, offsets).mean(axis=1)
        values.append(uno_c(event[valid], time[valid], risk, tau=float(times[-1])))
    return {"values": values}


def days_of(settings: RegistrySettings) -> Floats:
    """Give the ends of the periods.

    Parameters
    ----------
    settings : RegistrySettings
        Names them.

    Returns
    -------
    ndarray of shape (k,)
        Days after study entry.
    """
    return np.asarray(settings.survival.times_days, dtype=np.float64)


@dataclass(frozen=True)
class SurvivalModel:
    """The ONNX graph and what encodes its rows."""

    graph: bytes
    features: tuple[str, ...]
    categories: dict[str, list[str]]
    times_days: tuple[float, ...]

    def predict(self, frame: pl.DataFrame) -> Floats:
        """Predict the probabilities of living beyond each of the days.

        Parameters
        ----------
        frame : polars.DataFrame
            n rows.

        Returns
        -------
        ndarray of shape (n, k)
            Probabilities.
        """
        return run_graph(open_session(self.graph), to_matrix(frame, self.features, self.categories))

    def metadata(self) -> dict[str, Any]:
        """Give what a loader needs beside the graph.

        Returns
        -------
        dict
            Ready for JSON.
        """
        return {"features": list(self.features), "categories": self.categories, "times_days": list(self.times_days)}


def open_session(graph: bytes) -> Any:
    """Open a graph with one thread, so that the same bytes give the same numbers.

    Parameters
    ----------
    graph : bytes
        A serialised ONNX model.

    Returns
    -------
    onnxruntime.InferenceSession
        Ready to run.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def run_graph(session: Any, X: Matrix) -> Floats:
    """Run a graph of `build_graph`.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
        Result of `open_session`.
    X : ndarray of shape (n, p)
        Coded rows.

    Returns
    -------
    ndarray of shape (n, k)
        Probabilities.
    """
    return np.asarray(session.run(None, {session.get_inputs()[0].name: X})[0], dtype=np.float64)


def fit(prepared: Prepared, settings: RegistrySettings, parameters: Mapping[str, Any]) -> tuple[SurvivalModel, dict[str, Any]]:
    """Fit on all train rows and write the graph.

    Parameters
    ----------
    prepared : Prepared
        Train rows.
    settings : RegistrySettings
        Ends of the periods.
    parameters : mapping
        The parameters that won.

    Returns
    -------
    model : SurvivalModel
        The model.
    extra : dict
        Empty; there is nothing else to say of the fit.
    """
    times, design = days_of(settings), fit_design(prepared)
    weights, offsets = fit_weights(design.apply(prepared.X), prepared.outcomes[EVENT], prepared.outcomes[TIME], times, parameters)
    graph = build_graph(design, weights, offsets, inputs=len(prepared.features))
    return SurvivalModel(graph, prepared.features, prepared.categories, tuple(map(float, times))), {}


def build_graph(design: Design, weights: Floats, offsets: Floats, *, inputs: int) -> bytes:
    """Write preparation and hazards as one ONNX graph.

    Parameters
    ----------
    design : Design
        Columns of the regression.
    weights, offsets : ndarray
        Result of `fit_weights`.
    inputs : int
        Number of coded columns.

    Returns
    -------
    bytes
        The serialised model.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    constants: dict[str, NDArray[Any]] = {
        "numbers": design.numbers, "medians": design.medians, "means": design.means, "scales": design.scales,
        "marked_column": design.marked_column, "marked_code": design.marked_code, "axis": np.array(1, dtype=np.int64),
        "weights": weights.astype(np.float32), "offsets": offsets.astype(np.float32)}
    steps: list[tuple[str, list[str], str, dict[str, Any]]] = [
        ("Gather", ["X", "numbers"], "raw", {"axis": 1}), ("IsNaN", ["raw"], "absent", {}),
        ("Where", ["absent", "medians", "raw"], "filled", {}), ("Sub", ["filled", "means"], "centred", {}),
        ("Div", ["centred", "scales"], "scaled", {}), ("Gather", ["X", "marked_column"], "codes", {"axis": 1}),
        ("Equal", ["codes", "marked_code"], "is_marked", {}), ("Cast", ["is_marked"], "marks", {"to": TensorProto.FLOAT}),
        ("Concat", ["scaled", "marks"], "Z", {"axis": 1}), ("MatMul", ["Z", "weights"], "effects", {}),
        ("Add", ["effects", "offsets"], "log_odds", {}), ("Softplus", ["log_odds"], "losses", {}),
        ("CumSum", ["losses", "axis"], "cumulative", {}), ("Neg", ["cumulative"], "log_survival", {}),
        ("Exp", ["log_survival"], "survival", {})]
    graph = helper.make_graph([helper.make_node(kind, names, [output], **options) for kind, names, output, options in steps], "survival",
                              [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["n", inputs])],
                              [helper.make_tensor_value_info("survival", TensorProto.FLOAT, ["n", len(offsets)])],
                              [numpy_helper.from_array(value, name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    onnx.checker.check_model(model)
    written: bytes = model.SerializeToString()
    return written
