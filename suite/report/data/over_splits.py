"""Several splits of a study's rows as rows and sentences: arms by their mean, what is chance."""

from __future__ import annotations

from dataclasses import dataclass

from suite.contracts.splits import SplitArm, Splits
from suite.report import formats
from suite.report.words import Words


@dataclass(frozen=True)
class SplitRow:
    """An arm over splits; `beaten` where the best mean is above its own by more than chance, null
    where that was not tested."""

    arm: SplitArm
    beaten: bool | None

    @property
    def done(self) -> int:
        """Splits in which it has a score."""
        return sum(score is not None for score in self.arm.scores)


def split_rows(splits: Splits) -> list[SplitRow]:
    """Arms, the best mean first."""
    if not splits.arms:
        return []
    best = splits.arms[0].arm
    tested = {
        pair.b if pair.a == best else pair.a: pair.differs
        for pair in splits.pairs
        if best in (pair.a, pair.b)
    }
    return [SplitRow(arm, tested.get(arm.arm)) for arm in splits.arms]


def split_sentences(splits: Splits, words: Words) -> list[str]:
    """What the splits are, what they say of the best arm, and which are missing."""
    done = len(splits.studies) - len(splits.missing)
    told = [words(f"splits_{splits.way}", n=done)]
    rows = split_rows(splits)
    if rows:
        best = rows[0].arm
        told.append(words("splits_best", arm=best.arm, mean=formats.score(best.mean)))
        above = [row.arm.arm for row in rows[1:] if row.beaten]
        level = [row.arm.arm for row in rows[1:] if row.beaten is False]
        if above:
            told.append(words("splits_above", arms=words.join(above)))
        if level:
            told.append(words("splits_level", arms=words.join(level)))
    if splits.missing:
        told.append(words("splits_missing", studies=words.join(splits.missing)))
    return told
