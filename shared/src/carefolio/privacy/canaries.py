"""Canaries: made-up identifiers of every type, planted in a text, that must not turn up in anything that leaves the process.

A test plants them, runs what it tests, and gives every output to `assert_no_canary`: prompts, log records, exceptions, cache files,
standard output. A canary is recognised whatever its case, spacing and punctuation, percent-encoded or escaped in JSON.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_plus

from carefolio.exceptions import PrivacyError
from carefolio.privacy.policy import IdentifierType

Output = str | bytes | Path | BaseException | logging.LogRecord
_CLOCK = ("created", "msecs", "relativeCreated", "thread", "process", "lineno", "exc_info")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass(frozen=True)
class Canary:
    """A made-up identifier and a sentence that holds it.

    Attributes
    ----------
    identifier_type : str
        Its type.
    value : str
        The identifier; not shown when the canary is printed.
    sentence : str
        As a note would say it; not shown either.
    """

    identifier_type: IdentifierType
    value: str = field(repr=False)
    sentence: str = field(repr=False)


@dataclass(frozen=True)
class Leak:
    """A canary that turned up.

    Attributes
    ----------
    output : str
        Name of the output that held it.
    identifier_type : str
        Type of the canary.
    """

    output: str
    identifier_type: IdentifierType


_SENTENCES: tuple[tuple[IdentifierType, str, str], ...] = (
    ("PERSON", "Quillon Vasterby", "The patient is Mr. {}."),
    ("CLINICIAN", "Ysolde Krantwell", "She was seen by Dr. {}."),
    ("HOSPITAL", "Marrowgate Vale Hospital", "He was admitted to {} overnight."),
    ("LOCATION", "Thistlecombe", "She lives in {}."),
    ("ADDRESS", "4417 Fennelbrook Lane", "The home address is {}."),
    ("ZIP", "59387", "The ZIP code is {}."),
    ("DATE", "November 17, 2019", "The operation was on {}."),
    ("AGE_OVER_89", "97-year-old", "This is a {} man."),
    ("PHONE", "(406) 555-0183", "The phone number is {}."),
    ("FAX", "(406) 555-0176", "The fax number is {}."),
    ("EMAIL", "q.vasterby@marrowgate.example.org", "The e-mail address is {}."),
    ("SSN", "907-44-8213", "The SSN is {}."),
    ("MRN", "MV-7719405", "The MRN is {}."),
    ("HEALTH_PLAN", "HPX-4482917", "The insurance ID is {}."),
    ("ACCOUNT", "77-3048812", "The account number is {}."),
    ("LICENCE", "D8841207", "The driver's license number is {}."),
    ("VEHICLE", "7KXR419", "The license plate is {}."),
    ("DEVICE", "PMX-55102-B", "The pacemaker serial number is {}."),
    ("URL", "https://portal.marrowgate.example.org/u/7719405", "The page is {} today."),
    ("IP", "203.0.113.47", "The request came from {} at night."),
    ("BIOMETRIC", "FP-88120-Q", "The fingerprint record is {}."),
    ("ID", "STX-9902-118", "The study subject ID is {}."),
)


def make_canaries() -> tuple[Canary, ...]:
    """Make a canary of every type that text can hold.

    Returns
    -------
    tuple of Canary
        Made-up values: names that nobody bears, numbers from ranges kept for examples.
    """
    return tuple(Canary(kind, value, sentence.format(value)) for kind, value, sentence in _SENTENCES)


def plant(text: str, canaries: Iterable[Canary]) -> str:
    """Add the sentences of canaries to a text.

    Parameters
    ----------
    text : str
        Any text.
    canaries : iterable of Canary
        What to plant.

    Returns
    -------
    str
        The text, then one line a canary.
    """
    return "\n".join([text, *(canary.sentence for canary in canaries)])


def find_canaries(outputs: Mapping[str, Output | Iterable[Output]], canaries: Iterable[Canary]) -> list[Leak]:
    """Look for canaries in what left the process.

    Parameters
    ----------
    outputs : mapping of str to output or iterable of outputs
        By name: text, bytes, a file or a folder of files, a log record, or an exception with all that it came from.
    canaries : iterable of Canary
        What was planted.

    Returns
    -------
    list of Leak
        One for each output and canary that met.
    """
    wanted = tuple(canaries)
    leaks = []
    for name, output in outputs.items():
        texts = [_read(one) for one in _as_outputs(output)]
        leaks += [Leak(name, canary.identifier_type) for canary in wanted if any(_holds(text, canary.value) for text in texts)]
    return leaks


def assert_no_canary(outputs: Mapping[str, Output | Iterable[Output]], canaries: Iterable[Canary]) -> None:
    """Fail if a canary left the process.

    Parameters
    ----------
    outputs : mapping of str to output or iterable of outputs
        As for `find_canaries`; there must be at least one, or nothing would be checked.
    canaries : iterable of Canary
        What was planted.

    Raises
    ------
    PrivacyError
        If one did; the message names outputs and types, never a value.
    """
    if not outputs:
        raise PrivacyError("outputs must name at least one output; got none. Pass everything that leaves the process.")
    leaks = find_canaries(outputs, canaries)
    if leaks:
        places = ", ".join(f"{leak.identifier_type} in {leak.output}" for leak in leaks)
        raise PrivacyError(f"no planted identifier may leave the process; got {len(leaks)}: {places}. Pass that output through firewall().")


def _as_outputs(output: Output | Iterable[Output]) -> list[Output]:
    return [output] if isinstance(output, str | bytes | Path | BaseException | logging.LogRecord) else list(output)


def _read(output: Output) -> str:
    if isinstance(output, Path):
        files = sorted(path for path in output.rglob("*") if path.is_file()) if output.is_dir() else [output]
        return "\n".join(f"{path.name}\n{path.read_bytes().decode('utf-8', errors='replace')}" for path in files)
    if isinstance(output, bytes):
        return output.decode("utf-8", errors="replace")
    if isinstance(output, BaseException):
        return _read_exception(output)
    if isinstance(output, logging.LogRecord):
        trace = "".join(traceback.format_exception(*output.exc_info)) if output.exc_info else ""
        fields = {name: value for name, value in vars(output).items() if name not in _CLOCK}
        return f"{output.getMessage()}\n{trace}\n{fields}"
    return output


def _read_exception(error: BaseException) -> str:
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and not any(one is other for other in seen):
            seen.append(one)
            waiting += [one.__cause__, one.__context__]
    return "\n".join(f"{one!s}\n{one!r}\n{vars(one)}" for one in seen) + "".join(traceback.format_exception(error))


def _holds(text: str, value: str) -> bool:
    """Look for a value in a text as it is, with percent signs decoded and with JSON escapes decoded."""
    forms = (text, unquote_plus(text), _ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), text))
    if value.isdigit():
        return any(re.search(rf"(?<![\d.]){value}(?!\d)", form) for form in forms)
    return any(_squeeze(value) in _squeeze(form) for form in forms)


def _squeeze(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
