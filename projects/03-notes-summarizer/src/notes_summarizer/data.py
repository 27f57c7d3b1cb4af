"""Load the data sets of the two parts: real ones, or made-up ones that say so."""

from collections.abc import Callable

from carefolio.datasets.aci_bench import load_aci_bench
from carefolio.datasets.medquad import load_medquad
from carefolio.datasets.mts_dialog import load_mts_dialog
from carefolio.datasets.provenance import LoadedData
from notes_summarizer.config import PARTS

LOADERS: dict[str, Callable[..., LoadedData]] = {"mts_dialog": load_mts_dialog, "aci_bench": load_aci_bench, "medquad": load_medquad}


def load_part(part: str, *, seed: int) -> dict[str, LoadedData]:
    """Load what a part reads.

    Parameters
    ----------
    part : {"summaries", "leaflets"}
        Name of the part.
    seed : int
        Seed of the synthetic twins.

    Returns
    -------
    dict of str to LoadedData
        By data set.
    """
    return {name: LOADERS[name](allow_synthetic=True, random_state=seed) for name in PARTS[part]}
