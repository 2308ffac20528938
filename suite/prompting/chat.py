"""From a text to the token ids of a whole prompt, in the chat format of a model.

The prompt ends exactly where the code of the answer comes, so that one forward pass scores it.
Only the text is ever shortened: question and options survive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from suite.contracts.strategy import Refused
from suite.contracts.task import Task
from suite.prompting import codes as coding
from suite.prompting import layout
from suite.prompting.codes import Codes
from suite.prompting.frame import Frame, control_marks
from suite.prompting.layout import Question, Variant
from suite.prompting.wordings import CODE, WORDS, Wordings

#: Texts that are shortened to less than this say too little; such a prompt is refused.
LEAST_TEXT = 32

# A token hardly ever stands for more characters; what lies beyond is cut before tokenising.
_CHARACTERS_PER_TOKEN = 64
_TEXTS_AT_ONCE = 2000


@dataclass(frozen=True)
class Prompts:
    """Encoded prompts.

    Args:
        ids: token ids of each whole prompt.
        contents: each user's turn, its text shortened and defused.
        cut: how many texts were shortened.
        defused: how many held a control mark.
    """

    ids: list[list[int]]
    contents: list[str]
    cut: int
    defused: int


@dataclass(frozen=True)
class Prompter:
    """A tokenizer and a question: texts in, token ids of whole prompts out.

    Args:
        tokenizer: a transformers tokenizer.
        question: the user's turn.
        codes: of the options, by class index.
        wordings: what is scored: what the model may write for each class.
        frame: what the chat format puts around the turn.
        think: whether the prompt ends where thinking starts.
        marks: what no text may hold.
        fixed: tokens of a prompt without its text.
        allowance: tokens a text may have.
    """

    tokenizer: Any
    question: Question
    codes: Codes
    wordings: Wordings
    frame: Frame
    think: bool
    marks: tuple[str, ...]
    fixed: int
    allowance: int
    variant: Variant
    shots: int = 0

    @classmethod
    def build(
        cls,
        tokenizer: Any,
        task: Task,
        *,
        limit: int | None,
        variant: Variant,
        think: bool = False,
        examples: Sequence[tuple[str, int]] = (),
        cutoff: int | None = None,
        reserve: int = 0,
        score: str = CODE,
        turns: bool = False,
    ) -> Prompter:
        """The prompts of a task for a tokenizer.

        Args:
            limit: positions the model has, or None.
            examples: training texts with their class index, shown before each text.
            cutoff: most tokens of a prompt with its answer; None leaves room for
                `task.max_tokens` of text.
            reserve: tokens kept free after the prompt, for what is generated.
            score: what is scored of an option, one of `wordings.SCORES`.
            turns: whether examples are turns of the conversation, each asked whole and answered;
                else they stand before the text.

        Raises:
            Refused: options that can't be scored, a template that can't think, or a question
                too long for the model; says which, and what would help.
        """
        frame = Frame.of(tokenizer, think=think)
        scored = frame if not think else Frame.of(tokenizer, think=False)
        prompt = layout.prompt_of(task)
        listed = layout.positions(task, variant.order)
        mark = variant.no_think_mark and frame.thinks and not think
        # The end of the turn as the codes will meet it; the codes are not known yet.
        coded = score != WORDS
        blank = layout.question(task, ["?"] * len(listed), variant, mark=mark, coded=coded)
        given = [prompt.codes[index] for index in listed] if prompt.codes else ()
        end = blank.after[-40:] + scored.tail
        try:
            chosen = coding.choose(tokenizer, len(listed), end, prefix=scored.prefix, given=given)
        except Refused:
            if not scored.prefix:
                raise
            # Not every vocabulary has letters with their space before them.
            frame = replace(frame, prefix="")
            chosen = coding.choose(tokenizer, len(listed), end, given=given)
        marks = control_marks(tokenizer)
        shown = [
            (
                _shorten(tokenizer, layout.defuse(text.strip(), marks), layout.EXAMPLE_TOKENS)[0],
                index,
            )
            for text, index in examples
        ]
        question = layout.question(
            task,
            chosen.names,
            variant,
            examples=() if turns else shown,
            mark=mark,
            coded=coded,
        )
        if turns and shown:
            answers = question.codes if coded else question.words
            said = [(question.content(text), answers[index]) for text, index in shown]
            frame = frame.after(tokenizer, said, think=think)
        by_class = {index: ids for index, ids in zip(listed, chosen.tokens, strict=True)}
        codes = Codes(question.codes, tuple(by_class[i] for i in range(len(listed))))
        wordings = Wordings.choose(
            tokenizer, task, codes, end, prefix=frame.prefix, score=score, words=question.words
        )
        prompter = cls(
            tokenizer=tokenizer,
            question=question,
            codes=codes,
            wordings=wordings,
            frame=frame,
            think=think,
            marks=marks,
            fixed=0,
            allowance=0,
            variant=replace(variant, no_think_mark=mark),
            shots=len(examples),
        )
        fixed = len(prompter._tokens([prompter.prompt(question.content(""))])[0])
        answer = max(map(len, (*chosen.tokens, *wordings.tokens))) + 2  # and the end of the turn
        room = min(bound for bound in (limit, cutoff, 1 << 30) if bound is not None)
        allowance = min(task.max_tokens, room - fixed - answer - reserve)
        if allowance < min(task.max_tokens, LEAST_TEXT):
            whose = "cutoff" if cutoff is not None and cutoff == room else "model"
            raise Refused(
                f"the prompt without its text takes {fixed} tokens"
                + (f", {reserve} are kept for the answer" if reserve else "")
                + f", and the {whose} has {room}: {max(0, allowance)} would be left for the text; "
                + ("fewer shots, " if examples else "")
                + ("a larger cutoff" if whose == "cutoff" else "shorter label words or linear_head")
                + " would help"
            )
        return replace(prompter, fixed=fixed, allowance=allowance)

    @property
    def single(self) -> bool:
        """Whether each option is one token, so that one forward pass scores them all."""
        return self.wordings.single

    @property
    def class_tokens(self) -> tuple[tuple[int, ...], ...]:
        """Token ids of each class's code, by class index."""
        return self.codes.tokens

    @property
    def thinks(self) -> bool:
        """Whether the model's chat format has a think block."""
        return self.frame.thinks

    @property
    def cutoff(self) -> int:
        """Most tokens of a prompt."""
        return self.fixed + self.allowance

    @property
    def pad_id(self) -> int:
        """The id that fills short rows."""
        pad = self.tokenizer.pad_token_id
        return int(pad if pad is not None else self.tokenizer.eos_token_id)

    def answer(self, label: int) -> str:
        """What the model is to write for a class, right after the prompt."""
        return self.frame.prefix + self.question.codes[label]

    def cue(self) -> list[int]:
        """Token ids of a prompt that asks for an answer without text, question or options: what
        the model says to it, it says of the answers alone."""
        last = self.question.after.rstrip().rpartition("\n")[2]
        return self._tokens([self.prompt(last)])[0]

    def prompt(self, content: str) -> str:
        """The whole prompt of a user's turn."""
        return f"{self.frame.head}{content}{self.frame.tail}"

    def encode(self, texts: Sequence[str]) -> Prompts:
        """Prompts of at most `cutoff` tokens, in the order of the texts."""
        ids: list[list[int]] = []
        contents: list[str] = []
        cut = defused = 0
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            for text in texts[start : start + _TEXTS_AT_ONCE]:
                safe = layout.defuse(text, self.marks)
                defused += safe != text
                contents.append(self.question.content(safe.strip()))
            block = slice(start, start + _TEXTS_AT_ONCE)
            ids += self._tokens([self.prompt(content) for content in contents[block]])
            for index in range(start, len(ids)):
                if len(ids[index]) > self.cutoff:
                    cut += 1
                    contents[index], ids[index] = self._shortened(texts[index])
        return Prompts(ids, contents, cut, defused)

    def _shortened(self, text: str) -> tuple[str, list[int]]:
        """A turn whose text is cut so that the prompt keeps to `cutoff`."""
        safe = layout.defuse(text, self.marks).strip()[: self.allowance * _CHARACTERS_PER_TOKEN]
        room = self.allowance
        while True:
            shorter, kept = _shorten(self.tokenizer, safe, room)
            content = self.question.content(layout.defuse(shorter, self.marks))
            ids = self._tokens([self.prompt(content)])[0]
            if len(ids) <= self.cutoff or kept == 0:
                return content, ids
            # Where the cut meets the question, tokens may join or part.
            room = min(room, kept) - (len(ids) - self.cutoff)

    def _tokens(self, prompts: Sequence[str]) -> list[list[int]]:
        found: list[list[int]] = self.tokenizer(
            list(prompts), add_special_tokens=False, return_attention_mask=False
        )["input_ids"]
        return found

    def facts(self) -> dict[str, Any]:
        """Circumstances that belong to a trial."""
        return {
            "prompt_tokens_without_text": self.fixed,
            "text_allowance": self.allowance,
            "codes": f"{self.question.codes[0]} … {self.question.codes[-1]}",
            "code_tokens": max(len(ids) for ids in self.codes.tokens),
            "answer_tokens": max(len(ids) for ids in self.wordings.tokens),
            "shots": self.shots,
        }

    def settings(self) -> dict[str, Any]:
        """Plain JSON from which `load` makes the same prompts."""
        return {
            "question": self.question.to_json(),
            "code_tokens": [list(ids) for ids in self.codes.tokens],
            "wordings": asdict(self.wordings),
            "frame": asdict(self.frame),
            "think": self.think,
            "marks": list(self.marks),
            "fixed": self.fixed,
            "allowance": self.allowance,
            "variant": asdict(self.variant),
            "shots": self.shots,
        }

    @classmethod
    def load(cls, tokenizer: Any, settings: Mapping[str, Any]) -> Prompter:
        """Reads back what `settings` gave.

        Raises:
            KeyError, TypeError: it is something else.
        """
        question = Question.from_json(settings["question"])
        tokens = tuple(tuple(int(i) for i in ids) for ids in settings["code_tokens"])
        codes, wordings = Codes(question.codes, tokens), settings.get("wordings")
        return cls(
            tokenizer=tokenizer,
            question=question,
            codes=codes,
            wordings=Wordings.of_json(wordings) if wordings else Wordings.of_codes(codes),
            frame=Frame(**settings["frame"]),
            think=bool(settings["think"]),
            marks=tuple(settings["marks"]),
            fixed=int(settings["fixed"]),
            allowance=int(settings["allowance"]),
            variant=Variant(**settings["variant"]),
            shots=int(settings["shots"]),
        )


def _shorten(tokenizer: Any, text: str, room: int) -> tuple[str, int]:
    """A text cut to at most `room` tokens (at a token's end), and how many it has then."""
    if room <= 0:
        return "", 0
    if getattr(tokenizer, "is_fast", False):
        encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        offsets = encoded["offset_mapping"]
        if len(offsets) <= room:
            return text, len(offsets)
        # A character may be spread over several tokens: end where a whole one ends.
        end = offsets[room - 1][1]
        while room > 1 and offsets[room][0] < end:
            room -= 1
            end = offsets[room - 1][1]
        return text[:end].rstrip(), room
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    if len(ids) <= room:
        return text, len(ids)
    return str(tokenizer.decode(ids[:room])).rstrip(), room
