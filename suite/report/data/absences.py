"""What has no row on the leaderboard, and why: arms that were refused, retired or came to nothing,
and trials that failed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from suite.contracts.results import StudyResults
from suite.report.data.rows import Leaderboard, trial_counts
from suite.report.data.styles import SYMBOLS


@dataclass(frozen=True)
class Absent:
    """An arm that is not on the leaderboard, and why. `reason` is None where none was kept."""

    arm: str
    family: str
    kind: Literal["refused", "retired", "without_result"]
    reason: str | None
    pruned: int = 0
    failed: int = 0


@dataclass(frozen=True)
class AbsentFor:
    """Arms that are not on the leaderboard for one reason."""

    arms: tuple[str, ...]
    families: tuple[str, ...]
    kind: Literal["refused", "retired", "without_result"]
    reason: str | None
    pruned: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Failure:
    """Failed trials of one arm with one reason."""

    arm: str
    reason: str | None
    trials: tuple[int, ...]


def absent(results: StudyResults, board: Leaderboard) -> tuple[Absent, ...]:
    """Every arm without a row: refused, retired, or simply without a complete trial."""
    counts = trial_counts(results.trials)
    found: list[Absent] = []
    for arm in results.arms:
        if arm.refused is not None:
            found.append(Absent(arm.arm, arm.family, "refused", arm.refused))
        elif arm.retired is not None:
            found.append(Absent(arm.arm, arm.family, "retired", arm.retired))
        elif board.row(arm.arm) is None:
            states = counts[arm.arm]
            found.append(
                Absent(
                    arm.arm,
                    arm.family,
                    "without_result",
                    arm.short,
                    pruned=states["PRUNED"],
                    failed=states["FAIL"],
                )
            )
    return tuple(found)


def by_reason(gone: Sequence[Absent]) -> tuple[AbsentFor, ...]:
    """Arms without a row, those of one reason together; of those without one each by itself."""
    groups: dict[tuple[object, ...], list[Absent]] = defaultdict(list)
    for arm in gone:
        groups[arm.kind, arm.reason, arm.arm if arm.reason is None else ""].append(arm)
    return tuple(
        AbsentFor(
            arms=tuple(one.arm for one in arms),
            families=tuple(dict.fromkeys(one.family for one in arms)),
            kind=arms[0].kind,
            reason=arms[0].reason,
            pruned=sum(one.pruned for one in arms),
            failed=sum(one.failed for one in arms),
        )
        for arms in groups.values()
    )


def failures(results: StudyResults) -> tuple[Failure, ...]:
    """Failed trials grouped by arm and reason, the most frequent first."""
    groups: dict[tuple[str, str | None], list[int]] = defaultdict(list)
    for trial in results.trials:
        if trial.state == "FAIL":
            groups[trial.arm, trial.error].append(trial.number)
    found = [Failure(arm, reason, tuple(numbers)) for (arm, reason), numbers in groups.items()]
    return tuple(sorted(found, key=lambda f: (-len(f.trials), f.trials[0])))


def missing_families(results: StudyResults, board: Leaderboard) -> tuple[tuple[str, ...], int]:
    """Families of which every arm was refused or retired, and how many arms that are."""
    present = {row.family for row in board.rows}
    gone: dict[str, list[bool]] = defaultdict(list)
    for arm in results.arms:
        gone[arm.family].append(arm.refused is not None or arm.retired is not None)
    families = tuple(
        family
        for family in SYMBOLS
        if family not in present and gone.get(family) and all(gone[family])
    )
    return families, sum(len(gone[family]) for family in families)
