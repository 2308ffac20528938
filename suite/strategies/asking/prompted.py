"""Predictors that answer a multiple-choice prompt, and what is kept of them.

Three forms of one thing. `options` reads the prompt with a causal language model and scores its
options; it is also the live view of a model in training. `head` is the same weights converted: the
options' rows of `lm_head` become the head of a sequence classifier, a folder that transformers
loads as it is. `generation` lets the model think and reads the option out of what it wrote.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from suite.contracts.strategy import Predictor, Probabilities, TextLength
from suite.errors import ModelError, counted
from suite.prompting.chat import Prompter
from suite.prompting.layout import CONTENT_FREE
from suite.prompting.wordings import Wordings
from suite.strategies.asking import kept_prompter, option_scoring, priors, typed_questions
from suite.strategies.asking.conversion import convert, merged, tied, why_no_head
from suite.strategies.asking.option_scoring import OptionScorer, Readout, decoder_of, evaluating
from suite.strategies.asking.settings import PromptedSettings
from suite.strategies.asking.thinking import ThinkingPredictor
from suite.strategies.asking.typed_questions import TypedAsker, TypedRows
from suite.strategies.network import arrays, settings, transformer, weights
from suite.strategies.network.arrays import Form
from suite.strategies.network.sources import Source
from suite.strategies.network.weights import Loaded

HEAD, OPTIONS = "head", "options"

#: The options' rows of an `lm_head` that is not tied to the embedding, kept beside a head.
ROWS = "lm_head.safetensors"


class _Scored(ABC):
    """What both forms of option scoring share."""

    form: str
    #: Positions that the model has, where it may be asked anything; None where it was taught.
    positions: int | None = None

    def __init__(
        self,
        model: Any,
        prompter: Prompter,
        *,
        where: torch.device,
        precision: str,
        strategy: str,
        batch: int | None,
        bias: Sequence[float] | None,
        label_names: Sequence[str] | None,
        frozen: bool,
    ) -> None:
        self.model = model
        self.prompter = prompter
        self.where = where
        self.precision = precision
        self.strategy = strategy
        self.bias = None if bias is None else [float(value) for value in bias]
        self.label_names = list(label_names or prompter.question.words)
        #: Circumstances of the last `predict_proba`.
        self.facts: dict[str, Any] = {}
        self.scorer = OptionScorer(
            prompter.wordings,
            pad_id=prompter.pad_id,
            where=where,
            precision=precision,
            batch=batch,
            prefix=option_scoring.common_beginning(prompter.unlike()),
            frozen=frozen,
        )
        self._readout_kept: Readout | None = None
        if frozen:
            model.eval()

    @property
    def batch(self) -> int:
        """Texts in one batch; smaller after memory ran out."""
        return self.scorer.batch

    @batch.setter
    def batch(self, value: int) -> None:
        self.scorer.batch = value

    @abstractmethod
    def _decoder(self) -> Any:
        """The transformer below the scores."""

    @abstractmethod
    def _read(self) -> Readout:
        """The decoder with the weights that score options, as they stand."""

    def _readout(self) -> Readout:
        if not self.scorer.frozen:
            return self._read()
        if self._readout_kept is None:
            self._readout_kept = self._read()
        return self._readout_kept

    def _shape(self, form: str) -> str:
        return transformer.shape(
            f"{self.strategy}/{form}{'' if self.prompter.own is None else self.prompter.own.shape}",
            self._decoder(),
            self.prompter.cutoff,
            self.precision,
            len(self.prompter.class_tokens),
        )

    def scores(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Scores float32 [texts, classes] whose softmax is the uncalibrated answer."""
        prompts = self.prompter.encode(texts)
        count = max(1, len(texts))
        self.facts = {
            "texts_cut": prompts.cut,
            "texts_cut_rate": round(prompts.cut / count, 6),
            "texts_defused": prompts.defused,
            "prompt_tokens_per_text": prompts.mean_tokens,
        }
        # A frozen model stays in the mode it was settled in; looking would cost at every call.
        with nullcontext() if self.scorer.frozen else evaluating(self.model):
            scores = self.scorer.scores(self._readout(), prompts.ids)
        self.facts["tokens_read_per_text"] = round(self.scorer.read / count, 2)
        return scores

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text alone, as it is."""
        return self.prompter.lengths(texts)

    @property
    def text_length(self) -> TextLength:
        """Of a text in a prompt."""
        return self.prompter.text_length

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Class probabilities, float32 [texts, classes], in the order of the texts.

        Raises:
            Diverged: the weights are no longer finite.
        """
        scores = self.scores(texts)
        if self.bias is not None:
            scores = scores - np.asarray(self.bias, dtype=np.float32)
        return transformer.probabilities(scores)

    @property
    def asker(self) -> TypedAsker | None:
        """What answers any typed question with the same weights."""
        return typed_questions.asker(self, self._readout_of)

    @abstractmethod
    def _readout_of(self, wordings: Wordings) -> Readout | None:
        """What scores these wordings in place of its own; None where it does not have them."""

    def calibrate(self, way: str, texts: Sequence[str]) -> list[float]:
        """Sets the bias to what the model says of the classes whatever is asked; returns it.

        Args:
            way: one of `priors.WAYS` but the first.
            texts: of the training rows.
        """
        if way == priors.BATCH:
            self.bias = priors.of_mean(self.scores(priors.drawn(texts)))
        elif way == priors.DOMAIN:
            with nullcontext() if self.scorer.frozen else evaluating(self.model):
                alone = self.scorer.scores(self._readout(), [self.prompter.cue()])
            self.bias = priors.of_logs(alone)
        else:
            self.bias = priors.of_logs(self.scores(CONTENT_FREE))
        return self.bias

    @property
    def classes(self) -> int:
        """How many there are."""
        return len(self.prompter.class_tokens)

    def _write_settings(self, folder: Path, form: str) -> None:
        kept_prompter.write(
            folder,
            self.prompter,
            form=form,
            precision=self.precision,
            bias=self.bias,
            label_names=self.label_names,
        )


class OptionPredictor(_Scored):
    """A causal language model that is asked for the likeliest option.

    During training it is a live view of the model, peft-wrapped or not: it scores with, and
    saves, the weights as they stand, and leaves each module in the mode it found it in.

    Args:
        model: the causal language model.
        bias: per class, subtracted from the scores; see `calibrate`.
        label_names: for the config of a converted head; the options' wording where not given.
        frozen: whether the weights never change from now on.

    Raises:
        Refused: an architecture that can't be scored so.
    """

    form = OPTIONS

    def __init__(
        self,
        model: Any,
        prompter: Prompter,
        *,
        where: torch.device,
        precision: str,
        strategy: str,
        batch: int | None = None,
        bias: Sequence[float] | None = None,
        label_names: Sequence[str] | None = None,
        frozen: bool = False,
    ) -> None:
        option_scoring.check(model)
        super().__init__(
            model,
            prompter,
            where=where,
            precision=precision,
            strategy=strategy,
            batch=batch,
            bias=bias,
            label_names=label_names,
            frozen=frozen,
        )
        #: How the kept folder will serve.
        self.kept_form = HEAD if why_no_head(model, prompter) is None else OPTIONS
        self.serving_shape = self._shape(self.kept_form)

    def _decoder(self) -> Any:
        return decoder_of(self.model)

    def _read(self) -> Readout:
        return self._readout_of(self.prompter.wordings)

    def _readout_of(self, wordings: Wordings) -> Readout:
        return Readout.of(self.model, wordings)

    def save(self, folder: Path) -> None:
        """Writes a transformers folder, LoRA merged, and `settings.json`.

        A sequence classifier where `why_no_head` has no objection, else the causal language model.
        """
        folder.mkdir(parents=True, exist_ok=True)
        model = merged(self.model)
        if self.kept_form == HEAD:
            convert(model, self.prompter, self.label_names).save_pretrained(folder)
            if not tied(model):
                rows = Readout.of(model, self.prompter.wordings).weight
                save_file({"rows": rows.cpu().contiguous()}, folder / ROWS)
                if self.scorer.frozen:
                    typed_questions.keep_rows(model, self.prompter, folder)
        else:
            model.save_pretrained(folder)
        self._write_settings(folder, self.kept_form)


class HeadPredictor(_Scored):
    """A converted head: one forward pass, the last real token, the options' rows.

    Args:
        model: a sequence classifier of transformers, as `convert` makes it.
        rows: float32 [classes, width]: the options' rows of the `lm_head` it was made from,
            where that is not tied to the embedding.
        typed: such rows of what options of other questions are called.
    """

    form = HEAD

    def __init__(
        self,
        model: Any,
        prompter: Prompter,
        *,
        where: torch.device,
        precision: str,
        strategy: str,
        batch: int | None = None,
        bias: Sequence[float] | None = None,
        label_names: Sequence[str] | None = None,
        rows: torch.Tensor | None = None,
        typed: TypedRows | None = None,
    ) -> None:
        super().__init__(
            model,
            prompter,
            where=where,
            precision=precision,
            strategy=strategy,
            batch=batch,
            bias=bias,
            label_names=label_names,
            frozen=True,
        )
        self.rows = rows
        self.typed = typed
        self.serving_shape = self._shape(self.form)

    def _decoder(self) -> Any:
        return getattr(self.model, self.model.base_model_prefix)

    def _read(self) -> Readout:
        return Readout(self._decoder(), self.model.score.weight.detach().float())

    def _readout_of(self, wordings: Wordings) -> Readout | None:
        if self.rows is not None:
            weight = None if self.typed is None else self.typed.of_wordings(wordings)
        else:
            weight = self.model.get_input_embeddings().weight.detach()
            if wordings.single:
                weight = weight[[ids[0] for ids in wordings.tokens]]
        return None if weight is None else Readout(self._decoder(), weight.to(self.where).float())

    def forms(self) -> dict[str, Predictor]:
        """The other way to serve the same weights: scoring the options of the language model."""
        return {OPTIONS: _OptionsOfHead(self)}

    def save(self, folder: Path) -> None:
        """Writes the sequence classifier as a transformers folder, and `settings.json`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.model.save_pretrained(folder)
        if self.rows is not None:
            save_file({"rows": self.rows.cpu().contiguous()}, folder / ROWS)
        if self.typed is not None:
            self.typed.write(folder)
        self._write_settings(folder, HEAD)


class _OptionsOfHead(HeadPredictor):
    """Option scoring with the weights a head was made from: the language model's own rows."""

    form = OPTIONS

    def __init__(self, head: HeadPredictor) -> None:
        super().__init__(
            head.model,
            head.prompter,
            where=head.where,
            precision=head.precision,
            strategy=head.strategy,
            batch=head.batch,
            bias=head.bias,
            label_names=head.label_names,
            rows=head.rows,
            typed=head.typed,
        )

    def _readout(self) -> Readout:
        # As with a language model, the rows are looked up at each call.
        return self._read()

    def _read(self) -> Readout:
        if self.rows is not None:
            return Readout(self._decoder(), self.rows.to(self.where))
        weight = self.model.get_input_embeddings().weight
        tokens = [ids[0] for ids in self.prompter.class_tokens]
        return Readout(self._decoder(), weight[torch.tensor(tokens)].detach().float())

    def forms(self) -> dict[str, Predictor]:
        """None besides itself."""
        return {}


def load_language_model(source: Source, where: torch.device, *, kept: bool = False) -> Loaded:
    """A causal language model in float32, in evaluation mode.

    Args:
        kept: whether a predictor saved it, as `weights.load` has it.

    Raises:
        ModelError: it can't be loaded.
    """
    loaded = weights.load("language model", source, kept=kept)
    loaded.model.to(where).eval().requires_grad_(False)
    return loaded


def load(folder: Path, strategy: str, *, asks: bool = False) -> Predictor:
    """Reads what any of these predictors saved; computes in the precision it was scored in.

    Args:
        asks: whether the model was not taught, and may be asked other questions too.

    Raises:
        ModelError: the folder is not that.
    """
    kept = settings.read(folder, PromptedSettings)
    source = Source(str(folder))
    where = transformer.device()
    config = transformer.load_config(source)
    codec = transformer.load_codec(source, config)
    precision = transformer.supported(kept.precision, where, transformer.width_of(config))
    prompter = kept_prompter.read(folder, kept, codec, config)
    how: dict[str, Any] = {
        "where": where,
        "precision": precision,
        "strategy": strategy,
        "label_names": kept.label_names,
    }
    predictor: HeadPredictor | ThinkingPredictor | OptionPredictor
    if kept.form == HEAD:
        width = transformer.width_of(config)
        predictor = HeadPredictor(
            _load_head(source, kept, precision, where), prompter, bias=kept.bias,
            rows=_load_rows(folder, len(kept.label_names), width),
            typed=TypedRows.read(folder, width), **how,
        )  # fmt: skip
    else:
        model = load_language_model(source, where, kept=True).model
        if kept.max_new_tokens is not None:
            option_scoring.settle(model, precision)
            predictor = ThinkingPredictor(
                model, prompter, max_new_tokens=kept.max_new_tokens, **how
            )
        else:
            option_scoring.settle(decoder_of(model), precision)
            predictor = OptionPredictor(model, prompter, bias=kept.bias, frozen=True, **how)
    if asks:
        predictor.positions = codec.max_tokens
    return predictor


def _load_head(source: Source, kept: PromptedSettings, precision: str, where: torch.device) -> Any:
    """A converted head, whose outputs are the options."""
    model = weights.load("classifier", source, kept=True).model
    if model.config.num_labels != len(kept.label_names):
        raise ModelError(
            f"the model tells {counted(model.config.num_labels, 'class', 'classes')} apart, and "
            f"settings.json names {len(kept.label_names)}",
            where=source.where,
            fix=settings.FIX,
        )
    model.to(where).eval().requires_grad_(False)
    option_scoring.settle(getattr(model, model.base_model_prefix), precision)
    return model


def _load_rows(folder: Path, classes: int, width: int) -> torch.Tensor | None:
    """The options' rows of an `lm_head` that was not tied, or None where it was."""
    if not (folder / ROWS).exists():
        return None
    found = arrays.read(folder / ROWS, {"rows": Form((classes, width))})
    return torch.from_numpy(found["rows"])
