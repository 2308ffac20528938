"""Which range an axis shows: that of what belongs together, so that one outlier flattens nothing.

What lies outside is not left out: it is drawn at the axis' end as an arrow with its value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Any

#: So many median distances from the median a score still belongs to the others; and at least so
#: far, for scores near to each other may well be a tenth apart.
FENCE, NEAR = 5.0, 0.1


def fence(values: Sequence[float]) -> tuple[float, float]:
    """What belongs together: the median and `FENCE` median absolute deviations either way.

    Of fewer than three values each belongs.
    """
    if len(values) < 3:
        return -math.inf, math.inf
    middle = median(values)
    reach = max(FENCE * median(abs(value - middle) for value in values), NEAR)
    return middle - reach, middle + reach


def common_range(
    values: Sequence[float], spans: Sequence[tuple[float, float]] = ()
) -> tuple[float, float]:
    """The least and the greatest of the values within the fence, and of their intervals.

    Args:
        values: at least one.
        spans: the interval of each; an end beyond the fence is cut there.
    """
    low, high = fence(values)
    kept = [value for value in values if low <= value <= high]
    for value, span in zip(values, spans, strict=bool(spans)):
        if low <= value <= high:
            kept += [min(max(end, low), high) for end in span]
    return min(kept), max(kept)


def whole_ticks(most: float, ticks: int = 10) -> dict[str, Any]:
    """An axis of counts up to `most`: ticks at whole numbers, no more than about `ticks`."""
    step = max(1.0, most / ticks)
    scale = 10.0 ** math.floor(math.log10(step))
    wide = next(scale * part for part in (1, 2, 5, 10) if scale * part >= step)
    return {"tickmode": "linear", "tick0": 0, "dtick": int(wide), "tickformat": ",d"}
