"""A decision model behind a server as a predictor: probabilities as it gives them, of the labels.

A text that the model declines to answer, that the server refuses, or whose answer is none to the
question has a row of zeros. Where a choice has more options than the server takes, it is asked in
two levels; where questions of yes or no are more than it takes, in several requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

import numpy as np

from suite.config import jsonfile
from suite.contracts.cutting import HEAD
from suite.contracts.decisions import Option, Question
from suite.contracts.strategy import Probabilities, Run
from suite.endpoint import Answer
from suite.endpoint.asking import Bounds
from suite.endpoint.decider import REFUSED, UNUSABLE, Decider, Inquiry, decided
from suite.endpoint.decision_shapes import Probabilities as Given
from suite.errors import EndpointError, counted
from suite.strategies.asking import decision_levels as levels
from suite.strategies.asking.decision_question import ONE_CHOICE, Asked
from suite.strategies.asking.served import ServedPredictor, prepare, text_limit
from suite.strategies.asking.settings import DecisionSettings
from suite.strategies.network.settings import FIX, MOST_BYTES, SETTINGS


@dataclass(frozen=True)
class Settings:
    """All that makes a predictor, as plain JSON. The key is not part of it.

    Args:
        url: the server's address.
        model: the name the server knows the model by.
        text_limit: characters a text may have.
        cutting: what is sent of a longer one.
    """

    url: str
    model: str
    asked: Asked
    text_limit: int
    cutting: str = HEAD
    concurrency: int = 8
    timeout: float = 60.0


#: Names by which a server says it answers, that are noted.
_MOST_MODELS = 8

#: Of one text, to each question: probabilities, or None where one of them has no answer.
_Row = tuple[Given, ...] | None


class DecisionPredictor(ServedPredictor[Settings, Decider]):
    """Asks a decision server for each text."""

    format = "decision_endpoint"

    def _server(self, **bounds: Unpack[Bounds]) -> Decider:
        return Decider(self.settings.url, self.settings.model, **bounds)

    def _shape(self) -> str:
        settings, asked = self.settings, self.settings.asked
        length = sum(len(o.name) + len(o.about or "") for o in asked.labels)
        length += sum(map(len, asked.instructions))
        return f"decision {settings.url} {settings.model} form={asked.form} prompt={length}"

    @classmethod
    def of_run(cls, run: Run, asked: Asked, cutting: str) -> DecisionPredictor:
        """The predictor of a trial.

        Raises:
            EndpointError: as said.
        """
        assert run.model.endpoint is not None and run.model.endpoint_model is not None
        return cls(
            Settings(
                run.model.endpoint,
                run.model.endpoint_model,
                asked,
                text_limit(run.task),
                cutting=cutting,
            )
        )

    @property
    def classes(self) -> int:
        """How many there are."""
        return len(self.settings.asked.labels)

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Class probabilities, float32 [texts, classes]; a row of zeros where no answer came.

        Raises:
            EndpointError: the server can't be asked, or answered none of the texts and some of
                them with what is no answer; what it answered before is kept.
        """
        settings, endpoint = self.settings, self.endpoint
        prepared = [prepare(text, settings.text_limit, settings.cutting) for text in texts]
        answers = _Answers(endpoint)
        found = np.zeros((len(texts), self.classes), dtype=np.float32)
        sent = [one.text for one in prepared]
        if sent:
            how = self._by_choice if settings.asked.form == ONE_CHOICE else self._by_yes_no
            for place, row in enumerate(how(sent, answers)):
                found[place] = 0.0 if row is None else row
        unanswered = int((found.sum(axis=1) == 0).sum())
        if unanswered == len(texts) and answers.troubles:
            raise EndpointError(
                f"none of {counted(len(texts), 'text')} was answered: the server "
                f"{answers.troubles[0]}",
                where=endpoint.base_url,
            )
        count = max(1, len(texts))
        cut = sum(one.cut for one in prepared)
        self.facts = {
            "unanswered_rate": round(unanswered / count, 6),
            "refused_texts": answers.refused,
            "unusable_answers": answers.unusable,
            "calls_per_text": round(answers.calls / count, 3),
            "answered_by": answers.models,
            "texts_cut": cut,
            "texts_cut_rate": round(cut / count, 6),
            "texts_defused": sum(one.defused for one in prepared),
            "tokens_per_text": _per_text(answers.written, count),
            "prompt_tokens_per_text": _per_text(answers.read, count),
            "seconds_per_text": round(answers.seconds / count, 4),
            "endpoint": endpoint.facts,
        }
        return found

    def _by_choice(self, texts: Sequence[str], answers: _Answers) -> list[levels.Numbers | None]:
        """Of each text its probabilities, by class index; None where it has none."""
        asked = self.settings.asked
        whole = asked.choice(asked.order)
        most = self.endpoint.most_options(whole)
        if most >= len(whole.options):
            rows = answers.of([Inquiry(text, (whole,)) for text in texts])
            return [None if row is None else self._by_class(asked.order, row[0]) for row in rows]
        beside = 0 if asked.none is None else 1
        cut = levels.groups(len(asked.order), most - beside)
        if not cut:
            raise EndpointError(
                f"the server takes {counted(most, 'option')} in a question, which is too few for "
                f"{counted(self.classes, 'class', 'classes')} in two levels",
                where=self.endpoint.base_url,
                fix="form: yes_no under 'spaces' in the recipe asks about each label alone.",
            )
        inside = [[asked.order[place] for place in group] for group in cut]
        first = tuple(asked.choice(classes, f"group{i}") for i, classes in enumerate(inside))
        heats = answers.of([Inquiry(text, first) for text in texts])
        listed: dict[int, list[int]] = {}
        second = []
        for place, heat in enumerate(heats):
            if heat is not None:
                listed[place] = levels.finalists(_alone(heat, cut), cut, most - beside)
                classes = [asked.order[option] for option in listed[place]]
                second.append(Inquiry(texts[place], (asked.choice(classes),)))
        found: list[levels.Numbers | None] = [None] * len(texts)
        for (place, chosen), last in zip(listed.items(), answers.of(second), strict=True):
            heat = heats[place]
            if heat is not None and last is not None:
                final = np.asarray(last[0][: len(chosen)])
                joined = levels.joined(_alone(heat, cut), cut, chosen, final)
                found[place] = self._by_class(asked.order, tuple(joined))
        return found

    def _by_yes_no(self, texts: Sequence[str], answers: _Answers) -> list[levels.Numbers | None]:
        """As `_by_choice`: how likely each label's yes is beside those of the others."""
        asked = self.settings.asked
        rows = answers.of([Inquiry(text, asked.yes_no()) for text in texts])
        return [
            None if row is None else self._by_class(asked.order, tuple(yes for (yes,) in row))
            for row in rows
        ]

    def _by_class(self, order: Sequence[int], listed: Given) -> levels.Numbers | None:
        """Probabilities by class index, of those in the order of options; None where no label has
        any. What another option has is left out."""
        found = np.zeros(self.classes)
        found[list(order)] = listed[: len(order)]
        total = found.sum()
        return found / total if total > 0 else None

    @classmethod
    def load(cls, folder: Path, *, keep: bool = True) -> DecisionPredictor:
        """What `save` wrote.

        Raises:
            ModelError: the folder holds something else.
        """
        kept = jsonfile.load(folder / SETTINGS, DecisionSettings, most=MOST_BYTES, fix=FIX)
        asked = kept.asked
        return cls(
            Settings(
                **kept.model_dump(exclude={"format", "asked"}),
                asked=Asked(
                    asked.form,
                    tuple(asked.instructions),
                    tuple(Option(one.name, one.about, one.label) for one in asked.labels),
                    tuple(asked.order),
                    asked.none,
                ),
            ),
            keep=keep,
        )


def _alone(heat: tuple[Given, ...], cut: Sequence[range]) -> list[levels.Numbers]:
    """Probabilities within each group, without that of none of them."""
    return [np.asarray(one[: len(group)]) for one, group in zip(heat, cut, strict=True)]


def _per_text(tokens: Sequence[int | None], texts: int) -> float | None:
    """Tokens for a text, in however many calls; None where they were not counted in all."""
    known = [count for count in tokens if count is not None]
    return round(sum(known) / texts, 3) if known and len(known) == len(tokens) else None


class _Answers:
    """What a server answered for one call of `predict_proba`, and what became of it."""

    def __init__(self, endpoint: Decider) -> None:
        self._endpoint = endpoint
        self.refused = self.unusable = self.calls = 0
        self.seconds = 0.0
        #: Tokens of each question and each answer, where the server counted them.
        self.read: list[int | None] = []
        self.written: list[int | None] = []
        #: What it said in place of answers.
        self.troubles: list[str] = []
        #: The models that it says it answered with.
        self.models: list[str] = []

    def of(self, inquiries: Sequence[Inquiry]) -> list[_Row]:
        """The answers to each, in requests of as many questions as the server takes."""
        if not inquiries:
            return []
        questions = inquiries[0].questions
        most = self._endpoint.most_questions(questions) if len(questions) > 1 else 1
        starts = range(0, len(questions), most)
        parts = [
            Inquiry(one.text, _some(one.questions, start, most))
            for one in inquiries
            for start in starts
        ]
        answered = [self._taken(answer) for answer in self._endpoint.ask(parts)]
        rows: list[_Row] = []
        for place in range(0, len(answered), len(starts)):
            several = answered[place : place + len(starts)]
            row: list[Given] = []
            for one in several:
                row += one or ()
            rows.append(None if None in several else tuple(row))
        return rows

    def _taken(self, answer: Answer) -> _Row:
        self.calls += 1
        self.seconds += answer.seconds
        found = decided(answer)
        if found is None:
            self.refused += answer.finish_reason == REFUSED
            self.unusable += answer.finish_reason == UNUSABLE
            self.troubles.append(answer.text)
            return None
        self.read.append(found.input_tokens)
        self.written.append(found.output_tokens)
        if found.model is not None and len(self.models) < _MOST_MODELS:
            self.models = list(dict.fromkeys([*self.models, found.model]))
        if None in found.answers:
            self.refused += 1
            return None
        return tuple(one for one in found.answers if one is not None)


def _some(questions: tuple[Question, ...], start: int, most: int) -> tuple[Question, ...]:
    return questions[start : start + most]
