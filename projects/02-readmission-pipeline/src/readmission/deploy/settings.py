"""What a deployment may be told: names and sizes from ``deploy.toml``; identities and secrets from the environment alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from carefolio.config import Settings, load_config

ROLE_VARIABLE = "READMISSION_SAGEMAKER_ROLE_ARN"
STORAGE_VARIABLE = "AZURE_STORAGE_CONNECTION_STRING"
WORKSPACE_VARIABLES = ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZURE_WORKSPACE_NAME")
PACKAGE = "readmission.deploy"
INSTALL = "carefolio-readmission[deploy]"


class LocalSettings(Settings):
    """The model served on this machine's loopback address."""

    port: int = Field(ge=0, le=65535)
    ready_timeout_s: float = Field(gt=0)


class SageMakerSettings(Settings):
    """A real-time endpoint on Amazon SageMaker with target-tracking autoscaling."""

    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    bucket: str = Field(pattern=r"^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$")
    image_uri: str = Field(max_length=255)
    instance_type: str = Field(pattern=r"^ml\.")
    minimum_instances: int = Field(ge=1)
    maximum_instances: int = Field(ge=1)
    invocations_per_instance: float = Field(gt=0)
    scale_in_cooldown_s: int = Field(ge=0)
    scale_out_cooldown_s: int = Field(ge=0)
    require_approval: bool
    update: Literal["in-place", "new-endpoint"]
    timeout_s: float = Field(gt=0)
    poll_s: float = Field(gt=0)

    @model_validator(mode="after")
    def check_together(self) -> Self:
        """Check what only makes sense together.

        Returns
        -------
        SageMakerSettings
            The same settings.

        Raises
        ------
        ValueError
            If the endpoint may hold fewer instances than it must.
        """
        if self.maximum_instances < self.minimum_instances:
            raise ValueError(f"maximum_instances must be at least minimum_instances ({self.minimum_instances})")
        return self


class AzureMLSettings(Settings):
    """A managed online endpoint on Azure Machine Learning."""

    container: str = Field(pattern=r"^[a-z0-9](-?[a-z0-9]){2,62}$")
    datastore: str = Field(pattern=r"^[A-Za-z0-9_]+$")
    image_uri: str = Field(max_length=255)
    instance_type: str = Field(pattern=r"^Standard_")
    instances: int = Field(ge=1)
    request_timeout_ms: int = Field(ge=1, le=180_000)
    maximum_concurrent_requests: int = Field(ge=1)
    auth_mode: Literal["aad_token", "aml_token", "key"]
    public_network_access: Literal["enabled", "disabled"]
    timeout_s: float = Field(gt=0)


class DeploySettings(Settings):
    """All settings of ``readmission deploy``; the name is short enough for every cloud's limit on names."""

    name: str = Field(pattern=r"^[a-z](-?[a-z0-9])*$", min_length=3, max_length=20)
    local: LocalSettings
    sagemaker: SageMakerSettings
    azureml: AzureMLSettings


def load_settings(file: Path | None = None, *, over: Mapping[str, Any] | None = None) -> DeploySettings:
    """Read the settings of a deployment.

    Parameters
    ----------
    file : Path, optional
        The user's own TOML, laid over the defaults.
    over : mapping, optional
        Further values, laid over both.

    Returns
    -------
    DeploySettings
        A frozen instance.

    Raises
    ------
    ConfigError
        If a file cannot be read, or holds an unknown key or a value that is not allowed.
    """
    return load_config(DeploySettings, PACKAGE, file=file, over=over, defaults="deploy.toml")
