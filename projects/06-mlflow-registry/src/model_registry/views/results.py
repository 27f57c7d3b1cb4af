"""What the sections show: the run's record and snapshot, and the versions of a registry that answers."""

import json
from dataclasses import dataclass
from typing import Any

import streamlit as st

from carefolio.evidence import Evidence
from carefolio.exceptions import ArtefactError, ConfigError
from carefolio.shown_run import ShownRun
from model_registry.places import address_for
from model_registry.tracking.aliases import Version, list_versions
from model_registry.tracking.server import DATABASE_FILE

LIVE_S = 10
TITLES = {"readmission": "Readmission within 30 days", "survival": "Survival of seriously ill patients"}


@dataclass(frozen=True)
class Results:
    """One run."""

    run: ShownRun

    @property
    def evidence(self) -> Evidence:
        """Give the run's record.

        Returns
        -------
        Evidence
            As the run wrote it.
        """
        return self.run.evidence

    def searches(self) -> dict[str, dict[str, Any]]:
        """Read the snapshot.

        Returns
        -------
        dict
            By experiment.

        Raises
        ------
        ArtefactError
            If it is missing or damaged.
        """
        try:
            found: dict[str, dict[str, Any]] = json.loads(self.run.file("registry.json"))
        except ValueError as error:
            raise ArtefactError(f"reports/registry.json is not JSON ({error}); write it again with `registry report`.") from None
        return found

    def address(self) -> str | None:
        """Find a registry to ask.

        Returns
        -------
        str or None
            The run's own database, else what `model_registry.places.address_for` finds; None where there is none.
        """
        own = self.run.folder if (self.run.folder / DATABASE_FILE).is_file() else None
        try:
            return address_for(None, own)
        except ConfigError:
            return None

    def versions(self, name: str) -> list[Version]:
        """List the versions of a model, read again after `LIVE_S` seconds.

        Parameters
        ----------
        name : str
            The experiment.

        Returns
        -------
        list of Version
            Empty where no registry is found.
        """
        address = self.address()
        return _versions(address, name) if address else []


@st.cache_data(ttl=LIVE_S, show_spinner=False)
def _versions(address: str, name: str) -> list[Version]:
    return list_versions(address, name)


def choose_experiment(searches: dict[str, dict[str, Any]]) -> str:
    """Let the reader choose an experiment.

    Parameters
    ----------
    searches : dict
        The snapshot.

    Returns
    -------
    str
        Its name.
    """
    return str(st.selectbox("Model", list(searches), format_func=lambda name: TITLES[name], key="experiment", persist_state="session"))
