"""A decision server: typed questions about a text in, a probability of each option out.

Which of the two shapes it speaks and how many options a question may have is nowhere told. So it
is found out, by questions about a text without content, and remembered: what is refused is asked
with less until it is taken. From then on a refusal is about the text at hand, which stays
unanswered; the others go on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Unpack

from suite.contracts.decisions import OPTION_LIMITS, SHAPES, SYSTEM_ONE, Choice, Question, Shape
from suite.endpoint.address import decision_address
from suite.endpoint.answer import Answer, said_in
from suite.endpoint.asking import CHECK_SECONDS, Asking, Bounds
from suite.endpoint.decision_shapes import (
    PLAIN,
    Decided,
    Manner,
    Unusable,
    read,
    request,
    says_labels,
)
from suite.endpoint.exchange import DECISION, Response, TryAgain
from suite.files import NotJson, parse_json

#: Asked about where a server is to be known, not a text.
NEUTRAL = "N/A"

#: What a server is tried with, of options or of questions, where it refuses more.
_LADDER = tuple(sorted({*OPTION_LIMITS, 128, 100, 32, 20, 16, 10, 8, 5, 4, 3, 2, 1}, reverse=True))

#: Numbers of a refusal that are tried, and in how much of it: one that lists all options names
#: hundreds.
_MOST_NAMED, _SAID = 8, 2000

#: How questions are put, one after another, where a server refuses them as they are.
_BLANK, _BY_LABEL = Manner(blank=True), Manner(by_label=True)

#: Refusals: of such a request, and of the address or of any request of its kind.
_REFUSED = frozenset({400, 413, 422})
_NOWHERE = frozenset({404, 405, 501})

#: What became of a text that has no answer, as `Answer.finish_reason`.
REFUSED, UNUSABLE = "refused", "unusable"


@dataclass(frozen=True)
class Inquiry:
    """Questions about one text, in one request."""

    text: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class _Door:
    """Where a server is asked, in which shape, and how questions are put to it."""

    url: str
    shape: Shape
    manner: Manner = PLAIN


@dataclass(frozen=True)
class _Bound:
    """How many of something a server took at most, and the least that it refused."""

    taken: int = 0
    refused: int | None = None


@dataclass(frozen=True)
class _Learnt:
    """What is known of a server."""

    door: _Door | None = None
    options: _Bound = _Bound()
    questions: _Bound = _Bound()

    @classmethod
    def of(cls, kept: dict[str, Any], doors: Sequence[_Door]) -> _Learnt:
        """What was kept of it; nothing where that is something else."""
        door = next((door for door in doors if asdict(door) == kept.get("door")), None)
        try:
            found = cls(door, _Bound(**kept["options"]), _Bound(**kept["questions"]))
        except (KeyError, TypeError):
            return cls()
        return found if door else cls()


def decided(answer: Answer) -> Decided | None:
    """What an answer holds; None where the text has none."""
    if answer.finish_reason in (REFUSED, UNUSABLE):
        return None
    try:
        kept = parse_json(answer.text)
        answers = tuple(None if one is None else tuple(one) for one in kept["answers"])
        return Decided(answers, kept["model"], answer.prompt_tokens, answer.completion_tokens)
    except (NotJson, KeyError, TypeError):
        return None


class Decider(Asking[Inquiry]):
    """A decision model behind a server.

    Args:
        url: with or without `/v1`; one that ends in `/systemone` or `/decisions` is asked there.
        model: the name the server knows it by.
        bounds: what asking may take.

    Raises:
        EndpointError: an address that can't be one, a server that may not be asked (`consent`),
            or a key that no header can carry.
    """

    def __init__(self, url: str, model: str, **bounds: Unpack[Bounds]) -> None:
        base, named = decision_address(url)
        super().__init__(base, model, DECISION, **bounds)
        # Some hosts took the path of the one and the body of the other.
        shapes = sorted(SHAPES, key=lambda shape: named not in (None, shape))
        doors = [_Door(f"{base}/{named or shape}", shape) for shape in shapes]
        blank = [replace(door, manner=_BLANK) for door in doors if door.shape == SYSTEM_ONE]
        by_label = [replace(door, manner=_BY_LABEL) for door in doors]
        self._doors = [*doors, *blank, *by_label]
        self._learnt: _Learnt | None = None
        #: Where texts were asked until that was found to be gone.
        self._left: _Door | None = None
        #: Whether what was learnt of the server has been doubted: once is enough.
        self._doubted = False

    @property
    def facts(self) -> dict[str, Any]:
        """Counts so far, and what was found out about the server."""
        known = self._learnt or _Learnt()
        return {
            **super().facts,
            "shape": known.door.shape if known.door else None,
            "most_options": None if known.options.refused is None else known.options.taken,
            "most_questions": None if known.questions.refused is None else known.questions.taken,
        }

    def check(self, timeout: float = CHECK_SECONDS) -> str | None:
        """Why the server can't be asked; or None. A model need not be on its list: versions seldom
        are."""
        return self._background.call(self._wire.check(None, timeout))

    def most_options(self, question: Choice) -> int:
        """How many of a question's options the server takes at once: all, or what it was found to
        take at most.

        Raises:
            EndpointError: it can't be reached, or refuses any such question.
        """

        def of(count: int, last: bool) -> tuple[Question, ...]:
            some = question.options[-count:] if last else question.options[:count]
            return (replace(question, options=some),)

        return self._background.call(self._most("options", len(question.options), 2, of))

    def most_questions(self, questions: Sequence[Question]) -> int:
        """How many of these questions the server takes in one request.

        Raises:
            EndpointError: as `most_options`.
        """

        def of(count: int, last: bool) -> tuple[Question, ...]:
            return tuple(questions[-count:] if last else questions[:count])

        return self._background.call(self._most("questions", len(questions), 1, of))

    def ask(self, inquiries: Sequence[Inquiry]) -> list[Answer]:
        """Answers in the order of the inquiries; `decided` reads them.

        Raises:
            EndpointError: the server can't be reached, refuses whatever is asked, or answers with
                no answers. What was answered before is kept all the same.
            StorageError: answers can't be kept.
        """
        if inquiries and self._known().door is None:
            self.most_questions(inquiries[0].questions)
        answers: dict[int, Answer] = dict(self._each(inquiries))
        if self._refused_all(answers.values()):
            # What was learnt of it may be of another model that was there before, or of other
            # questions. Where it was not, these are asked about one by one, and so are the texts.
            self._doubted = True
            self._learn(_Learnt())
            self.most_questions(inquiries[0].questions)
            answers = dict(self._each(inquiries))
        return [answers[position] for position in range(len(inquiries))]

    def _refused_all(self, answers: Collection[Answer]) -> bool:
        """Whether nothing but refusals came from a server that nobody here has doubted yet."""
        refused = bool(answers) and all(one.finish_reason == REFUSED for one in answers)
        return refused and not self._doubted

    def _kept(self, wishes: Sequence[Inquiry]) -> list[Answer | None]:
        door = self._door()
        return self._memory.find([self._body(door, wish) for wish in wishes])

    async def _try(self, wish: Inquiry, ends: float) -> Answer:
        door = self._door()
        # Another process may have asked meanwhile.
        (kept,) = self._memory.find([self._body(door, wish)])
        if kept is not None:
            return kept
        try:
            reply = await self._exchange(door, wish, ends)
        except Unusable as trouble:
            # It may be paid for, and is not kept: a server that is mended is asked again.
            answer = Answer(self._wire.clean(f"answered {trouble}"), finish_reason=UNUSABLE)
            self._paid(answer)
            return answer
        if isinstance(reply, Answer):
            self._memory.keep(self._body(door, wish), reply)
            return reply
        if reply.status in _NOWHERE:
            self._left = door
            self._learn(_Learnt())
            raise self._wire.refusal(reply, self.model)
        said = self._wire.clean(said_in(reply.body))
        return Answer(f"refuses them (HTTP {reply.status}: {said})", finish_reason=REFUSED)

    async def _exchange(self, door: _Door, wish: Inquiry, ends: float) -> Answer | Response:
        """The server's answer at a door, or its refusal; neither is looked up or kept.

        Raises:
            Unusable: it answered what is no answer.
            TryAgain: a failure that may pass.
            EndpointError: one that is final and says nothing about what was asked.
        """
        response, seconds = await self._post(door.url, self._body(door, wish), ends)
        if response.status == 200:
            found = read(door.shape, self._wire.found(response), wish.questions, door.manner)
            answer = Answer(
                json.dumps({"model": found.model, "answers": found.answers}),
                finish_reason="stop",
                prompt_tokens=found.input_tokens,
                completion_tokens=found.output_tokens,
                seconds=round(seconds, 4),
            )
            self._paid(answer)
            return answer
        if response.status in _REFUSED or response.status in _NOWHERE:
            return response
        raise self._wire.refusal(response, self.model)

    def _body(self, door: _Door, wish: Inquiry) -> dict[str, Any]:
        return request(door.shape, self.model, wish.text, wish.questions, door.manner)

    def _door(self) -> _Door:
        """Where texts are asked. What is under way goes on where it began, whatever another request
        has found meanwhile."""
        door = self._known().door or self._left
        assert door is not None
        return door

    def _known(self) -> _Learnt:
        if self._learnt is None:
            self._learnt = _Learnt.of(self._memory.learnt(), self._doors)
        return self._learnt

    def _learn(self, learnt: _Learnt) -> None:
        self._learnt = learnt
        self._memory.learn(asdict(learnt))

    async def _most(
        self, what: str, count: int, least: int, of: Callable[[int, bool], tuple[Question, ...]]
    ) -> int:
        """How many of something the server takes: `count`, or less.

        Args:
            what: a bound of `_Learnt`.
            least: of which there must be so many at least.
            of: as many of them, as questions: the first or the last.
        """
        known = self._known()
        bound: _Bound = getattr(known, what)
        if known.door is not None:
            if count <= bound.taken:
                return count
            if bound.refused is not None and bound.refused <= count and bound.taken >= least:
                return bound.taken
        refusals: list[Response] = []
        otherwise = says_labels(of(count, False))
        for door in [known.door] if known.door else self._doors:
            if any(one.status in _NOWHERE and one.url == door.url for one in refusals):
                continue
            if refusals and door.manner == _BY_LABEL and not otherwise:
                continue  # it is no other way to ask them
            refusal = await self._refusal(door, of(count, False))
            if refusal is None:
                self._learn(replace(known, door=door, **{what: replace(bound, taken=count)}))
                return count
            refusals.append(refusal)
            if refusal.status in _NOWHERE or count <= least:
                continue
            if await self._refusal(door, of(least, False)) is not None:
                continue  # it is not their number
            taken = least
            for fewer in _fewer(count, max(least, bound.taken), said_in(refusal.body)):
                if await self._refusal(door, of(fewer, False)) is None:
                    taken = fewer
                    break
            if (other := await self._refusal(door, of(taken, True))) is not None:
                # Not their number: one of them is refused by itself.
                raise self._wire.refusal(other, self.model)
            self._learn(replace(known, door=door, **{what: _Bound(taken, count)}))
            return taken
        if known.door is not None:  # it was another server, or another version of it
            self._learn(_Learnt())
            return await self._most(what, count, least, of)
        refusals.sort(key=lambda refusal: refusal.status in _NOWHERE)
        raise self._wire.refusal(refusals[0], self.model)

    async def _refusal(self, door: _Door, questions: tuple[Question, ...]) -> Response | None:
        """How the server refuses these questions about no text in particular; None: it answers."""
        wish = Inquiry(NEUTRAL, questions)
        refused: list[Response] = []

        async def once(ends: float) -> Answer:
            try:
                reply = await self._exchange(door, wish, ends)
            except Unusable as trouble:
                raise TryAgain(f"answered {self._wire.clean(str(trouble))}", unclear=True) from None
            if isinstance(reply, Response):
                refused.append(reply)
                return Answer("", finish_reason=REFUSED)
            return reply

        await self._patience.answer(once, again=self._again)
        return refused[0] if refused else None


def _fewer(count: int, least: int, said: str) -> list[int]:
    """How many to try in place of `count`, the most first: what the refusal names, and what is
    usual in the field."""
    named = dict.fromkeys(int(number) for number in re.findall(r"\d{1,4}", said[:_SAID]))
    tried = {*list(named)[:_MOST_NAMED], *_LADDER}
    return sorted((n for n in tried if least < n < count), reverse=True)
