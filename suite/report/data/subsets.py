"""Studies of one task that trained on other parts of its rows, side by side: what each part scores,
and what it gains or loses against as many rows of any kind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from suite.contracts.difficulty import By, Part, Subset
from suite.contracts.results import StudyResults
from suite.report import formats
from suite.report.data.stress import by_chance
from suite.report.words import Words
from suite.verdict import confusions
from suite.verdict.comparison import Difference, Of, verdicts
from suite.verdict.confusions import Trained

#: The part that every other one is held against.
CONTROL: Part = "random"


@dataclass(frozen=True)
class PartScore:
    """An arm trained on a part: macro-F1 on test, and the difference to random rows; None of
    these themselves."""

    score: float
    difference: Difference | None


@dataclass(frozen=True)
class PartRow:
    """An arm trained on so many rows, by part; None where no study has it."""

    arm: str
    rows: int
    parts: tuple[PartScore | None, ...]


@dataclass(frozen=True)
class PartTable:
    """Studies of one task, whose parts are by one judgement.

    Args:
        parts: the columns.
        of: rows that were judged.
        suspects: part -> share of its rows whose label is suspected, where somebody looked.
    """

    task: str
    by: By
    of: int
    judges: tuple[str, ...]
    parts: tuple[Part, ...]
    rows: tuple[PartRow, ...]
    suspects: Mapping[Part, float]


def part_tables(studies: Sequence[StudyResults]) -> tuple[PartTable, ...]:
    """A table for each task and judgement of which several parts were trained on, random rows among
    them, and tested on the same rows."""
    groups: dict[tuple[str, str | None, By, int], list[StudyResults]] = defaultdict(list)
    for study in studies:
        subset = study.data.subset
        if subset is not None and study.predictions is not None and study.finals:
            groups[study.task, study.data.test_digest, subset.by, subset.of].append(study)
    tables = [_table(task, by, of, own) for (task, _, by, of), own in groups.items()]
    return tuple(table for table in tables if len(table.parts) > 1 and CONTROL in table.parts)


def _table(task: str, by: By, of: int, studies: Sequence[StudyResults]) -> PartTable:
    trained: dict[tuple[str, int], dict[Part, Trained]] = defaultdict(dict)
    fixed: set[str] = set()
    judges: list[str] = []
    suspects: dict[Part, float] = {}
    for study in sorted(studies, key=lambda one: one.data.rows.train):
        subset, kept = study.data.subset, study.predictions
        assert subset is not None and kept is not None  # else it is in no group
        judges += subset.judges
        if subset.suspects is not None:
            suspects[subset.part] = subset.suspects
        for final in study.finals:
            answers = kept.arms.get(final.arm)
            if answers and final.combined is None:
                own = confusions.trained(kept.labels, answers, len(study.labels))
                trained[final.arm, subset.rows][subset.part] = own
                fixed |= {final.arm} if final.deterministic or len(answers) == 1 else set()
    there = {part for own in trained.values() for part in own}
    parts = tuple(part for part in get_args(Part) if part in there)
    rows = tuple(
        PartRow(arm, rows, _parts(own, parts, arm in fixed))
        for (arm, rows), own in sorted(trained.items())
    )
    return PartTable(task, by, of, tuple(dict.fromkeys(judges)), parts, rows, suspects)


def _parts(
    own: dict[Part, Trained], parts: Sequence[Part], fixed: bool
) -> tuple[PartScore | None, ...]:
    """Those of one arm and size; their differences to random rows are one family."""
    arms: dict[str, Trained] = {str(part): one for part, one in own.items()}
    against = [(part, CONTROL) for part in arms if part != CONTROL and CONTROL in arms]
    kind: Of = "trained models" if fixed else "arms"
    by_part = {one.a: one for one in verdicts(arms, against, [*arms] if fixed else [], kind)}
    return tuple(
        PartScore(float(own[part].scores.mean()), by_part.get(part)) if part in own else None
        for part in parts
    )


def part_sentences(table: PartTable, words: Words) -> list[str]:
    """Whether a part trains better or worse than random rows, where that is more than chance."""
    said = []
    for row in table.rows:
        for part, cell in zip(table.parts, row.parts, strict=True):
            found = cell.difference if cell else None
            if found is not None and not by_chance(found.p):
                said.append(
                    words(
                        "parts_gains" if found.value > 0 else "parts_loses",
                        arm=row.arm,
                        rows=row.rows,
                        part=words(f"difficulty_{part}"),
                        gap=formats.gap(found.value),
                        low=formats.gap(min(abs(found.low), abs(found.high))),
                        high=formats.gap(max(abs(found.low), abs(found.high))),
                    )
                )
    said = said or [words("parts_chance")]
    if table.suspects:
        shares = [
            words(
                "parts_suspects_of",
                part=words(f"difficulty_{part}"),
                share=formats.percent(table.suspects[part]),
            )
            for part in table.parts
            if part in table.suspects
        ]
        said.append(words("parts_suspects", shares=words.join(shares)))
    return said


def subset_told(subset: Subset | None, words: Words) -> str:
    """Which part of its rows a study trained on; empty where on all of them."""
    if subset is None:
        return ""
    told = words(
        "subset_told",
        part=words(f"difficulty_{subset.part}"),
        by=words(f"difficulty_by_{subset.by}"),
        judges=words.join(subset.judges),
        rows=subset.rows,
        of=subset.of,
    )
    if subset.suspects is None:
        return told
    suspects = words("subset_suspects", share=formats.percent(subset.suspects))
    return words.sentences([told + words("end"), suspects])
