"""Read the governance files: one TOML file a subject, checked as a whole."""

import tomllib
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from pydantic import ValidationError

from carefolio.exceptions import ConfigError
from clinical_workflow.governance.schemas import Governance

FILES = {"hazards.toml": {"hazard": "hazards"}, "intended_use.toml": {"use": "uses"}, "human_factors.toml": {"factor": "human_factors"},
         "monitoring.toml": {"measure": "measures"}, "roles.toml": {"role": "roles", "activity": "activities"}}
"""File to its tables and the fields of `Governance` that they fill."""


def read_governance(folder: Traversable | None = None) -> Governance:
    """Read and check the files.

    Parameters
    ----------
    folder : Traversable, optional
        Holds the five files; by default the package's own.

    Returns
    -------
    Governance
        A frozen record.

    Raises
    ------
    ConfigError
        If a file is missing or not TOML, a field is missing, unknown or wrong, an id stands twice, or a role is not listed; the message
        names the file and the entry.
    """
    place = folder or files("clinical_workflow.governance")
    content: dict[str, Any] = {}
    for file, tables in FILES.items():
        content |= _fields(file, _read(place, file), tables)
    try:
        governance = Governance.model_validate(content)
    except ValidationError as error:
        raise ConfigError(_said(error, content)) from None
    _refuse_unknown_roles(governance)
    _refuse_repeated_ids(governance)
    return governance


def _read(place: Traversable, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(place.joinpath(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"governance/{file} cannot be read: {error}. Give a TOML file.") from None


def _fields(file: str, content: dict[str, Any], tables: dict[str, str]) -> dict[str, Any]:
    unknown = sorted(set(content) - set(tables))
    if unknown:
        known = ", ".join(f"[[{name}]]" for name in tables)
        raise ConfigError(f"governance/{file} has no place for {unknown[0]!r}; its tables are {known}.")
    return {field: content.get(table, []) for table, field in tables.items()}


def _said(error: ValidationError, content: dict[str, Any]) -> str:
    first = error.errors()[0]
    field, *rest = first["loc"]
    file = next(file for file, tables in FILES.items() if field in tables.values())
    entries = content[str(field)]
    name = entries[rest[0]] if rest and isinstance(rest[0], int) and isinstance(entries, list) else {}
    known = next((str(name[key]) for key in ("id", "activity") if key in name), "") if isinstance(name, dict) else ""
    where = ".".join(str(part) for part in rest[1:])
    return f"governance/{file}: {' '.join(part for part in (known, f'`{where}`' if where else '') if part) or field}: {first['msg']}."


def _refuse_unknown_roles(governance: Governance) -> None:
    known = {role.id for role in governance.roles}
    named = [(f"hazards.toml: {hazard.id} `owner`", hazard.owner) for hazard in governance.hazards]
    named += [(f"human_factors.toml: {factor.id} `user`", factor.user) for factor in governance.human_factors]
    named += [(f"monitoring.toml: {measure.id} `acts`", measure.acts) for measure in governance.measures]
    named += [(f"roles.toml: {one.activity}", role) for one in governance.activities
              for role in (*one.responsible, one.accountable, *one.consulted, *one.informed)]
    for where, role in named:
        if role not in known:
            raise ConfigError(f"governance/{where}: {role!r} is no role; the roles are {', '.join(sorted(known))}.")
    idle = known - {role for where, role in named if where.startswith("roles.toml")}
    if idle:
        raise ConfigError(f"governance/roles.toml: {sorted(idle)[0]!r} takes part in no activity; give it one or take it out.")


def _refuse_repeated_ids(governance: Governance) -> None:
    listed = {"hazards.toml": [one.id for one in governance.hazards], "human_factors.toml": [one.id for one in governance.human_factors],
              "monitoring.toml": [one.id for one in governance.measures], "roles.toml": [one.id for one in governance.roles],
              "intended_use.toml": [one.id for one in governance.uses]}
    for file, ids in listed.items():
        twice = [one for one in ids if ids.count(one) > 1]
        if twice:
            raise ConfigError(f"governance/{file}: {twice[0]} stands twice; give each entry an id of its own.")
