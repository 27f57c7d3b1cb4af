"""The models: prevalence, a LACE-like score, logistic regression, and calibrated LightGBM, which is the one that is served.

The served model is three small files: LightGBM's own text, a JSON manifest (features, categories, calibration) and their
checksums. No pickle is written or read.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from carefolio import encoding
from carefolio.artefacts import atomic_path, read_json, seal, verify_seal, write_json
from carefolio.encoding import RARE, Categories
from carefolio.exceptions import ArtefactError
from readmission.features import CATEGORICAL, FEATURES, NUMERIC
from readmission.lace import lace_score

MODEL_FILE = "readmission.lgb.txt"
MANIFEST_FILE = "readmission.json"
MODELS = ("prevalence", "lace", "logistic", "lightgbm")

Floats = NDArray[np.float64]


def fit_categories(features: pl.DataFrame) -> dict[str, list[str]]:
    """List the categories that training rows hold often enough to learn from.

    Parameters
    ----------
    features : polars.DataFrame
        Training rows.

    Returns
    -------
    dict
        Column to its sorted categories; one seen in fewer than `RARE` rows is treated as not known.
    """
    return encoding.fit_categories(features, CATEGORICAL)


def to_matrix(features: pl.DataFrame, categories: Categories) -> NDArray[np.float32]:
    """Turn features into the matrix that LightGBM reads.

    Parameters
    ----------
    features : polars.DataFrame
        Holds the columns of `FEATURES`, n rows.
    categories : mapping
        Result of `fit_categories`.

    Returns
    -------
    ndarray of shape (n, len(FEATURES)), float32
        A category is its place in the list; NaN is not known.
    """
    return encoding.to_matrix(features, FEATURES, categories)


def train_booster(X: NDArray[np.float32], y: NDArray[Any], parameters: Mapping[str, Any], *, rounds: int, seed: int) -> lgb.Booster:
    """Fit LightGBM for a fixed number of rounds.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Result of `to_matrix`.
    y : ndarray of shape (n,)
        0 or 1.
    parameters : mapping
        LightGBM's parameters.
    rounds : int
        Boosting rounds.
    seed : int
        Seed of bagging and feature sampling.

    Returns
    -------
    lightgbm.Booster
        The fitted model.
    """
    return lgb.train(fixed_parameters(seed) | dict(parameters), dataset(X, y), num_boost_round=rounds)


def fixed_parameters(seed: int) -> dict[str, Any]:
    """Give the parameters that are not searched.

    Parameters
    ----------
    seed : int
        Seed.

    Returns
    -------
    dict
        Deterministic training on two threads.
    """
    return {"objective": "binary", "verbose": -1, "num_threads": 2, "deterministic": True, "force_row_wise": True,
            "bagging_freq": 1, "seed": seed, "feature_pre_filter": False}


def dataset(X: NDArray[np.float32], y: NDArray[Any]) -> lgb.Dataset:
    """Wrap a matrix for LightGBM, with its categorical columns marked.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Result of `to_matrix`.
    y : ndarray of shape (n,)
        0 or 1.

    Returns
    -------
    lightgbm.Dataset
        Not yet constructed.
    """
    return lgb.Dataset(X, y, feature_name=list(FEATURES), categorical_feature=list(CATEGORICAL), free_raw_data=False,
                       params={"feature_pre_filter": False, "verbose": -1})


@dataclass(frozen=True)
class Calibration:
    """Logistic recalibration: probability = sigmoid(intercept + slope x margin)."""

    intercept: float
    slope: float

    def apply(self, margin: Floats) -> Floats:
        """Turn margins into probabilities.

        Parameters
        ----------
        margin : ndarray of shape (n,)
            LightGBM's raw score, in log-odds.

        Returns
        -------
        ndarray of shape (n,)
            Probabilities of return within 30 days.
        """
        return 1.0 / (1.0 + np.exp(-(self.intercept + self.slope * margin)))


def fit_calibration(y: NDArray[Any], margin: Floats) -> Calibration:
    """Fit the recalibration on out-of-fold margins (Platt 1999; Cox 1958).

    Parameters
    ----------
    y : ndarray of shape (n,)
        0 or 1.
    margin : ndarray of shape (n,)
        Out-of-fold raw scores.

    Returns
    -------
    Calibration
        Intercept and slope.
    """
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=np.inf, tol=1e-8).fit(margin.reshape(-1, 1), y)
    return Calibration(intercept=float(fitted.intercept_[0]), slope=float(fitted.coef_[0, 0]))


def fit_lace(features: pl.DataFrame, y: NDArray[Any]) -> Any:
    """Fit probabilities to the LACE-like score, so that it can be judged as a risk.

    Parameters
    ----------
    features : polars.DataFrame
        Training rows.
    y : ndarray of shape (n,)
        0 or 1.

    Returns
    -------
    sklearn estimator
        ``predict_proba`` takes features.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    score = FunctionTransformer(lambda frame: frame.select(lace_score().alias("lace")).to_numpy())
    return make_pipeline(score, LogisticRegression(C=np.inf)).fit(features, y)


def fit_logistic(features: pl.DataFrame, y: NDArray[Any]) -> Any:
    """Fit ridge logistic regression on scaled numbers and one-hot categories.

    Parameters
    ----------
    features : polars.DataFrame
        Training rows.
    y : ndarray of shape (n,)
        0 or 1.

    Returns
    -------
    sklearn estimator
        ``predict_proba`` takes features.
    """
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="constant", fill_value=0), StandardScaler())
    codes = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=RARE)
    columns = make_column_transformer((numbers, list(NUMERIC)), (codes, list(CATEGORICAL)))
    return make_pipeline(columns, LogisticRegression(C=0.1, max_iter=500)).fit(features, y)


@dataclass(frozen=True)
class ReadmissionModel:
    """The served model: booster, calibration and the categories it knows."""

    booster: lgb.Booster
    calibration: Calibration
    categories: dict[str, list[str]]
    training: dict[str, Any]

    def predict(self, features: pl.DataFrame) -> Floats:
        """Predict the risk of return within 30 days.

        Parameters
        ----------
        features : polars.DataFrame
            n rows of `FEATURES`.

        Returns
        -------
        ndarray of shape (n,)
            Probabilities.
        """
        return self.calibration.apply(np.asarray(self.booster.predict(to_matrix(features, self.categories), raw_score=True)))

    def save(self, folder: Path) -> list[Path]:
        """Write the model, its manifest and their checksums.

        Parameters
        ----------
        folder : Path
            Destination.

        Returns
        -------
        list of Path
            The two files, without their checksum files.
        """
        with atomic_path(folder / MODEL_FILE) as path:
            path.write_text(self.booster.model_to_string(), encoding="utf-8")  # its own save_model does not say why it fails
        manifest = {"schema": 1, "features": list(FEATURES), "categories": self.categories,
                    "calibration": asdict(self.calibration), "training": self.training}
        write_json(folder / MANIFEST_FILE, manifest)
        files = [folder / MODEL_FILE, folder / MANIFEST_FILE]
        for file in files:
            seal(file)
        return files


def load_model(folder: Path) -> ReadmissionModel:
    """Read a model whose bytes are those that were sealed.

    Parameters
    ----------
    folder : Path
        Holds the files that `ReadmissionModel.save` writes.

    Returns
    -------
    ReadmissionModel
        Ready to predict.

    Raises
    ------
    ArtefactError
        If a file is missing or altered, or belongs to other features.
    """
    for name in (MODEL_FILE, MANIFEST_FILE):
        verify_seal(folder / name)
    manifest = read_json(folder / MANIFEST_FILE)
    if manifest["features"] != list(FEATURES):
        raise ArtefactError(f"{folder / MANIFEST_FILE} lists other features than this version computes; train again.")
    booster = lgb.Booster(model_file=folder / MODEL_FILE)
    return ReadmissionModel(booster, Calibration(**manifest["calibration"]), manifest["categories"], manifest["training"])
