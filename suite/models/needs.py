"""What a model needs of a machine, reckoned without importing torch.

Refusals are written by the parent process, which must stay light: parameters are counted from
the headers of safetensors files, memory is asked of the operating system.
"""

from __future__ import annotations

import math
from pathlib import Path

from suite.config import jsonfile
from suite.contracts.language import MULTILINGUAL, name_of, named
from suite.contracts.model import Model
from suite.contracts.task import Task
from suite.errors import ModelError
from suite.machine import facts
from suite.models import checkpoint

#: Bytes per parameter. Full fine-tuning holds float32 weights, gradients and AdamW's two
#: moments; LoRA the frozen weights, and once more while merged weights are written.
FULL_BYTES = 16
LORA_BYTES = 8
FROZEN_BYTES = 5

#: Part of the machine's memory that a model may fill; the rest is for activations and data.
USABLE = 0.9


def parameters(model: Model) -> float | None:
    """Parameters of a model, or None where nothing says: the catalogue's figure, or a count
    over the headers of a local folder's weights."""
    if model.parameters is not None:
        return model.parameters * 1e6
    if model.path is None:
        return None
    try:
        found = checkpoint.tensors(Path(model.path)).values()
    except ModelError:
        return None  # Loading will say what is wrong with the files.
    return float(sum(math.prod(tensor.shape) for tensor in found)) or None


def hidden_size(model: Model) -> int | None:
    """The width of a local folder's model, or None where its config.json does not say."""
    if model.path is None:
        return None
    try:
        config = jsonfile.read(
            Path(model.path) / checkpoint.CONFIG, most=checkpoint.MOST_CONFIG_BYTES
        )
    except ModelError:
        return None
    text = checkpoint.of_text(config)
    width = text.get("hidden_size", text.get("dim"))
    return width if isinstance(width, int) else None


def too_large(model: Model, bytes_each: float, what: str) -> str | None:
    """Why the machine's memory can't hold `bytes_each` bytes per parameter, or None.

    Args:
        what: the work, as the subject of the sentence ("full fine-tuning").
    """
    count = parameters(model)
    if count is None or facts.has_gpu():
        return None
    needed, there = count * bytes_each, facts.usable_memory()
    if needed <= there * USABLE:
        return None
    return (
        f"{what} of {model.name} ({count / 1e6:,.0f}M parameters) needs about "
        f"{needed / 1e9:.1f} GB; this machine has {there / 1e9:.1f} GB and no GPU"
    )


def speaks(model: Model, task: Task) -> str | None:
    """Why a model does not read the task's language, or None."""
    if model.reads(task.language):
        return None
    return (
        f"{model.name} reads {named(model.languages)}; the texts are in "
        f"{name_of(task.language)}; choose a model that lists '{task.language}' or "
        f"'{MULTILINGUAL}'"
    )


def served(model: Model) -> str | None:
    """Why a model behind a server can't be trained, or None where it is here."""
    if model.endpoint is None:
        return None
    return (
        f"{model.name} answers behind an endpoint, and its weights can't be trained from here; use "
        f"{model.name}/zero_shot"
    )


def not_neural(model: Model) -> str | None:
    """Why a model has no transformer here to train or to embed with, or None."""
    if model.endpoint is not None:
        return served(model)
    if model.family != "classic":
        return None
    return (
        f"{model.name} is a classic model: it needs an encoder or decoder; use {model.name}/classic"
    )
