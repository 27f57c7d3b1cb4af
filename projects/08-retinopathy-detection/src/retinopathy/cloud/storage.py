"""The sealed grader from Cloud Storage: Vertex AI names the place in ``AIP_STORAGE_URI`` and leaves the fetching to the container."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from carefolio.deploy.steps import load_library
from carefolio.exceptions import ArtefactError, ServerError
from retinopathy.cloud.settings import INSTALL

HOST = "https://storage.googleapis.com"
EMULATOR_VARIABLE = "STORAGE_EMULATOR_HOST"
TIMEOUT_S = 60


def fetch_model(uri: str, names: Sequence[str], *, environment: Mapping[str, str] | None = None, timeout_s: float = TIMEOUT_S) -> Path:
    """Fetch the files of a model; whoever opens them checks their seals.

    Parameters
    ----------
    uri : str
        Such as ``gs://bucket/retinopathy/job/model``.
    names : sequence of str
        Names of the files.
    environment : mapping of str to str, optional
        Used in place of ``os.environ``; ``STORAGE_EMULATOR_HOST`` names a test server, which is asked without credentials.
    timeout_s : float, optional
        Seconds without a byte.

    Returns
    -------
    Path
        A new folder that holds them.

    Raises
    ------
    ArtefactError
        If one cannot be had.
    ServerError
        If the storage is not there, or breaks off.
    ConfigError
        If google-auth is not installed.
    """
    variables = os.environ if environment is None else environment
    emulator = variables.get(EMULATOR_VARIABLE)
    bucket, _, prefix = uri.removeprefix("gs://").rstrip("/").partition("/")
    session, folder = _open_session(anonymous=bool(emulator)), Path(tempfile.mkdtemp(prefix="grader-"))
    for name in names:
        stored = quote(f"{prefix}/{name}" if prefix else name, safe="")
        try:
            answer = session.get(f"{emulator or HOST}/storage/v1/b/{quote(bucket, safe='')}/o/{stored}", params={"alt": "media"},
                                 timeout=timeout_s)
        except OSError as error:  # all that requests raises is one
            raise ServerError(f"{uri.rstrip('/')}/{name} was not fetched whole: {' '.join(str(error).split())}. Start the container "
                              "again.") from None
        if answer.status_code != 200:
            raise ArtefactError(f"{uri.rstrip('/')}/{name} cannot be fetched: Cloud Storage answers {answer.status_code}. See that the "
                                "training has finished, and that the service account may read the bucket.")
        (folder / name).write_bytes(answer.content)
    return folder


def _open_session(*, anonymous: bool) -> Any:
    google, transport = (load_library(name, install=INSTALL) for name in ("google.auth", "google.auth.transport.requests"))
    if anonymous:
        return transport.AuthorizedSession(load_library("google.auth.credentials", install=INSTALL).AnonymousCredentials())
    credentials, _ = google.default(scopes=["https://www.googleapis.com/auth/devstorage.read_only"])
    return transport.AuthorizedSession(credentials)
