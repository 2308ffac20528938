"""What of a training with torch belongs into a bookmark: optimisers, schedules, random generators.

Settings of an optimiser come from the trial's hyperparameters, in each process anew; only what
steps change is kept. A generator goes on with the very number that would have come next.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

Tensors = dict[str, Tensor]


def under(prefix: str, tensors: Mapping[str, Tensor]) -> Tensors:
    """Tensors with a name before their own."""
    return {f"{prefix}:{name}": tensor for name, tensor in tensors.items()}


def below(prefix: str, tensors: Mapping[str, Tensor]) -> Tensors:
    """Those that were put `under` a name, by their own."""
    start = f"{prefix}:"
    return {name[len(start) :]: t for name, t in tensors.items() if name.startswith(start)}


def take(tensors: Mapping[str, Tensor], into: Mapping[str, Tensor]) -> None:
    """Writes tensors into others of the same names and shapes, in place.

    Raises:
        ValueError: their names are others.
    """
    if tensors.keys() != into.keys():
        raise ValueError(f"other tensors: {sorted(tensors.keys() ^ into.keys())[:3]}")
    with torch.no_grad():
        for name, tensor in tensors.items():
            into[name].copy_(tensor)


def learnt(model: torch.nn.Module) -> Tensors:
    """What training changes of a model: its trained parameters, and buffers that it would save."""
    parameters = dict(model.named_parameters())
    found = {name: p.detach() for name, p in parameters.items() if p.requires_grad}
    saved = model.state_dict()
    shared = {tensor.data_ptr() for tensor in found.values()}
    for name, buffer in model.named_buffers():
        if name in saved and name not in parameters and buffer.data_ptr() not in shared:
            found[name] = buffer.detach()
    return found


# --- optimisers and schedules -----------------------------------------------------------------


def moments(optimiser: Any) -> Tensors:
    """What an optimiser remembers of each parameter, by its place and its name."""
    state = optimiser.state_dict()["state"]
    return {
        f"{place}.{name}": value
        for place, kept in state.items()
        for name, value in kept.items()
        if isinstance(value, Tensor)
    }


def rates(optimiser: Any) -> list[float]:
    """The step size of each group of parameters."""
    return [float(group["lr"]) for group in optimiser.param_groups]


def restore_optimiser(optimiser: Any, tensors: Mapping[str, Tensor], sizes: list[float]) -> None:
    """Gives an optimiser that has done nothing yet what `moments` and `rates` found."""
    state = optimiser.state_dict()
    kept: dict[int, Tensors] = {}
    for name, tensor in tensors.items():
        place, _, own = name.partition(".")
        kept.setdefault(int(place), {})[own] = tensor
    state["state"] = kept
    for group, size in zip(state["param_groups"], sizes, strict=True):
        group["lr"] = size
    optimiser.load_state_dict(state)


def schedule(scheduler: Any) -> dict[str, Any]:
    """What a schedule of learning rates remembers, as JSON."""
    plain = (int, float, list, str, type(None))
    state = scheduler.state_dict().items()
    return {name: v for name, v in state if name != "lr_lambdas" and isinstance(v, plain)}


def restore_schedule(scheduler: Any, values: Mapping[str, Any]) -> None:
    """Gives it back; its course itself is the recipe's."""
    state = scheduler.state_dict()
    if "lr_lambdas" in state:
        state["lr_lambdas"] = [None] * len(state["lr_lambdas"])
    scheduler.load_state_dict(state | dict(values))


# --- random generators ------------------------------------------------------------------------


def generator(drawn: np.random.Generator) -> dict[str, Any]:
    """The state of one of numpy's generators, as JSON."""
    plain: dict[str, Any] = _plain(dict(drawn.bit_generator.state))
    return plain


def restore_generator(drawn: np.random.Generator, state: Mapping[str, Any]) -> None:
    """Gives it back."""
    drawn.bit_generator.state = _arrays(dict(state))


def chance() -> tuple[Tensors, dict[str, Any]]:
    """The states of the generators that a whole process has: torch's, numpy's and Python's."""
    tensors = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        tensors |= {f"cuda{i}": each for i, each in enumerate(torch.cuda.get_rng_state_all())}
    version, numbers, gauss = random.getstate()
    drawn: Any = np.random.get_state(legacy=False)
    return tensors, {"python": [version, list(numbers), gauss], "numpy": _plain(dict(drawn))}


def restore_chance(tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
    """Gives them back; of accelerators, those that are there."""
    torch.set_rng_state(tensors["cpu"])
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            if f"cuda{index}" in tensors:
                torch.cuda.set_rng_state(tensors[f"cuda{index}"], index)
    version, numbers, gauss = values["python"]
    random.setstate((version, tuple(numbers), gauss))
    np.random.set_state(_arrays(dict(values["numpy"])))


def _plain(value: Any) -> Any:
    """A generator's state with lists for arrays, marked as such."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return {"array": value.tolist(), "dtype": str(value.dtype)}
    return value


def _arrays(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value.keys() == {"array", "dtype"}:
        return np.array(value["array"], dtype=value["dtype"])
    return {key: _arrays(each) for key, each in value.items()}
