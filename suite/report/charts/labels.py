"""Where the names of a chart's points stand, so that they can be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

#: Left, bottom, right, top.
Box = tuple[float, float, float, float]
Position = Literal[
    "top center", "bottom center", "middle right", "middle left",
    "top right", "top left", "bottom right", "bottom left",
]  # fmt: skip

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


def _overlap(one: Box, other: Box) -> float:
    return max(0.0, min(one[2], other[2]) - max(one[0], other[0])) * max(
        0.0, min(one[3], other[3]) - max(one[1], other[1])
    )


def padded(values: Sequence[float], share: float, least: float) -> tuple[float, float]:
    """The values' range with room at both ends: a share of it, and `least` at least."""
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    room = max((high - low) * share, least)
    return low - room, high + room


def within(value: float, bounds: tuple[float, float]) -> float:
    """Where a value lies in a range, 0 to 1."""
    return (value - bounds[0]) / (bounds[1] - bounds[0])
