"""Server-sent events, whose last one says what went wrong if something did."""

import logging
from collections.abc import Iterable, Iterator

import orjson

from carefolio.exceptions import CarefolioError

logger = logging.getLogger(__name__)


def write_event(kind: str, data: object) -> bytes:
    """Write one event as the HTML standard has it.

    Parameters
    ----------
    kind : str
        Its name.
    data : object
        Anything that JSON can hold.

    Returns
    -------
    bytes
        ``event:`` and ``data:`` lines; JSON holds no line break, so the data is one line.
    """
    return b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"


def end_with_error(events: Iterable[bytes]) -> Iterator[bytes]:
    """Turn an error into a last event: the status has long been sent.

    Parameters
    ----------
    events : iterable of bytes
        Events in the making.

    Yields
    ------
    bytes
        The events; after an error one of kind ``error``, in words that hold nothing of the note.
    """
    try:
        yield from events
    except CarefolioError as error:
        yield write_event("error", {"detail": str(error), "exit_code": error.exit_code})
    except Exception as error:  # noqa: BLE001 - the log names the class; the message might quote the note
        logger.error("a stream ended with %s", type(error).__name__)
        yield write_event("error", {"detail": "Unexpected error; the server's log has its kind.", "exit_code": 1})
