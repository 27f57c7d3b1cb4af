"""Load the data sets of the tasks: real ones, or made-up ones that say so."""

from collections.abc import Callable

from carefolio.datasets.mts_dialog import load_mts_dialog
from carefolio.datasets.mtsamples import load_mtsamples
from carefolio.datasets.provenance import LoadedData
from carefolio.datasets.pubmedqa import load_pubmedqa
from text_classifier.config import PARTS

LOADERS: dict[str, Callable[..., LoadedData]] = {"mts_dialog": load_mts_dialog, "pubmedqa": load_pubmedqa, "mtsamples": load_mtsamples}


def load_part(part: str, *, seed: int) -> dict[str, LoadedData]:
    """Load what a task reads.

    Parameters
    ----------
    part : {"headers", "decisions", "specialties"}
        Name of the task.
    seed : int
        Seed of the synthetic twins.

    Returns
    -------
    dict of str to LoadedData
        By data set.
    """
    return {name: LOADERS[name](allow_synthetic=True, random_state=seed) for name in PARTS[part]}
