"""Several studies on one page: the answer first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from suite.contracts.results import StudyResults
from suite.report import formats
from suite.report.charts import ACROSS_CHARTS
from suite.report.charts.chart import AcrossScene, Drawn
from suite.report.data.across import FAR, Across, AcrossArm
from suite.report.data.across_cells import Cell
from suite.report.data.placeless import placeless
from suite.report.data.rows import BEYOND
from suite.report.data.spoken import spoken
from suite.report.data.stress import by_chance
from suite.report.data.subsets import part_sentences
from suite.report.pages.across_answer import (
    across_answer,
    method,
    over_tasks_said,
    refusals,
    stands,
    unchanged,
)
from suite.report.pages.shell import Pack, render
from suite.report.words import Words
from suite.verdict.metrics import METRICS
from suite.verdict.over_tasks import LEAST_TASKS

#: What lies further below the task's best than this has no colour in the matrix.
PALE = 0.10
TILES = 4
#: Costs nearer to each other than this factor are no reason to choose.
APART = 1.1


@dataclass(frozen=True)
class AcrossTile:
    """An arm that a reader would choose for one reason or another."""

    arm: AcrossArm
    roles: tuple[str, ...]


def render_across(
    studies: Sequence[StudyResults],
    hrefs: Sequence[str],
    words: Words,
    *,
    refresh: int | None = None,
) -> str:
    """The page across studies, whole.

    Args:
        studies: in the order they are named.
        hrefs: the address of each study's own page.
        words: the language.
        refresh: seconds after which an open page loads itself again.
    """
    scene = AcrossScene.of([placeless(spoken(results, words)) for results in studies], words)
    words, data, drawn = scene.words, scene.data, Drawn.of(ACROSS_CHARTS, scene)
    small = {cost: drawn.of_section(f"small-{cost}") for cost in ("speed", "training")}
    pack = Pack()
    for chart in drawn.all():
        pack.add(chart)
    context: dict[str, Any] = {
        "data": data,
        "name": "across",
        "answer": across_answer(data, words),
        "tiles": across_tiles(data),
        "styles": scene.styles,
        "href_of": lambda column: hrefs[data.columns.index(column)],
        "shades": [[_shade(arm.cells[i]) for arm in data.arms] for i in range(len(data.standing))],
        "refusals": refusals(data),
        "stands": stands(data, words),
        "beyond": BEYOND,
        "test_said": over_tasks_said(data, words),
        "drawn": drawn,
        "small": {cost: own for cost, own in small.items() if own},
        "pairs": [
            (pair, drawn.get(f"pair-{i}"), method(pair, words), unchanged(pair, words))
            for i, pair in enumerate(data.pairs)
        ],
        "parts": [(table, part_sentences(table, words)) for table in data.parts],
        "by_chance": by_chance,
        "best_first": lambda column: (
            "descending" if METRICS[column.objective].higher_is_better else "ascending"
        ),
        "metric_of": lambda column: METRICS[column.objective].label(words.language),
        "cut": formats.name,
        "cut_all": lambda names: [formats.name(name) for name in names],
    }
    return render("across.html", words, context, pack, refresh=refresh)


def across_tiles(data: Across) -> list[AcrossTile]:
    """The arms that matter at a glance; none where the tasks are too few to choose over them."""
    if len(data.counted) < LEAST_TASKS:
        return []
    roles: dict[str, list[str]] = {}
    if len(data.common) > 1:
        roles[data.common[0]] = ["average"]
    contested = [arm for arm in data.arms if arm.contests]
    if contested:
        winner = max(contested, key=lambda arm: (arm.share("won") or 0, -(arm.share("lost") or 0)))
        roles.setdefault(winner.arm, []).append("winner")
    useful = [arm for arm in data.arms if arm.mean_gap is not None and arm.mean_gap >= -FAR]
    fast = [(arm.speed, arm.arm) for arm in useful if arm.speed is not None]
    if fast and _apart(data, max(fast)[1], min(fast)[1]):
        roles.setdefault(max(fast)[1], []).append("quick")
    cheap = [(arm.training, arm.arm) for arm in useful if arm.training is not None]
    if cheap and max(cheap)[0] > APART * min(cheap)[0]:
        roles.setdefault(min(cheap)[1], []).append("frugal")
    found = [(data.arm(name), own) for name, own in roles.items()]
    return [AcrossTile(arm, tuple(own)) for arm, own in found if arm is not None][:TILES]


def _apart(data: Across, fast: str, slow: str) -> bool:
    """Whether the fastest arm's speed lies above the slowest one's, by either's interval."""
    own, other = data.arm(fast), data.arm(slow)
    if own is None or other is None or not own.speed_interval or not other.speed_interval:
        return False
    return own.speed_interval[0] > other.speed_interval[1]


def _shade(cell: Cell) -> int:
    """How deep a cell's colour is, in per cent: 30 for the task's best, 0 from `PALE` below."""
    if cell.gap is None:
        return 0
    return round(30 * max(0.0, 1 + cell.gap / PALE))
