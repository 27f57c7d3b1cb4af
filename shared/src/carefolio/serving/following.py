"""Something that a server follows while it runs, such as the model that a pointer names; taken over by one assignment.

What cannot be taken over changes nothing: the present one goes on answering. A request that takes `Follower.current` once uses one version
from its first line to its last.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from carefolio.exceptions import CarefolioError

T = TypeVar("T")
logger = logging.getLogger("carefolio.serving")


class Follower(Generic[T]):
    """Holds the present version and looks for another.

    Parameters
    ----------
    look : callable
        Takes the present version, or None; gives another one that is ready to answer, or None if there is none. A ``CarefolioError`` says
        that another one cannot be taken over.
    missing : callable
        Makes the error of a request that comes before the first version.

    Attributes
    ----------
    taken_over : int
        How many versions were taken over.
    failures : int
        Looks of the thread, in a row, that could not take over another one.
    """

    def __init__(self, look: Callable[[T | None], T | None], *, missing: Callable[[], CarefolioError]) -> None:
        self._look, self._missing = look, missing
        self._present: T | None = None
        self.taken_over = self.failures = 0
        self._trouble = ""
        self._lock = threading.Lock()

    def refresh(self) -> bool:
        """Look once, and take over another version if there is one.

        Returns
        -------
        bool
            Whether another one answers from now on.

        Raises
        ------
        CarefolioError
            If another one cannot be taken over; the present one stays.
        """
        with self._lock:
            found = self._look(self._present)
            if found is not None:
                self.take_over(found)
            return found is not None

    def take_over(self, version: T) -> None:
        """Answer with a version from now on.

        Parameters
        ----------
        version : T
            Ready to answer.
        """
        self._present, self.taken_over = version, self.taken_over + 1

    def current(self) -> T:
        """Give the present version.

        Returns
        -------
        T
            One snapshot; use it for the whole request.

        Raises
        ------
        CarefolioError
            As ``missing`` makes it, before the first version.
        """
        if self._present is None:
            raise self._missing()
        return self._present

    @contextmanager
    def following(self, poll_s: float) -> Iterator[None]:
        """Look regularly, in a thread, for as long as the block runs.

        Parameters
        ----------
        poll_s : float
            Seconds between looks.

        Yields
        ------
        None
            The server answers in the block.
        """
        stop = threading.Event()
        thread = threading.Thread(target=self._follow, args=(stop, poll_s), name="follower", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(timeout=10)

    def _follow(self, stop: threading.Event, poll_s: float) -> None:
        while not stop.wait(poll_s):
            try:
                self.refresh()
                self._trouble, self.failures = "", 0
            except CarefolioError as error:
                self.failures += 1
                if str(error) != self._trouble:
                    self._trouble = str(error)
                    logger.warning("no other version was taken over; the present one goes on answering: %s", error)
