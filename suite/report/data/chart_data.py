"""What each chart shows, as typed values, before anything is drawn.

A test asks here which points, which curves, which confusions; `charts` only turns the values
into Plotly figures. What is left out to keep a page small (curves, trials, classes) is decided
and counted here, so that the page can say so.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from suite.contracts.results import Published, StudyResults, Trial
from suite.report.data.rows import Leaderboard, LeaderboardRow, Metric, last_score, pareto_front

#: Curves drawn of each arm, and trials drawn in all.
CURVES_PER_ARM = 30
TRIALS_DRAWN = 1500
#: Above so many classes a matrix carries no numbers; no names; and not all F1 are drawn.
CLASSES_WITH_NUMBERS = 16
CLASSES_NAMED = 45
CLASSES_DRAWN = 30
CONFUSIONS_LISTED = 15

#: After Okabe and Ito's colours and Tol's muted set, darkened or lightened until each stands out
#: at 3:1 (WCAG 1.4.11) from the page's white and from its near-black. Beyond these, `Style.open`
#: sets arms apart.
PALETTE = (
    "#0077bb", "#c47f00", "#00926a", "#c2679a", "#d55e00", "#3b93cc",
    "#868622", "#b04da0", "#2f9184", "#cc6677", "#8c6d46", "#7f7f7f",
)  # fmt: skip
#: Where values span less than this, a logarithmic axis only hides how near they are.
LOG_SPAN = 5
#: Diameters in pixels between which bubbles grow with peak memory, by area.
BUBBLES = (10.0, 34.0)
SYMBOLS: Mapping[str, str] = {"classic": "circle", "encoder": "square", "decoder": "diamond"}
OTHER_SYMBOL = "triangle-up"

Split = Literal["test", "validation"]
#: Left, bottom, right, top.
Box = tuple[float, float, float, float]
Position = Literal[
    "top center", "bottom center", "middle right", "middle left",
    "top right", "top left", "bottom right", "bottom left",
]  # fmt: skip


@dataclass(frozen=True)
class Style:
    """How one arm looks in every chart and table: colour by arm, shape by family."""

    colour: str
    symbol: str
    open: bool


@dataclass(frozen=True)
class Point:
    """An arm in a trade-off. `low` and `high` bound y (the 95 % interval) where known.

    `size` is the bubble's diameter in pixels; its area grows with `memory` (bytes at the peak).
    """

    arm: str
    trial: int
    x: float
    y: float
    low: float | None
    high: float | None
    label: Position
    memory: int | None
    size: float


@dataclass(frozen=True)
class TradeOff:
    """Quality against a cost; `front` are the arms that no other beats on both, by rising x.

    The ranges hold every point, interval and drawable reference; x in log10 where `log`.
    """

    x: Metric
    y: Metric
    log: bool
    points: tuple[Point, ...]
    front: tuple[str, ...]
    left_out: tuple[str, ...]
    references: tuple[Published, ...]
    x_range: tuple[float, float]
    y_range: tuple[float, float]


@dataclass(frozen=True)
class Curve:
    """One trial's checkpoints: fractions of the budget, macro-F1, validation rows scored on."""

    arm: str
    trial: int
    pruned: bool
    best: bool
    fractions: tuple[float, ...]
    scores: tuple[float, ...]
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Curves:
    """The curves drawn, of `total` that exist."""

    curves: tuple[Curve, ...]
    total: int


@dataclass(frozen=True)
class TrialPoint:
    """A finished trial's objective."""

    number: int
    arm: str
    score: float
    pruned: bool


@dataclass(frozen=True)
class History:
    """Trials by number; `best` is the running best of complete ones as (number, score) steps."""

    points: tuple[TrialPoint, ...]
    best: tuple[tuple[int, float], ...]
    total: int
    numbers: tuple[int, ...]
    """Of every finished trial, also of those that are not drawn."""

    def after(self, number: int) -> int:
        """How many trials finished with a higher number."""
        return sum(other > number for other in self.numbers)


@dataclass(frozen=True)
class Confusion:
    """Rows of one true class that were taken for another."""

    true: int
    predicted: int
    count: int
    share: float


@dataclass(frozen=True)
class ClassView:
    """Where one arm's best trial errs. `shares[true][predicted]`; None in an empty class' row."""

    arm: str
    split: Split
    trial: int
    counts: tuple[tuple[int, ...], ...]
    shares: tuple[tuple[float | None, ...], ...]
    per_class_f1: tuple[float, ...]
    confusions: tuple[Confusion, ...]


@dataclass(frozen=True)
class PerClass:
    """F1 of classes (rows, hardest first by the mean over arms) under each arm (columns)."""

    split: Split
    arms: tuple[str, ...]
    classes: tuple[int, ...]
    scores: tuple[tuple[float, ...], ...]
    drawn: int


@dataclass(frozen=True)
class SplitLengths:
    """Lengths of a split's texts in characters: shortest, each twentieth of the rows, longest."""

    split: str
    quantiles: tuple[int, ...]


@dataclass(frozen=True)
class Lengths:
    """Lengths by split, train first."""

    splits: tuple[SplitLengths, ...]


def styles(results: StudyResults) -> dict[str, Style]:
    """A look for every arm, by its order in the study, so that it never changes with the rank."""
    families = {arm.arm: arm.family for arm in results.arms}
    names = list(
        dict.fromkeys(
            [a.arm for a in results.arms]
            + [t.arm for t in results.trials]
            + [f.arm for f in results.finals]
        )
    )
    # Arms that ran come first: a refused one, drawn nowhere, must not use up a colour.
    ran = {t.arm for t in results.trials} | {f.arm for f in results.finals}
    names.sort(key=lambda name: name not in ran)
    return {
        name: Style(
            colour=PALETTE[i % len(PALETTE)],
            symbol=SYMBOLS.get(families.get(name, ""), OTHER_SYMBOL),
            open=(i // len(PALETTE)) % 2 == 1,
        )
        for i, name in enumerate(names)
    }


def trade_off(board: Leaderboard, x: Metric, drawable: Sequence[Published] = ()) -> TradeOff:
    """Macro-F1 (on test where finals exist, else validation) against a cost."""
    y = board.score
    having: list[tuple[LeaderboardRow, float, float]] = []
    for row in board.rows:
        across, above = x.of(row), y.of(row)
        if across is not None and above is not None and (across > 0 or not x.log):
            having.append((row, across, above))
    tested = y.key == "test_macro_f1"
    spans = [
        row.test_interval if tested and row.test_interval else (above, above)
        for row, _, above in having
    ]
    heights = [bound for span in spans for bound in span] + [above for _, _, above in having]
    heights += [reference.value for reference in drawable] if having else []
    costs = [across for _, across, _ in having]
    log = x.log and bool(costs) and max(costs) / min(costs) >= LOG_SPAN
    widths = [math.log10(across) if log else across for across in costs]
    least = 0.15 if log else 0.05 * max(costs, default=1.0)
    x_range, y_range = _padded(widths, 0.12, least), _padded(heights, 0.10, 0.01)
    sizes = _bubbles([row.peak_memory_bytes for row, _, _ in having])
    front = pareto_front([row for row, _, _ in having], x, y)
    places = {
        row.arm: (_within(width, x_range), _within(above, y_range))
        for (row, _, above), width in zip(having, widths, strict=True)
    }
    obstacles: list[Box] = [
        (places[row.arm][0], _within(low, y_range), places[row.arm][0], _within(high, y_range))
        for (row, _, _), (low, high) in zip(having, spans, strict=True)
    ]
    for reference in drawable:
        level = _within(reference.value, y_range)
        # Its name stands on the line's end that lies towards the ideal.
        end = 0.68 if x.higher_is_better else 0.0
        obstacles += [(0, level, 1, level), (end, level, end + 0.32, level + 0.04)]
    for (x1, y1), (x2, y2) in itertools.pairwise(places[arm] for arm in front):
        corner = y2 if x.higher_is_better else y1
        turn = x1 if x.higher_is_better else x2
        obstacles += [
            (x1, corner, x2, corner),
            (turn, min(y1, y2), turn, max(y1, y2)),
        ]
    labels = place_labels(
        [(row.arm, *places[row.arm]) for row, _, _ in having], obstacles=obstacles, sizes=sizes
    )
    points = tuple(
        Point(
            arm=row.arm,
            trial=row.trial,
            x=across,
            y=above,
            low=row.test_interval[0] if tested and row.test_interval else None,
            high=row.test_interval[1] if tested and row.test_interval else None,
            label=label,
            memory=row.peak_memory_bytes,
            size=size,
        )
        for (row, across, above), label, size in zip(having, labels, sizes, strict=True)
    )
    drawn = {point.arm for point in points}
    return TradeOff(
        x=x,
        y=y,
        log=log,
        points=points,
        front=front,
        left_out=tuple(row.arm for row in board.rows if row.arm not in drawn),
        references=tuple(drawable),
        x_range=x_range,
        y_range=y_range,
    )


#: Where a name may stand: its left edge in widths of its own, its height above the point.
OFFSETS: Mapping[Position, tuple[float, float]] = {
    "top center": (-0.5, 1),
    "bottom center": (-0.5, -1),
    "middle right": (0, 0),
    "middle left": (-1, 0),
    "top right": (0, 1),
    "top left": (-1, 1),
    "bottom right": (0, -1),
    "bottom left": (-1, -1),
}


def _bubbles(memory: Sequence[int | None]) -> list[float]:
    """Diameters whose areas grow with memory; the smallest where it is not known."""
    smallest, largest = BUBBLES
    most = max((m for m in memory if m), default=0)
    return [
        max(smallest, largest * math.sqrt(m / most)) if m and most else smallest for m in memory
    ]


def place_labels(
    points: Sequence[tuple[str, float, float]],
    obstacles: Sequence[Box] = (),
    sizes: Sequence[float] = (),
    width: float = 470,
    height: float = 340,
) -> list[Position]:
    """Where each point's name stands so that it covers other names, markers and lines least.

    Names are placed one by one, and three times over, so that the first can yield to the last.

    Args:
        points: name, and place in the unit square.
        obstacles: boxes in the unit square that a name had better not cover.
        sizes: diameters of the markers in pixels, point by point; 14 where not given.
        width: pixels of the plot across.
        height: pixels of the plot upwards.
    """
    centres = [(x * width, y * height) for _, x, y in points]
    radii = [size / 2 for size in sizes] or [7.0] * len(points)
    markers: list[Box] = [
        (x - r, y - r, x + r, y + r) for (x, y), r in zip(centres, radii, strict=True)
    ]
    # A line is thin but still in the way: each obstacle is widened to a few pixels.
    lines: list[Box] = [
        (a * width - 2, b * height - 2, r * width + 2, t * height + 2) for a, b, r, t in obstacles
    ]
    choices = [
        {position: _label_box(len(name), x, y, r, *offset) for position, offset in OFFSETS.items()}
        for (name, _, _), (x, y), r in zip(points, centres, radii, strict=True)
    ]
    placed: dict[int, Position] = {}
    for _ in range(3):
        for i, boxes in enumerate(choices):
            others = [choices[k][position] for k, position in placed.items() if k != i]

            def cost(
                position: Position,
                boxes: Mapping[Position, Box] = boxes,
                others: Sequence[Box] = others,
            ) -> float:
                box = boxes[position]
                outside = max(0.0, -box[0]) + max(0.0, box[2] - width)
                outside += max(0.0, -box[1]) + max(0.0, box[3] - height)
                # A name over a name reads worst, over a marker badly, over a line still well.
                return (
                    outside * 100
                    + 8 * sum(_overlap(box, other) for other in others)
                    + 4 * sum(_overlap(box, marker) for marker in markers)
                    + sum(_overlap(box, other) for other in lines)
                )

            placed[i] = min(OFFSETS, key=cost)
    return [placed[i] for i in range(len(points))]


def _label_box(letters: int, x: float, y: float, r: float, across: float, up: float) -> Box:
    long, line, gap = 6.4 * letters, 15.0, r + 2.0
    left = x + across * long + (gap if across == 0 else -gap if across == -1 else 0)
    bottom = y - line / 2 + up * (gap + line / 2)
    return left, bottom, left + long, bottom + line


def curves(results: StudyResults, cap: int = CURVES_PER_ARM) -> Curves:
    """Checkpoint curves of trials with at least two points; the best `cap` of each arm.

    Complete trials come before pruned ones, but where there are both, the pruned keep a third.
    """
    by_arm: dict[str, list[Trial]] = {}
    total = 0
    for trial in results.trials:
        if trial.state in ("COMPLETE", "PRUNED") and len(trial.checkpoints) > 1:
            by_arm.setdefault(trial.arm, []).append(trial)
            total += 1
    drawn: list[Curve] = []
    for arm, trials in by_arm.items():
        complete = sorted((t for t in trials if t.state == "COMPLETE"), key=_by_score)
        pruned = sorted((t for t in trials if t.state == "PRUNED"), key=_by_score)
        room = max(cap - len(complete), min(len(pruned), cap // 3))
        kept = complete[: cap - min(room, len(pruned))] + pruned[:room]
        best = results.best(arm)
        for trial in sorted(kept, key=lambda t: t.number):
            points = sorted(trial.checkpoints, key=lambda c: c.fraction)
            drawn.append(
                Curve(
                    arm=arm,
                    trial=trial.number,
                    pruned=trial.state == "PRUNED",
                    best=best is not None and best.number == trial.number,
                    fractions=tuple(point.fraction for point in points),
                    scores=tuple(point.macro_f1 for point in points),
                    rows=tuple(point.rows or results.data.rows.validation for point in points),
                )
            )
    return Curves(tuple(drawn), total)


def history(results: StudyResults, cap: int = TRIALS_DRAWN) -> History:
    """The objective of every finished trial; above `cap` improvements stay, others are thinned."""
    points = [
        TrialPoint(trial.number, trial.arm, value, trial.state == "PRUNED")
        for trial in sorted(results.trials, key=lambda t: t.number)
        if trial.state in ("COMPLETE", "PRUNED") and (value := last_score(trial)) is not None
    ]
    best: list[tuple[int, float]] = []
    for point in points:
        if not point.pruned and (not best or point.score > best[-1][1]):
            best.append((point.number, point.score))
    total, numbers = len(points), tuple(point.number for point in points)
    if best and points[-1].number > best[-1][0]:
        best.append((points[-1].number, best[-1][1]))
    if total > cap:
        kept = {number for number, _ in best}
        rest = [point for point in points if point.number not in kept]
        step = len(rest) / max(1, cap - len(kept))
        chosen = {rest[int(i * step)].number for i in range(int(len(rest) / step))}
        points = [point for point in points if point.number in kept | chosen]
    return History(tuple(points), tuple(best), total, numbers)


def class_views(results: StudyResults, board: Leaderboard) -> tuple[ClassView, ...]:
    """The confusions of each arm on the leaderboard, in its order; test where finals exist."""
    finals = {final.arm: final for final in results.finals}
    by_number = {trial.number: trial for trial in results.trials}
    views = []
    for row in board.rows:
        final = finals.get(row.arm)
        trial = by_number.get(row.trial)
        if final is not None and final.test.confusion:
            views.append(
                class_view(row.arm, "test", row.trial, final.test.confusion,
                           final.test.per_class_f1)
            )  # fmt: skip
        elif trial is not None and trial.validation is not None:
            scores = trial.validation
            views.append(
                class_view(row.arm, "validation", row.trial, scores.confusion,
                           scores.per_class_f1)
            )  # fmt: skip
    return tuple(views)


def class_view(
    arm: str,
    split: Split,
    trial: int,
    confusion: Sequence[Sequence[int]],
    per_class_f1: Sequence[float],
) -> ClassView:
    """Shares of each true class, and the most frequent confusions, of one matrix."""
    shares = tuple(
        tuple(n / total if total else None for n in row)
        for row in confusion
        for total in (sum(row),)
    )
    found = [
        Confusion(true, predicted, n, shares[true][predicted] or 0.0)
        for true, row in enumerate(confusion)
        for predicted, n in enumerate(row)
        if true != predicted and n > 0
    ]
    found.sort(key=lambda c: (-c.count, -c.share, c.true, c.predicted))
    return ClassView(
        arm=arm,
        split=split,
        trial=trial,
        counts=tuple(tuple(row) for row in confusion),
        shares=shares,
        per_class_f1=tuple(per_class_f1),
        confusions=tuple(found[:CONFUSIONS_LISTED]),
    )


def per_class(views: Sequence[ClassView]) -> PerClass | None:
    """F1 of each class under each arm, hardest class first; arms of one split only."""
    having = [view for view in views if view.per_class_f1]
    if not having:
        return None
    split = having[0].split
    having = [
        view
        for view in having
        if view.split == split and len(view.per_class_f1) == len(having[0].per_class_f1)
    ]
    classes = range(len(having[0].per_class_f1))
    means = [sum(view.per_class_f1[c] for view in having) / len(having) for c in classes]
    order = sorted(classes, key=lambda c: (means[c], c))
    return PerClass(
        split=split,
        arms=tuple(view.arm for view in having),
        classes=tuple(order),
        scores=tuple(tuple(view.per_class_f1[c] for view in having) for c in order),
        drawn=min(len(order), CLASSES_DRAWN),
    )


def lengths(results: StudyResults) -> Lengths | None:
    """Lengths of the texts where the audit has them."""
    audit = results.data.audit
    found = tuple(
        SplitLengths(name, tuple(split.length_quantiles))
        for name, split in (audit.splits.items() if audit else ())
        if len(split.length_quantiles) == 21
    )
    return Lengths(found) if found else None


def label_of(labels: Sequence[str], index: int) -> str:
    """A class' name; its index where the results name no labels."""
    return labels[index] if 0 <= index < len(labels) else str(index)


def _by_score(trial: Trial) -> tuple[float, int]:
    return (-(last_score(trial) or 0.0), trial.number)


def _padded(values: Sequence[float], share: float, least: float) -> tuple[float, float]:
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    room = max((high - low) * share, least)
    return low - room, high + room


def _overlap(one: Box, other: Box) -> float:
    return max(0.0, min(one[2], other[2]) - max(one[0], other[0])) * max(
        0.0, min(one[3], other[3]) - max(one[1], other[1])
    )


def _within(value: float, bounds: tuple[float, float]) -> float:
    return (value - bounds[0]) / (bounds[1] - bounds[0])
