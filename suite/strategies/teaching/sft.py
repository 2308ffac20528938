"""Fine-tuning a decoder to answer the multiple-choice prompt: what may be asked of it.

LLaMA-Factory does the training, in the trial's child process, from files that it can also run
by itself. The training is in `sft_training`, which brings torch; this module is also read where
arms are only listed.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from suite.contracts import balancing, cutting
from suite.contracts.balancing import Balancing
from suite.contracts.cutting import Plain
from suite.contracts.hyperparameters import Hyperparameter
from suite.contracts.model import Model
from suite.contracts.space import Choice, Dimension, Fixed, Float, Params, Space, contains
from suite.contracts.strategy import Predictor, Refused, Run
from suite.contracts.task import Task
from suite.models import needs
from suite.prompting import codes, think_block, traces
from suite.prompting.layout import Variant
from suite.strategies.network.balance import oversampled
from suite.strategies.teaching.llamafactory_files import INSTALL, LIBRARY
from suite.strategies.teaching.sft_knobs import Knobs

NAME = "sft"

#: The article's step size, for its 1,250 steps of 96 texts. Where there are fewer rows than a third
#: of its 120,000, a model hardly moves by it: SmolLM2-135M reached .232 of 500 rows in one pass,
#: and .802 by 1e-4 (BENCHMARKS.md).
_ARTICLES = 1.2e-5
_ARTICLES_ROWS = 40_000
#: In its place; larger models want smaller steps.
_OF_FEW_ROWS, _OF_FEW_ROWS_LARGE = 1e-4, 5e-5
_LARGE = 3e8


class SftStrategy:
    """Teaches a decoder to write the code of the right option."""

    name = NAME
    families = ("decoder",)
    reads = "language model"
    network = True
    learns_late = True

    #: An arm `model/sft+lora` has these hyperparameters pinned.
    variants: Mapping[str, Mapping[str, Any]] = {
        "full": {"tuning": "full"},
        "lora": {"tuning": "lora"},
        "freeze": {"tuning": "freeze"},
    }

    def hyperparameters(self, model: Model) -> Mapping[str, Hyperparameter]:
        """What each may be, whatever the model."""
        own = Knobs.hyperparameters() | Variant.hyperparameters()
        return own | Balancing.hyperparameters()

    def preload(self, model: Model) -> Sequence[str]:
        """Imported once for all trials of a study."""
        return ("suite.child.preload_networks", "suite.child.preload_llamafactory")

    def shrinks(self, model: Model) -> bool:
        """It does."""
        return True

    def refuses(self, model: Model, task: Task) -> str | None:
        """Why the model can't be trained so for this task, and what would help; or None."""
        if model.endpoint is not None:
            return needs.served(model)
        if model.family != "decoder":
            other = "classic" if model.family == "classic" else "linear_head"
            return f"{model.name} is no decoder and can't answer a prompt; use {model.name}/{other}"
        reason = needs.speaks(model, task)
        if reason:
            return reason
        if len(task.labels) > codes.MOST:
            return (
                f"{len(task.labels)} classes are more than the {codes.MOST} that option codes can "
                f"name; use {model.name}/linear_head"
            )
        if importlib.util.find_spec(LIBRARY) is None:
            return f"LLaMA-Factory, which does the training, is not installed: {INSTALL}"
        reason = needs.too_large(model, needs.LORA_BYTES, "fine-tuning, even by LoRA,")
        return f"{reason}; a GPU or a smaller model would help" if reason else None

    def space(self, model: Model, task: Task) -> Space:
        """Learning rate, batch, warm-up and schedule; the rest fixed until a recipe opens it.

        The range of learning rates follows the model's size: small ones want larger steps.
        """
        low, high, batches, points = _scale(model)
        tuning = _tuning(model)
        dimensions = Knobs.dimensions(
            learning_rate=Float(low, high, log=True),
            batch=Choice(batches),
            warmup=Float(0.0, 0.2),
            schedule=Choice(("cosine", "linear")),
            tuning=tuning,
        )
        # A model that is tuned in one way only has no point of the other.
        fitting = tuple(p for p in points if "tuning" not in p or contains(tuning, p["tuning"]))
        # Where the model can think at all, the prompt says that it need not.
        return Space(dimensions | Variant.dimensions(no_think_mark=Fixed(True)), fitting)

    def known_good(self, model: Model, task: Task, rows: int) -> Sequence[Params]:
        """Points for so many rows: with few of them the article's step size moves nothing."""
        points = self.space(model, task).known_good
        if rows >= _ARTICLES_ROWS:
            return points
        large = (needs.parameters(model) or 0.0) >= _LARGE
        rate = _OF_FEW_ROWS_LARGE if large else _OF_FEW_ROWS
        return tuple(
            {**point, "learning_rate": rate} if point["learning_rate"] == _ARTICLES else point
            for point in points
        )

    def for_long_texts(self, space: Space, model: Model) -> Space:
        """What of a text stands in the prompt is searched too."""
        return cutting.searched(space, Plain)

    def for_rare_classes(self, space: Space, model: Model, task: Task) -> Space:
        """What makes up for them is searched too."""
        return balancing.searched(space, Balancing, task)

    def lacks(self, model: Model, task: Task, space: Space) -> str | None:
        """A think block, where it is to think, and thoughts, where it is to learn from them."""
        think, inference = space.dimensions["think"], space.dimensions["inference"]
        if contains(think, "distilled"):
            return think_block.lacks(model, "think: prompt") or traces.lacks(task)
        if contains(think, "answer") or contains(inference, "think"):
            return think_block.lacks(model, "think: prompt and inference: no_think")
        return None

    def fit(self, run: Run) -> Predictor:
        """Trains; scores `run.checkpoints` times on the way.

        Raises:
            RecipeError: a hyperparameter is out of bounds.
            Pruned: `run.checkpoint` ended the trial.
            Refused: no weights, no LLaMA-Factory, a model that memory can't hold, a prompt that
                the model can't be asked, or a chat format on which LLaMA-Factory disagrees.
            Diverged: the loss became infinite or NaN.
            OutOfMemory: memory ran out and the batch may not, or can not, be made smaller.
        """
        knobs = Knobs.of(run.params)
        if knobs.tuning == "full":
            reason = needs.too_large(run.model, needs.FULL_BYTES, "full fine-tuning")
            if reason:
                raise Refused(f"{reason}; tuning: lora needs about half of that")
        from suite.strategies.teaching.sft_training import SftTraining

        return SftTraining(oversampled(run), knobs, self.name).predictor()

    def load(self, folder: Path) -> Predictor:
        """Reads a kept checkpoint, whichever form it was saved in."""
        from suite.strategies.asking import prompted

        predictor: Predictor = prompted.load(folder, NAME)
        return predictor


def _tuning(model: Model) -> Dimension:
    size = needs.parameters(model) or 0.0
    if needs.too_large(model, needs.FULL_BYTES, "full fine-tuning"):
        return Fixed("lora")
    if size < 1e8:
        return Fixed("full")
    return Choice(("full", "lora")) if size < 1e9 else Fixed("lora")


def _scale(model: Model) -> tuple[float, float, tuple[int, ...], tuple[Params, ...]]:
    """Range of learning rates, batches, and known-good points, by size."""
    size = needs.parameters(model)

    def point(learning_rate: float, batch: int, warmup: float, **more: str) -> Params:
        common: Params = {"warmup": warmup, "schedule": "cosine"}
        return {"learning_rate": learning_rate, "batch": batch, **common, **more}

    if model.builder is not None:  # Random weights have nothing to forget.
        return 2e-4, 5e-3, (8, 16, 32), (point(1.5e-3, 8, 0.1), point(8e-4, 8, 0.1))
    if size is not None and size < 1e8:
        return 2e-5, 2e-3, (8, 16, 32), (point(2e-4, 16, 0.05), point(5e-4, 8, 0.05))
    if size is not None and size >= 1e9:
        return 2e-5, 1e-3, (16, 32, 96), (point(2e-4, 32, 0.05), point(1e-4, 16, 0.05))
    return (
        5e-6, 1e-3, (16, 32, 96),
        # The first is the article's.
        (point(_ARTICLES, 96, 0.01, tuning="full"), point(2e-4, 32, 0.05, tuning="lora")),
    )  # fmt: skip
