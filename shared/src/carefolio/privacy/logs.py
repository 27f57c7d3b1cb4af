"""Identifiers kept out of logs, traces and errors: a logging filter and scrubbed exceptions for the mappings in use.

``protected(mapping)`` names the mapping of the present request or task (a context variable, so that requests side by side do not see
each other's). Inside it a `PrivacyFilter` scrubs every record, and an exception that leaves it is replaced by a scrubbed one.
"""

from __future__ import annotations

import logging
import traceback
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Literal

from carefolio.exceptions import CarefolioError, PrivacyError
from carefolio.privacy.surrogates import Mapping

_ACTIVE: ContextVar[tuple[Mapping, ...]] = ContextVar("carefolio_privacy_mappings", default=())
_STANDARD = frozenset(vars(logging.makeLogRecord({})))


def scrub(text: str) -> str:
    """Replace the identifiers of all mappings in use.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        With surrogates instead.
    """
    for mapping in _ACTIVE.get():
        text = mapping.scrub(text)
    return text


class PrivacyFilter(logging.Filter):
    """Scrub log records: message, arguments, exception, stack and extra fields.

    Add it to the handlers, not to a logger: a logger's filter does not see the records of its children.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Scrub a record in place.

        Parameters
        ----------
        record : logging.LogRecord
            The record.

        Returns
        -------
        bool
            Always True: no record is dropped.
        """
        if not _ACTIVE.get():
            return True
        record.msg, record.args = scrub(record.getMessage()), None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = scrub("".join(traceback.format_exception(*record.exc_info)).rstrip())
            record.exc_info = None
        elif record.exc_text:
            record.exc_text = scrub(record.exc_text)
        if record.stack_info:
            record.stack_info = scrub(record.stack_info)
        for name in vars(record).keys() - _STANDARD:
            value = getattr(record, name)
            if not isinstance(value, bool | int | float | None):
                setattr(record, name, scrub(str(value)))
        return True


def scrub_exception(error: BaseException, mapping: Mapping) -> CarefolioError:
    """Make an error that says the same without identifiers and without a link to the one that holds them.

    Parameters
    ----------
    error : BaseException
        Any exception.
    mapping : Mapping
        What must not show.

    Returns
    -------
    CarefolioError
        Of the same class if it is one of ours, so that its exit code stays; else a `PrivacyError` that names the class.
    """
    message = mapping.scrub(str(error))
    return type(error)(message) if isinstance(error, CarefolioError) else PrivacyError(f"{type(error).__name__}: {message}")


class protected:  # noqa: N801 - used like a function
    """Name the mapping in use, for logs and errors inside a ``with`` block.

    Parameters
    ----------
    mapping : Mapping
        Of the present request or task.

    Raises
    ------
    CarefolioError
        In place of an exception that leaves the block, without identifiers; neither cause, context nor traceback leads to the original.
    """

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._token: Token[tuple[Mapping, ...]] | None = None

    def __enter__(self) -> Mapping:
        """Put the mapping to use.

        Returns
        -------
        Mapping
            The mapping.
        """
        self._token = _ACTIVE.set((*_ACTIVE.get(), self._mapping))
        return self._mapping

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> Literal[False]:
        """Take it out of use and scrub what goes wrong.

        Parameters
        ----------
        kind : type or None
            Class of the exception.
        error : BaseException or None
            The exception.
        trace : TracebackType or None
            Its traceback.

        Returns
        -------
        bool
            Always False.
        """
        if self._token is not None:
            _ACTIVE.reset(self._token)
        if isinstance(error, Exception):
            scrubbed = scrub_exception(error, self._mapping)
            try:
                raise scrubbed from None
            finally:
                scrubbed.__context__ = None
        return False
