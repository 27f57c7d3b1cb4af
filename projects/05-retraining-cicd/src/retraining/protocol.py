"""The protocol: what may change, how a change is verified, what it may do to patients. Read from YAML, checked as a whole, frozen."""

import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, ValidationError, field_validator, model_validator

from carefolio.config import Settings
from carefolio.exceptions import ConfigError
from retraining.names import PROJECT

GateName = Literal["roc_auc", "calibration_intercept", "calibration_slope", "worst_subgroup_roc_auc", "net_benefit", "drift",
                   "latency_p95_ms", "size_mb"]
GATES: tuple[str, ...] = get_args(GateName)
CONTROLS = (*GATES, "batch", "approval", "smoke_test", "watch")
FILE = "protocol.yaml"
Text = Field(min_length=1)


class Modification(Settings):
    """One thing that may change."""

    id: str = Text
    what: str = Text
    why: str = Text


class Description(Settings):
    """Description of modifications: what may change, and what stays."""

    may_change: tuple[Modification, ...] = Field(min_length=1)
    stays: tuple[str, ...] = Field(min_length=1)


class BatchRules(Settings):
    """What holds a batch, or its outcomes."""

    measured: tuple[str, ...] = Field(min_length=1)
    largest_jump_psi: float = Field(gt=0)
    largest_change_of_missing: float = Field(gt=0, le=1)
    vanished_code_share: float = Field(gt=0, lt=1)
    outcome_share: tuple[float, float]

    @field_validator("outcome_share")
    @classmethod
    def _rises(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not 0 < value[0] < value[1] < 1:
            raise ValueError(f"the two shares must rise within (0, 1); got {value[0]} and {value[1]}")
        return value


class Triggers(Settings):
    """What calls for a challenger."""

    feature_psi: float = Field(gt=0)
    features_above_psi: int = Field(ge=1)
    prediction_psi: float = Field(gt=0)
    two_sample_auroc: float = Field(gt=0.5, lt=1)
    auroc_drop: float = Field(ge=0)
    calibration_intercept: float = Field(gt=0)
    batches_since_taught: int = Field(ge=1)


class GateRule(Settings):
    """A gate: by how much the challenger may be worse than the champion, and what it must keep by itself."""

    margin: float = Field(ge=0)
    limit: float


class Subgroups(Settings):
    """Groups that are audited, and the fewest returns of one that counts."""

    columns: tuple[Literal["race", "sex", "age_group"], ...] = Field(min_length=1)
    minimum_returns: int = Field(ge=5)


class Automatic(Settings):
    """Bounds within which no person is asked."""

    largest_reclassified: float = Field(ge=0, le=1)
    in_a_row: int = Field(ge=0)


class Approval(Settings):
    """Who approves."""

    roles: tuple[str, ...] = Field(min_length=1)
    automatic: Automatic


class Watch(Settings):
    """What rolls a new champion back, on the outcomes of the next batch."""

    auroc_margin: float = Field(ge=0)
    calibration_margin: float = Field(ge=0)


class DeploymentRules(Settings):
    """What a deployment has to show."""

    smoke_tolerance: float = Field(gt=0)
    watch: Watch


class Verification(Settings):
    """Modification protocol: how a change is verified."""

    batch: BatchRules
    triggers: Triggers
    gates: dict[GateName, GateRule]
    subgroups: Subgroups
    risk_threshold: float = Field(gt=0, lt=1)
    approval: Approval
    deployment: DeploymentRules

    @field_validator("gates")
    @classmethod
    def _all_gates(cls, value: dict[GateName, GateRule]) -> dict[GateName, GateRule]:
        missing = [name for name in GATES if name not in value]
        if missing:
            raise ValueError(f"no rule for {', '.join(missing)}; a gate is widened by its margin, not left out")
        return value


class Impact(Settings):
    """A risk of the modifications, what harm it may do, and what controls it."""

    risk: str = Text
    harm: str = Text
    controls: tuple[str, ...] = Field(min_length=1)


class Protocol(Settings):
    """The whole protocol."""

    name: str = Text
    version: str = Text
    purpose: str = Text
    description_of_modifications: Description
    modification_protocol: Verification
    impact_assessment: tuple[Impact, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _impact_names_what_exists(self) -> "Protocol":
        named = [control for impact in self.impact_assessment for control in impact.controls]
        unknown = [control for control in named if control not in CONTROLS]
        if unknown:
            raise ValueError(f"impact_assessment names a control {unknown[0]!r} that there is not; known: {', '.join(CONTROLS)}")
        idle = [name for name in CONTROLS if name not in named]
        if idle:
            raise ValueError(f"no risk of impact_assessment is controlled by {', '.join(idle)}; say what it is for")
        return self

    def sha256(self) -> str:
        """Hash what the protocol says; layout and comments of the file do not count.

        Returns
        -------
        str
            Lower-case hexadecimal.
        """
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def load_protocol(path: Path | None = None) -> Protocol:
    """Read a protocol.

    Parameters
    ----------
    path : Path, optional
        YAML; the one that comes with the package by default.

    Returns
    -------
    Protocol
        Checked and frozen.

    Raises
    ------
    ConfigError
        If the file cannot be read, is no YAML, or says something that is not understood; the message names the place.
    """
    import yaml

    where = str(path) if path else f"{PROJECT}/{FILE}"
    try:
        text = path.read_text(encoding="utf-8") if path else files(PROJECT).joinpath(FILE).read_text(encoding="utf-8")
        content = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"protocol {where} cannot be read: {' '.join(str(error).split())}. Give a YAML file such as the one that "
                          "`retraining protocol` prints.") from None
    if not isinstance(content, dict):
        raise ConfigError(f"protocol {where} holds {type(content).__name__}, expected the keys of a protocol; `retraining protocol` "
                          "prints one.")
    return parse_protocol(content, where)


def parse_protocol(content: dict[str, Any], where: str) -> Protocol:
    """Check what a protocol says.

    Parameters
    ----------
    content : dict
        As YAML gives it.
    where : str
        Named in the error.

    Returns
    -------
    Protocol
        Checked and frozen.

    Raises
    ------
    ConfigError
        If it says something that is not understood.
    """
    try:
        return Protocol.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if part != "[key]") or "as a whole"
        message = first["msg"].removeprefix("Value error, ")
        shown = "" if isinstance(first["input"], dict) else f"; got {str(first['input'])[:80]!r}"
        raise ConfigError(f"protocol {where}: `{place}`: {message}{shown}. Correct it; `retraining protocol` prints one that "
                          "holds.") from None


def with_open_gates(protocol: Protocol) -> Protocol:
    """Set every gate and every bound of the automatic approval so wide that nothing is refused: to show what the watch is for.

    Parameters
    ----------
    protocol : Protocol
        The protocol in force.

    Returns
    -------
    Protocol
        The same with gates that hold nothing back.
    """
    content = protocol.model_dump(mode="json")
    verification = content["modification_protocol"]
    higher = ("roc_auc", "worst_subgroup_roc_auc", "net_benefit")
    verification["gates"] = {name: {"margin": 1e6, "limit": -1e6 if name in higher else 1e6} for name in GATES}
    verification["approval"]["automatic"] = {"largest_reclassified": 1.0, "in_a_row": 1000}
    return parse_protocol(content | {"version": f"{protocol.version}, gates open"}, "with open gates")
