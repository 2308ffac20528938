"""A linear head on a transformer, fine-tuned fully or by LoRA: what may be asked of it.

Encoders are pooled as their architecture does it, decoders at the last real token of a text
that is padded on the right. The training itself is in `head_training`, which brings torch; this
module is also read where arms are only listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from suite.catalog import Model
from suite.protocols import Predictor, Refused, Run
from suite.space import Choice, Dimension, Fixed, Float, Params, Space
from suite.strategies import limits
from suite.task import Task

NAME = "linear_head"


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
                    f"{NAME} can't train with {name} = {getattr(knobs, name)!r}: "
                    f"mend its space in the recipe"
                )
        return knobs


class LinearHeadStrategy:
    """Fine-tunes an encoder or a decoder with a classification head."""

    name = NAME

    def refuses(self, model: Model, task: Task) -> str | None:
        """Why the model can't be fine-tuned here, and what would help; or None."""
        reason = limits.not_neural(model) or limits.speaks(model, task)
        if reason:
            return reason
        reason = limits.too_large(model, limits.LORA_BYTES, "fine-tuning, even by LoRA,")
        return f"{reason}; a GPU or a smaller model would help" if reason else None

    def space(self, model: Model, task: Task) -> Space:
        """Learning rate, batch, warm-up, weight decay and schedule; the rest fixed.

        The range of learning rates follows the model's size: small ones want larger steps.
        """
        low, high, batches, points = _scale(model)
        dimensions: dict[str, Dimension] = {
            "learning_rate": Float(low, high, log=True),
            "batch": Choice(batches),
            "warmup": Float(0.0, 0.2),
            "schedule": Choice(("linear", "cosine")),
            "weight_decay": Choice((0.0, 0.01, 0.1)),
            "label_smoothing": Fixed(0.0),
            "max_grad_norm": Fixed(1.0),
            "tuning": _tuning(model),
            "lora_rank": Fixed(16),
            "lora_dropout": Fixed(0.05),
        }
        return Space(dimensions, points)

    def fit(self, run: Run) -> Predictor:
        """Trains; scores `run.checkpoints` times on the way.

        Raises:
            Pruned: `run.checkpoint` ended the trial.
            Refused: no weights, or a model that memory can't hold.
            Diverged: the loss became infinite or NaN.
            OutOfMemory: memory ran out and the batch may not, or can not, be made smaller.
        """
        knobs = Knobs.of(run.params)
        if knobs.tuning == "full":
            reason = limits.too_large(run.model, limits.FULL_BYTES, "full fine-tuning")
            if reason:
                raise Refused(f"{reason}; tuning: lora needs about half of that")
        from suite.strategies.head_training import HeadTraining

        return HeadTraining(run, knobs, self.name).predictor()

    def load(self, folder: Path) -> Predictor:
        """Reads a kept checkpoint."""
        from suite.strategies.transformer import TransformerPredictor

        return TransformerPredictor.load(folder, NAME)


def _tuning(model: Model) -> Dimension:
    size = limits.parameters(model) or 0.0
    if limits.too_large(model, limits.FULL_BYTES, "full fine-tuning"):
        return Fixed("lora")
    if model.family != "decoder" or size < 1e8:
        return Fixed("full")
    return Choice(("full", "lora")) if size < 1e9 else Fixed("lora")


def _scale(model: Model) -> tuple[float, float, tuple[int, ...], tuple[Params, ...]]:
    """Range of learning rates, batches, and known-good points, by size."""
    size = limits.parameters(model)
    common: Params = {"warmup": 0.1, "schedule": "linear", "weight_decay": 0.01}

    def point(learning_rate: float, batch: int, **more: str) -> Params:
        return {"learning_rate": learning_rate, "batch": batch, **common, **more}

    if model.builder is not None:  # Random weights have nothing to forget.
        return 2e-4, 5e-3, (16, 32, 64), (point(1e-3, 16), point(5e-4, 16))
    if size is not None and size < 6e7:
        return 2e-5, 5e-4, (16, 32, 64), (point(1e-4, 32), point(2e-4, 32))
    if model.family == "encoder":
        return 5e-6, 2e-4, (16, 32, 64), (point(3e-5, 32), point(5e-5, 32))
    if size is not None and size >= 1e9:
        return 2e-5, 1e-3, (16, 32, 64), (point(2e-4, 32), point(1e-4, 16))
    return (
        5e-6, 1e-3, (16, 32, 64),
        (point(2e-5, 32, tuning="full"), point(2e-4, 32, tuning="lora")),
    )  # fmt: skip
