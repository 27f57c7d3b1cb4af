"""The model that the alias ``champion`` points to, followed while the server runs.

A thread looks at the alias. Another version is fetched, checked, read and asked once before it takes over, by one assignment: a request
uses one version from its first line to its last. What cannot be fetched or read changes nothing; the present champion goes on answering.
"""

import logging
import time
from dataclasses import dataclass
from pathlib import Path

from carefolio.artefacts import read_json, write_json
from carefolio.exceptions import ArtefactError
from carefolio.serving import following
from carefolio.tracking import TrackingError
from model_registry.names import CHAMPION
from model_registry.tracking.aliases import CARD_FILE, Version, download, find_version, read_card
from model_registry.tracking.errors import RegistryError
from model_registry.tracking.models import Loaded, load_model

LAST_FILE = "champion.json"
logger = logging.getLogger("model_registry.champion")


@dataclass(frozen=True)
class Served:
    """A version ready to answer: where it comes from, the model, its card, and what it gave for its own example."""

    name: str
    version: str
    run_id: str
    loaded: Loaded
    card: str
    expected: tuple[object, ...]

    def check(self) -> None:
        """Ask the example again.

        Raises
        ------
        ArtefactError
            If the model in memory no longer gives what it gave when it was loaded.
        """
        got = tuple(map(repr, self.loaded.answer([self.loaded.example])))
        if got != self.expected:
            raise ArtefactError(f"{self.name} version {self.version} in memory gives {got}, expected {self.expected}; start the server "
                                "again.")


class Follower(following.Follower[Served]):
    """Holds the champion and follows its alias.

    Parameters
    ----------
    tracking_uri : str
        Address of the server, or of a database.
    name : str
        Name of the registered model.
    folder : Path
        Keeps the files of versions, so that a restart needs no tracking server.
    """

    def __init__(self, tracking_uri: str, name: str, folder: Path) -> None:
        super().__init__(self._another, missing=lambda: RegistryError(f"no champion of {name} is loaded; `registry promote {name}` makes "
                                                                      "one."))
        self.tracking_uri, self.name, self.folder = tracking_uri, name, folder
        self.checked_at = 0.0

    def start(self) -> None:
        """Load the champion; where the tracking server does not answer, the one that was served last.

        Raises
        ------
        TrackingError
            If the server does not answer and no champion was served from this folder before.
        RegistryError
            If there is no champion.
        ArtefactError
            If its files are altered or of a kind that is not read.
        """
        try:
            self.refresh()
        except TrackingError as error:
            if not (self.folder / LAST_FILE).is_file():
                raise
            last = self._open_last()
            self.take_over(last)
            logger.warning("the tracking server does not answer (%s); serving version %s, which was champion last", error, last.version)

    def _another(self, present: Served | None) -> Served | None:
        version = find_version(self.tracking_uri, self.name, CHAMPION)
        self.checked_at = time.monotonic()
        if present is not None and (present.version, present.loaded.sha256) == (version.version, version.sha256):
            return None
        served = self._fetch(version)
        logger.info("%s version %s answers from now on", self.name, version.version)
        return served

    def _fetch(self, version: Version) -> Served:
        place = self.folder / f"{version.name}-{version.version}-{version.sha256[:12]}"
        loaded = download(self.tracking_uri, version, place)
        card = read_card(self.tracking_uri, version, place)
        served = _warm(version.name, version.version, version.run_id, loaded, card)
        write_json(self.folder / LAST_FILE, {"name": version.name, "version": version.version, "run_id": version.run_id,
                                             "sha256": version.sha256, "place": place.name})
        return served

    def _open_last(self) -> Served:
        last = read_json(self.folder / LAST_FILE)
        place = self.folder / last["place"]
        described = sorted(place.rglob("MLmodel"))
        if last["name"] != self.name or len(described) != 1:
            raise ArtefactError(f"{place} holds no version of {self.name}; start the tracking server, then this one.")
        card = place / CARD_FILE
        return _warm(last["name"], last["version"], last["run_id"], load_model(described[0].parent, sha256=last["sha256"]),
                     card.read_text(encoding="utf-8") if card.is_file() else "")


def _warm(name: str, version: str, run_id: str, loaded: Loaded, card: str) -> Served:
    return Served(name, version, run_id, loaded, card, tuple(map(repr, loaded.answer([loaded.example]))))
