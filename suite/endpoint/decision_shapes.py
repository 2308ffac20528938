"""The two shapes of a decision request, and what may be taken from a response to it.

Only probabilities are read. `confidence` means five things on eight public servers, and the option
that a server calls its choice is the likeliest one or a mistake. An answer counts whole or not at
all: an option that is missing, or one that nobody offered, says that the server answered another
question.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from suite.contracts.decisions import (
    CHOICE,
    REFUSAL,
    SYSTEM_ONE,
    YES_NO,
    Choice,
    Option,
    Question,
    Shape,
)

#: A probability of each option, in the order they were offered; of yes alone, for yes or no.
Probabilities = tuple[float, ...]

#: By how much a sum of probabilities may miss one whatever they are rounded to: what jevcompat's
#: specification (5) takes for an answer.
_CLOSE = 0.05
#: Nobody rounds to fewer digits; and beyond this no rounding explains a sum.
_FEWEST_DIGITS, _FARTHEST = 2, 0.5


#: Characters of a model's name.
_LONGEST_NAME = 100


class Unusable(Exception):
    """A response that is no answer to what was asked; the message is a clause behind "answered"."""


@dataclass(frozen=True)
class Decided:
    """What a server answered to the questions of one request.

    Args:
        answers: by question; None where the model declined to answer it.
        model: what the server says it answered with.
    """

    answers: tuple[Probabilities | None, ...]
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True)
class Manner:
    """How questions are put to a server that does not take them as they are.

    Args:
        blank: a description that there is not is an empty one: some servers take no null.
        by_label: options go by their labels' own names, however these are shown, and yes or no is
            asked by a label alone: a server with a trained model knows these, and no other word or
            sentence for them.
    """

    blank: bool = False
    by_label: bool = False


PLAIN = Manner()


def says_labels(questions: Sequence[Question]) -> bool:
    """Whether any of these questions is another one where it is put by label."""
    return any(
        any(option.label not in (None, option.name) for option in question.options)
        if isinstance(question, Choice)
        else question.label is not None
        for question in questions
    )


def _called(option: Option, manner: Manner) -> str:
    """By which name an option is offered, and answered."""
    return option.label if manner.by_label and option.label is not None else option.name


def request(
    shape: Shape, model: str, text: str, questions: Sequence[Question], manner: Manner = PLAIN
) -> dict[str, Any]:
    """The JSON that asks these questions about a text."""
    if shape == SYSTEM_ONE:
        asked = {question.name: _in_system_one(question, manner) for question in questions}
        return {"model": model, "state": text, "questions": asked}
    return {
        "model": model,
        "input": text,
        "questions": [_in_decisions(question, manner) for question in questions],
    }


def _in_system_one(question: Question, manner: Manner) -> dict[str, Any]:
    found: dict[str, Any] = {"instructions": question.instructions}
    empty = "" if manner.blank else None
    if isinstance(question, Choice):
        said = {_called(one, manner): one.about or empty for one in question.options}
        return {"type": CHOICE, **found, "criteria": said}
    about = question.label if manner.by_label else question.about
    if about is not None:
        found["criteria"] = {"true": about} | ({"false": ""} if manner.blank else {})
    return {"type": YES_NO[SYSTEM_ONE], **found}


def _in_decisions(question: Question, manner: Manner) -> dict[str, Any]:
    found: dict[str, Any] = {"name": question.name, "instructions": question.instructions}
    if isinstance(question, Choice):
        choices = [
            {"value": _called(one, manner)}
            | ({} if one.about is None else {"description": one.about})
            for one in question.options
        ]
        return {"type": CHOICE, **found, "choices": choices}
    if manner.by_label and question.label is not None:
        found["instructions"] = question.label
    elif question.about is not None:
        # Its outcomes have no descriptions of their own.
        found["instructions"] += f"\n{question.about}"
    return {"type": YES_NO["decisions"], **found}


def read(
    shape: Shape, found: Any, questions: Sequence[Question], manner: Manner = PLAIN
) -> Decided:
    """What a response of status 200 says to questions that were put in this manner.

    Raises:
        Unusable: it is of another shape, or an answer is none to its question.
    """
    answers = found.get("answers") if isinstance(found, Mapping) else None
    if shape == SYSTEM_ONE:
        if not isinstance(answers, Mapping):
            raise Unusable("without answers by name")
        named = dict(answers)
    else:
        if not isinstance(answers, list):
            raise Unusable("without a list of answers")
        named = _by_name(answers, questions)
    model = found.get("model")
    usage = found.get("usage")
    usage = usage if isinstance(usage, Mapping) else {}
    # A question has tokens: who counts none (jev-compatible-server) does not count.
    tokens = _count(usage.get("input_tokens")) or None
    return Decided(
        tuple(_answer(shape, named, question, manner) for question in questions),
        _named(model) if isinstance(model, str) else None,
        tokens,
        None if tokens is None else _count(usage.get("output_tokens")),
    )


def _named(model: str) -> str:
    """What a server calls its model, as it may be kept and shown."""
    return "".join(c if c.isprintable() else " " for c in model[:_LONGEST_NAME])


def _by_name(answers: Sequence[Any], questions: Sequence[Question]) -> dict[str, Any]:
    """Answers by the name of their question; those without a name stand in their order."""
    found: dict[str, Any] = {}
    for place, answer in enumerate(answers):
        name = answer.get("name") if isinstance(answer, Mapping) else None
        if name is None and place < len(questions):
            name = questions[place].name
        if not isinstance(name, str) or name in found:
            raise Unusable("with two answers to one question, or one to none")
        found[name] = answer
    return found


def _answer(
    shape: Shape, answers: Mapping[str, Any], question: Question, manner: Manner
) -> Probabilities | None:
    answer = answers.get(question.name)
    if not isinstance(answer, Mapping):
        raise Unusable(f"with nothing to the question '{question.name}'")
    if answer.get("type") == REFUSAL:
        return None
    wanted = CHOICE if isinstance(question, Choice) else YES_NO[shape]
    if answer.get("type") != wanted:
        raise Unusable(f"to a question of type {wanted} with the type {answer.get('type')!r:.40}")
    if not isinstance(question, Choice):
        return (_number(answer.get(wanted if shape == SYSTEM_ONE else "probability")),)
    given = answer.get("probabilities")
    if shape != SYSTEM_ONE:
        given = _listed(given)
    if not isinstance(given, Mapping):
        raise Unusable("without probabilities")
    offered = [_called(option, manner) for option in question.options]
    if missing := [name for name in offered if name not in given]:
        raise Unusable(f"without a probability of {missing[0]!r:.60}")
    if len(given) != len(offered):
        extra = next(name for name in given if name not in offered)
        raise Unusable(f"with a probability of {extra!r:.60}, which is no option")
    return _of_one([_number(given[name]) for name in offered])


def _listed(given: Any) -> Mapping[str, Any] | None:
    """Probabilities by option, of a list of {"value": …, "probability": …}."""
    if not isinstance(given, list):
        return None
    found: dict[str, Any] = {}
    for one in given:
        value = one.get("value") if isinstance(one, Mapping) else None
        if not isinstance(value, str) or value in found:
            raise Unusable("with an option twice, or one without a name")
        found[value] = one.get("probability")
    return found


def _number(value: Any) -> float:
    """A probability.

    Raises:
        Unusable: it is none.
    """
    # A comparison with NaN is false.
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e-6 <= value <= 1.001:
        raise Unusable(f"with {value!r:.40} for a probability")
    return min(1.0, max(0.0, float(value)))


def _of_one(values: Sequence[float]) -> Probabilities:
    """Probabilities that sum to one, by what rounding took from them or added.

    Raises:
        Unusable: they miss one by more than that.
    """
    total = math.fsum(values)
    # Servers round, Jev to two digits: of a hundred options little is left of the unlikely ones.
    half = 0.5 * 10.0 ** -max(_FEWEST_DIGITS, *(_digits(value) for value in values))
    added = half * sum(value > 0 for value in values)
    lost = min(_FARTHEST, half * len(values))
    if not 1 - max(_CLOSE, lost) <= total <= 1 + max(_CLOSE, added):
        raise Unusable(f"with probabilities that sum to {total:.4g}")
    return tuple(value / total for value in values)


def _digits(value: float) -> int:
    """Digits behind the point of the shortest number that is this one.

    >>> _digits(0.25), _digits(1.0), _digits(1e-7)
    (2, 0, 7)
    """
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(0, -int(exponent))


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
