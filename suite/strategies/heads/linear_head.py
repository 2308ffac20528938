"""A linear head on a transformer, fine-tuned fully or by LoRA: what may be asked of it.

Encoders are pooled as their architecture does it, decoders at the last real token of a text
that is padded on the right. The training itself is in `head_training`, which brings torch; this
module is also read where arms are only listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from suite.contracts import balancing, cutting, teaching
from suite.contracts.balancing import Balancing
from suite.contracts.cutting import Cutting
from suite.contracts.hyperparameters import Hyperparameter
from suite.contracts.model import Model
from suite.contracts.space import Choice, Dimension, Fixed, Float, Params, Space, contains
from suite.contracts.strategy import Predictor, Refused, Run
from suite.contracts.task import Task
from suite.contracts.teaching import Teaching
from suite.data import soft
from suite.models import needs
from suite.strategies.heads import static_model
from suite.strategies.heads.head_knobs import Knobs
from suite.strategies.heads.static_knobs import StaticKnobs
from suite.strategies.heads.static_model import StaticPredictor
from suite.strategies.network.balance import oversampled
from suite.strategies.network.taught import taught

NAME = "linear_head"

#: Shares of the layers that may stay as they are. A few: what reaches the lowest trained layer is
#: computed once for each of them, and kept on disk.
FROZEN = (0.0, 0.5, 0.75)


class LinearHeadStrategy:
    """Fine-tunes an encoder, a decoder or a static model with a classification head."""

    name = NAME
    families = ("static", "encoder", "decoder")
    reads = "classifier"
    network = True
    learns_late = True
    variants = teaching.VARIANTS

    def hyperparameters(self, model: Model) -> Mapping[str, Hyperparameter]:
        """What each may be; of a static model, which reads texts whole, there are fewer."""
        learns = Balancing.hyperparameters() | Teaching.hyperparameters()
        if model.family == "static":
            return StaticKnobs.hyperparameters() | learns
        return Knobs.hyperparameters() | Cutting.hyperparameters() | learns

    def lacks(self, model: Model, task: Task, space: Space) -> str | None:
        """A teacher's answers, where it is to learn from them."""
        return soft.lacks(task, space)

    def preload(self, model: Model) -> Sequence[str] | None:
        """For a static model torch, with what it imports where an optimiser is made."""
        if model.family != "static":
            return None
        return ("torch", "torch._dynamo", "model2vec.model", "sklearn.linear_model")

    def shrinks(self, model: Model) -> bool:
        """It does."""
        return True

    def refuses(self, model: Model, task: Task) -> str | None:
        """Why the model can't be fine-tuned here, and what would help; or None."""
        reason = needs.not_neural(model) or needs.speaks(model, task)
        if reason:
            return reason
        reason = needs.too_large(model, needs.LORA_BYTES, "fine-tuning, even by LoRA,")
        return f"{reason}; a GPU or a smaller model would help" if reason else None

    def space(self, model: Model, task: Task) -> Space:
        """Learning rate, batch, warm-up, weight decay, schedule and freezing; the rest fixed.

        The range of learning rates follows the model's size: small ones want larger steps.
        """
        if model.family == "static":
            return _static_space()
        low, high, batches, points = _scale(model)
        tuning = _tuning(model)
        dimensions = Knobs.dimensions(
            learning_rate=Float(low, high, log=True),
            batch=Choice(batches),
            warmup=Float(0.0, 0.2),
            schedule=Choice(("linear", "cosine")),
            weight_decay=Choice((0.0, 0.01, 0.1)),
            tuning=tuning,
            # Random layers are worth nothing as they are.
            freeze=Fixed(0.0) if model.builder is not None else Choice(FROZEN),
        )
        # A model that is tuned in one way only has no point of the other.
        fitting = tuple(p for p in points if "tuning" not in p or contains(tuning, p["tuning"]))
        return Space(dimensions, fitting)

    def for_long_texts(self, space: Space, model: Model) -> Space:
        """How texts are cut is searched too; a static model reads them whole."""
        return space if model.family == "static" else cutting.searched(space, Cutting)

    def for_rare_classes(self, space: Space, model: Model, task: Task) -> Space:
        """What makes up for them is searched too."""
        return balancing.searched(space, Balancing, task)

    def effort(self, model: Model, params: Params) -> float:
        """A pass forth costs 1, one back 2: this goes through what is trained alone."""
        return 1.0 if model.family == "static" else 3 - 2 * Knobs.of(params).freeze

    def fit(self, run: Run) -> Predictor:
        """Trains; scores `run.checkpoints` times on the way.

        Raises:
            RecipeError: a hyperparameter is out of bounds.
            Pruned: `run.checkpoint` ended the trial.
            Refused: no weights, or a model that memory can't hold.
            Diverged: the loss became infinite or NaN.
            OutOfMemory: memory ran out and the batch may not, or can not, be made smaller.
        """
        run = oversampled(taught(run))
        if run.model.family == "static":
            from suite.strategies.heads import static_tuning

            return static_tuning.fit(run, StaticKnobs.of(run.params), self.name)
        knobs = Knobs.of(run.params)
        if knobs.tuning == "full":
            reason = needs.too_large(run.model, needs.FULL_BYTES, "full fine-tuning")
            if reason:
                raise Refused(f"{reason}; tuning: lora needs about half of that")
        from suite.strategies.heads.head_training import HeadTraining

        return HeadTraining(run, knobs, self.name).predictor()

    def load(self, folder: Path) -> Predictor:
        """Reads a kept checkpoint."""
        if static_model.is_kept(folder):
            return StaticPredictor.load(folder)
        from suite.strategies.network.transformer import TransformerPredictor

        return TransformerPredictor.load(folder, NAME)


def _static_space() -> Space:
    """Learning rate, batch, dropout, and where the head begins."""
    first = StaticKnobs()
    return Space(
        StaticKnobs.dimensions(
            learning_rate=Float(1e-4, 3e-2, log=True),
            batch=Choice((16, 32, 64, 128)),
            dropout=Choice((0.0, 0.2, 0.4)),
            C=Float(0.03, 30, log=True),
        ),
        (asdict(first), asdict(replace(first, learning_rate=1e-3, dropout=0.0, C=1.0))),
    )


def _tuning(model: Model) -> Dimension:
    size = needs.parameters(model) or 0.0
    if needs.too_large(model, needs.FULL_BYTES, "full fine-tuning"):
        return Fixed("lora")
    if model.family != "decoder" or size < 1e8:
        return Fixed("full")
    return Choice(("full", "lora")) if size < 1e9 else Fixed("lora")


def _scale(model: Model) -> tuple[float, float, tuple[int, ...], tuple[Params, ...]]:
    """Range of learning rates, batches, and known-good points, by size."""
    size = needs.parameters(model)
    common: Params = {"warmup": 0.1, "schedule": "linear", "weight_decay": 0.01, "freeze": 0.0}

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
