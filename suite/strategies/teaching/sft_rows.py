"""Training rows as `sft` teaches them: what is asked, what is to be answered, in which tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from suite import shell
from suite.contracts.strategy import Refused, Run
from suite.errors import nearest
from suite.prompting.answers import THINK_CLOSES, THINK_OPENS
from suite.prompting.chat import Prompter
from suite.prompting.frame import Frame
from suite.prompting.layout import Variant, defuse
from suite.prompting.traces import traces_for
from suite.strategies.teaching.llamafactory_files import Example
from suite.strategies.teaching.sft_knobs import AUTO, Knobs

#: LLaMA-Factory's chat format that adds nothing: with it the whole prompt is written by us.
EMPTY = "empty"
#: More tokens than any chat format writes after an answer.
ENDING = 8

#: LLaMA-Factory puts a turn's number here, also where it stands in a text.
_GAPS = ("{{idx}}",)
# How Qwen3 frames a turn; LLaMA-Factory has this format under a name.
_QWEN3 = ("<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n")


@dataclass(frozen=True)
class Lesson:
    """One training row, and what LLaMA-Factory must make of it.

    Args:
        example: what is written.
        ids: the tokens of prompt and answer, without what ends the turn.
        asked: how many of them are the prompt, on which there is no loss.
        label: the row's class index.
    """

    example: Example
    ids: list[int]
    asked: int
    label: int


class Teaching:
    """How a model is asked, in training and in scoring, and what it is taught to answer.

    Args:
        limit: positions the model has.
        model_type: of its transformers config.
        templates: those that LLaMA-Factory has, by name.

    Raises:
        Refused: a prompt or a template that this model can't be asked with; says why.
    """

    def __init__(
        self,
        run: Run,
        knobs: Knobs,
        tokenizer: Any,
        *,
        limit: int,
        model_type: str,
        templates: Sequence[str],
    ) -> None:
        self.run = run
        self.knobs = knobs
        self.tokenizer = tokenizer
        self.limit = limit
        #: Asks without thinking.
        self.prompter = self._prompter(think=False, cutoff=knobs.cutoff or None)
        #: Asks for thinking, where anything here does.
        self.thinker: Prompter | None = None
        if knobs.think != "prompt" or knobs.inference == "think":
            reserve = knobs.max_new_tokens if knobs.inference == "think" else 0
            self.thinker = self._prompter(think=True, reserve=reserve)
        #: LLaMA-Factory's name of the chat format; None lets it parse the tokenizer's.
        self.template = self._template(model_type, templates)

    def _prompter(self, **how: Any) -> Prompter:
        prompter = Prompter.build(
            self.tokenizer,
            self.run.task,
            limit=self.limit,
            variant=Variant.of(self.run.params),
            **how,
        )
        # What LLaMA-Factory would fill in is broken in training and in scoring alike.
        return replace(prompter, marks=(*prompter.marks, *_GAPS))

    def _template(self, model_type: str, known: Sequence[str]) -> str | None:
        wanted = self.knobs.template
        if wanted != AUTO:
            if wanted not in known:
                raise Refused(
                    f"LLaMA-Factory has no template '{wanted}'. {nearest(wanted, known)} "
                    f"'{EMPTY}' always works: the suite then writes the whole prompt itself"
                )
            return wanted
        if not getattr(self.tokenizer, "chat_template", None):
            return EMPTY
        frame = self.prompter.frame
        if model_type == "qwen3" and frame.head == _QWEN3[0]:
            if frame.thinks and frame.tail.startswith(_QWEN3[1]):
                return "qwen3"
            if frame.tail == _QWEN3[1]:
                return "qwen3_nothink"
        return None

    @property
    def codes(self) -> tuple[tuple[int, ...], ...]:
        """Token ids of each class's code, as it is taught, by class index."""
        thinker = self.thinker if self.knobs.think == "distilled" else None
        return (thinker or self.prompter).class_tokens

    def lessons(self) -> list[Lesson]:
        """The training rows; notes with the run how many were shortened, defused, left out.

        Raises:
            Refused: thinking traces are wanted and there is none.
        """
        return self._distilled() if self.knobs.think == "distilled" else self._plain()

    def _plain(self) -> list[Lesson]:
        """Rows whose answer is the option's code, maybe after an empty think block."""
        run, prompter = self.run, self.prompter
        prompts = prompter.encode(run.train.texts)
        frame, block = prompter.frame, ""
        if self.thinker is not None and self.knobs.think == "answer":
            frame, block = self.thinker.frame, _block(prompter.frame, self.thinker.frame)
        unasked = len(self._encode([block])[0]) if block else 0
        run.note(
            truncated=prompts.cut / max(1, len(run.train)),
            defused=prompts.defused,
            **prompter.facts(),
        )
        return [
            Lesson(
                self._example(content, frame, block + prompter.answer(label)),
                [*ids, *prompter.class_tokens[label]],
                len(ids) - unasked,
                label,
            )
            for ids, content, label in zip(
                prompts.ids, prompts.contents, run.train.labels, strict=True
            )
        ]

    def _distilled(self) -> list[Lesson]:
        """Rows whose answer holds a thinking trace; those without one are left out."""
        run, thinker = self.run, self.thinker
        assert thinker is not None
        traces = traces_for(run.task, run.train)
        opening = "" if thinker.frame.opened else f"{THINK_OPENS}\n"
        prompts = thinker.encode(run.train.texts)
        kept: list[tuple[str, str, int]] = []
        misnamed = 0
        for content, label, trace in zip(prompts.contents, run.train.labels, traces, strict=True):
            if trace is None:
                continue
            if trace.code != thinker.question.codes[label]:
                # "… so it is B" would be taught before the answer D.
                misnamed += 1
                continue
            thought = defuse(trace.thought.strip(), thinker.marks)
            answer = thinker.answer(label)
            kept.append((content, f"{opening}{thought}\n{THINK_CLOSES}\n\n{answer}", label))
        if misnamed and not kept:
            raise Refused(
                "think: distilled needs thoughts about the options as this model is shown them, "
                f"and the {misnamed} there are name other codes: leave `order` as given, or run "
                f"`{shell.command('distil', run.task.name)}` with a model of the same tokenizer"
            )
        limit = min(self.limit, self.knobs.cutoff or self.limit) - ENDING
        asked = self._encode([thinker.prompt(content) for content, *_ in kept])
        whole = self._encode([thinker.prompt(content) + output for content, output, _ in kept])
        lessons = [
            Lesson(self._example(content, thinker.frame, output), ids, len(before), label)
            for (content, output, label), before, ids in zip(kept, asked, whole, strict=True)
            if len(ids) <= limit
        ]
        if not lessons:
            raise Refused(
                f"think: distilled needs thinking traces of this task's training rows, and "
                f"{'none fits the model' if kept else 'there is none'}: run `suite distil "
                f"{run.task.name}` first"
            )
        run.note(
            truncated=prompts.cut / len(run.train),
            defused=prompts.defused,
            distilled_rows=len(lessons),
            traces_too_long=len(kept) - len(lessons),
            traces_of_other_codes=misnamed,
            **thinker.facts(),
        )
        return lessons

    def _example(self, content: str, frame: Frame, output: str) -> Example:
        """What stands in the file: turn and answer, or prompt and answer where we frame them."""
        if self.template != EMPTY:
            return Example(content, output)
        end = self.tokenizer.eos_token or ""
        return Example(f"{frame.head}{content}{frame.tail}", output + end)

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        if not texts:
            return []
        found: list[list[int]] = self.tokenizer(
            list(texts), add_special_tokens=False, return_attention_mask=False
        )["input_ids"]
        return found


def _block(closed: Frame, thinking: Frame) -> str:
    """The empty think block: what a prompt that does not think has more than one that does.

    Raises:
        Refused: the two end differently.
    """
    if not closed.tail.startswith(thinking.tail):
        raise Refused(
            "the model's chat template writes its empty think block elsewhere than at the end of "
            "the prompt, so it can't stand in the answer; use think: prompt"
        )
    return closed.tail.removeprefix(thinking.tail)
