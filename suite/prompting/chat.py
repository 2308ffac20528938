"""From a text to the token ids of a whole prompt, in the chat format of a model.

The prompt ends exactly where the code of the answer comes, so that one forward pass scores it.
Only the text is ever shortened: question and options survive.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from suite.contracts.cutting import Plain
from suite.contracts.strategy import Refused, TextLength
from suite.contracts.task import Task
from suite.prompting import codes as coding
from suite.prompting import layout
from suite.prompting.codes import Codes
from suite.prompting.frame import Frame, control_marks
from suite.prompting.layout import ExampleForm, Question, Variant
from suite.prompting.own_examples import Chooser, Example, Excerpt, OwnExamples
from suite.prompting.shortening import excerpt, shorten
from suite.prompting.wordings import CODE, WORDS, Wordings

#: Texts that are shortened to less than this say too little; such a prompt is refused.
LEAST_TEXT = 32

# A token hardly ever stands for more characters; what lies beyond is cut before tokenising.
_CHARACTERS_PER_TOKEN = 64
_TEXTS_AT_ONCE = 2000

#: Texts of which no two begin alike, to find what all prompts begin with.
_UNLIKE = ("", "A", "b", "1", "中", "(")


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

    @property
    def mean_tokens(self) -> float:
        """Tokens of a prompt, on average."""
        return round(sum(map(len, self.ids)) / max(1, len(self.ids)), 2)


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
        fixed: tokens of a prompt without its text, the longest examples included.
        allowance: tokens a text may have.
        shots: examples in a prompt.
        own: where each text has examples of its own.
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
    own: OwnExamples | None = None

    @classmethod
    def build(
        cls,
        tokenizer: Any,
        task: Task,
        *,
        limit: int | None,
        variant: Variant,
        think: bool = False,
        examples: Sequence[Example] = (),
        choose: Callable[[list[Excerpt]], Chooser] | None = None,
        cutoff: int | None = None,
        reserve: int = 0,
        score: str = CODE,
        turns: bool = False,
    ) -> Prompter:
        """The prompts of a task for a tokenizer.

        Args:
            limit: positions the model has, or None.
            examples: training texts with their class index, shown before each text.
            choose: makes of them what chooses those that each text is shown; None for the same.
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
        chosen, prefix = coding.choose_behind(
            tokenizer, len(listed), end, prefix=scored.prefix, given=given, symbols=variant.codes
        )
        frame = replace(frame, prefix=prefix)
        marks = control_marks(tokenizer)
        rows = [excerpt(tokenizer, text, label, marks, variant.cutting) for text, label in examples]
        shown = [(row.text, row.label) for row in rows]
        question = layout.question(
            task,
            chosen.names,
            variant,
            examples=() if turns or choose else shown,
            gap=choose is not None and not turns,
            mark=mark,
            coded=coded,
        )
        answers = question.codes if coded else question.words
        own = None
        if choose is not None:
            own = OwnExamples(choose(rows), ExampleForm.of(task), answers, turns, think)
        elif turns and shown:
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
            shots=len(own.chooser.longest if own else examples),
            own=own,
        )
        return prompter._with_room(task.max_tokens, limit, cutoff, reserve)

    def _with_room(
        self, wanted: int, limit: int | None, cutoff: int | None, reserve: int
    ) -> Prompter:
        """With the tokens that a prompt takes without its text, and those that a text may have.

        Args:
            wanted: most tokens of a text.
            limit, cutoff, reserve: as `build` has them.

        Raises:
            Refused: too few are left for a text.
        """
        longest = self.own.chooser.longest if self.own else ()
        fixed = len(self._tokens([self._whole("", longest)])[0])
        answer = (
            max(map(len, (*self.codes.tokens, *self.wordings.tokens))) + 2
        )  # and the turn's end
        room = min(bound for bound in (limit, cutoff, 1 << 30) if bound is not None)
        allowance = min(wanted, room - fixed - answer - reserve)
        if allowance < min(wanted, LEAST_TEXT):
            whose = "cutoff" if cutoff is not None and cutoff == room else "model"
            raise Refused(
                f"the prompt without its text takes {fixed} tokens"
                + (f", {reserve} are kept for the answer" if reserve else "")
                + f", and the {whose} has {room}: {max(0, allowance)} would be left for the text; "
                + ("fewer shots, " if self.shots else "")
                + ("a larger cutoff" if whose == "cutoff" else "shorter label words or linear_head")
                + " would help"
            )
        return replace(self, fixed=fixed, allowance=allowance)

    @property
    def single(self) -> bool:
        """Whether each option is one token, so that one forward pass scores them all."""
        return self.wordings.single

    @property
    def class_tokens(self) -> tuple[tuple[int, ...], ...]:
        """Token ids of each class's code, by class index."""
        return self.codes.tokens

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
        if last in self.question.listed:  # a template of the task's own that ends in the options
            last = ""
        return self._tokens([self.prompt(last)])[0]

    def prompt(self, content: str) -> str:
        """The whole prompt of a user's turn."""
        return self.frame.whole(content)

    def unlike(self) -> list[list[int]]:
        """Token ids of prompts of which neither texts nor examples begin alike: what these have in
        common, all have."""
        return self._tokens([self._whole(text, [(text, 0)]) for text in _UNLIKE])

    def encode(self, texts: Sequence[str]) -> Prompts:
        """Prompts of at most `cutoff` tokens, in the order of the texts."""
        ids: list[list[int]] = []
        contents: list[str] = []
        cut = defused = 0
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            block = texts[start : start + _TEXTS_AT_ONCE]
            safe = [layout.defuse(text, self.marks) for text in block]
            defused += sum(one != text for one, text in zip(safe, block, strict=True))
            safe = [one.strip() for one in safe]
            examples: Sequence[Sequence[Example]] = [()] * len(block)
            if self.own is not None:
                examples = self.own.chooser.choose(safe)
            turns = [self._turn(*each) for each in zip(safe, examples, strict=True)]
            found = self._tokens([frame.whole(content) for content, frame in turns])
            contents += [content for content, _ in turns]
            for index, own in enumerate(examples):
                if len(found[index]) > self.cutoff:
                    cut += 1
                    contents[start + index], found[index] = self._shortened(safe[index], own)
            ids += found
        return Prompts(ids, contents, cut, defused)

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text alone, as it is."""
        found: list[int] = []
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            found += map(len, self._tokens(texts[start : start + _TEXTS_AT_ONCE]))
        return found

    @property
    def text_length(self) -> TextLength:
        """Of what is not shortened, whatever examples stand beside it."""
        return TextLength(self.lengths, self.allowance, "token")

    def _turn(self, text: str, examples: Sequence[Example]) -> tuple[str, Frame]:
        """The user's turn for a text (defused), and what stands around it."""
        question, frame = self.question, self.frame
        if self.own is not None:
            question, frame = self.own.placed(self.tokenizer, question, frame, examples)
        return question.content(text), frame

    def _whole(self, text: str, examples: Sequence[Example]) -> str:
        content, frame = self._turn(text, examples)
        return frame.whole(content)

    def _shortened(self, safe: str, examples: Sequence[Example]) -> tuple[str, list[int]]:
        """A turn whose text is cut so that the prompt keeps to `cutoff`."""
        most = self.allowance * _CHARACTERS_PER_TOKEN
        if len(safe) > 2 * most:  # The middle is read in no way of cutting.
            safe = safe[:most] + safe[-most:]
        room = self.allowance
        while True:
            shorter, kept = shorten(self.tokenizer, safe, room, Plain(self.variant.cutting))
            content, frame = self._turn(layout.defuse(shorter, self.marks), examples)
            ids = self._tokens([frame.whole(content)])[0]
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
