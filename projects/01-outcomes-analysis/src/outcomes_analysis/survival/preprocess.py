"""From a table to a matrix of numbers, with everything that is learnt (medians, categories) learnt on the training rows alone."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
FLAG_SHARE = 0.01


@dataclass(frozen=True)
class Preprocessing:
    """What was learnt from the training rows.

    Attributes
    ----------
    medians : dict of str to float
        By number; what stands in for a missing value.
    flagged : tuple of str
        Numbers missing in more than one per cent of the rows: they get a column that says so.
    categories : dict of str to list of str
        Labels seen, by category.
    """

    medians: dict[str, float]
    flagged: tuple[str, ...]
    categories: dict[str, list[str]]


def fit_preprocessing(table: pl.DataFrame, features: tuple[str, ...]) -> Preprocessing:
    """Learn medians, which numbers need a flag for missing values, and the labels of each category.

    Parameters
    ----------
    table : polars.DataFrame
        Training rows.
    features : tuple of str
        Columns to use; ``fac_*`` are categories, all others numbers.

    Returns
    -------
    Preprocessing
        What `transform` needs.
    """
    numbers = [name for name in features if not name.startswith("fac_")]
    medians = table.select(pl.col(numbers).median()).row(0, named=True)
    shares = table.select(pl.col(numbers).is_null().mean()).row(0, named=True)
    categories = {name: sorted(table[name].cast(pl.String).unique().to_list()) for name in features if name.startswith("fac_")}
    return Preprocessing({name: float(value or 0.0) for name, value in medians.items()},
                         tuple(name for name in numbers if shares[name] > FLAG_SHARE), categories)


def transform(table: pl.DataFrame, fitted: Preprocessing) -> tuple[Floats, int]:
    """Fill, flag and encode.

    Parameters
    ----------
    table : polars.DataFrame
        Any rows.
    fitted : Preprocessing
        Learnt from the training rows.

    Returns
    -------
    X : ndarray, shape (n, p)
        Filled numbers first, then flags, then one column for each label; a label that training did not see is all zeros.
    n_numbers : int
        How many of the columns are filled numbers.
    """
    filled = [pl.col(name).fill_null(median).alias(name) for name, median in fitted.medians.items()]
    flags = [pl.col(name).is_null().cast(pl.Float64).alias(f"{name} missing") for name in fitted.flagged]
    labels = [(pl.col(name).cast(pl.String) == label).cast(pl.Float64).alias(f"{name} {label}")
              for name, known in fitted.categories.items() for label in known]
    return table.select(*filled, *flags, *labels).to_numpy().astype(np.float64), len(filled)
