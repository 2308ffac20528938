"""Single errors of the finals as the page lists them, with what each arm answered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from suite.contracts.results import StudyResults
from suite.report.data.classes import label_of
from suite.report.words import Words


@dataclass(frozen=True)
class WrongRow:
    """A test row that some arm gets wrong, as the page lists it.

    `answers` has for each arm its answer, how probable that was, and whether it is right; `wrong`
    names who took which class for which (`arm:true>predicted`, by position) for the page's script.
    """

    row: int
    text: str
    true: str
    answers: tuple[tuple[str, float | None, bool], ...]
    wrong: str
    by_all: bool
    id: str | None = None


@dataclass(frozen=True)
class Wrong:
    """Single errors: the arms, the confusions that occur (most frequent first), and the rows."""

    arms: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    rows: tuple[WrongRow, ...]

    @property
    def named(self) -> bool:
        """Whether rows have names of their own."""
        return any(row.id is not None for row in self.rows)


def wrong(results: StudyResults, words: Words) -> Wrong:
    """The errors that the results hold."""

    def named(index: int) -> str:
        return words("no_answer") if index < 0 else label_of(results.labels, index)

    arms = tuple(dict.fromkeys(arm for missed in results.errors for arm in missed.predicted))
    counted: Counter[tuple[int, int]] = Counter()
    rows = []
    for missed in results.errors:
        answers = [(arm, missed.predicted[arm]) for arm in arms]
        mistaken = [(i, a) for i, (_, a) in enumerate(answers) if a != missed.label]
        counted.update({(missed.label, answer) for _, answer in mistaken})
        rows.append(
            WrongRow(
                row=missed.row,
                text=missed.text,
                true=named(missed.label),
                answers=tuple(
                    (named(a), missed.confidence.get(arm), a == missed.label) for arm, a in answers
                ),
                wrong=" ".join(f"{i}:{missed.label}>{a}" for i, a in mistaken),
                by_all=len(mistaken) == len(arms),
                id=missed.id,
            )
        )
    pairs = tuple(
        (f"{true}>{predicted}",
         words("errors_pair_of", true=named(true), predicted=named(predicted)) + f" ({n})")
        for (true, predicted), n in counted.most_common()
    )  # fmt: skip
    return Wrong(arms, pairs, tuple(rows))
