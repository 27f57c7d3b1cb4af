"""Settings of the simulation; what is simulated stands in ``inputs.toml``, how often in the chapter's ``config.toml``."""

from pydantic import Field

from carefolio.config import Settings


class SimulationSettings(Settings):
    """How many years are simulated, and which of the inputs a user replaces."""

    replications: int = Field(ge=2)
    """Years of each arm; intervals are percentiles over them."""
    scenario_replications: int = Field(ge=1)
    """Years of each point of a sensitivity analysis; the first ones of the years above."""
    level: float = Field(gt=0.5, lt=1)
    flagged_shares: tuple[float, ...] = Field(min_length=3)
    """Shares of discharges that raise an alert, in increasing order: the points of the alert-fatigue curve."""
    false_positive_rates: tuple[float, ...] = Field(min_length=2)
    """Points of the retinopathy model's ROC curve at which the clinic is run."""
    grid_steps: int = Field(ge=2)
    """Values of each of the two inputs of a two-way analysis."""
    inputs: dict[str, float] = Field(default_factory=dict)
    """Name of an input to the value that replaces it."""
