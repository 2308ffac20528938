"""Several studies as one table: which arm does well where, and what changed between two studies.

A task counts once: of several studies of one task the latest with test scores stands for it, and
the studies are compared side by side. Averages are taken only over tasks whose test split was
opened and only of arms that every one of these tasks has; the bundled sample counts only where
there is nothing else. Costs are ratios within a study, so within one machine.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

from pydantic import TypeAdapter

from suite.contracts import moments
from suite.contracts.objective import DEFAULT_OBJECTIVE
from suite.contracts.results import StudyResults
from suite.report.data.across_cells import Cell, cells_of, speed_ratio
from suite.report.data.rows import Leaderboard, LeaderboardRow, leaderboard
from suite.report.data.side_by_side import SideBySide, machine_of, pairs_of
from suite.report.data.subsets import PartTable, part_tables
from suite.verdict import over_tasks
from suite.verdict.speeds import Ratio, apart, mean_ratio
from suite.verdict.standing import Basis

SCHEMA_VERSION = 1
#: An arm further below the best than this is of no use, however cheap.
FAR = 0.2


@dataclass(frozen=True)
class Column:
    """A study. `stands` where it stands for its task in the matrix, `counted` where the task is
    in the averages too. `machine` is empty where the study does not tell it.
    """

    study: str
    task: str
    title: str
    name: str
    sample: bool
    basis: Basis
    stands: bool
    counted: bool
    stale: bool
    test_openings: int
    arms: int
    trials: int
    train_rows: int
    test_rows: int
    classes: int
    fingerprint: str
    machine: str
    created: str
    best: str | None
    objective: str = DEFAULT_OBJECTIVE


@dataclass(frozen=True)
class AcrossArm:
    """An arm over all tasks; `cells` in the order of the standing columns.

    `average_rank` is the mean over counted tasks of its rank by score among the arms common to
    all, `win_rate` the share of these arms that it scores above, each with its 95 % interval over
    draws of the tasks; None for other arms, and where the tasks are too few to rank arms over
    them. `won`, `level` and `lost` count paired contests with every other arm
    on every counted task: won or lost by more than chance, or level. `speed` and `training` are
    geometric means over counted tasks; None where machines differ or one is missing.
    """

    arm: str
    family: str
    cells: tuple[Cell, ...]
    tasks: int
    average_rank: float | None
    first: int
    won: int
    level: int
    lost: int
    mean_gap: float | None
    speed: float | None
    training: float | None
    rank_interval: tuple[float, float] | None = None
    win_rate: float | None = None
    win_interval: tuple[float, float] | None = None
    speed_interval: tuple[float, float] | None = None
    """Of `speed`, as of a cell's; null where a task has none."""

    @property
    def times_as_fast(self) -> float | None:
        """How many times as fast as the reference; None where that can be chance."""
        return self.speed if apart(self.speed_interval) else None

    @property
    def contests(self) -> int:
        """Paired contests it took part in."""
        return self.won + self.level + self.lost

    def share(self, outcome: Literal["won", "level", "lost"]) -> float | None:
        """The share of its contests with this outcome."""
        count: int = getattr(self, outcome)
        return count / self.contests if self.contests else None


@dataclass(frozen=True)
class Duel:
    """The best arm on average against another one: on how many tasks it won by more than chance,
    could be level, lost.
    """

    against: str
    won: int
    level: int
    lost: int


@dataclass(frozen=True)
class OverTasks:
    """Friedman's test over the counted tasks, and Nemenyi's critical difference."""

    statistic: float
    p: float
    critical_difference: float


@dataclass(frozen=True)
class Across:
    """Everything the page across studies says, best arm first.

    `common` are the arms with a test score in every counted task, by average rank; `duels` are
    those of the first of them with each other arm it met; `reference` is the arm whose
    costs are 1, or None where the study's median is. `parts` are what studies say that trained on
    parts of the rows.
    """

    schema_version: int
    columns: tuple[Column, ...]
    arms: tuple[AcrossArm, ...]
    common: tuple[str, ...]
    duels: tuple[Duel, ...]
    over_tasks: OverTasks | None
    reference: str | None
    same_machine: bool
    pairs: tuple[SideBySide, ...]
    pairs_left_out: int
    parts: tuple[PartTable, ...] = ()

    @property
    def ranked(self) -> bool:
        """Whether there are tasks enough to rank arms over them, and arms to be ranked."""
        return any(arm.average_rank is not None for arm in self.arms)

    @property
    def standing(self) -> tuple[Column, ...]:
        """The matrix's columns: one study for each task."""
        return tuple(column for column in self.columns if column.stands)

    @property
    def counted(self) -> tuple[Column, ...]:
        """The columns that averages are taken over."""
        return tuple(column for column in self.columns if column.counted)

    @property
    def objective(self) -> str:
        """By what all studies that stand for a task go; "" where that differs between them."""
        found = {column.objective for column in self.standing}
        return found.pop() if len(found) == 1 else ""

    def arm(self, name: str) -> AcrossArm | None:
        """An arm by its name."""
        return next((arm for arm in self.arms if arm.arm == name), None)

    def cell(self, arm: AcrossArm, column: Column) -> Cell:
        """An arm's cell in a standing column."""
        return arm.cells[self.standing.index(column)]

    def to_json(self) -> str:
        """The contract's object, as in the published `across.schema.json`."""
        value: dict[str, Any] = across_adapter().dump_python(self, mode="json")
        return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def across_adapter() -> TypeAdapter[Across]:
    """The pydantic view of `Across`."""
    return TypeAdapter(Across)


def across(studies: Sequence[StudyResults]) -> Across:
    """What several studies say together.

    Args:
        studies: in the order they are named.
    """
    boards = [leaderboard(results) for results in studies]
    standing = _standing(studies, boards)
    real = any(boards[i].basis == "test" and not studies[i].sample for i in standing)
    counted = {
        i for i in standing if boards[i].basis == "test" and not (real and studies[i].sample)
    }
    names = _short_names(studies)
    columns = tuple(
        _column(results, board, name, stands=i in standing, counted=i in counted)
        for i, (results, board, name) in enumerate(zip(studies, boards, names, strict=True))
    )
    shown = [i for i in range(len(studies)) if i in standing]
    common = _common([boards[i] for i in shown if i in counted])
    averaged = [boards[i] for i in shown if i in counted]
    scores = {
        arm: [_standing_at(board, row) for board in averaged if (row := board.row(arm))]
        for arm in common
    }
    ranks = over_tasks.average_ranks(scores)
    ranking = over_tasks.over_tasks(scores)
    test = over_tasks.rank_test(scores) if ranking else None
    over = OverTasks(test.statistic, test.p, test.critical_difference) if test else None
    means = {arm: sum(own) / len(own) for arm, own in scores.items()}
    ordered = sorted(common, key=lambda arm: (ranks[arm], -means[arm], arm))
    alike = len({studies[i].objective for i in standing}) < 2
    reference = _reference(ordered, [boards[i] for i in shown if i in counted])
    machines = {columns[i].machine for i in counted}
    same = len(machines) == 1 and "" not in machines
    sides = [(studies[i], boards[i], i in counted) for i in shown]
    arms = _arms(sides, ranking, reference, same, alike)
    pairs, left = pairs_of(studies, boards)
    return Across(
        schema_version=SCHEMA_VERSION,
        columns=columns,
        arms=tuple(arms),
        common=tuple(ordered),
        duels=tuple(_duels(ordered, averaged)),
        over_tasks=over,
        reference=reference,
        same_machine=same,
        pairs=tuple(pairs),
        pairs_left_out=left,
        parts=part_tables(studies),
    )


def _standing_at(board: Leaderboard, row: LeaderboardRow) -> float:
    """An arm's score on a task as a number of which the higher is the better one."""
    return board.score.merit(row.test_score or 0.0)


def _standing(studies: Sequence[StudyResults], boards: Sequence[Leaderboard]) -> set[int]:
    """For each task, real or sample, the latest study: with test scores if one has them."""
    chosen: dict[tuple[str, bool], int] = {}

    def merit(i: int) -> tuple[bool, bool, str, int]:
        return boards[i].basis == "test", boards[i].basis != "none", studies[i].created, i

    for i, results in enumerate(studies):
        key = (results.task, results.sample)
        chosen[key] = max(chosen.get(key, i), i, key=merit)
    return set(chosen.values())


def _short_names(studies: Sequence[StudyResults]) -> list[str]:
    """A column's heading: the task, or the study's name where a task is there twice."""
    tasks = [results.task for results in studies]
    return [r.task if tasks.count(r.task) == 1 else r.study for r in studies]


def _column(
    results: StudyResults, board: Leaderboard, name: str, *, stands: bool, counted: bool
) -> Column:
    verdict = board.standing.verdict
    return Column(
        study=results.study,
        task=results.task,
        title=results.title or results.task,
        name=name,
        sample=results.sample,
        basis=board.basis,
        stands=stands,
        counted=counted,
        stale=any(row.stale for row in board.rows),
        test_openings=results.test_openings,
        arms=len(results.arms),
        trials=sum(t.state in ("COMPLETE", "PRUNED", "FAIL") for t in results.trials),
        train_rows=results.data.rows.train,
        test_rows=results.data.rows.test,
        classes=len(results.labels),
        fingerprint=results.data.fingerprint,
        machine=machine_of(results),
        created=moments.shown(results.created),
        best=verdict.best if verdict else None,
        objective=results.objective,
    )


def _common(boards: Sequence[Leaderboard]) -> list[str]:
    """The arms with a test score on every one of these, in the first's order."""
    if not boards:
        return []
    tested = [{r.arm for r in board.rows if r.test_score is not None} for board in boards]
    return [row.arm for row in boards[0].rows if all(row.arm in arms for arms in tested)]


def _reference(ordered: Sequence[str], boards: Sequence[Leaderboard]) -> str | None:
    """The best common arm whose training time and speed are known on every task."""
    for arm in ordered:
        rows = [row for board in boards if (row := board.row(arm))]
        if all((row.train_seconds or 0) > 0 and (row.offline_rps or 0) > 0 for row in rows):
            return arm
    return None


def _arms(
    shown: Sequence[tuple[StudyResults, Leaderboard, bool]],
    ranking: Mapping[str, over_tasks.OverTasks],
    reference: str | None,
    same_machine: bool,
    alike: bool,
) -> list[AcrossArm]:
    """Args: alike: whether all these studies go by one score, so that distances add up."""
    names: dict[str, str] = {}
    for results, board, _ in shown:
        for arm in results.arms:
            names[arm.arm] = names.get(arm.arm) or arm.family
        for row in board.rows:
            names[row.arm] = names.get(row.arm) or row.family
    outcomes = {name: [0, 0, 0] for name in names}
    for _, board, counts in shown:
        if counts:
            _contest(board, outcomes)
    columns = [cells_of(results, board, names, reference) for results, board, _ in shown]

    def ratio_of(arm: str, board: Leaderboard) -> Ratio | None:
        return speed_ratio(board, arm, reference)

    found = []
    for name, family in names.items():
        cells = tuple(column[name] for column in columns)
        own = [
            cell
            for cell, (_, _, counts) in zip(cells, shown, strict=True)
            if counts and cell.state == "scored" and cell.score is not None and cell.rank
        ]
        gaps = [cell.gap for cell in own if cell.gap is not None]
        ranked = ranking.get(name)
        speeds = [ratio_of(name, board) for _, board, counts in shown if counts]
        spanned = mean_ratio(speeds) if reference else None
        whole = same_machine and len(own) == sum(counts for _, _, counts in shown)
        found.append(
            AcrossArm(
                arm=name,
                family=family,
                cells=cells,
                tasks=len(own),
                average_rank=ranked.average_rank if ranked else None,
                rank_interval=ranked.rank_interval if ranked else None,
                win_rate=ranked.win_rate if ranked else None,
                win_interval=ranked.win_interval if ranked else None,
                first=sum(cell.rank == 1 for cell in own),
                won=outcomes[name][0],
                level=outcomes[name][1],
                lost=outcomes[name][2],
                mean_gap=sum(gaps) / len(gaps) if gaps and alike else None,
                speed=_geometric([cell.speed for cell in own]) if whole else None,
                training=_geometric([cell.training for cell in own]) if whole else None,
                speed_interval=(spanned.low, spanned.high) if whole and spanned else None,
            )
        )
    found.sort(key=_merit)
    return found


def _merit(arm: AcrossArm) -> tuple[float, int, float, float, str]:
    scored = [cell.merit for cell in arm.cells if cell.merit is not None]
    mean = sum(scored) / len(scored) if scored else -math.inf
    gap = -math.inf if arm.mean_gap is None else arm.mean_gap
    rank = math.inf if arm.average_rank is None else arm.average_rank
    return rank, -arm.tasks, -gap, -mean, arm.arm


def _duels(ordered: Sequence[str], boards: Sequence[Leaderboard]) -> Iterator[Duel]:
    """The first common arm against every other arm, over these studies."""
    outcomes: dict[str, list[int]] = {}
    for board in boards if ordered else ():
        better, own = board.standing.beats, board.row(ordered[0])
        for row in board.rows:
            if own is None or row is own or row.test_score is None:
                continue
            where = 0 if better(own.arm, row.arm) else 2 if better(row.arm, own.arm) else 1
            outcomes.setdefault(row.arm, [0, 0, 0])[where] += 1
    for arm, (won, level, lost) in outcomes.items():
        yield Duel(arm, won, level, lost)


def _contest(board: Leaderboard, outcomes: Mapping[str, list[int]]) -> None:
    """Counts a study's paired contests as won, level and lost."""
    better = board.standing.beats
    tested = [row for row in board.rows if row.test_score is not None]
    for one, other in combinations(tested, 2):
        if better(one.arm, other.arm):
            winner, loser = one, other
        elif better(other.arm, one.arm):
            winner, loser = other, one
        else:
            outcomes[one.arm][1] += 1
            outcomes[other.arm][1] += 1
            continue
        outcomes[winner.arm][0] += 1
        outcomes[loser.arm][2] += 1


def task_ranks(data: Across) -> dict[str, tuple[float, ...]]:
    """Each common arm's rank by score on each counted task, as averaged in `average_rank`."""
    scores = {
        arm: [data.cell(own, column).merit or 0.0 for column in data.counted]
        for arm in data.common
        if (own := data.arm(arm)) is not None
    }
    return {arm: tuple(own) for arm, own in over_tasks.ranks_of_tasks(scores).items()}


def _geometric(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    return math.exp(sum(math.log(value) for value in known) / len(known))
