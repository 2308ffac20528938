"""The hyperparameters of `sft`, checked before a training starts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from suite.contracts.space import Params
from suite.contracts.strategy import Refused

#: Chosen by what fits: the template by the chat format, inference by what was taught.
AUTO = "auto"

TUNINGS = ("full", "lora", "freeze")
SCHEDULES = ("cosine", "linear", "constant")
THINKS = ("prompt", "answer", "distilled")
INFERENCES = (AUTO, "no_think", "think")


@dataclass(frozen=True)
class Knobs:
    """The hyperparameters of one trial; the defaults stand where a recipe names none."""

    learning_rate: float = 1e-5
    batch: int = 32
    """Texts behind one optimiser step, whatever fits on the device at once."""
    warmup: float = 0.01
    """Part of the steps in which the learning rate rises."""
    schedule: str = "cosine"
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    tuning: str = "full"
    lora_rank: int = 16
    lora_dropout: float = 0.05
    freeze_layers: int = 2
    """How many of the last layers are trained by `tuning: freeze`."""
    cutoff: int = 0
    """Most tokens of a prompt with its answer; 0 leaves room for the task's `max_tokens`."""
    packing: bool = False
    template: str = AUTO
    think: str = "prompt"
    """Where the think block stands: in the prompt (no loss on it), in the answer (trained on),
    or in the answer with a thinking trace in it (`distilled`)."""
    inference: str = AUTO
    """How checkpoints are scored, and the model is served: with the options alone (`no_think`) or
    by thinking first. `auto`: as it was taught, so thinking where thoughts were distilled."""
    max_new_tokens: int = 256
    """Most tokens that `inference: think` generates for a text."""

    @classmethod
    def of(cls, params: Params) -> Knobs:
        """The trial's parameters, checked.

        Raises:
            Refused: a value that training can't use, from a recipe's own space.
        """
        knobs = cls(**{k: v for k, v in params.items() if k in cls.__dataclass_fields__})  # type: ignore[arg-type]
        demands = {
            "learning_rate": _number(knobs.learning_rate) and knobs.learning_rate > 0,
            "batch": _whole(knobs.batch) and knobs.batch >= 1,
            "warmup": _number(knobs.warmup) and 0 <= knobs.warmup < 1,
            "schedule": knobs.schedule in SCHEDULES,
            "weight_decay": _number(knobs.weight_decay) and knobs.weight_decay >= 0,
            "max_grad_norm": _number(knobs.max_grad_norm) and knobs.max_grad_norm >= 0,
            "tuning": knobs.tuning in TUNINGS,
            "lora_rank": _whole(knobs.lora_rank) and knobs.lora_rank >= 1,
            "lora_dropout": _number(knobs.lora_dropout) and 0 <= knobs.lora_dropout < 1,
            "freeze_layers": _whole(knobs.freeze_layers) and knobs.freeze_layers >= 1,
            "cutoff": _whole(knobs.cutoff) and knobs.cutoff >= 0,
            "packing": isinstance(knobs.packing, bool),
            "template": isinstance(knobs.template, str) and knobs.template != "",
            "think": knobs.think in THINKS,
            "inference": knobs.inference in INFERENCES,
            "max_new_tokens": _whole(knobs.max_new_tokens) and knobs.max_new_tokens >= 1,
        }
        for name, holds in demands.items():
            if not holds:
                raise Refused(
                    f"sft can't train with {name} = {getattr(knobs, name)!r}: "
                    f"mend its space in the recipe"
                )
        if knobs.inference == AUTO:
            taught = "think" if knobs.think == "distilled" else "no_think"
            knobs = replace(knobs, inference=taught)
        return knobs


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(value: object) -> bool:
    return _number(value) and float(value) == int(value)  # type: ignore[arg-type, call-overload]
