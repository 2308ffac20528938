"""The predictor that lets a model think, and reads the option out of what it wrote."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from suite.contracts.strategy import Probabilities, TextLength
from suite.prompting.answers import after_thinking, parse
from suite.prompting.chat import Prompter
from suite.strategies.asking import generation, kept_prompter, option_scoring, typed_questions
from suite.strategies.asking.conversion import merged
from suite.strategies.asking.option_scoring import Readout, decoder_of
from suite.strategies.asking.typed_questions import TypedAsker
from suite.strategies.network import transformer

GENERATION = "generation"

#: Most prompts whose answers are generated at once.
_GENERATED_AT_ONCE = {"cpu": 16, "cuda": 64}


def generated_at_once(device: str) -> int:
    """Most prompts that are answered at once on a device of this kind."""
    return _GENERATED_AT_ONCE.get(device, _GENERATED_AT_ONCE["cpu"])


class ThinkingPredictor:
    """A causal language model that thinks before it names an option.

    The first option after `</think>` gets all probability; a text whose thinking never closed,
    or whose answer names no option, has a row of zeros. `facts` says how many, and what the
    thinking cost.

    Args:
        prompter: one with `think`.
        max_new_tokens: most tokens of thinking and answer together.
    """

    form = GENERATION
    steady = False
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
        max_new_tokens: int,
        batch: int | None = None,
        label_names: Sequence[str] | None = None,
    ) -> None:
        self.model = model
        self.prompter = prompter
        self.where = where
        self.precision = precision
        self.strategy = strategy
        self.max_new_tokens = max_new_tokens
        self.batch = batch or generated_at_once(where.type)
        self.label_names = list(label_names or prompter.question.words)
        #: Circumstances of the last `predict_proba`.
        self.facts: dict[str, Any] = {}
        decoder = decoder_of(model)
        self.serving_shape = (
            transformer.shape(
                f"{strategy}/{self.form}{'' if prompter.own is None else prompter.own.shape}",
                decoder,
                prompter.cutoff,
                precision,
                len(prompter.class_tokens),
            )
            + f"|{max_new_tokens}"
        )

    def write(self, texts: Sequence[str]) -> generation.Written:
        """What the model writes on each text, thinking included."""
        prompts = self.prompter.encode(texts)
        written = generation.write(
            self.model,
            self.prompter.tokenizer,
            prompts.ids,
            max_new_tokens=self.max_new_tokens,
            where=self.where,
            precision=self.precision,
            batch=self.batch,
            pad_id=self.prompter.pad_id,
        )
        self.batch = written.batch
        self.facts = {
            "texts_cut": prompts.cut,
            "texts_cut_rate": round(prompts.cut / max(1, len(texts)), 6),
            "texts_defused": prompts.defused,
            "prompt_tokens_per_text": prompts.mean_tokens,
        }
        return written

    @property
    def classes(self) -> int:
        """How many there are."""
        return len(self.prompter.class_tokens)

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text alone, as it is."""
        return self.prompter.lengths(texts)

    @property
    def text_length(self) -> TextLength:
        """Of a text in a prompt."""
        return self.prompter.text_length

    @property
    def asker(self) -> TypedAsker | None:
        """What answers any typed question with the same weights, without thinking."""
        if option_scoring.refusal(self.model) is not None:
            return None
        return typed_questions.asker(self, partial(Readout.of, self.model))

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """1 at the class that was named, float32 [texts, classes]; zeros where none was."""
        question = self.prompter.question
        found = np.zeros((len(texts), len(question.codes)), dtype=np.float32)
        written = self.write(texts)
        unclosed = unanswered = 0
        for row, text in enumerate(written.texts):
            # What the limit cut off before a thought closed was thought, marked or not.
            cut = written.tokens[row] >= self.max_new_tokens
            said = after_thinking(text, opened=cut or self.prompter.frame.opened)
            named = None if said is None else parse(said, question.codes, question.words)
            unclosed += said is None
            unanswered += named is None
            if named is not None:
                found[row, named] = 1.0
        count = max(1, len(texts))
        self.facts |= {
            "unclosed_rate": round(unclosed / count, 6),
            "unanswered_rate": round(unanswered / count, 6),
            "tokens_per_text": round(sum(written.tokens) / count, 3),
            "seconds_per_text": round(written.seconds / count, 4),
        }
        return found

    def save(self, folder: Path) -> None:
        """Writes the causal language model as a transformers folder, LoRA merged, and settings."""
        folder.mkdir(parents=True, exist_ok=True)
        merged(self.model).save_pretrained(folder)
        kept_prompter.write(
            folder,
            self.prompter,
            form=self.form,
            precision=self.precision,
            max_new_tokens=self.max_new_tokens,
            label_names=self.label_names,
        )
