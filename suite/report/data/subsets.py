"""Studies of one task that trained on other parts of its rows, side by side: what each part scores,
and what it gains or loses against as many rows of any kind; and whether arms find the same rows
hard.

Which rows of a part are drawn moves a score as another seed does, and as a rule further. Where each
part was drawn several times, a draw with its training is what a claim is over, so that it holds for
other draws of the part; where it was drawn once, a claim is one about these very rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from suite.contracts.difficulty import By, Part, Subset
from suite.contracts.results import StudyResults
from suite.report import formats
from suite.report.data.alike import AlikeRow, alike_rows, alike_sentence
from suite.report.data.rows import leaderboard
from suite.report.data.stress import by_chance
from suite.report.words import Words
from suite.verdict import confusions
from suite.verdict.comparison import Difference, Of, verdicts
from suite.verdict.confusions import Trained

#: Part -> draw -> its trainings, of one arm and size.
_Draws = dict[Part, dict[int, Trained]]
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
    """An arm trained on so many rows, by part; None where no study has it.

    Args:
        draws: of each part, at least; with 1 claims are about the rows drawn.
    """

    arm: str
    rows: int
    parts: tuple[PartScore | None, ...]
    draws: int = 1


@dataclass(frozen=True)
class PartTable:
    """Studies of one task and recipe, whose parts are by one judgement.

    Args:
        parts: the columns.
        of: rows that were judged.
        suspects: part -> share of its rows whose label is suspected, where somebody looked; of the
            largest size.
        alike: whether the arms find the same test rows hard, trained on the most random rows.
    """

    task: str
    by: By
    of: int
    judges: tuple[str, ...]
    parts: tuple[Part, ...]
    rows: tuple[PartRow, ...]
    suspects: Mapping[Part, float]
    alike: tuple[AlikeRow, ...] = ()


def part_tables(studies: Sequence[StudyResults]) -> tuple[PartTable, ...]:
    """A table for each task and judgement of which several parts were trained on, random rows among
    them, and tested on the same rows."""
    pools: dict[object, list[StudyResults]] = defaultdict(list)
    for study in studies:
        subset, data = study.data.subset, study.data
        if subset is not None and study.predictions is not None and study.finals:
            pools[study.task, data.test_digest, subset.of, study.recipe].append(study)
    tables = []
    for pool in pools.values():
        # Random rows are the same by whatever the others are hard.
        controls = [study for study in pool if _subset(study).part == CONTROL]
        judged: dict[object, list[StudyResults]] = defaultdict(list)
        for study in pool:
            subset = _subset(study)
            if subset.part != CONTROL:
                judged[subset.by, *subset.judges].append(study)
        tables += [_table(own, controls) for own in judged.values() if controls]
    return tuple(tables)


def _subset(study: StudyResults) -> Subset:
    """Which part it trained on."""
    assert study.data.subset is not None  # else it is in no pool
    return study.data.subset


def _table(judged: Sequence[StudyResults], controls: Sequence[StudyResults]) -> PartTable:
    """Args: judged, controls: of one task, test, pool and recipe, and the former by one
    judgement."""
    studies = [*judged, *controls]
    cells: dict[tuple[str, int], _Draws] = defaultdict(lambda: defaultdict(dict))
    fixed: set[str] = set()
    suspects: dict[Part, float] = {}
    most = max(controls, key=lambda one: (_subset(one).rows, -_subset(one).draw))
    for study in sorted(studies, key=lambda one: one.data.rows.train):
        subset, kept = _subset(study), study.predictions
        assert kept is not None  # else it is in no pool
        if subset.suspects is not None:
            suspects[subset.part] = subset.suspects
        for final in study.finals:
            answers = kept.arms.get(final.arm)
            if answers and final.combined is None:
                own = confusions.trained(kept.labels, answers, len(study.labels))
                cells[final.arm, subset.rows][subset.part][subset.draw] = own
                fixed |= {final.arm} if final.deterministic or len(answers) == 1 else set()
    there = {part for own in cells.values() for part in own}
    parts = tuple(part for part in get_args(Part) if part in there)
    rows = []
    for (arm, size), drawn in sorted(cells.items()):
        rows.append(PartRow(arm, size, _parts(drawn, parts, arm in fixed), _draws(drawn)))
    first = _subset(judged[0])
    return PartTable(
        judged[0].task,
        first.by,
        first.of,
        tuple(first.judges),
        parts,
        tuple(rows),
        suspects,
        alike_rows(most, leaderboard(most)),
    )


def _draws(own: _Draws) -> int:
    """In how many draws each part was trained on, at least."""
    return min(len(draws) for draws in own.values())


def _parts(own: _Draws, parts: Sequence[Part], fixed: bool) -> tuple[PartScore | None, ...]:
    """Those of one arm and size; their differences to random rows are one family."""
    drawn = _draws(own) > 1
    arms = {
        str(part): confusions.each([draws[at] for at in sorted(draws)])
        if drawn
        else draws[min(draws)]
        for part, draws in own.items()
    }
    single = fixed and not drawn
    against = [(part, CONTROL) for part in arms if part != CONTROL and CONTROL in arms]
    kind: Of = "trained models" if single else "arms"
    by_part = {one.a: one for one in verdicts(arms, against, [*arms] if single else [], kind)}
    return tuple(
        PartScore(float(arms[part].scores.mean()), by_part.get(part)) if part in own else None
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
    draws = min(row.draws for row in table.rows)
    said.append(words("parts_draws", n=draws) if draws > 1 else words("parts_drawn_once"))
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
    if table.alike:
        said.append(words("parts_alike", told=alike_sentence(table.alike, words)))
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
    if subset.draw > 1:
        told = words("subset_draw", told=told, n=subset.draw)
    if subset.suspects is None:
        return told
    suspects = words("subset_suspects", share=formats.percent(subset.suspects))
    return words.sentences([told + words("end"), suspects])
