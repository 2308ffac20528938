"""The training behind `sft`: LLaMA-Factory itself, watched by a callback.

LLaMA-Factory reads the files that `llamafactory_files` writes, encodes the rows, loads the model
and trains it. The callback checks, before the first step, that its rows begin with exactly the
tokens that scoring will ask with; at each mark it scores the live model; after the last step it
ends the run, for the suite keeps the best checkpoint by itself.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
import math
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import TrainerCallback

from suite.contracts.bookmark import Bookmark, bookmarks_of
from suite.contracts.strategy import Predictor, Refused, Run
from suite.machine import facts
from suite.models import needs
from suite.strategies.asking import option_scoring, prompted
from suite.strategies.asking.thinking import ThinkingPredictor
from suite.strategies.network import lora, token_cache, transformer, weights
from suite.strategies.network.continued_trainer import Continued
from suite.strategies.network.loop import marks
from suite.strategies.network.shrinking import Attempts, lesser_divisor
from suite.strategies.network.sources import source_of
from suite.strategies.teaching import llamafactory_files
from suite.strategies.teaching.answer_loss import AnswerLoss
from suite.strategies.teaching.answers_alone import answers_alone
from suite.strategies.teaching.llamafactory_files import INSTALL, LIBRARY, Plan
from suite.strategies.teaching.sft_agreement import compare
from suite.strategies.teaching.sft_knobs import Knobs
from suite.strategies.teaching.sft_rows import ENDING, Lesson, Teaching

#: Numbers of the model's width that a layer keeps per token for the backward pass.
_KEPT_PER_LAYER = 40
#: Bytes per token of an answer and entry of the vocabulary: logits, their softmax and its gradient.
_LOGIT_BYTES = 12
#: Tokens of a packed row: enough to hold several texts, few enough for one to fit anywhere.
_PACKED = 1024

#: What LLaMA-Factory's own files can't say.
_UNBALANCED = "The suite's loss also made up for rare classes (balance); run by hand, nothing does."
_UNREACHED = (
    "this model adds to its loss by itself, where balance can't reach it; balance: oversampled "
    "makes up for rare classes by their rows, and linear_head has a loss of its own"
)

_ADVICE = "tuning: lora, a smaller cutoff or a smaller model would help"


class _Ended(Exception):
    """The last step is done; raised so that LLaMA-Factory writes no model of its own."""


class SftTraining:
    """One trial's training."""

    def __init__(self, run: Run, knobs: Knobs, name: str) -> None:
        use_one_gpu()
        self.run = run
        self.name = name
        self.knobs = knobs
        with run.loading():
            self._run_exp, templates = _library()
        source = source_of(run)
        self.where = transformer.device()
        with run.loading():
            self.config = transformer.load_config(source)
            codec = transformer.load_codec(source, self.config, run.model.max_tokens)
            # LLaMA-Factory loads by itself, and says nothing of what it does not find.
            fitted = weights.fit("language model", source)
            run.note(**fitted.notes)
        self.source = source
        self.precision = transformer.precision_for(self.where, transformer.width_of(self.config))
        self.teaching = Teaching(
            run,
            knobs,
            codec.tokenizer,
            limit=codec.max_tokens,
            model_type=str(self.config.model_type),
            templates=templates,
        )
        self.attempts = Attempts(run, knobs.batch, _ADVICE)
        self.bookmarks = bookmarks_of(run)

    def predictor(self) -> Predictor:
        """Trains and returns the final model.

        Raises:
            Pruned: `run.checkpoint` ended the trial.
            Refused: LLaMA-Factory's rows are not what the model will be asked.
            Diverged: the loss is no longer finite.
            OutOfMemory: memory ran out, and the batch can't be made smaller.
        """
        run = self.run
        lessons = self.teaching.lessons()
        balanced = AnswerLoss.of(run, lessons, self.teaching.codes)
        longest = max(len(lesson.ids) for lesson in lessons) + ENDING
        answered = max(len(lesson.ids) - lesson.asked for lesson in lessons) + ENDING
        length, batch = longest, min(self.knobs.batch, len(lessons))
        if self.knobs.packing:
            length, batch, each = self._packed(lessons, longest)
            answered *= math.ceil(each)
        cutoff = self.knobs.cutoff or -(-length // 8) * 8
        self.attempts.batch = batch

        def lesser(tried: tuple[int, bool]) -> tuple[int, bool] | None:
            """Fewer texts at once, then activations computed twice instead of kept."""
            texts, recompute = tried
            if texts > 1 and run.shrink_batch:
                return lesser_divisor(texts, batch), recompute
            return None if recompute else (texts, True)

        def noted(tried: tuple[int, bool]) -> dict[str, Any]:
            return {"device_batch": tried[0], "gradient_checkpointing": tried[1]}

        begun = self.attempts.begun(self._fitting(batch, length, answered), lesser)
        run.note(
            device=self.where.type,
            precision=self.precision,
            tuning=self.knobs.tuning,
            batch=batch,
            cutoff=cutoff,
            **noted(begun),
            template=self.teaching.template or "parsed from the tokenizer",
            think=self.knobs.think,
            inference=self.knobs.inference,
            threads=torch.get_num_threads(),
            llamafactory=importlib.metadata.version(LIBRARY),
        )

        def train(tried: tuple[int, bool]) -> Predictor:
            texts, recompute = tried
            plan = self._plan(cutoff, texts, batch // texts, recompute)
            sections = llamafactory_files.configuration(plan, self.knobs)
            return self._train(lessons, sections, balanced)

        return self.attempts.fit(begun, train, smaller=lesser, notes=noted)

    # --- memory ---------------------------------------------------------------------------

    def _packed(self, lessons: Sequence[Lesson], longest: int) -> tuple[int, int, float]:
        """Tokens of a packed row, packed rows behind one step (as many texts as without), and texts
        in one."""
        mean = sum(len(lesson.ids) for lesson in lessons) / len(lessons)
        batch = min(self.knobs.batch, len(lessons))
        wanted = min(_PACKED, math.ceil(batch * mean), self.teaching.limit)
        length = self.knobs.cutoff or max(longest, wanted)
        each = max(1.0, length / mean)
        self.run.note(texts_per_packed_row=round(each, 2))
        return length, max(1, round(batch / each)), each

    def _fitting(self, batch: int, longest: int, answered: int) -> tuple[int, bool]:
        """The device batch whose activations should fit, and whether to recompute them.

        A process that overdraws the CPU's memory is killed without an error that could be
        caught. A GPU raises one, but each attempt costs a start.

        Args:
            longest: tokens of a row.
            answered: those of them that have logits: see `answers_alone`.
        """
        room = self._room()
        if room is None:
            return batch, False
        layers = transformer.layers_of(self.config)
        width = transformer.width_of(self.config)
        each = 2 if self.precision == "bfloat16" else 4
        logits = int(getattr(self.config.get_text_config(), "vocab_size", 0)) * _LOGIT_BYTES
        per_text = longest * layers * width * _KEPT_PER_LAYER * each + answered * logits
        size = batch
        while self.run.shrink_batch and size > 1 and size * per_text > room:
            size = lesser_divisor(size, batch)
        return size, size * per_text > room

    def _room(self) -> float | None:
        """Bytes for activations, or None where nothing says."""
        states = needs.FULL_BYTES if self.knobs.tuning == "full" else needs.LORA_BYTES
        held = states * (needs.parameters(self.run.model) or 0.0)
        if self.where.type == "cuda":
            return 0.9 * torch.cuda.mem_get_info()[0] - held
        if self.where.type == "cpu":
            there = facts.free_memory()
            return (there - held) / 2
        return None

    # --- training -------------------------------------------------------------------------

    def _plan(self, cutoff: int, device_batch: int, accumulation: int, recompute: bool) -> Plan:
        return Plan(
            model=Path(self.source.where).resolve(),
            folder=self.folder,
            seed=self.run.seed,
            epochs=self.run.epochs,
            device_batch=device_batch,
            accumulation=accumulation,
            cutoff=cutoff,
            template=self.teaching.template,
            thinking=self.knobs.think != "prompt",
            on_cpu=self.where.type == "cpu",
            bfloat16=self.precision == "bfloat16",
            recompute=recompute,
        )

    @property
    def folder(self) -> Path:
        """Where the files for LLaMA-Factory are: kept with the trial, if that is its arm's best."""
        return self.run.attached.resolve() / llamafactory_files.FOLDER

    def _train(
        self,
        lessons: Sequence[Lesson],
        sections: dict[str, dict[str, Any]],
        balanced: AnswerLoss | None,
    ) -> Predictor:
        examples = [lesson.example for lesson in lessons]
        apart = () if balanced is None else (_UNBALANCED,)
        llamafactory_files.write(self.folder, examples, sections, apart)
        watch = _Watch(self, lessons)
        try:
            with self._loaded_apart(balanced), self._going_on(watch):
                self._run_exp(llamafactory_files.flat(sections), callbacks=[watch])
        except _Ended:
            pass
        finally:
            # LLaMA-Factory turns this up for its own log.
            transformers.logging.set_verbosity_error()
            shutil.rmtree(self.folder / llamafactory_files.CACHE, ignore_errors=True)
        model = watch.model
        if model is None:
            raise RuntimeError("LLaMA-Factory ended without a training")
        del watch
        for name in ("forward", "_original_forward"):
            # Mixed precision stays wrapped around it otherwise, and the loss of answers alone.
            for each in (model, option_scoring.unwrapped(model)):
                each.__dict__.pop(name, None)
        if self.knobs.tuning == "lora":
            with self.run.loading():
                model = model.merge_and_unload()
        model.eval().requires_grad_(False)
        # Not `lm_head`: its rows are read in float32. As a kept copy is loaded.
        option_scoring.settle(option_scoring.decoder_of(model), self.precision)
        return self.view(model, frozen=True)

    @contextmanager
    def _loaded_apart(self, balanced: AnswerLoss | None) -> Iterator[None]:
        """Within: the seconds in which LLaMA-Factory loads weights are not on the clock, and what
        it loads has the loss of answers alone, balanced as asked."""
        workflow: Any = importlib.import_module(f"{LIBRARY}.train.sft.workflow")
        load_model, load_tokenizer = workflow.load_model, workflow.load_tokenizer

        def model_apart(*args: Any, **kwargs: Any) -> Any:
            with self.run.loading():
                model = load_model(*args, **kwargs)
                weights.refuse_unfinite(model, self.source)
                fed = answers_alone(model, balanced)
                if fed is None and balanced is not None:
                    raise Refused(_UNREACHED)
                self.run.note(feeding=fed or "padded")
                lora.without_copies(model, self.precision)
                # Frozen weights stay as they were published, even where nothing casts for them.
                return model.float() if self.precision == "float32" else model

        def tokenizer_apart(*args: Any, **kwargs: Any) -> Any:
            with self.run.loading():
                return load_tokenizer(*args, **kwargs)

        workflow.load_model, workflow.load_tokenizer = model_apart, tokenizer_apart
        try:
            yield
        finally:
            workflow.load_model, workflow.load_tokenizer = load_model, load_tokenizer

    @contextmanager
    def _going_on(self, watch: _Watch) -> Iterator[None]:
        """Within: LLaMA-Factory's Trainer goes on from the run's bookmark, where it has one."""
        workflow: Any = importlib.import_module(f"{LIBRARY}.train.sft.workflow")
        plain, bookmarks = workflow.CustomSeq2SeqTrainer, self.bookmarks
        if bookmarks is None:
            yield
            return
        begin, facts, folder = bookmarks.begin, self._decided_by(), self.run.folder / "begun"

        class Going(Continued, plain):  # type: ignore[misc, valid-type]
            def train(self, resume_from_checkpoint: str | None = None, **how: Any) -> Any:
                """As Trainer's, from where it was broken off."""
                # The steps are counted as it will count them itself.
                steps = self.set_initial_training_values(self.args, self.get_train_dataloader())[-1]
                watch.begun(self, begin(facts, steps))
                return super().train(resume_from_checkpoint=self.goes_on(folder), **how)

        workflow.CustomSeq2SeqTrainer = Going
        try:
            yield
        finally:
            workflow.CustomSeq2SeqTrainer = plain

    def _decided_by(self) -> list[Any]:
        """What decides the training beside its run, as JSON: see `HeadTraining`."""
        built = self.run.model.builder is not None
        weights = [] if built else token_cache.stamp(self.source, token_cache.SOURCE_FILES)
        prompts = [self.teaching.template, self.knobs.think, self.knobs.inference]
        sizes = [self.attempts.halved, self.attempts.batch, self.knobs.cutoff]
        rows = self.run.fingerprint
        return [self.name, rows, weights, *prompts, *sizes, self.precision, self.where.type]

    def view(self, model: Any, *, frozen: bool = False) -> Predictor:
        """A model, also one in training, as the predictor that the recipe asks for."""
        how: dict[str, Any] = {
            "where": self.where,
            "precision": self.precision,
            "strategy": self.name,
            "label_names": self.run.task.label_names,
        }
        predictor: Predictor
        teaching = self.teaching
        if self.knobs.inference == "think" and teaching.thinker is not None:
            predictor = ThinkingPredictor(
                model, teaching.thinker, max_new_tokens=self.knobs.max_new_tokens, **how
            )
        else:
            predictor = prompted.OptionPredictor(model, teaching.prompter, frozen=frozen, **how)
        return predictor


class _Watch(TrainerCallback):  # type: ignore[misc]
    """Sees to one run of LLaMA-Factory: agreement first, then progress, marks, and the end."""

    def __init__(self, training: SftTraining, lessons: Sequence[Lesson]) -> None:
        self.training = training
        self.lessons = lessons
        self.model: Any = None
        self.steps = 1
        self.marks: dict[int, float] = {}
        self.predictor: Predictor | None = None
        self.trainer: Continued | None = None

    def begun(self, trainer: Continued, bookmark: Bookmark | None) -> None:
        """Before the training: where it goes on from, if it does."""
        self.trainer, trainer.bookmark = trainer, bookmark
        if bookmark is not None:
            self.training.attempts.scored = float(bookmark.values["own"]["scored"])

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Compares rows; counts steps and parameters."""
        training, self.model = self.training, kwargs["model"]
        compare(
            kwargs["train_dataloader"].dataset,
            self.lessons,
            training.teaching.tokenizer,
            training.teaching.template,
        )
        self.lessons = ()  # Not needed any more, and there may be many.
        self.steps = int(state.max_steps)
        self.marks = marks(self.steps, training.run.checkpoints)
        self.predictor = training.view(self.model)
        sizes = [(p.numel(), p.requires_grad) for p in self.model.parameters()]
        training.run.note(
            steps=self.steps,
            parameters=sum(size for size, _ in sizes),
            trainable_parameters=sum(size for size, trained in sizes if trained),
        )

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Reports progress; scores at a mark."""
        training, step = self.training, int(state.global_step)
        training.run.progress(step / self.steps)
        fraction = self.marks.get(step)
        if fraction is not None and self.predictor is not None:
            training.attempts.checkpoint(self.predictor, fraction)
        if training.bookmarks is not None and self.trainer is not None:
            own = {"scored": training.attempts.scored}
            whole = partial(self.trainer.marked, state, own)
            training.bookmarks.at(step, whole, scored=fraction is not None)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Stops at a loss that is no number."""
        loss = (logs or {}).get("loss")
        if isinstance(loss, float) and not math.isfinite(loss):
            raise transformer.Diverged(
                f"the loss became {loss} by step {state.global_step}: lower learning_rate"
            )

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Ends the run before LLaMA-Factory writes the whole model once more."""
        raise _Ended


def _library() -> tuple[Callable[..., None], list[str]]:
    """LLaMA-Factory's `run_exp`, and the names of its templates.

    Raises:
        Refused: it can't be imported, with how to install it.
    """
    try:
        tuner = importlib.import_module(f"{LIBRARY}.train.tuner")
        template = importlib.import_module(f"{LIBRARY}.data.template")
        importlib.import_module(f"{LIBRARY}.train.sft.workflow")
    except Exception as error:  # A library that does not match raises whatever it likes.
        reason = " ".join(str(error).split())[:200]
        raise Refused(
            f"LLaMA-Factory can't be imported ({type(error).__name__}: {reason}): {INSTALL}"
        ) from error
    for handler in logging.getLogger(LIBRARY).handlers:
        if type(handler) is logging.StreamHandler:
            # Where it was imported ahead of the trial, it speaks to the output of that time.
            handler.setStream(sys.stdout)
    return tuner.run_exp, sorted(template.TEMPLATES)


def use_one_gpu() -> None:
    """Shows this process one GPU only: with several, LLaMA-Factory asks for `torchrun`.

    Raises:
        Refused: it is too late, for torch has already looked.
    """
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        if torch.cuda.device_count() > 1:
            raise Refused(
                "LLaMA-Factory would spread over all GPUs of this process; set "
                "CUDA_VISIBLE_DEVICES=0 to show it one"
            )
        return
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = visible.split(",")[0]
    elif len(list(Path("/dev").glob("nvidia[0-9]*"))) > 1:
        os.environ["CUDA_VISIBLE_DEVICES"] = "0"
