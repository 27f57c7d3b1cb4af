"""What a system predicts: one probability a label for each text of validation and test, kept as a table and a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from carefolio.artefacts import read_json, write_json
from carefolio.exceptions import ArtefactError
from carefolio.parts import write_table

if TYPE_CHECKING:
    import polars as pl

Probabilities = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Predicted:
    """Probabilities of texts.

    Attributes
    ----------
    rows : tuple of int, length n
        Rows of the task's table.
    parts : tuple of str, length n
        ``valid`` or ``test``.
    labels : tuple of str, length k
        Sorted.
    probabilities : ndarray of float64, shape (n, k)
        Rows sum to 1.
    record : dict
        What is known of the system beside its predictions.
    """

    rows: tuple[int, ...]
    parts: tuple[str, ...]
    labels: tuple[str, ...]
    probabilities: Probabilities
    record: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, examples: pl.DataFrame, labels: Sequence[str], probabilities: npt.ArrayLike, **record: Any) -> Predicted:
        """Join probabilities to their examples.

        Parameters
        ----------
        examples : polars.DataFrame
            ``row`` and ``part``.
        labels : sequence of str
            Columns of the probabilities.
        probabilities : array-like, shape (n, k)
            One row an example.
        **record : object
            Goes into the record.

        Returns
        -------
        Predicted
            Ready to be written.
        """
        return cls(tuple(examples["row"].to_list()), tuple(examples["part"].to_list()), tuple(labels),
                   np.asarray(probabilities, dtype=np.float64), record)

    def of_part(self, part: str) -> tuple[list[int], Probabilities]:
        """Give the rows and probabilities of a part.

        Parameters
        ----------
        part : str
            ``valid`` or ``test``.

        Returns
        -------
        rows : list of int
            Rows of the task's table.
        probabilities : ndarray, shape (n_part, k)
            Theirs.
        """
        places = [place for place, own in enumerate(self.parts) if own == part]
        return [self.rows[place] for place in places], self.probabilities[places]


def predictions_folder(out: Path, task: str, system: str, seed: int) -> Path:
    """Name the folder of a system's predictions.

    Parameters
    ----------
    out : Path
        Folder of the run.
    task, system : str
        Names.
    seed : int
        Of the training.

    Returns
    -------
    Path
        It need not exist.
    """
    return out / "train" / task / system / f"seed{seed}"


def write_predictions(folder: Path, predicted: Predicted) -> None:
    """Keep predictions; the record goes last.

    Parameters
    ----------
    folder : Path
        As `predictions_folder` names it.
    predicted : Predicted
        What to keep.
    """
    import polars as pl

    columns = {label: predicted.probabilities[:, place] for place, label in enumerate(predicted.labels)}
    write_table(folder / "predictions.parquet", pl.DataFrame({"row": predicted.rows, "part": predicted.parts} | columns))
    write_json(folder / "record.json", predicted.record | {"labels": list(predicted.labels)})


def read_predictions(folder: Path) -> Predicted:
    """Read predictions.

    Parameters
    ----------
    folder : Path
        As `predictions_folder` names it.

    Returns
    -------
    Predicted
        What `write_predictions` kept.

    Raises
    ------
    ArtefactError
        If they are missing or do not fit their record.
    """
    import polars as pl

    record: Mapping[str, Any] = read_json(folder / "record.json")
    table = pl.read_parquet(folder / "predictions.parquet")
    if table.columns[2:] != record["labels"]:
        raise ArtefactError(f"{folder} holds probabilities of {len(table.columns) - 2} labels, its record names {len(record['labels'])} "
                            "others. Run `textclass train` again.")
    return Predicted(tuple(table["row"].to_list()), tuple(table["part"].to_list()), tuple(record["labels"]),
                     table.select(record["labels"]).to_numpy(), dict(record))
