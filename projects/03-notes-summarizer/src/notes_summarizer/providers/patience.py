"""How often a provider is asked again, and how long to wait before."""

from __future__ import annotations

from notes_summarizer.providers.problem import Problem
from notes_summarizer.providers.settings import ProviderSettings


class Patience:
    """Counts the failures of one provider for one prompt.

    Parameters
    ----------
    name : str
        The provider; the one without a model would say the same again, so it is asked once.
    settings : ProviderSettings
        Number of repetitions and the first wait.
    """

    def __init__(self, name: str, settings: ProviderSettings) -> None:
        self._settings = settings
        self._passing = 0 if name == "extractive" else settings.max_retries
        self._unusable = 0 if name == "extractive" else 1
        self._wait_s = settings.backoff_s

    def wait_s(self, problem: Problem) -> float | None:
        """Decide whether to ask again.

        Parameters
        ----------
        problem : Problem
            Why the last try failed.

        Returns
        -------
        float or None
            Seconds to wait before the next try, twice as long each time unless the server says how long; None if there is to be none.
        """
        if problem.unusable and self._unusable:
            self._unusable -= 1
            return 0.0
        if not problem.passing or not self._passing or (problem.wait_s or 0.0) > self._settings.timeout_s:
            return None
        self._passing -= 1
        wait_s, self._wait_s = self._wait_s, 2 * self._wait_s
        return wait_s if problem.wait_s is None else problem.wait_s
