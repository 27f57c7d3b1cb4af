"""Errors that a person can act on: what, where, expected, got, next step.

Every error carries an exit code, so a script or a scheduler can tell a bad input from a missing file.
"""


class CarefolioError(Exception):
    """Base of all expected errors; commands print it in one line and leave with ``exit_code``."""

    exit_code = 1


class ConfigError(CarefolioError):
    """A configuration file or option holds something that is not understood."""

    exit_code = 3


class DataUnavailableError(CarefolioError):
    """A data set can be had from none of its sources."""

    exit_code = 4


class DataIntegrityError(CarefolioError):
    """A file is truncated, changed or not what its checksum promises."""

    exit_code = 5


class SchemaError(CarefolioError):
    """Data has a missing column, a wrong type, or values outside their range."""

    exit_code = 6


class LeakageError(CarefolioError):
    """Training data would know something about the data that judges it."""

    exit_code = 7


class ArtefactError(CarefolioError):
    """A model file is missing, altered, or of a form that is not accepted."""

    exit_code = 8


class EvidenceError(CarefolioError):
    """A document states what the evidence does not."""

    exit_code = 9


class PrivacyError(CarefolioError):
    """A text would carry an identifier out of the process."""

    exit_code = 11


class ProviderError(CarefolioError):
    """No language model gave a usable answer."""

    exit_code = 12


class BusyError(CarefolioError):
    """Another process works on the same run."""

    exit_code = 17


class ServerError(CarefolioError, ConnectionError):
    """A server is not there, or broke off in the middle of its answer."""

    exit_code = 19


class MachineError(CarefolioError):
    """The machine refuses: the disk is full, a folder is read-only."""

    exit_code = 23


class TooFewEventsError(CarefolioError, ValueError):
    """Too few groups or events to resample: an interval would be made of draws without any."""

    exit_code = 24


class UnsuitableTextError(CarefolioError):
    """A text is empty, too long, not text, or in a language that is not understood."""

    exit_code = 13


class UnsuitablePictureError(CarefolioError):
    """A picture cannot be read; the classes below say why."""

    exit_code = 14


class PictureTooLargeError(UnsuitablePictureError):
    """A picture has more bytes or pixels than are read."""


class UnsupportedPictureError(UnsuitablePictureError):
    """A file is of a kind that is not read, such as an animation."""


class DamagedPictureError(UnsuitablePictureError):
    """A picture is truncated or contradicts itself."""
