"""The steps of a deployment as plain data: shown before anything is done, then done one by one."""

import hashlib
import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any

from carefolio.exceptions import CarefolioError, ConfigError

Action = Callable[["Step"], str]


@dataclass(frozen=True)
class Step:
    """One step: what it concerns, the call that is made, what the call is given, and what it costs or needs."""

    name: str
    action: str
    parameters: Mapping[str, Any]
    needs: str = ""


@dataclass(frozen=True)
class Plan:
    """A deployment before it happens: its steps in order, and what is still missing to carry them out.

    Attributes
    ----------
    target : str
        Where to.
    model_sha256 : str
        Names the model; empty where the plan itself trains one.
    steps : tuple of Step
        In order.
    missing : tuple of str
        Settings and variables.
    """

    target: str
    model_sha256: str
    steps: tuple[Step, ...]
    missing: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Give the plan as plain values for JSON.

        Returns
        -------
        dict
            Target, model, missing settings and steps.
        """
        return asdict(self)


@dataclass(frozen=True)
class Outcome:
    """What became of a step: ``created``, ``exists``, ``updated``, or what was seen."""

    step: Step
    result: str


def short_hash(*values: Any) -> str:
    """Name something by what it is made of.

    Parameters
    ----------
    *values : Any
        Anything that ``json`` can write.

    Returns
    -------
    str
        12 hexadecimal digits.
    """
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:12]


def render_plan(plan: Plan, *, missing_for: str = "--apply") -> str:
    """Write a plan for a person to read.

    Parameters
    ----------
    plan : Plan
        What would be done.
    missing_for : str, default "--apply"
        What cannot be done without that which is missing.

    Returns
    -------
    str
        Numbered steps, each with its call, parameters and needs, then what is missing.
    """
    lines = [f"{plan.target}: {len(plan.steps)} steps" + (f" for model {plan.model_sha256[:12]}" if plan.model_sha256 else "")]
    for number, step in enumerate(plan.steps, start=1):
        lines.append(f"\n{number:2}. {step.name}   [{step.action}]")
        lines += [f"      {key}: {_one_line(value)}" for key, value in step.parameters.items()]
        lines += [f"      costs and needs: {step.needs}"] if step.needs else []
    lines += [""] + [f"missing for {missing_for}: {item}" for item in plan.missing]
    return "\n".join(lines).rstrip() + "\n"


def _one_line(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def run_steps(plan: Plan, actions: Mapping[str, Action], *, errors: tuple[type[Exception], ...] = (),
              say: Callable[[str], None] = lambda _: None) -> list[Outcome]:
    """Carry out a plan and stop at the first step that fails.

    Parameters
    ----------
    plan : Plan
        Steps in order.
    actions : mapping of str to callable
        For each action the function that carries it out; it takes the step and says in a word or two what became of it.
    errors : tuple of exception types, optional
        What a cloud's library raises.
    say : callable, optional
        Told about each finished step.

    Returns
    -------
    list of Outcome
        One a step.

    Raises
    ------
    ConfigError
        If the plan lacks a setting; nothing has been done then.
    CarefolioError
        If a step fails, with what was done before it and how to go on.
    """
    if plan.missing:
        raise ConfigError(f"{plan.target}: nothing was done, because settings are missing: {'; '.join(plan.missing)}.")
    done: list[Outcome] = []
    expected: tuple[type[Exception], ...] = (CarefolioError, *errors)
    for number, step in enumerate(plan.steps, start=1):
        try:
            outcome = Outcome(step, actions[step.action](step))
        except expected as error:
            kind = type(error) if isinstance(error, CarefolioError) else CarefolioError
            raise kind(_failure(plan, number, error, done)) from error
        done.append(outcome)
        say(f"{number:2}/{len(plan.steps)} {step.name}: {outcome.result}")
    return done


def _failure(plan: Plan, number: int, error: Exception, done: Sequence[Outcome]) -> str:
    step = plan.steps[number - 1]
    before = ", ".join(f"{outcome.step.name} ({outcome.result})" for outcome in done) or "nothing"
    reason = " ".join(str(error).split()) or type(error).__name__
    return (f"{plan.target}: step {number} of {len(plan.steps)}, {step.name} [{step.action}], stopped: {reason} "
            f"Done before it: {before}. Run the same command again to go on; what exists is left as it is.")


def load_library(name: str, *, install: str) -> ModuleType:
    """Import a cloud's library.

    Parameters
    ----------
    name : str
        Import name.
    install : str
        What to install to have it, such as ``"carefolio-readmission[deploy]"``.

    Returns
    -------
    module
        The library.

    Raises
    ------
    ConfigError
        If it is not installed, or does not load.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ConfigError(f"{name} cannot be imported ({error}); install it with `pip install '{install}'`.") from None
