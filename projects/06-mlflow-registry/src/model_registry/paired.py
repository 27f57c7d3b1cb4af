"""Two versions on the same held-out patients: by how much does one do better, and is that more than chance?"""

from pathlib import Path
from tempfile import TemporaryDirectory

from carefolio.evidence import Metric
from model_registry import data
from model_registry.config import RegistrySettings
from model_registry.evaluate import measure_lead
from model_registry.tracking.aliases import download, find_version
from model_registry.tracking.errors import RegistryError
from model_registry.tracking.models import Model


def compare_versions(tracking_uri: str, name: str, first: str, second: str, folder: Path, settings: RegistrySettings) -> Metric:
    """Fetch two versions and judge them side by side.

    Parameters
    ----------
    tracking_uri : str
        Address of the server, or of a database.
    name : str
        Name of the registered model.
    first, second : str
        Numbers or aliases.
    folder : Path
        A run whose ``data`` holds the held-out patients.
    settings : RegistrySettings
        Replicates, level and seed.

    Returns
    -------
    Metric
        The first's primary metric less the second's, with the interval of the paired difference.

    Raises
    ------
    RegistryError
        If one was judged on another split than that of the folder: its held-out patients may be the other's train patients.
    """
    table = data.load(folder / "data", name)
    split = table.record["split"]["sha256"]

    def _model(which: str) -> Model:
        version = find_version(tracking_uri, name, which)
        if version.split != split:
            raise RegistryError(f"{name} version {version.version} was made with split {version.split[:12] or 'unknown'}, {folder} holds "
                                f"{split[:12]}; its train patients may be held out there. Name a run of the same split with --out.")
        with TemporaryDirectory() as place:
            return download(tracking_uri, version, Path(place)).model

    return measure_lead(name, _model(first), _model(second), table.part("test"), settings.evaluation, seed=settings.seed)
