"""The tables of both experiments and the hashes that tie a run to its bytes.

Readmission: chapter 02's own command writes the table and its split, so there is one definition of cohort and features. Survival:
SUPPORT2 from the package that ships it, split by patient here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from carefolio.artefacts import atomic_path, read_json, sha256_file, write_json, write_text
from carefolio.command import run_verb
from carefolio.exceptions import DataIntegrityError
from carefolio.splits import check_no_group_overlap, make_split, patient_split
from model_registry.config import RegistrySettings
from model_registry.names import EXPERIMENTS

READMISSION_TABLE = "readmission/data/table.parquet"
SURVIVAL_TABLE = "survival/table.parquet"
PATIENT, PART = "patient", "part"
UNDISPLACED = ("num_age", "num_num_co", "num_scoma", "num_hday", "fac_sex", "fac_dzgroup", "fac_diabetes", "fac_dementia", "fac_ca")
"""Columns of SUPPORT2 known at study entry and in step with their patients (chapter 01 shows which physiology columns are not)."""
RETIRED_AT = 65
"""Years of age; parts the patients of SUPPORT2 in two groups that are compared."""
NOT_FEATURES = ("encounter_id", "race", "sex", "age_group", "patient_part", "all_encounters", "one_encounter", "later_encounters",
                "returned_within_30_days", "event", "time", PATIENT, PART)


@dataclass(frozen=True)
class Table:
    """One experiment's rows with their ``patient`` and ``part``, and the record of where they come from."""

    frame: pl.DataFrame
    record: Mapping[str, Any]

    @property
    def features(self) -> tuple[str, ...]:
        """Name the columns that a model may read.

        Returns
        -------
        tuple of str
            In the order of the table.
        """
        return tuple(name for name in self.frame.columns if name not in NOT_FEATURES)

    def part(self, name: str) -> pl.DataFrame:
        """Give the rows of one part.

        Parameters
        ----------
        name : str
            ``train`` or ``test``.

        Returns
        -------
        polars.DataFrame
            Its rows.
        """
        return self.frame.filter(pl.col(PART) == name)


def prepare(settings: RegistrySettings, folder: Path, experiments: Sequence[str] = EXPERIMENTS) -> None:
    """Write the tables and their records.

    Parameters
    ----------
    settings : RegistrySettings
        Patients, fractions and seed.
    folder : Path
        Destination, ``data`` of the run.
    experiments : sequence of str, optional
        Whose; both by default.

    Raises
    ------
    DataUnavailableError
        If chapter 02's command fails.
    """
    for name in experiments:
        {"readmission": prepare_readmission, "survival": prepare_survival}[name](settings, folder)


def prepare_readmission(settings: RegistrySettings, folder: Path) -> None:
    """Let chapter 02 write its table, and keep the hashes.

    Parameters
    ----------
    settings : RegistrySettings
        Patients, fraction and seed.
    folder : Path
        Destination.

    Raises
    ------
    DataUnavailableError
        If the command fails; its last words are in the message.
    """
    out = folder / "readmission"
    wanted = {"max_patients": settings.data.max_patients, "synthetic_patients": settings.data.synthetic_patients,
              "test_fraction": settings.data.test_fraction}
    config = write_text(out / "data.toml", "[data]\n" + "".join(f"{name} = {value}\n" for name, value in wanted.items()))
    run_verb("readmission", "data", "--config", str(config), "--out", str(out), "--seed", str(settings.seed))
    made = read_json(out / "data" / "data.json")
    write_record(folder, "readmission", made["provenance"], made["split"])


def prepare_survival(settings: RegistrySettings, folder: Path) -> None:
    """Split SUPPORT2 by patient and write the columns that are used.

    Parameters
    ----------
    settings : RegistrySettings
        Patients, fraction and seed.
    folder : Path
        Destination.
    """
    from carefolio.datasets.support2 import load_support2

    loaded = load_support2()
    audited = (pl.col("fac_race").cast(pl.String).alias("race"), pl.col("fac_sex").cast(pl.String).alias("sex"),
               pl.when(pl.col("num_age") < RETIRED_AT).then(pl.lit("younger")).otherwise(pl.lit("older")).alias("age_group"))
    frame = loaded.frame.select(pl.col("pid").alias(PATIENT), "event", "time", *UNDISPLACED, *audited)
    if 0 < settings.data.survival_patients < frame.height:
        frame = frame.sample(settings.data.survival_patients, seed=settings.seed).sort(PATIENT)
    fractions = {"train": 1 - settings.data.test_fraction, "test": settings.data.test_fraction}
    parts = patient_split(frame[PATIENT].to_numpy(), fractions=fractions, random_state=settings.seed)
    enums = [pl.col(name).cast(pl.String) for name in frame.columns if name.startswith("fac_")]
    table = frame.with_columns(*enums, pl.Series(PART, parts))
    split = make_split(table[PATIENT].to_numpy(), parts, unit="patient")
    with atomic_path(folder / SURVIVAL_TABLE) as path:
        table.write_parquet(path)
    sizes = {name: len(ids) for name, ids in split.parts.items()}
    write_record(folder, "survival", asdict(loaded.provenance), {"unit": split.unit, "sha256": split.sha256(), "parts": sizes})


def write_record(folder: Path, experiment: str, provenance: Mapping[str, Any], split: Mapping[str, Any]) -> None:
    """Write ``<experiment>.json``: origin, split, and the hash of the table.

    Parameters
    ----------
    folder : Path
        Holds the tables.
    experiment : str
        Name of the experiment.
    provenance : mapping
        Where the published file came from.
    split : mapping
        Unit, hash and sizes.
    """
    table = folder / table_file(experiment)
    write_json(folder / f"{experiment}.json", {"provenance": dict(provenance), "split": dict(split), "table_sha256": sha256_file(table)})


def table_file(experiment: str) -> str:
    """Name an experiment's table.

    Parameters
    ----------
    experiment : str
        Name of the experiment.

    Returns
    -------
    str
        Relative to the data folder.
    """
    return {"readmission": READMISSION_TABLE, "survival": SURVIVAL_TABLE}[experiment]


def load(folder: Path, experiment: str) -> Table:
    """Read a table whose bytes are those of its record.

    Parameters
    ----------
    folder : Path
        What `prepare` wrote.
    experiment : str
        Name of the experiment.

    Returns
    -------
    Table
        Rows and record.

    Raises
    ------
    DataIntegrityError
        If the table is not the recorded one.
    LeakageError
        If a patient stands in two parts.
    """
    record = read_json(folder / f"{experiment}.json")
    path = folder / table_file(experiment)
    got = sha256_file(path) if path.is_file() else "no file"
    if got != record["table_sha256"]:
        raise DataIntegrityError(f"{path} has SHA-256 {got}, expected {record['table_sha256']}; run `registry data` again.")
    frame = pl.read_parquet(path)
    if experiment == "readmission":
        kept = frame.filter(pl.col("all_encounters").is_not_null())
        frame = kept.with_columns(pl.col("patient_nbr").alias(PATIENT), pl.col("all_encounters").alias(PART)).drop("patient_nbr")
    check_no_group_overlap(frame[PATIENT].to_numpy(), frame[PART].to_numpy())
    return Table(frame, record)
