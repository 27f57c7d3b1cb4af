"""Data sets: what the catalogue knows of them, where their files come from, and one loader a data set.

Loaders stand in their own modules (``carefolio.datasets.diabetes130``, ``carefolio.datasets.support2``), so that listing and
fetching need neither polars nor pandera.
"""

from carefolio.datasets.catalog import DatasetEntry, FileEntry, read_catalog
from carefolio.datasets.provenance import LoadedData, Origin, Provenance, ResolvedFile
from carefolio.datasets.resolve import fetch, verify

__all__ = ["DatasetEntry", "FileEntry", "LoadedData", "Origin", "Provenance", "ResolvedFile", "fetch", "read_catalog", "verify"]
