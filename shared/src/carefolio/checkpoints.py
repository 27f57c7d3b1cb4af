"""The state of a training after each epoch, so that one that was stopped goes on and ends as if it had not been.

Weights that are trained, buffers (such as running means) and the optimizer's moments are kept in safetensors. Order and dropout of an epoch
must depend on the seed and its number alone, then nothing else is needed. The state is written beside the old one, which goes only when
the new one is whole.
"""

from __future__ import annotations

import errno
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from carefolio.artefacts import atomic_path, read_json, sha256_file, write_json
from carefolio.exceptions import ArtefactError

STATE = "state.json"


@dataclass
class State:
    """How far a training is.

    Attributes
    ----------
    fingerprint : str
        Of all that must be the same for the training to go on.
    epoch : int
        Epochs done.
    best_epoch : int
        The one with the lowest loss on validation, from 1; 0 before the first.
    best_loss : float, optional
        Its loss; None before the first, and where no part is held out to choose an epoch.
    history : list of dict
        One entry an epoch.
    seconds, cpu_seconds : float
        Spent so far.
    tokens, samples : int
        Seen so far.
    """

    fingerprint: str
    epoch: int = 0
    best_epoch: int = 0
    best_loss: float | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    tokens: int = 0
    samples: int = 0


def save_state(folder: Path, state: State, model: Any, optimizer: Any) -> None:
    """Keep a state, and the weights of the best epoch if it is this one.

    Parameters
    ----------
    folder : Path
        Where to keep it.
    state : State
        How far the training is.
    model : torch.nn.Module
        Its trained weights and its buffers are kept.
    optimizer : torch.optim.AdamW
        Its moments are kept.

    Raises
    ------
    ArtefactError
        If there is no space left; the state before stays.
    """
    from safetensors.torch import save_file

    names = {parameter: name for name, parameter in model.named_parameters() if parameter.requires_grad}
    weights = {name: parameter.detach().contiguous().cpu() for parameter, name in names.items()} | _buffers(model)
    moments = {f"{part}/{names[parameter]}": kept[part].detach().contiguous().cpu() for parameter, kept in optimizer.state.items()
               for part in ("exp_avg", "exp_avg_sq", "step")}
    file = folder / f"epoch{state.epoch}.safetensors"
    try:
        with atomic_path(file) as temporary:
            save_file({f"weight/{name}": value for name, value in weights.items()} | moments, temporary)
        if state.best_epoch == state.epoch:
            with atomic_path(folder / "best.safetensors") as temporary:
                save_file(weights, temporary)
        write_json(folder / STATE, asdict(state) | {"file": file.name, "sha256": sha256_file(file)})
    except (OSError, RuntimeError) as error:
        full = getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error)
        if not full:
            raise
        needed = sum(value.numel() * value.element_size() for value in (*weights.values(), *moments.values())) / 1e6
        raise ArtefactError(f"no space left in {folder} for a checkpoint of {needed:.0f} MB ({shutil.disk_usage(folder).free / 1e6:.0f} MB "
                            f"free). Make room and give the same command: training goes on after epoch {state.epoch - 1}.") from None
    for old in folder.glob("epoch*.safetensors"):
        if old != file:
            old.unlink()


def load_state(folder: Path, fingerprint: str, model: Any, optimizer: Any) -> State:
    """Go on from a state, if there is one of this very training.

    Parameters
    ----------
    folder : Path
        As `save_state` left it.
    fingerprint : str
        Of this training.
    model : torch.nn.Module
        Gets the weights.
    optimizer : torch.optim.AdamW
        Gets the moments.

    Returns
    -------
    State
        A new one if there is none, or one of other settings.

    Raises
    ------
    ArtefactError
        If the state is there and its weights are missing, altered, or of another model.
    """
    if not (folder / STATE).is_file():
        return State(fingerprint)
    content = read_json(folder / STATE)
    if content["fingerprint"] != fingerprint:
        return State(fingerprint)
    file = folder / content.pop("file")
    expected, got = content.pop("sha256"), sha256_file(file) if file.is_file() else "no file"
    if got != expected:
        raise ArtefactError(f"{file} must have SHA-256 {expected}; got {got}. Delete {folder} and train again.")
    _restore(file, model, optimizer)
    return State(**content)


def _restore(file: Path, model: Any, optimizer: Any) -> None:
    import torch
    from safetensors.torch import load_file

    kept = load_file(file)
    own = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad} | dict(_own_buffers(model))
    wrong = {name for name in own if f"weight/{name}" not in kept or kept[f"weight/{name}"].shape != own[name].shape}
    if wrong:
        raise ArtefactError(f"{file} is of another model: {len(wrong)} of {len(own)} weights do not fit, first {min(wrong)!r}. Delete "
                            f"{file.parent} and train again.")
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(kept[f"weight/{name}"])
            if f"exp_avg/{name}" in kept:
                optimizer.state[parameter] = {part: kept[f"{part}/{name}"].to(parameter.device if part != "step" else "cpu")
                                              for part in ("exp_avg", "exp_avg_sq", "step")}


def load_best(folder: Path, model: Any) -> None:
    """Give a model the weights of its best epoch.

    Parameters
    ----------
    folder : Path
        As `save_state` left it.
    model : torch.nn.Module
        Gets the weights.
    """
    import torch
    from safetensors.torch import load_file

    kept = load_file(folder / "best.safetensors")
    with torch.no_grad():
        for name, parameter in (*model.named_parameters(), *_own_buffers(model)):
            if parameter.requires_grad or name in kept:
                parameter.copy_(kept[name])


def _own_buffers(model: Any) -> list[tuple[str, Any]]:
    """List the buffers that belong to the model's state; others are made anew with the model."""
    return [(name, value) for name, value in model.named_buffers() if name in model.state_dict(keep_vars=True)]


def _buffers(model: Any) -> dict[str, Any]:
    return {name: value.detach().clone().contiguous().cpu() for name, value in _own_buffers(model)}
