"""Asking a decoder as it is: the multiple-choice prompt, and no training at all.

Without thinking the options are scored in one forward pass; with thinking the model writes until
its thinking has closed and names an option. Examples from the training rows may stand in the
prompt, and a model's liking for some options, whatever is asked, may be measured and taken out.
A model behind a server is asked the same questions. Nothing here imports torch before `fit`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suite.config import jsonfile
from suite.contracts.hyperparameters import Declared, Hyperparameter, declared
from suite.contracts.model import Model
from suite.contracts.space import Choice, Fixed, Params, Space
from suite.contracts.strategy import Predictor, Rows, Run
from suite.contracts.task import Task
from suite.models import needs
from suite.prompting import codes
from suite.prompting.layout import Variant
from suite.strategies.network.settings import FIX, MOST_BYTES, SETTINGS

if TYPE_CHECKING:
    import torch

    from suite.prompting.chat import Prompter
    from suite.strategies.asking.endpoint_predictor import EndpointPredictor

NAME = "zero_shot"

NO_THINK, THINK = "no_think", "think"
MODES = (NO_THINK, THINK)

#: Most examples that the default space puts into a prompt; each class has as many.
_MOST_EXAMPLES = 32
_SHOTS = (0, 1, 2, 4, 8)

#: Training texts whose prompts tell how long prompts are.
_LENGTHS_TRIED = 200
_ADVICE = "fewer shots, a smaller max_new_tokens or a smaller model would help"


@dataclass(frozen=True)
class Knobs(Declared):
    """The hyperparameters of one trial, without those of the prompt's wording."""

    mode: str = declared(NO_THINK, "whether the model thinks before it answers", options=MODES)
    shots: int = declared(0, "examples of each class in the prompt", low=0)
    calibrate: bool = declared(
        False, "whether a liking for some options, whatever is asked, is taken out"
    )
    max_new_tokens: int = declared(512, "tokens of thinking and answer together", low=1)


class ZeroShotStrategy:
    """Asks a causal language model, local or behind an endpoint."""

    name = NAME
    families = ("decoder",)
    reads = "language model"
    served = True
    network = True
    cheap = True

    #: An arm `model/zero_shot+think` has these hyperparameters pinned.
    variants: Mapping[str, Mapping[str, Any]] = {
        "no_think": {"mode": NO_THINK, "shots": 0},
        "think": {"mode": THINK, "shots": 0, "calibrate": False},
        "few_shot": {"mode": NO_THINK, "shots": [1, 2, 4]},
    }

    def hyperparameters(self, model: Model) -> Mapping[str, Hyperparameter]:
        """What each may be, whatever the model."""
        return Knobs.hyperparameters() | Variant.hyperparameters()

    def scored_once(self, model: Model) -> bool:
        """It is."""
        return True

    def deterministic(self, model: Model, params: Params) -> bool:
        """Without examples, which are drawn, the question is always the same."""
        return not self.learns(model, params)

    def learns(self, model: Model, params: Params) -> bool:
        """Only examples come from training rows."""
        return int(params.get("shots") or 0) > 0

    def shrinks(self, model: Model) -> bool:
        """Where the model is here; a server's memory is its own."""
        return model.endpoint is None

    def refuses(self, model: Model, task: Task) -> str | None:
        """Why the model can't be asked for this task, and what would help; or None."""
        if model.family != "decoder":
            other = "classic" if model.family == "classic" else "linear_head or probe"
            return (
                f"{model.name} is no decoder and can't answer a prompt; use {model.name} with "
                f"{other}"
            )
        if len(task.labels) > codes.MOST:
            other = "fewer classes" if model.endpoint else f"{model.name}/linear_head"
            return (
                f"{len(task.labels)} classes are more than the {codes.MOST} that option codes can "
                f"name; use {other}"
            )
        if model.endpoint is not None:
            return None
        reason = needs.speaks(model, task)
        if reason:
            return reason
        reason = needs.too_large(model, needs.FROZEN_BYTES, "asking the model")
        return (
            f"{reason}; a GPU, a smaller model, or --endpoint with a server would help"
            if reason
            else None
        )

    def space(self, model: Model, task: Task) -> Space:
        """Examples per class and calibration; mode and prompt are fixed until a recipe opens them.

        As many examples are offered as leave a prompt of a reasonable length.
        """
        shots = tuple(k for k in _SHOTS if k * len(task.labels) <= _MOST_EXAMPLES)
        dimensions = Knobs.dimensions(
            shots=Choice(shots) if len(shots) > 1 else Fixed(0),
            calibrate=Choice((False, True)),
        )
        points: tuple[Params, ...] = (
            {"shots": 0, "calibrate": False},
            {"shots": 0, "calibrate": True},
        )
        return Space(dimensions | Variant.dimensions(), points)

    def fit(self, run: Run) -> Predictor:
        """Prepares the question; one checkpoint, at 1.0.

        Raises:
            RecipeError: a hyperparameter is out of bounds.
            Pruned: `run.checkpoint` ended the trial.
            Refused: no weights, a model that can't be asked so, or a question that is too long
                for it.
        """
        knobs = Knobs.of(run.params)
        examples = draw_examples(run.train, len(run.task.labels), knobs.shots, run.seed)
        run.note(mode=knobs.mode, shots=knobs.shots, examples=len(examples))
        predictor = (
            _served(run, knobs, examples) if run.model.endpoint else _local(run, knobs, examples)
        )
        run.progress(0.5)
        run.checkpoint(predictor, 1.0)
        return predictor

    def load(self, folder: Path) -> Predictor:
        """Reads a kept predictor, local or behind an endpoint."""
        from suite.strategies.asking.endpoint_predictor import FORMAT, EndpointPredictor

        kept = jsonfile.read(folder / SETTINGS, most=MOST_BYTES, fix=FIX)
        if kept.get("format") == FORMAT:
            return EndpointPredictor.load(folder)
        from suite.strategies.asking import prompted

        return prompted.load(folder, NAME)


def draw_examples(rows: Rows, classes: int, shots: int, seed: int) -> list[tuple[str, int]]:
    """`shots` rows of each class (fewer where there are fewer), drawn and mixed by the seed."""
    if shots == 0:
        return []
    generator = random.Random(seed)
    by_class: list[list[int]] = [[] for _ in range(classes)]
    for position, label in enumerate(rows.labels):
        by_class[label].append(position)
    drawn = [
        (rows.texts[position], label)
        for label, positions in enumerate(by_class)
        for position in generator.sample(positions, min(shots, len(positions)))
    ]
    generator.shuffle(drawn)
    return drawn


def _local(run: Run, knobs: Knobs, examples: list[tuple[str, int]]) -> Predictor:
    """The model's weights behind the prompt."""
    import torch

    from suite.prompting.chat import Prompter
    from suite.strategies.asking import option_scoring, prompted
    from suite.strategies.asking.thinking import ThinkingPredictor
    from suite.strategies.network import transformer
    from suite.strategies.network.sources import source_of

    source = source_of(run)
    where = transformer.device()
    with run.loading():
        config = transformer.load_config(source)
        codec = transformer.load_codec(source, config, run.model.max_tokens)
    think = knobs.mode == THINK
    # Before the weights: a question that can't be asked is refused at once.
    prompter = Prompter.build(
        codec.tokenizer,
        run.task,
        limit=codec.max_tokens,
        variant=Variant.of(run.params),
        think=think,
        examples=examples,
        reserve=knobs.max_new_tokens if think else 0,
    )
    precision = transformer.precision_for(where, transformer.width_of(config))
    with run.loading():
        loaded = prompted.load_language_model(source, where)
        model = loaded.model
        option_scoring.settle(model if think else model.get_decoder(), precision)
    run.note(
        device=where.type,
        precision=precision,
        parameters=sum(p.numel() for p in model.parameters()),
        threads=torch.get_num_threads(),
        max_tokens=prompter.cutoff,
        **{**prompter.facts(), "shots": knobs.shots},
        **loaded.notes,
    )
    names = run.task.label_names
    batch = _begun(run, prompter, where, knobs.max_new_tokens if think else None)
    if think:
        run.note(max_new_tokens=knobs.max_new_tokens)
        if knobs.calibrate:
            run.note(calibration="not applied: a model that thinks gives no option scores")
        return ThinkingPredictor(
            model, prompter, where=where, precision=precision, strategy=NAME,
            max_new_tokens=knobs.max_new_tokens, label_names=names, batch=batch,
        )  # fmt: skip
    predictor = prompted.OptionPredictor(
        model, prompter, where=where, precision=precision, strategy=NAME,
        label_names=names, frozen=True, batch=batch,
    )  # fmt: skip
    run.note(batch=predictor.batch)
    if knobs.calibrate:
        bias = predictor.calibrate()
        run.note(calibration={n: round(b, 4) for n, b in zip(names, bias, strict=True)})
    return predictor


def _begun(run: Run, prompter: Prompter, where: torch.device, written: int | None) -> int | None:
    """How many prompts to begin with where the system killed this trial's processes for lack of
    memory; None where it killed none.

    Args:
        written: tokens that each prompt may grow by, where the model thinks.

    Raises:
        OutOfMemory: they had one prompt at once already.
    """
    from suite.strategies.asking import generation, option_scoring, thinking
    from suite.strategies.network import transformer
    from suite.strategies.network.shrinking import Attempts, half

    if not run.halvings:
        return None
    texts = run.train.texts[:_LENGTHS_TRIED]
    longest = max(len(ids) for ids in prompter.encode(texts).ids) + (written or 0)
    tokens, most = (
        (option_scoring.tokens_at_once(where.type), transformer.scoring_batch(where))
        if written is None
        else (generation.tokens_at_once(where.type), thinking.generated_at_once(where.type))
    )
    whole = max(1, min(most, tokens // longest))
    return Attempts(run, whole, _ADVICE).begun(whole, half)


def _served(run: Run, knobs: Knobs, examples: list[tuple[str, int]]) -> EndpointPredictor:
    """A server's model behind the same prompt."""
    from suite.strategies.asking.endpoint_predictor import EndpointPredictor

    predictor = EndpointPredictor.of_run(
        run,
        think=knobs.mode == THINK,
        examples=examples,
        calibrate=knobs.calibrate,
        max_new_tokens=knobs.max_new_tokens if knobs.mode == THINK else None,
    )
    return predictor
