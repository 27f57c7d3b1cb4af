"""The model as the service uses it: published columns of a few stays in, risks out, without a data frame on the way.

`readmission.model.ReadmissionModel` scores tables; this scores a stay with `build_one`, one float32 row and one call of
LightGBM on one thread. For one row, LightGBM's thread pool costs more than it gives as soon as other processes want the cores.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from carefolio.artefacts import sha256_file
from carefolio.exceptions import ArtefactError
from readmission.explain import contributions, top_reasons
from readmission.features import CATEGORICAL, FEATURES, NUMERIC
from readmission.model import MODEL_FILE, Floats, ReadmissionModel, load_model
from readmission.one_row import build_one
from readmission.schemas import FIRST_STAY, RETURNING, PatientStay

Columns = tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]
"""A stay and the same patient's earlier stays, oldest first, in published columns (`PatientStay.columns`)."""


@dataclass(frozen=True)
class Explained:
    """One risk taken apart; ``baseline`` and ``contributions`` sum to ``log_odds``."""

    risk: float
    log_odds: float
    baseline: float
    contributions: Floats
    reasons: list[dict[str, Any]]


@dataclass(frozen=True)
class Predictor:
    """A loaded model with what it needs for one row; make it with `load`."""

    model: ReadmissionModel
    sha256: str
    places: tuple[dict[str, float], ...]
    expected: tuple[float, ...] = ()

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a sealed model and predict two made-up patients, so that the first request is as fast as the next.

        Parameters
        ----------
        folder : Path
            Holds what `ReadmissionModel.save` writes.

        Returns
        -------
        Predictor
            Warm.

        Raises
        ------
        ArtefactError
            If a file is missing or altered.
        """
        model = load_model(folder)
        places = tuple({value: float(i) for i, value in enumerate(model.categories[name])} for name in CATEGORICAL)
        sha256 = sha256_file(folder / MODEL_FILE)
        cold = cls(model, sha256, places)
        cold.explain(_made_up()[0])
        return cls(model, sha256, places, expected=tuple(cold.predict(_made_up())))

    def predict(self, stays: Sequence[Columns]) -> list[float]:
        """Predict the risk of return within 30 days.

        Parameters
        ----------
        stays : sequence of Columns
            n stays.

        Returns
        -------
        list of float
            n probabilities.
        """
        X = np.array([self.encode(build_one(stay, earlier)) for stay, earlier in stays], dtype=np.float32)
        margin = self.model.booster.predict(X, raw_score=True, num_threads=1)
        risks: list[float] = self.model.calibration.apply(np.asarray(margin)).tolist()
        return risks

    def encode(self, row: Mapping[str, Any]) -> list[float]:
        """Put feature values in the order and the numbers that LightGBM reads.

        Parameters
        ----------
        row : mapping
            Result of `build_one`.

        Returns
        -------
        list of float
            ``len(FEATURES)`` values; NaN is not known, as in `readmission.model.to_matrix`.
        """
        numbers = [float("nan") if row[name] is None else row[name] for name in NUMERIC]
        return numbers + [places.get(row[name], float("nan")) for name, places in zip(CATEGORICAL, self.places, strict=True)]

    def explain(self, stay: Columns) -> Explained:
        """Split one prediction among its features.

        Parameters
        ----------
        stay : Columns
            One stay.

        Returns
        -------
        Explained
            In log-odds after calibration; reasons strongest first.
        """
        row = build_one(*stay)
        X: NDArray[np.float32] = np.array([self.encode(row)], dtype=np.float32)
        shares = contributions(self.model, X, num_threads=1)[0]
        log_odds = float(shares.sum())
        return Explained(risk=float(1 / (1 + np.exp(-log_odds))), log_odds=log_odds, baseline=float(shares[-1]),
                         contributions=shares[:-1], reasons=top_reasons(row, shares, n=len(FEATURES)))

    def check(self) -> None:
        """Predict the made-up patients again.

        Raises
        ------
        ArtefactError
            If the model in memory no longer gives what it gave when it was loaded.
        """
        got = tuple(self.predict(_made_up()))
        if got != self.expected:
            raise ArtefactError(f"the model in memory gives {got}, expected {self.expected} as when it was loaded; start the server again.")


def _made_up() -> list[Columns]:
    return [PatientStay.model_validate(example).columns() for example in (FIRST_STAY, RETURNING)]
