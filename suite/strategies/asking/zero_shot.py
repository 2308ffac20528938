"""Asking a decoder as it is: the multiple-choice prompt, and no training at all.

Without thinking the options are scored in one forward pass; with thinking the model writes until
its thinking has closed and names an option. Examples from the training rows may stand in the
prompt, and a model's liking for some options, whatever is asked, may be measured and taken out.
A model behind a server is asked the same questions. Nothing here imports torch before `fit`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from suite.config import jsonfile
from suite.contracts import cutting
from suite.contracts.cutting import Plain
from suite.contracts.hyperparameters import Declared, Hyperparameter, declared
from suite.contracts.model import Model
from suite.contracts.space import Choice, Fixed, Params, Space, contains
from suite.contracts.strategy import Predictor, Run
from suite.contracts.task import Task
from suite.errors import RecipeError
from suite.models import needs
from suite.prompting import codes, think_block, wordings
from suite.prompting.layout import Variant
from suite.strategies.asking import decision, decision_question, priors
from suite.strategies.asking.drawn import draw_examples
from suite.strategies.network.settings import FIX, MOST_BYTES, SETTINGS

if TYPE_CHECKING:
    import torch

    from suite.prompting.chat import Prompter
    from suite.strategies.asking.endpoint_predictor import EndpointPredictor
    from suite.strategies.network.transformer import Codec

T = TypeVar("T")

NAME = "zero_shot"
DECISION = decision.FAMILY

NO_THINK, THINK = "no_think", "think"
MODES = (NO_THINK, THINK)
IN_PROMPT, TURNS = "prompt", "turns"
DRAWN, NEAREST = "drawn", "nearest"
TFIDF = "tfidf"

#: Most examples that the default space puts into a prompt; each class has as many.
_MOST_EXAMPLES = 32
_SHOTS = (0, 1, 2, 4, 8)

#: What `calibration` was called when it was on or off.
_BEFORE = "calibrate"

#: What the trainings over folds share: they ask one model, with other examples.
_CODEC, _WEIGHTS = f"{NAME}: the tokenizer", f"{NAME}: the weights"
_NEAR = f"{NAME}: what says what is near"

#: How much more there is to read of a text for each example of a class that is its own: measured
#: with four classes of news (BENCHMARKS.md, "Examples nearest to a text").
_OWN_EXAMPLES = 2.6

#: Training texts whose prompts tell how long prompts are.
_LENGTHS_TRIED = 200
_ADVICE = "fewer shots, a smaller max_new_tokens or a smaller model would help"


@dataclass(frozen=True)
class Knobs(Declared):
    """The hyperparameters of one trial, without those of the prompt's wording."""

    mode: str = declared(NO_THINK, "whether the model thinks before it answers", options=MODES)
    shots: int = declared(0, "examples of each class in the prompt", low=0)
    examples: str = declared(
        IN_PROMPT,
        "where they stand: before the text, or as turns of the conversation, each asked whole",
        options=(IN_PROMPT, TURNS),
    )
    selection: str = declared(
        DRAWN,
        "which rows they are: drawn by the seed, as many of each class and the same for all texts; "
        "or as many in all, those nearest to the text, the nearest last",
        options=(DRAWN, NEAREST),
    )
    near: str = declared(
        TFIDF,
        "what says which rows are nearest: TF-IDF, or a model of the study by its embeddings",
        names=("encoder", "decoder"),
    )
    score: str = declared(
        wordings.CODE,
        "what is scored of an option: its code, the words of its label, or both",
        options=wordings.SCORES,
    )
    calibration: str = declared(
        priors.NONE,
        "how a liking for some options, whatever is asked, is taken out",
        options=priors.WAYS,
    )
    max_new_tokens: int = declared(512, "tokens of thinking and answer together", low=1)

    @classmethod
    def of(cls, params: Params) -> Knobs:
        """As `Declared.of`; trials from before knew one calibration, on or off."""
        if _BEFORE in params and "calibration" not in params:
            way = priors.CONTEXTUAL if params[_BEFORE] else priors.NONE
            params = {**params, "calibration": way}
        return super().of(params)


class ZeroShotStrategy:
    """Asks a causal language model, local or behind an endpoint."""

    name = NAME
    families = ("decoder", "decision")
    reads = "language model"
    served = True
    network = True
    cheap = True

    #: An arm `model/zero_shot+think` has these hyperparameters pinned.
    variants: Mapping[str, Mapping[str, Any]] = {
        "no_think": {"mode": NO_THINK, "shots": 0},
        "think": {
            "mode": THINK,
            "shots": 0,
            "score": wordings.CODE,
            "calibration": priors.NONE,
        },
        "few_shot": {"mode": NO_THINK, "shots": [1, 2, 4]},
    }

    def hyperparameters(self, model: Model) -> Mapping[str, Hyperparameter]:
        """What each may be; a decision model is asked in ways of its own."""
        if model.family == DECISION:
            return decision_question.Knobs.hyperparameters()
        return _asked_of(model, Knobs.hyperparameters()) | Variant.hyperparameters()

    def preload(self, model: Model) -> Sequence[str] | None:
        """What asks a server needs no torch."""
        return None if model.endpoint is None else (f"{__package__}.decision_predictor",)

    def scored_once(self, model: Model) -> bool:
        """It is."""
        return True

    def deterministic(self, model: Model, params: Params) -> bool:
        """Without examples that are drawn, the question is always the same."""
        if model.family == DECISION:
            return params.get("descriptions") != decision_question.OF_EXAMPLES
        return not int(params.get("shots") or 0) or params.get("selection") == NEAREST

    def learns(self, model: Model, params: Params) -> bool:
        """Only examples come from training rows, what a calibration is measured on, and what is
        drafted about labels."""
        if model.family == DECISION:
            return params.get("descriptions") in decision_question.DRAFTED
        return int(params.get("shots") or 0) > 0 or params.get("calibration") == priors.BATCH

    def passes(self, model: Model, rows: int, epochs: float) -> float:
        """A calibration reads some of the training texts once, however many there are."""
        return min(rows, priors.BATCH_TEXTS) / max(1, rows)

    def effort(self, model: Model, params: Params) -> float:
        """Examples that all texts share are read once, and a text's own with each."""
        own = int(params.get("shots") or 0) if params.get("selection") == NEAREST else 0
        return 1 + _OWN_EXAMPLES * own

    def shrinks(self, model: Model) -> bool:
        """Where the model is here; a server's memory is its own."""
        return model.endpoint is None

    def refuses(self, model: Model, task: Task) -> str | None:
        """Why the model can't be asked for this task, and what would help; or None."""
        if model.family == DECISION:
            return needs.speaks(model, task)
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
        """Examples per class, what is scored and calibration; the rest is fixed until a recipe
        opens it.

        As many examples are offered as leave a prompt of a reasonable length.
        """
        if model.family == DECISION:
            return decision.space(task)
        shots = tuple(k for k in _SHOTS if k * len(task.labels) <= _MOST_EXAMPLES)
        dimensions = Knobs.dimensions(
            shots=Choice(shots) if len(shots) > 1 else Fixed(0),
            examples=Choice((IN_PROMPT, TURNS))
            if len(shots) > 1 and not model.endpoint
            else Fixed(IN_PROMPT),
            selection=Choice((DRAWN, NEAREST))
            if len(shots) > 1 and not model.endpoint
            else Fixed(DRAWN),
            score=Fixed(wordings.CODE) if model.endpoint else Choice(wordings.SCORES),
            calibration=Choice(priors.ON_SERVERS if model.endpoint else priors.WAYS),
        )
        plain: Params = {"shots": 0, "score": wordings.CODE, "calibration": priors.NONE}
        points: tuple[Params, ...] = (plain, {**plain, "calibration": priors.CONTEXTUAL})
        if not model.endpoint:
            points = (
                {**plain, "score": wordings.WORDS, "calibration": priors.BATCH},
                {**plain, "calibration": priors.BATCH},
                plain,
            )
        return Space(_asked_of(model, dimensions) | Variant.dimensions(), points)

    def for_long_texts(self, space: Space, model: Model) -> Space:
        """What of a text stands in the prompt is searched too."""
        return cutting.searched(space, Plain)

    def lacks(self, model: Model, task: Task, space: Space) -> str | None:
        """A think block, where it is to think."""
        if model.family == DECISION:
            return decision.lacks(model, space)
        if model.endpoint or not contains(space.dimensions["mode"], THINK):
            return None
        return think_block.lacks(model, "mode: no_think")

    def fit(self, run: Run) -> Predictor:
        """Prepares the question; one checkpoint, at 1.0.

        Raises:
            RecipeError: a hyperparameter is out of bounds.
            Pruned: `run.checkpoint` ended the trial.
            Refused: no weights, a model that can't be asked so, or a question that is too long
                for it.
        """
        if run.model.family == DECISION:
            return decision.fit(run)
        knobs = Knobs.of(run.params)
        if run.model.endpoint:
            _refuse_what_servers_lack(knobs)
        classes = len(run.task.labels)
        near = knobs.selection == NEAREST and knobs.shots > 0
        examples = [] if near else draw_examples(run.train, classes, knobs.shots, run.seed)
        shown = min(len(run.train), knobs.shots * classes) if near else len(examples)
        run.note(mode=knobs.mode, shots=knobs.shots, examples=shown)
        predictor = (
            _served(run, knobs, examples) if run.model.endpoint else _local(run, knobs, examples)
        )
        run.progress(0.5)
        run.checkpoint(predictor, 1.0)
        return predictor

    def load(self, folder: Path) -> Predictor:
        """Reads a kept predictor, local or behind a server."""
        from suite.strategies.asking.decision_predictor import DecisionPredictor
        from suite.strategies.asking.endpoint_predictor import EndpointPredictor

        kept = jsonfile.read(folder / SETTINGS, most=MOST_BYTES, fix=FIX)
        for served in (EndpointPredictor, DecisionPredictor):
            if kept.get("format") == served.format:
                return served.load(folder)
        from suite.strategies.asking import prompted

        return prompted.load(folder, NAME, asks=True)


def _asked_of(model: Model, named: Mapping[str, T]) -> dict[str, T]:
    """What there is to choose, by name: a server's prompts are the same for all texts, and nothing
    is near."""
    return {name: one for name, one in named.items() if name != "near" or not model.endpoint}


def _refuse_what_servers_lack(knobs: Knobs) -> None:
    """Refuses what only a model that is here can be asked.

    Raises:
        RecipeError: words, turns, examples for each text or a calibration on many texts.
    """
    asked = {
        "score": (knobs.score, (wordings.CODE,)),
        "examples": (knobs.examples, (IN_PROMPT,)),
        "selection": (knobs.selection, (DRAWN,)),
        "calibration": (knobs.calibration, priors.ON_SERVERS),
    }
    for name, (value, possible) in asked.items():
        if value not in possible:
            raise RecipeError(
                f"{name}: {value} is for models that are here; a server is asked with "
                f"{' or '.join(possible)}",
                fix="Change it under 'spaces' in the recipe.",
            )


def _local(run: Run, knobs: Knobs, examples: list[tuple[str, int]]) -> Predictor:
    """The model's weights behind the prompt.

    Args:
        examples: those that all texts are shown; none where each has its own.
    """
    import torch

    from suite.strategies.asking import option_scoring, prompted
    from suite.strategies.asking.thinking import ThinkingPredictor
    from suite.strategies.network import transformer
    from suite.strategies.network.sources import source_of

    source = source_of(run)
    where = transformer.device()
    # Weights that are built from the training texts are others without some of them.
    shared = run.pool.shared if run.pool is not None and run.model.builder is None else {}
    if _CODEC not in shared:
        with run.loading():
            config = transformer.load_config(source)
            shared[_CODEC] = config, transformer.load_codec(source, config, run.model.max_tokens)
    config, codec = shared[_CODEC]
    think = knobs.mode == THINK
    # Before the weights: a question that can't be asked is refused at once.
    prompter = _prompter(run, knobs, examples, codec)
    precision = transformer.precision_for(where, transformer.width_of(config))
    if _WEIGHTS not in shared:
        with run.loading():
            loaded = prompted.load_language_model(source, where)
            model = loaded.model
            option_scoring.settle(model if think else option_scoring.decoder_of(model), precision)
        shared[_WEIGHTS] = loaded
    loaded = shared[_WEIGHTS]
    model = loaded.model
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
        if knobs.calibration != priors.NONE:
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
    if knobs.calibration != priors.NONE:
        # What stands in the prompt with its answer says nothing of a liking.
        shown = {text for text, _ in examples}
        others = [text for text in run.train.texts if text not in shown]
        bias = predictor.calibrate(knobs.calibration, others or run.train.texts)
        run.note(calibration={n: round(b, 4) for n, b in zip(names, bias, strict=True)})
    return predictor


def _prompter(run: Run, knobs: Knobs, examples: list[tuple[str, int]], codec: Codec) -> Prompter:
    """The prompts of a trial; `examples` as in `_local`."""
    from suite.prompting.chat import Prompter

    think, choose = knobs.mode == THINK, None
    if knobs.selection == NEAREST and knobs.shots:
        from suite.strategies.asking import neighbours

        examples = neighbours.candidates(run.train)
        choose = partial(
            neighbours.Neighbours.of,
            count=knobs.shots * len(run.task.labels),
            **_nearness(run, knobs.near),
        )
    return Prompter.build(
        codec.tokenizer,
        run.task,
        limit=codec.max_tokens,
        variant=Variant.of(run.params),
        think=think,
        examples=examples,
        choose=choose,
        reserve=knobs.max_new_tokens if think else 0,
        score=wordings.CODE if think else knobs.score,
        turns=knobs.examples == TURNS,
    )


def _nearness(run: Run, near: str) -> dict[str, Any]:
    """How `Neighbours.of` is to tell what is near, where it isn't by TF-IDF.

    Raises:
        Refused: the model that is named can't be had.
    """
    if near == TFIDF:
        return {}
    from suite.strategies.asking import embedded_nearness

    shared = run.pool.shared if run.pool is not None else {}
    if _NEAR not in shared:
        shared[_NEAR] = embedded_nearness.embedder_of(run, near)
    embedder, pooling = shared[_NEAR]
    made = embedded_nearness.EmbeddedNearness.of
    return {"near": partial(made, run=run, embedder=embedder, pooling=pooling)}


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
        calibrate=knobs.calibration != priors.NONE,
        max_new_tokens=knobs.max_new_tokens if knobs.mode == THINK else None,
    )
    return predictor
