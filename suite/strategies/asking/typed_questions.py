"""Any typed question, answered by the model of a zero_shot arm: scored options, nothing generated.

A request's questions are prompts that begin alike: the state is read once, and its keys and values
serve all of them. Options are called by letters, beyond 26 by two letters or a number, and each
question's probabilities are those of its own codes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from safetensors.torch import save_file

from suite.contracts.strategy import Refused
from suite.contracts.typed import MOST_OPTIONS, Answers, TooLong, TypedQuestion
from suite.prompting import codes as coding
from suite.prompting.chat import Prompter
from suite.prompting.codes import Codes
from suite.prompting.frame import Frame
from suite.prompting.typed import TypedLayout
from suite.prompting.wordings import Wordings
from suite.strategies.asking import option_scoring
from suite.strategies.asking.option_scoring import OptionScorer, Readout
from suite.strategies.network import arrays
from suite.strategies.network.arrays import Form
from suite.strategies.network.softmax import softmax
from suite.strategies.network.transformer import Diverged

#: Tokens of one request's prompts together: the official server's budget.
MOST_TOKENS = 65_536

#: Rows of what options are called, where `lm_head` is not tied to the embedding.
ROWS = "typed_rows.safetensors"

_FEW = len(coding.LETTERS)


@dataclass(frozen=True)
class Codebook:
    """What options are called: up to 26 of a question by letters, more by other codes.

    Args:
        few, many: with their tokens. `many` has as few as none, where the tokenizer has no more.
    """

    few: Codes
    many: Codes

    @classmethod
    def of(cls, tokenizer: Any, cue: str, frame: Frame) -> Codebook:
        """A tokenizer's.

        Args:
            cue: the end of every turn.

        Raises:
            Refused: it does not even write letters in one token each.
        """
        end = cue + frame.tail
        few, prefix = coding.choose_behind(tokenizer, _FEW, end, prefix=frame.prefix)
        try:
            many = coding.choose(tokenizer, MOST_OPTIONS, end, prefix=prefix)
        except Refused:
            many = Codes((), ())
        return cls(few, many)

    @property
    def most(self) -> int:
        """Options of a question."""
        return max(len(self.few.names), len(self.many.names))

    @property
    def wordings(self) -> Wordings:
        """All codes, the few first. That one begins another is no matter: never are both the same
        question's."""
        return Wordings.of_codes(
            Codes(self.few.names + self.many.names, self.few.tokens + self.many.tokens)
        )

    def of_question(self, options: int) -> tuple[Sequence[str], slice]:
        """The codes of so many options, and where their scores stand among all."""
        if options <= _FEW:
            return self.few.names[:options], slice(0, options)
        return self.many.names[:options], slice(_FEW, _FEW + options)


@dataclass(frozen=True)
class TypedRows:
    """Rows of an `lm_head` that is kept beside a head, by which other questions are answered.

    Args:
        tokens: whose rows they are, int64 [tokens].
        rows: float32 [tokens, width].
    """

    tokens: torch.Tensor
    rows: torch.Tensor

    def of_wordings(self, wordings: Wordings) -> torch.Tensor | None:
        """The rows of wordings of one token each, in their order; None where one is not kept."""
        place = {token: index for index, token in enumerate(self.tokens.tolist())}
        if not wordings.single or not all(ids[0] in place for ids in wordings.tokens):
            return None
        return self.rows[[place[ids[0]] for ids in wordings.tokens]]

    def write(self, folder: Path) -> None:
        """Into a predictor's folder."""
        save_file({"tokens": self.tokens, "rows": self.rows}, folder / ROWS)

    @classmethod
    def read(cls, folder: Path, width: int) -> TypedRows | None:
        """What `write` wrote; None where nothing is.

        Raises:
            ModelError: the file is damaged.
        """
        if not (folder / ROWS).exists():
            return None
        form = {"tokens": Form(("tokens",), "I64"), "rows": Form(("tokens", width))}
        found = arrays.read(folder / ROWS, form)
        return cls(torch.from_numpy(found["tokens"]), torch.from_numpy(found["rows"]))


def keep_rows(model: Any, prompter: Prompter, folder: Path) -> None:
    """Writes the rows of a causal language model's `lm_head` by which other questions are answered:
    of what options may be called in one token each."""
    try:
        wordings = _codebook(prompter).wordings
    except Refused:
        return
    single = sorted({ids[0] for ids in wordings.tokens if len(ids) == 1})
    codes = Codes(("",) * len(single), tuple((token,) for token in single))
    rows = Readout.of(model, Wordings.of_codes(codes)).weight
    TypedRows(torch.tensor(single), rows.cpu().contiguous()).write(folder)


class Prompted(Protocol):
    """A predictor whose model may be asked other questions."""

    prompter: Prompter
    where: torch.device
    precision: str
    positions: int | None


def asker(
    predictor: Prompted, readout_of: Callable[[Wordings], Readout | None]
) -> TypedAsker | None:
    """What answers any question with a predictor's model; None where the model was taught its own
    question, or its tokenizer can't call options by anything.

    Args:
        readout_of: makes, of wordings, what scores them; None where their rows are not kept.
    """
    prompter, limit = predictor.prompter, predictor.positions
    if limit is None:
        return None
    try:
        codes = _codebook(prompter)
    except Refused:
        return None
    readout = readout_of(codes.wordings)
    if readout is None:
        codes = replace(codes, many=Codes((), ()))
        readout = readout_of(codes.wordings)
    if readout is None:
        return None
    scorer = OptionScorer(
        codes.wordings,
        pad_id=prompter.pad_id,
        where=predictor.where,
        precision=predictor.precision,
        frozen=True,
    )
    frame, layout = _around(prompter)
    return TypedAsker(prompter.tokenizer, layout, frame, codes, readout, scorer, limit=limit)


def _around(prompter: Prompter) -> tuple[Frame, TypedLayout]:
    layout = TypedLayout(prompter.question.language, prompter.marks)
    return Frame.of(prompter.tokenizer, think=False), layout


def _codebook(prompter: Prompter) -> Codebook:
    frame, layout = _around(prompter)
    return Codebook.of(prompter.tokenizer, layout.cue, frame)


class TypedAsker:
    """Answers typed questions; satisfies `Asker`.

    Args:
        tokenizer: of the model.
        frame: what its chat format puts around a turn that is answered at once.
        codes: what options are called.
        readout: scores them.
        scorer: of their wordings; nobody else's.
        limit: positions that the model has.
    """

    def __init__(
        self,
        tokenizer: Any,
        layout: TypedLayout,
        frame: Frame,
        codes: Codebook,
        readout: Readout,
        scorer: OptionScorer,
        *,
        limit: int,
    ) -> None:
        self._tokenizer = tokenizer
        self._layout = layout
        self._frame = frame
        self._codes = codes
        self._readout = readout
        self._scorer = scorer
        self._limit = limit

    @property
    def options(self) -> int:
        """Most of a question."""
        return self._codes.most

    def ask(self, state: str, questions: Sequence[TypedQuestion]) -> Answers:
        """Answers to all the questions; the state is read once.

        Raises:
            TooLong: a prompt is longer than the model reads, or all are more than one request may
                ask.
        """
        asked = [self._codes.of_question(len(question.options)) for question in questions]
        # Hundreds of questions about a state that is too long are not read to say so.
        place = max(range(len(questions)), key=lambda number: _length(questions[number]))
        prompts = self._prompts(state, questions[place : place + 1], [asked[place][0]])
        if len(questions) > 1 and len(prompts[0]) < self._limit:
            prompts = self._prompts(state, questions, [names for names, _ in asked])
        longest = max(map(len, prompts))
        if longest >= self._limit:
            raise TooLong("the state with its longest question takes", longest, self._limit - 1)
        shared: Sequence[int] = []
        if len(prompts) > 1:  # At least one token of each is behind it, also of two alike.
            shared = option_scoring.common_beginning([prompt[:-1] for prompt in prompts])
        tokens = len(shared) + sum(len(prompt) - len(shared) for prompt in prompts)
        if tokens > MOST_TOKENS:
            raise TooLong("the request takes", tokens, MOST_TOKENS)
        self._scorer.begin(shared)
        try:
            scores = self._scorer.scores(self._readout, prompts)
        finally:
            self._scorer.begin([])  # What was read of a state is nobody else's.
        own = [row[place].astype(np.float64) for row, (_, place) in zip(scores, asked, strict=True)]
        if not all(np.isfinite(row).all() for row in own):
            raise Diverged("the model's outputs are not finite numbers")
        return Answers([softmax(row) for row in own], tokens)

    def _prompts(
        self, state: str, questions: Sequence[TypedQuestion], codes: Sequence[Sequence[str]]
    ) -> list[list[int]]:
        whole = [
            self._frame.whole(self._layout.content(state, question, names))
            for question, names in zip(questions, codes, strict=True)
        ]
        found: list[list[int]] = self._tokenizer(
            whole, add_special_tokens=False, return_attention_mask=False
        )["input_ids"]
        return found


def _length(question: TypedQuestion) -> int:
    """Characters of all that it says."""
    said = [(option.name, option.about) for option in question.options]
    return sum(len(text or "") for texts in [(question.instructions,), *said] for text in texts)
