"""A model behind a server as a predictor: the question goes out, probabilities come back.

Where the server gives the log-probabilities of its first answer token, the options among them
are scored as a local model's are. Where it does not, or the model thinks before it answers, the
answer's text is read instead and all probability goes to the option it names. A text without a
readable answer has a row of zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from suite.config import jsonfile
from suite.contracts.cutting import HEAD
from suite.contracts.language import language_of
from suite.contracts.model import Model
from suite.contracts.strategy import Probabilities, Run, TextLength
from suite.contracts.task import Task
from suite.endpoint import Answer, Endpoint
from suite.endpoint.asking import Bounds
from suite.errors import ModelError
from suite.prompting import codes as coding
from suite.prompting import layout
from suite.prompting.answers import parse
from suite.prompting.layout import (
    CONTENT_FREE,
    EXAMPLE_TOKENS,
    Question,
    Variant,
)
from suite.strategies.asking import served
from suite.strategies.asking.endpoint_answers import final_text, scores
from suite.strategies.asking.served import ServedPredictor, prepare
from suite.strategies.asking.settings import EndpointSettings
from suite.strategies.network.settings import FIX, MOST_BYTES, SETTINGS
from suite.strategies.network.softmax import softmax

#: Tokens asked for without thinking: one would do, some models say "The answer is" first.
ANSWER_TOKENS = 16
THINKING_TOKENS = 2048
#: Most alternatives that OpenAI's servers and vLLM give for a token.
TOP_LOGPROBS = 20


@dataclass(frozen=True)
class Settings:
    """All that makes a predictor, as plain JSON. The key is not part of it.

    Args:
        url: the server's address.
        model: the name the server knows the model by.
        bias: log-probability of each option on content-free input; subtracted.
        text_limit: characters a text may have.
        cutting: what is sent of a longer one.
    """

    url: str
    model: str
    question: Question
    think: bool
    max_new_tokens: int
    text_limit: int
    temperature: float
    concurrency: int
    timeout: float
    bias: tuple[float, ...] | None = None
    cutting: str = HEAD


class EndpointPredictor(ServedPredictor[Settings, Endpoint]):
    """Asks a server for each text.

    Args:
        model: with `endpoint` (the address) and `endpoint_model`.
        question: with letters for codes (`for_task` makes it).
        think: whether the model is to think first; its answer is then read as text.
        bias: as in `Settings`; None for no calibration.
        max_new_tokens: 16, or 2,048 with thinking.
        text_limit: characters of a text; by the task's `max_tokens` otherwise.
        timeout: seconds for one try; 60, or 600 with thinking.
        keep: whether answers are kept and taken from those that were.
        cutting: what is sent of a longer text.

    Raises:
        EndpointError: an address that can't be one, or a key that no header can carry.
    """

    format = "endpoint"

    def __init__(
        self,
        model: Model,
        task: Task,
        question: Question,
        *,
        think: bool = False,
        bias: Sequence[float] | None = None,
        max_new_tokens: int | None = None,
        text_limit: int | None = None,
        temperature: float = 0.0,
        concurrency: int = 8,
        timeout: float | None = None,
        keep: bool = True,
        cutting: str = HEAD,
    ) -> None:
        if model.endpoint is None:
            raise ModelError(f"the model '{model.name}' has no endpoint")
        super().__init__(
            Settings(
                url=model.endpoint,
                model=model.endpoint_model or model.name,
                question=question,
                think=think,
                max_new_tokens=max_new_tokens or (THINKING_TOKENS if think else ANSWER_TOKENS),
                text_limit=text_limit or served.text_limit(task),
                temperature=temperature,
                concurrency=concurrency,
                timeout=timeout or (600.0 if think else 60.0),
                bias=None if bias is None else tuple(bias),
                cutting=cutting,
            ),
            keep=keep,
        )

    def _server(self, **bounds: Unpack[Bounds]) -> Endpoint:
        return Endpoint(self.settings.url, self.settings.model, **bounds)

    def _shape(self) -> str:
        settings, question = self.settings, self.settings.question
        length = len(question.before) + len(question.after)
        return (
            f"endpoint {settings.url} {settings.model} think={settings.think} "
            f"new={settings.max_new_tokens} prompt={length}"
        )

    @classmethod
    def of_run(
        cls,
        run: Run,
        *,
        think: bool,
        examples: Sequence[tuple[str, int]] = (),
        variant: Variant | None = None,
        calibrate: bool = False,
        max_new_tokens: int | None = None,
    ) -> EndpointPredictor:
        """The predictor of a trial; calibrated, where asked and the server gives logprobs.

        Args:
            examples: training texts with their class index, shown in the prompt.
            variant: of the prompt; by the trial's hyperparameters where None.

        Raises:
            Refused: a variant that is none, or more classes than codes.
            EndpointError: the server can't be asked (calibration asks it).
        """
        chosen = Variant.of(run.params) if variant is None else variant
        predictor = cls(
            run.model,
            run.task,
            for_task(run.task, chosen, think=think, examples=examples),
            think=think,
            max_new_tokens=max_new_tokens,
            cutting=chosen.cutting,
        )
        if calibrate:
            predictor.calibrate()
        return predictor

    def calibrate(self) -> bool:
        """Sets the bias from content-free inputs; False where there are no log-probabilities."""
        if not self._scores:  # Nothing would be read from what is paid for.
            return False
        answers = self._ask([self.settings.question.content(text) for text in CONTENT_FREE])
        rows = [self._scored(answer) for answer in answers]
        if any(row is None for row in rows):
            return False
        logs = [np.log(softmax(row)) for row in rows if row is not None]
        bias = tuple(float(value) for value in np.mean(logs, axis=0))
        self.settings = replace(self.settings, bias=bias)
        return True

    @property
    def classes(self) -> int:
        """How many there are."""
        return len(self.settings.question.codes)

    @property
    def text_length(self) -> TextLength:
        """In characters: the server's tokenizer is not at hand."""
        return TextLength(
            lambda texts: [len(text) for text in texts], self.settings.text_limit, "character"
        )

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Class probabilities, float32 [texts, classes]; a row of zeros where no answer came.

        Raises:
            EndpointError: the server can't be asked; what it answered before is kept.
        """
        settings, endpoint = self.settings, self.endpoint
        prepared = [prepare(text, settings.text_limit, settings.cutting) for text in texts]
        answers = self._ask([settings.question.content(one.text) for one in prepared])
        found = np.zeros((len(texts), len(settings.question.codes)), dtype=np.float32)
        scored = unanswered = unclosed = 0
        for row, answer in enumerate(answers):
            own = self._scored(answer)
            if own is not None:
                bias = 0.0 if settings.bias is None else np.asarray(settings.bias)
                found[row] = softmax(own - bias)
                scored += 1
                continue
            said = final_text(answer, think=settings.think)
            unclosed += said is None
            position = (
                None
                if said is None
                else parse(said, settings.question.codes, settings.question.words)
            )
            if position is None:
                unanswered += 1
            else:
                found[row, position] = 1.0
        count = max(1, len(texts))
        cut = sum(one.cut for one in prepared)
        tokens = [a.completion_tokens for a in answers if a.completion_tokens is not None]
        asked = [a.prompt_tokens for a in answers if a.prompt_tokens is not None]
        self.facts = {
            "unanswered_rate": round(unanswered / count, 6),
            "unclosed_rate": round(unclosed / count, 6),
            "with_logprobs": scored,
            "calibrated": settings.bias is not None and scored > 0,
            "texts_cut": cut,
            "texts_cut_rate": round(cut / count, 6),
            "texts_defused": sum(one.defused for one in prepared),
            "tokens_per_text": round(sum(tokens) / len(tokens), 3) if tokens else None,
            "prompt_tokens_per_text": round(sum(asked) / len(asked), 2) if asked else None,
            "seconds_per_text": round(sum(a.seconds for a in answers) / count, 4),
            "endpoint": endpoint.facts,
        }
        return found

    @classmethod
    def load(cls, folder: Path, *, keep: bool = True) -> EndpointPredictor:
        """What `save` wrote.

        Raises:
            ModelError: the folder holds something else.
        """
        kept = jsonfile.load(folder / SETTINGS, EndpointSettings, most=MOST_BYTES, fix=FIX)
        settings = Settings(
            **kept.model_dump(exclude={"format", "question", "bias"}),
            question=Question.from_json(kept.question.model_dump()),
            bias=None if kept.bias is None else tuple(kept.bias),
        )
        return cls._of(settings, keep=keep)

    def _ask(self, contents: Sequence[str]) -> list[Answer]:
        settings = self.settings
        return self.endpoint.ask(
            [[{"role": "user", "content": content}] for content in contents],
            max_tokens=settings.max_new_tokens,
            logprobs=TOP_LOGPROBS if self._scores else None,
            temperature=settings.temperature,
            think=settings.think,
        )

    @property
    def _scores(self) -> bool:
        """Whether one token tells the options apart: single letters, and no thought before."""
        codes = self.settings.question.codes
        return not self.settings.think and all(len(code) == 1 for code in codes)

    def _scored(self, answer: Answer) -> NDArray[np.float64] | None:
        """Log-probability of each option at the answer's first token; None where none is there."""
        return scores(answer, self.settings.question.codes) if self._scores else None


def for_task(
    task: Task,
    variant: Variant,
    *,
    think: bool,
    examples: Sequence[tuple[str, int]] = (),
) -> Question:
    """The question for a server whose tokenizer is not at hand; examples are shortened, defused.

    Raises:
        Refused: more classes than two-letter codes can name.
    """
    listed = layout.positions(task, variant.order)
    given = layout.prompt_of(task).codes
    names: Sequence[str] = [given[index] for index in listed] if given else ()
    names = names or coding.plain(len(listed), variant.codes)
    limit = EXAMPLE_TOKENS * language_of(task.language).characters_per_token
    shown = [(prepare(text, limit).text, label) for text, label in examples]
    mark = variant.no_think_mark and not think
    return layout.question(task, names, variant, examples=shown, mark=mark)
