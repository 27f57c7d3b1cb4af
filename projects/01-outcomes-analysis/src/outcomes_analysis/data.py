"""Load the data sets of the three parts; a part whose data cannot be had is left out with its reason, the others go on."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl

from carefolio.datasets.covid19_jhu import load_covid19_jhu
from carefolio.datasets.covid19_jhu_twin import make_covid19_jhu_twin
from carefolio.datasets.flusight import load_flusight_admissions, load_flusight_forecasts
from carefolio.datasets.flusight_twin import make_flusight_admissions_twin, make_flusight_forecasts_twin
from carefolio.datasets.provenance import LoadedData
from carefolio.datasets.support2 import load_support2
from carefolio.datasets.twin import announce_twin
from carefolio.datasets.world_population import load_world_population
from carefolio.parts import read_table
from outcomes_analysis.config import PARTS

LOADERS: dict[str, Callable[..., LoadedData]] = {
    "support2": load_support2,
    "covid19_jhu": partial(load_covid19_jhu, allow_synthetic=True),
    "world_population": load_world_population,
    "flusight": partial(load_flusight_admissions, allow_synthetic=True),
    "flusight_baseline": partial(load_flusight_forecasts, "FluSight-baseline", allow_synthetic=True),
    "flusight_ensemble": partial(load_flusight_forecasts, "FluSight-ensemble", allow_synthetic=True),
}
TWINS: dict[str, Callable[[int], pl.DataFrame]] = {
    "covid19_jhu": make_covid19_jhu_twin,
    "flusight": make_flusight_admissions_twin,
    "flusight_baseline": partial(make_flusight_forecasts_twin, "FluSight-baseline"),
    "flusight_ensemble": partial(make_flusight_forecasts_twin, "FluSight-ensemble"),
}
"""Data sets that no package ships, and what stands in for them on a machine that cannot have them."""


def load_part(part: str, *, seed: int) -> dict[str, LoadedData]:
    """Load what a part reads: all of it real, or, if one data set has to be made up, all that can be.

    Parameters
    ----------
    part : {"survival", "waves", "forecast"}
        Name of the part.
    seed : int
        Seed of the synthetic twins.

    Returns
    -------
    dict of str to LoadedData
        By data set. Made-up admissions are never scored against real forecasts, nor the other way round.
    """
    loaded = {name: LOADERS[name](random_state=seed) if name in TWINS else LOADERS[name]() for name in PARTS[part]}
    made_up = [name for name, data in loaded.items() if data.provenance.origin == "synthetic"]
    if made_up:
        for name in [name for name in loaded if name in TWINS and name not in made_up]:
            loaded[name] = announce_twin(TWINS[name](seed), name=name, rows="rows", reason=f"{made_up[0]} is made up, and the two belong "
                                         "together")
    return loaded


def load(out: Path, part: str) -> list[pl.DataFrame]:
    """Read the tables of a part.

    Parameters
    ----------
    out : Path
        Folder of the run.
    part : str
        Name of the part.

    Returns
    -------
    list of polars.DataFrame
        In the order of ``PARTS``.
    """
    return [read_table(out, name) for name in PARTS[part]]
