"""Thoughts of a model that thinks, about a task's training rows, for a smaller one to learn from.

A model (behind a server, or local) is asked the task's question with thinking on. Where its
answer is right, the thought is kept, one JSON line per row, and the `sft` arm can train on it
(`think: distilled`). Rows whose answer was wrong are remembered beside them, so that going on
asks nothing twice. Only training rows are ever asked about: validation and test stay unseen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from suite import paths
from suite.contracts.language import language_of
from suite.contracts.model import Model
from suite.contracts.strategy import Refused, Rows
from suite.contracts.task import Task
from suite.data.appended import alone, appending
from suite.data.named import rows_of
from suite.data.room import Room
from suite.endpoint import Answer, Endpoint, reach
from suite.errors import EndpointError, ModelError, counted
from suite.models import hub
from suite.prompting.answers import THINK_CLOSES, THINK_OPENS, parse
from suite.prompting.layout import Variant
from suite.prompting.traces import (
    Missed,
    Outcome,
    Trace,
    defused,
    missed_file,
    read_missed,
    read_traces,
    text_key,
    write_line,
)

#: Answers without any thought after which asking on is in vain.
PATIENCE = 8
#: What models that think are published with (greedy thinking is known to go in circles).
TEMPERATURE = 0.6
MAX_TOKENS = 2048
#: What is kept, for messages.
_THOUGHTS = "thoughts"


@dataclass(frozen=True)
class Said:
    """A model's thought and answer. No thought: it did not think. No answer: it never closed."""

    thought: str | None
    answer: str | None
    tokens: int | None = None


@dataclass
class Progress:
    """How far it is.

    Args:
        rows: to be asked about in all.
        before: of them, done by earlier runs.
        outcomes: of this run's rows.
    """

    file: Path
    rows: int
    before: int = 0
    kept_before: int = 0
    skipped: int = 0
    outcomes: dict[Outcome, int] = field(default_factory=dict)
    tokens: int = 0
    seconds: float = 0.0

    @property
    def asked(self) -> int:
        """Rows asked about in this run."""
        return sum(self.outcomes.values())

    @property
    def kept(self) -> int:
        """Traces there are now for these rows."""
        return self.kept_before + self.outcomes.get("right", 0)

    @property
    def left(self) -> float | None:
        """Seconds left at this run's pace; None before the first answer."""
        if not self.asked:
            return None
        return self.seconds / self.asked * (self.rows - self.before - self.asked)


class Thinker(Protocol):
    """Whoever thinks."""

    name: str
    max_tokens: int
    codes: tuple[str, ...]
    words: tuple[str, ...]

    def each(self, texts: Sequence[str]) -> Generator[tuple[int, Said], None, None]:
        """What is said about each text, with its position, as it comes."""
        ...


def training_rows(
    name: str,
    *,
    data_folder: Path | None = None,
    use_sample: bool = False,
    room: Room | None = None,
) -> tuple[Task, Rows]:
    """A task and the rows a study trains on: validation is carved off as a study does it.

    They stand in an order of which every beginning is a stratified sample.

    Args:
        name: a shipped task's name, or a task file's path.
        data_folder: stands in for the task's source.
        use_sample: the bundled sample, as the task `NAME-sample`.
        room: how much of the rows may be in memory at once.

    Raises:
        SuiteError: no such task, or no rows.
    """
    task, loaded = rows_of(name, folder=data_folder, use_sample=use_sample, room=room)
    return task, loaded.train


def distil(
    task: Task,
    rows: Rows,
    thinker: Thinker,
    *,
    limit: int | None = None,
    watch: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Asks about the rows that have no line yet, and writes each answer down as it comes.

    Args:
        rows: training rows, as `training_rows` gives them.
        limit: only the first so many (a stratified part).
        watch: told after every answer.

    Raises:
        EndpointError: the server can't be asked, or the model does not think.
        StorageError: the file can't be written, or another process writes it.
        DataError: the file holds something else.
    """
    file = paths.distilled(task.name)
    names = task.label_names
    with alone(file, _THOUGHTS):
        found = _wanted(rows.take(range(min(limit or len(rows), len(rows)))))
        progress = Progress(file, rows=len(found.rows), skipped=found.skipped)
        traces = {(t.key, t.label) for t in read_traces(file)}
        missed = {
            (m.key, m.label)
            for m in read_missed(missed_file(file))
            if m.model == thinker.name
            # More tokens may let a thought come to its end.
            and not (m.outcome == "unclosed" and m.max_tokens < thinker.max_tokens)
        }
        texts: list[str] = []
        labels: list[int] = []
        for text, label in zip(found.rows.texts, found.rows.labels, strict=True):
            row = (text_key(text), names[label])
            if row in traces or row in missed:
                progress.before += 1
                progress.kept_before += row in traces
            else:
                texts.append(text)
                labels.append(label)
        watch(progress)
        if texts:
            with (
                appending(file, _THOUGHTS) as right,
                appending(missed_file(file), _THOUGHTS) as wrong,
            ):
                _Scribe(task, thinker, progress, right, wrong, watch).write(texts, labels)
    return progress


def split(text: str, *, reasoning: str | None = None, cut: bool = False) -> Said:
    """Thought and answer in what a model wrote.

    Args:
        reasoning: the thought, where a server gives it apart.
        cut: it ran out of tokens.

    >>> split("<think>\\nIt is about mail.\\n</think>\\n\\nA")
    Said(thought='It is about mail.', answer='A', tokens=None)
    """
    if reasoning is not None:
        return Said(reasoning.strip(), text.strip() or None)
    if THINK_CLOSES in text:
        thought, _, answer = text.rpartition(THINK_CLOSES)
        return Said(thought.strip().removeprefix(THINK_OPENS).strip(), answer.strip())
    if THINK_OPENS in text or cut:
        return Said(text.partition(THINK_OPENS)[2].strip() or text.strip(), None)
    return Said(None, text.strip())


class ServedThinker:
    """A model behind a server. Its own files are the record of what was paid for, so answers are
    not kept a second time.

    Raises:
        EndpointError: an address that can't be one.
        ModelError: more classes than option codes.
    """

    def __init__(
        self,
        model: Model,
        task: Task,
        *,
        concurrency: int = 8,
        max_tokens: int = MAX_TOKENS,
        timeout: float = 600.0,
        temperature: float = TEMPERATURE,
        backoff: float = 0.5,
    ) -> None:
        from suite.strategies.asking.endpoint_predictor import for_task

        assert model.endpoint is not None
        try:
            self._question = for_task(task, Variant(), think=True)
        except Refused as refusal:
            raise ModelError(str(refusal)) from None
        self.name = model.endpoint_model or model.name
        self.max_tokens = max_tokens
        self.codes, self.words = self._question.codes, self._question.words
        self.endpoint = Endpoint(
            model.endpoint, self.name, concurrency=concurrency, timeout=timeout, backoff=backoff
        )
        self._temperature = temperature
        self._limit = task.max_tokens * language_of(task.language).characters_per_token

    def check(self) -> None:
        """Asks the server whether it is there and has the model.

        Raises:
            EndpointError: it is not, or has not.
        """
        reason = self.endpoint.check()
        if reason is not None:
            raise EndpointError(reason)

    def each(self, texts: Sequence[str]) -> Generator[tuple[int, Said], None, None]:
        """See `Thinker`."""
        from suite.strategies.asking.served import prepare

        questions = [
            [{"role": "user", "content": self._question.content(prepare(text, self._limit).text)}]
            for text in texts
        ]
        with closing(
            self.endpoint.each(
                questions, max_tokens=self.max_tokens, temperature=self._temperature, think=True
            )
        ) as answers:
            for position, answer in answers:
                yield position, _said(answer)


def _said(answer: Answer) -> Said:
    found = split(answer.text, reasoning=answer.reasoning, cut=answer.finish_reason == "length")
    return Said(found.thought, found.answer, answer.completion_tokens)


class LocalThinker:
    """A local causal language model with a think block in its chat template.

    Raises:
        ModelError: it can't be loaded, or can't think.
    """

    def __init__(self, model: Model, task: Task, *, max_tokens: int = MAX_TOKENS) -> None:
        from suite.prompting.chat import Prompter
        from suite.strategies.asking import prompted
        from suite.strategies.asking.thinking import ThinkingPredictor
        from suite.strategies.network import transformer
        from suite.strategies.network.sources import Source

        where = transformer.device()
        weights_at = hub.folder_for(model)
        if weights_at is None:
            reason = reach.unavailable(model) or "it is built anew for each task and knows nothing"
            raise ModelError(f"{model.name} can't think here: {reason}", where="--model")
        source = Source(str(weights_at))
        config = transformer.load_config(source)
        codec = transformer.load_codec(source, config, model.max_tokens)
        try:
            prompter = Prompter.build(
                codec.tokenizer,
                task,
                limit=codec.max_tokens,
                variant=Variant(),
                think=True,
                reserve=max_tokens,
            )
        except Refused as refusal:
            raise ModelError(str(refusal), where=f"--model {model.name}") from None
        precision = transformer.precision_for(where, transformer.width_of(config))
        weights = prompted.load_language_model(source, where).model
        transformer.freeze(weights, precision)
        self.name = model.name
        self.max_tokens = max_tokens
        self.codes, self.words = prompter.question.codes, prompter.question.words
        self._predictor = ThinkingPredictor(
            weights,
            prompter,
            where=where,
            precision=precision,
            strategy="distil",
            max_new_tokens=max_tokens,
        )

    def each(self, texts: Sequence[str]) -> Generator[tuple[int, Said], None, None]:
        """See `Thinker`. A batch at a time."""
        start = 0
        while start < len(texts):
            some = texts[start : start + self._predictor.batch]
            written = self._predictor.write(some)
            for offset, (text, tokens) in enumerate(
                zip(written.texts, written.tokens, strict=True)
            ):
                found = split(text, cut=tokens >= self.max_tokens)
                yield start + offset, Said(found.thought, found.answer, tokens)
            start += len(some)


class _Scribe:
    """Writes answers down as they come."""

    def __init__(
        self,
        task: Task,
        thinker: Thinker,
        progress: Progress,
        right: IO[str],
        wrong: IO[str],
        watch: Callable[[Progress], None],
    ) -> None:
        self.task = task
        self.thinker = thinker
        self.progress = progress
        self.right = right
        self.wrong = wrong
        self.watch = watch

    def write(self, texts: Sequence[str], labels: Sequence[int]) -> None:
        names = self.task.label_names
        begun = time.monotonic()
        thinks = self.progress.kept_before > 0
        #: Written once the model is known to think at all: else, asking it again is no waste.
        waiting: list[Missed] = []
        with closing(self.thinker.each(texts)) as answers:
            for position, said in answers:
                label = labels[position]
                key, outcome = text_key(texts[position]), self._judge(said, label)
                thinks = thinks or bool(said.thought)
                answer = _short(said.answer)
                if outcome == "right":
                    thought = defused(said.thought or "")
                    code = self.thinker.codes[label]
                    trace = Trace(key, names[label], code, thought, answer, self.thinker.name)
                    write_line(self.right, trace)
                else:
                    waiting.append(
                        Missed(
                            key, names[label], outcome, answer,
                            self.thinker.name, self.thinker.max_tokens,
                        )
                    )  # fmt: skip
                    if not thinks and len(waiting) >= PATIENCE:
                        raise EndpointError(
                            f"the model '{self.thinker.name}' does not think: the first "
                            f"{counted(len(waiting), 'answer')} came without a thought",
                            fix="Name a model that thinks, and a server that shows its thoughts "
                            "(in the text between <think> marks, or as reasoning_content).",
                        )
                if thinks:
                    for missed in waiting:
                        write_line(self.wrong, missed)
                    waiting.clear()
                progress = self.progress
                progress.outcomes[outcome] = progress.outcomes.get(outcome, 0) + 1
                progress.tokens += said.tokens or 0
                progress.seconds = time.monotonic() - begun
                self.watch(progress)
        for missed in waiting:  # All were asked, and few they were.
            write_line(self.wrong, missed)

    def _judge(self, said: Said, label: int) -> Outcome:
        if said.answer is None:
            return "unclosed"
        if not said.thought or not defused(said.thought):
            return "no thought"
        named = parse(said.answer, self.thinker.codes, self.thinker.words)
        if named is None:
            return "unanswered"
        return "right" if named == label else "wrong"


@dataclass(frozen=True)
class _Wanted:
    rows: Rows
    skipped: int


def _wanted(rows: Rows) -> _Wanted:
    """Each text once; texts that stand with several labels are left out: which is right?"""
    labels: dict[str, set[int]] = {}
    for text, label in zip(rows.texts, rows.labels, strict=True):
        labels.setdefault(text, set()).add(label)
    seen: set[str] = set()
    kept: list[int] = []
    for row, text in enumerate(rows.texts):
        if text not in seen and len(labels[text]) == 1 and text.strip():
            kept.append(row)
        seen.add(text)
    return _Wanted(rows.take(kept), len(rows) - len(kept))


def _short(answer: str | None) -> str:
    text = "" if answer is None else answer.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= 200 else text[:197] + "..."
