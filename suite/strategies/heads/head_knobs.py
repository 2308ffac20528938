"""The hyperparameters of `linear_head`, checked before a training starts."""

from __future__ import annotations

from dataclasses import dataclass

from suite.contracts.space import Params
from suite.contracts.strategy import Refused


@dataclass(frozen=True)
class Knobs:
    """The hyperparameters of one trial; the defaults stand where a recipe names none."""

    learning_rate: float = 5e-5
    batch: int = 32
    warmup: float = 0.1
    """Part of the steps in which the learning rate rises."""
    schedule: str = "linear"
    weight_decay: float = 0.01
    label_smoothing: float = 0.0
    max_grad_norm: float = 1.0
    tuning: str = "full"
    lora_rank: int = 16
    lora_dropout: float = 0.05

    @classmethod
    def of(cls, params: Params) -> Knobs:
        """The trial's parameters, checked.

        Raises:
            Refused: a value that training can't use, from a recipe's own space.
        """
        knobs = cls(**{k: v for k, v in params.items() if k in cls.__dataclass_fields__})  # type: ignore[arg-type]
        demands = {
            "learning_rate": knobs.learning_rate > 0,
            "batch": knobs.batch >= 1 and knobs.batch == int(knobs.batch),
            "warmup": 0 <= knobs.warmup < 1,
            "schedule": knobs.schedule in ("linear", "cosine", "constant"),
            "weight_decay": knobs.weight_decay >= 0,
            "label_smoothing": 0 <= knobs.label_smoothing < 1,
            "max_grad_norm": knobs.max_grad_norm >= 0,
            "tuning": knobs.tuning in ("full", "lora"),
            "lora_rank": knobs.lora_rank >= 1,
            "lora_dropout": 0 <= knobs.lora_dropout < 1,
        }
        for name, holds in demands.items():
            if not holds:
                raise Refused(
                    f"linear_head can't train with {name} = {getattr(knobs, name)!r}: "
                    f"mend its space in the recipe"
                )
        return knobs
