"""What a cloud may be told: names and sizes from ``cloud.toml``; identities and secrets from the environment alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from carefolio.config import Settings, load_config
from carefolio.exceptions import ConfigError

PACKAGE = "retinopathy.cloud"
INSTALL = "carefolio-retinopathy[deploy]"
TARGETS = ("local", "sagemaker", "azureml", "vertex")
ROLE_VARIABLE = "RETINOPATHY_SAGEMAKER_ROLE_ARN"
STORAGE_VARIABLE = "AZURE_STORAGE_CONNECTION_STRING"
WORKSPACE_VARIABLES = ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZURE_WORKSPACE_NAME")
PROJECT_VARIABLE = "GOOGLE_CLOUD_PROJECT"
ACCOUNT_VARIABLE = "RETINOPATHY_VERTEX_SERVICE_ACCOUNT"
_OVER = {"epochs": ("tuning", "benchmark"), "views": ("features",), "folds": ("split",), "max_rows": ("split",), "side": ("preparation",),
         "replicates": ("evaluation",)}
"""Hyperparameter -> tables of the chapter's settings in which it stands under the same name; their bounds hold."""


class Hyperparameters(Settings):
    """What a training may be told; what is not told is as in ``config.toml``, or ``quick.toml`` for a quick one.

    Attributes
    ----------
    quick : bool
        The quick form.
    synthetic : bool
        Train on drawn retinas where the channel has no photographs, for a rehearsal.
    seed : int
        Of every random choice.
    epochs, views, folds, max_rows, side, replicates : int, optional
        Of the same names in ``config.toml``.
    """

    quick: bool = False
    synthetic: bool = False
    seed: int = Field(default=0, ge=0)
    epochs: int | None = None
    views: int | None = None
    folds: int | None = None
    max_rows: int | None = None
    side: int | None = None
    replicates: int | None = None

    def strings(self) -> dict[str, str]:
        """Give them as clouds pass them on.

        Returns
        -------
        dict of str to str
            Those that were told, as strings.
        """
        return {name: str(value).lower() for name, value in self.model_dump(exclude_none=True).items()}

    def over(self) -> dict[str, dict[str, int]]:
        """Give those that stand in the chapter's settings.

        Returns
        -------
        dict
            To be laid over the defaults.
        """
        values = self.model_dump(exclude_none=True)
        over: dict[str, dict[str, int]] = {}
        for name in _OVER.keys() & values.keys():
            for table in _OVER[name]:
                over.setdefault(table, {})[name] = values[name]
        return over


def read_hyperparameters(values: Mapping[str, Any], *, where: str) -> Hyperparameters:
    """Read hyperparameters as clouds pass them on.

    Parameters
    ----------
    values : mapping of str to str
        By name.
    where : str
        Where they come from, for the error.

    Returns
    -------
    Hyperparameters
        Checked.

    Raises
    ------
    ConfigError
        If one is not known, or is not what it should be.
    """
    try:
        return Hyperparameters.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or "all"
        raise ConfigError(f"hyperparameter `{name}` in {where}: {first['msg']}; got {str(first['input'])[:80]!r}. Known: "
                          f"{', '.join(Hyperparameters.model_fields)}.") from None


class LocalSettings(Settings):
    """The rehearsal on this machine."""

    port: int = Field(ge=0, le=65535)
    train_timeout_s: float = Field(gt=0)
    ready_timeout_s: float = Field(gt=0)


class SageMakerSettings(Settings):
    """A training job and a real-time endpoint on Amazon SageMaker."""

    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    bucket: str = Field(pattern=r"^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$")
    image_uri: str = Field(max_length=255)
    training_instance_type: str = Field(pattern=r"^ml\.")
    volume_gb: int = Field(ge=1)
    max_runtime_s: int = Field(ge=1)
    endpoint_instance_type: str = Field(pattern=r"^ml\.")
    endpoint_instances: int = Field(ge=1)


class AzureMLSettings(Settings):
    """A command job and a managed online endpoint on Azure Machine Learning."""

    container: str = Field(pattern=r"^[a-z0-9](-?[a-z0-9]){2,62}$")
    datastore: str = Field(pattern=r"^[A-Za-z0-9_]+$")
    image_uri: str = Field(max_length=255)
    compute: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{1,31}$")
    max_runtime_s: int = Field(ge=1)
    endpoint_instance_type: str = Field(pattern=r"^Standard_")
    endpoint_instances: int = Field(ge=1)
    request_timeout_ms: int = Field(ge=1, le=180_000)
    maximum_concurrent_requests: int = Field(ge=1)
    auth_mode: Literal["aad_token", "aml_token", "key"]
    public_network_access: Literal["enabled", "disabled"]


class VertexSettings(Settings):
    """A custom job and an endpoint on Vertex AI."""

    region: str = Field(pattern=r"^[a-z]+-[a-z]+\d$")
    bucket: str = Field(pattern=r"^([a-z0-9][a-z0-9._-]{1,61}[a-z0-9])?$")
    image_uri: str
    training_machine_type: str = Field(min_length=1)
    accelerator_type: str
    accelerator_count: int = Field(ge=0)
    boot_disk_gb: int = Field(ge=100)
    max_runtime_s: int = Field(ge=1)
    endpoint_machine_type: str = Field(min_length=1)
    minimum_replicas: int = Field(ge=1)
    maximum_replicas: int = Field(ge=1)

    @model_validator(mode="after")
    def check_together(self) -> Self:
        """Check what only makes sense together.

        Returns
        -------
        VertexSettings
            The same settings.

        Raises
        ------
        ValueError
            If there may be fewer replicas than there must be, or an accelerator without a number or a type.
        """
        if self.maximum_replicas < self.minimum_replicas:
            raise ValueError(f"maximum_replicas must be at least minimum_replicas ({self.minimum_replicas})")
        if bool(self.accelerator_type) != bool(self.accelerator_count):
            raise ValueError("accelerator_type and accelerator_count must be given together")
        return self


class CloudSettings(Settings):
    """All settings of ``retinopathy cloud``; the name is short enough for every cloud's limit on names."""

    name: str = Field(pattern=r"^[a-z](-?[a-z0-9])*$", min_length=3, max_length=20)
    hyperparameters: Hyperparameters
    local: LocalSettings
    sagemaker: SageMakerSettings
    azureml: AzureMLSettings
    vertex: VertexSettings


def load_settings(file: Path | None = None, *, over: Mapping[str, Any] | None = None) -> CloudSettings:
    """Read the settings of a cloud.

    Parameters
    ----------
    file : Path, optional
        The user's own TOML, laid over the defaults.
    over : mapping, optional
        Further values, laid over both.

    Returns
    -------
    CloudSettings
        A frozen instance.

    Raises
    ------
    ConfigError
        If a file cannot be read, or holds an unknown key or a value that is not allowed.
    """
    return load_config(CloudSettings, PACKAGE, file=file, over=over, defaults="cloud.toml")
