"""Load the photographs: real ones, or drawn ones that say so."""

from collections.abc import Callable

from carefolio.datasets.idrid import load_idrid
from carefolio.datasets.provenance import LoadedData
from carefolio.datasets.retinamnist import load_retinamnist
from retinopathy.config import PARTS

LOADERS: dict[str, Callable[..., LoadedData]] = {"idrid": load_idrid, "retinamnist": load_retinamnist}


def load_part(part: str, *, seed: int) -> dict[str, LoadedData]:
    """Load what a part reads.

    Parameters
    ----------
    part : {"idrid", "retinamnist"}
        Name of the part.
    seed : int
        Seed of the synthetic twins.

    Returns
    -------
    dict of str to LoadedData
        By data set.
    """
    return {name: LOADERS[name](allow_synthetic=True, random_state=seed) for name in PARTS[part]}
