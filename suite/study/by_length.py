"""What arms score on test texts by their length, each in its own model's tokens."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

from suite.contracts.lengths import ENDS, ByLength, LengthScores, Unit, bucket
from suite.contracts.results import Final
from suite.contracts.slices import FEWEST_ROWS, LENGTH
from suite.strategies.classic.tokens import unit_cutter
from suite.verdict.metrics import MACRO_F1
from suite.verdict.slicing import Group
from suite.verdict.unjudged import of_metrics

Number = TypeVar("Number", int, float)


def of_words(texts: Sequence[str], language: str) -> list[int]:
    """The bucket of each text by its words (of Chinese and its like: characters)."""
    cut = unit_cutter(language)
    # A text has no more words than characters.
    return [bucket(len(cut(text))) if len(text) > ENDS[0] else 0 for text in texts]


def thirds(texts: Sequence[str], language: str) -> list[Group]:
    """Rows by how many words their texts have (of Chinese and its like: characters), in parts of
    about equally many; none where all are alike."""
    cut = unit_cutter(language)
    counts = [len(cut(text)) for text in texts]
    ends = ends_of_thirds(counts)
    if not ends:
        return []
    names = [f"≤ {ends[0]:,}", *(f"{a + 1:,}–{b:,}" for a, b in pairwise(ends)), f"> {ends[-1]:,}"]
    places = [bisect_left(ends, count) for count in counts]
    return [
        Group(LENGTH, value, [row for row, own in enumerate(places) if own == place])
        for place, value in enumerate(names)
    ]


def ends_of_thirds(values: Sequence[Number]) -> list[Number]:
    """The largest values of the first and the second third; fewer where many are alike, none where
    all are."""
    ordered = sorted(values)
    thirds = sorted({ordered[len(ordered) * part // 3] for part in (1, 2)}) if ordered else []
    return [end for end in thirds if end < ordered[-1]]


def with_lengths(
    finals: Sequence[Final],
    labels: Sequence[int],
    answers: Mapping[str, Sequence[Sequence[int]]],
    tokens: Mapping[str, Sequence[int] | None],
    words: Sequence[int],
    classes: int,
    fixed: Collection[str],
) -> list[Final]:
    """Finals that say what their arms score by length; as they are where no text is long.

    Args:
        labels: the class of each test row.
        answers: arm -> trainings -> rows; below 0 for no answer.
        tokens: arm -> rows: the bucket of each by its model's tokens; None where it has none.
        words: the bucket of each row by its words.
        classes: how many there are.
        fixed: arms whose training repeats itself.
    """
    places_of = {final.arm: tokens.get(final.arm) or words for final in finals}
    if not any(map(any, places_of.values())):
        return list(finals)
    found = []
    for final in finals:
        arm, places = final.arm, places_of[final.arm]
        unit: Unit = "tokens" if tokens.get(arm) else "words"
        scores = [
            _scored(arm, index, places, labels, answers[arm], classes, fixed)
            for index in range(len(ENDS) + 1)
        ]
        found.append(replace(final, by_length=ByLength(unit, scores)))
    return found


def _scored(
    arm: str,
    index: int,
    places: Sequence[int],
    labels: Sequence[int],
    answers: Sequence[Sequence[int]],
    classes: int,
    fixed: Collection[str],
) -> LengthScores:
    """An arm's score on the rows of a bucket."""
    above = ENDS[index - 1] if index else 0
    most = ENDS[index] if index < len(ENDS) else None
    rows = [row for row, place in enumerate(places) if place == index]
    if len(rows) < FEWEST_ROWS:
        return LengthScores(above, most, len(rows), None, None)
    interval = of_metrics(
        [labels[row] for row in rows],
        {arm: [[training[row] for row in rows] for training in answers]},
        classes,
        [MACRO_F1],
        fixed,
    )[MACRO_F1.key][arm]
    return LengthScores(above, most, len(rows), interval.value, (interval.low, interval.high))
