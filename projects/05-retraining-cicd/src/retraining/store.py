"""Where a run keeps its files: what is delivered, what is accepted, models by their hash, the journal, and the deployment."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Store:
    """The folder of a run, by what stands where; batches are delivered into it, or into a folder of their own."""

    folder: Path
    deliveries: Path | None = None

    @property
    def incoming(self) -> Path:
        """Folder of the batches as they were delivered.

        Returns
        -------
        Path
            Read, never altered.
        """
        return self.deliveries or self.folder / "incoming"

    @property
    def journal(self) -> Path:
        """File of the journal.

        Returns
        -------
        Path
            JSON lines.
        """
        return self.folder / "state" / "journal.jsonl"

    @property
    def lock(self) -> Path:
        """File that a cycle holds while it runs.

        Returns
        -------
        Path
            Of no content.
        """
        return self.folder / "state" / "lock"

    @property
    def deployment(self) -> Path:
        """Folder that a service follows.

        Returns
        -------
        Path
            Holds the pointer and the ledger of releases.
        """
        return self.folder / "deployment"

    def delivered(self, batch: int) -> Path:
        """Name the file of a delivered batch.

        Parameters
        ----------
        batch : int
            From 1.

        Returns
        -------
        Path
            CSV in the publisher's form.
        """
        return self.incoming / f"batch-{batch:02d}.csv"

    def received(self, batch: int) -> Path:
        """Name the kept copy of a batch that was taken in.

        Parameters
        ----------
        batch : int
            From 1.

        Returns
        -------
        Path
            The same bytes as delivered.
        """
        return self.folder / "state" / "batches" / f"batch-{batch:02d}.csv"

    def features(self, batch: int) -> Path:
        """Name the features of a batch.

        Parameters
        ----------
        batch : int
            From 1.

        Returns
        -------
        Path
            Parquet without outcomes.
        """
        return self.folder / "state" / "features" / f"batch-{batch:02d}.parquet"

    def outcomes(self, batch: int) -> Path:
        """Name the outcomes of a batch, which are opened one batch later.

        Parameters
        ----------
        batch : int
            From 1.

        Returns
        -------
        Path
            Parquet.
        """
        return self.folder / "state" / "outcomes" / f"batch-{batch:02d}.parquet"

    def model(self, sha256: str) -> Path:
        """Name the folder of a model.

        Parameters
        ----------
        sha256 : str
            Of its manifest.

        Returns
        -------
        Path
            Holds manifest and trees.
        """
        return self.folder / "models" / sha256[:16]

    def cycle(self, batch: int) -> Path:
        """Name the folder of a cycle's summary.

        Parameters
        ----------
        batch : int
            The batch that the cycle took in.

        Returns
        -------
        Path
            Holds ``summary.md`` and ``outcome.json``.
        """
        return self.folder / "cycles" / f"{batch:02d}"
