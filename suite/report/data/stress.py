"""What became of arms' answers to changed texts, as a table's columns, lines and sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from suite.contracts.measured import Measured
from suite.contracts.results import StudyResults
from suite.contracts.stress import Change, Changed, Injected, Stress
from suite.report import formats
from suite.report.data.rows import Leaderboard
from suite.report.words import Words
from suite.verdict.interval import LEVEL


@dataclass(frozen=True)
class Instruction:
    """An instruction in a language, with what it did to each arm; None of one not asked it."""

    text: str
    language: str
    arms: tuple[Injected | None, ...]


@dataclass(frozen=True)
class StressTable:
    """The arms that were asked, in the board's order, and what they were asked.

    Args:
        changes: those that an arm was asked, in a fixed order.
    """

    arms: tuple[Stress, ...]
    changes: tuple[Change, ...]
    instructions: tuple[Instruction, ...]

    @property
    def rows(self) -> int:
        """How many rows most arms were asked about."""
        return _usual(self.arms)[0]

    @property
    def harmless(self) -> tuple[Changed | None, ...]:
        """What harmless text did to each arm; none where none was asked about it."""
        found = tuple(one.change("harmless") for one in self.arms)
        return found if any(found) else ()


def stress_table(results: StudyResults, board: Leaderboard) -> StressTable | None:
    """What was asked of the arms; None where nobody asked."""
    found = {one.arm: one for one in results.stress}
    arms = tuple(found[row.arm] for row in board.rows if row.arm in found)
    if not arms:
        return None
    changes = tuple(c for c in get_args(Change) if any(one.change(c) for one in arms))
    given = [{(i.language, i.text): i for i in one.instructions} for one in arms]
    asked = dict.fromkeys(key for own in given for key in own)
    instructions = tuple(
        Instruction(text, language, tuple(own.get((language, text)) for own in given))
        for language, text in asked
    )
    return StressTable(arms, changes, instructions)


def share_interval(found: Measured | None) -> str:
    """The 95 % interval of a share, or of a difference of two, as per cent."""
    if found is None:
        return formats.MISSING
    return formats.percents(found.low, found.high)


def signed_interval(found: Measured) -> str:
    """The 95 % interval of a difference of scores."""
    return f"{formats.signed(found.low)} … {formats.signed(found.high)}"


def by_chance(p: float) -> bool:
    """Whether what was lost may be chance."""
    return p >= LEVEL


def stress_sentences(arms: Sequence[Stress], words: Words) -> list[str]:
    """Who is steered most and least, what a name alone does, and what was not asked.

    Args:
        arms: that were asked.
    """
    said = []
    known = sorted(
        ((one, one.steered) for one in arms if one.steered), key=lambda pair: -pair[1].value
    )
    if len(known) > 1:
        said += [_steered(*known[0], words, "most"), _steered(*known[-1], words, "least")]
    elif known:
        said.append(_steered(*known[0], words, "only"))
    for one in arms:
        if (one.rows, one.seed) != _usual(arms):
            said.append(words("stress_others", arm=one.arm, n=one.rows))
        if one.unsteady:
            share = formats.percent(one.unsteady)
            said.append(words("stress_unsteady", arm=one.arm, share=share))
    reasons = {reason for one in arms for reason in one.left_out.values()}
    for reason in sorted(reasons):
        names = dict.fromkeys(
            change for one in arms for change, why in one.left_out.items() if why == reason
        )
        told = words.join([words(f"stress_{change}") for change in names])
        said.append(words("stress_left_out", changes=told, reason=words.told(reason)))
    return said


def _usual(arms: Sequence[Stress]) -> tuple[int, int]:
    """Rows and seed of what most arms were asked; of as many, the most rows."""
    counts = Counter((one.rows, one.seed) for one in arms)
    return max(counts, key=lambda asked: (counts[asked], asked))


def _steered(found: Stress, steered: Measured, words: Words, which: str) -> str:
    name = found.change("name")
    return words(
        f"stress_steered_{which}",
        arm=found.arm,
        share=formats.percent(steered.value),
        interval=share_interval(steered),
        alone=formats.percent(name.beyond.value if name and name.beyond else None),
    )
