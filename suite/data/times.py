"""A column's values -> when each row was made, as numbers that can be compared.

What could be read in two ways (03/04/2024) is settled over the whole column, or refused: rows that
are newest by a wrong reading would be the test.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from suite.data.columns import missing
from suite.errors import DataError

_PARTED = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?:[ T,]+(\d{1,2}:\d{2}(?::\d{2})?))?")
_YEAR_FIRST = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(.*)")
#: Of rows that have none: they are the oldest, and never the test.
OLDEST = -math.inf


def read(values: Sequence[Any], column: str, where: str) -> list[float]:
    """Seconds since 1970 for dates (those without a zone are UTC), or the numbers themselves.

    Args:
        values: dates, numbers, or how people write them; missing ones become `OLDEST`.

    Raises:
        DataError: a value is neither, or dates that could be of two orders.
    """
    present = [value for value in values if not missing(value)]
    numbers = [_number(value) for value in present]
    if all(number is not None for number in numbers):
        found = iter(numbers)
    else:
        day_first = _day_first(present, column, where)
        found = iter([_moment(value, day_first, column, where) for value in present])
    return [OLDEST if missing(value) else float(next(found) or 0.0) for value in values]


def _number(value: Any) -> float | None:
    if isinstance(value, datetime | date):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _day_first(values: Sequence[Any], column: str, where: str) -> bool:
    """Whether 03/04/2024 is the third of April, as the other dates of the column show."""
    parted = [m for value in values if (m := _PARTED.fullmatch(str(value).strip()))]
    first = any(int(m[1]) > 12 for m in parted)
    second = any(int(m[3]) > 12 for m in parted)
    # With points, nobody writes the month first.
    if parted and not first and not second and any(m[2] != "." for m in parted):
        raise DataError(
            f"the dates of '{column}' could be day or month first: {parted[0][0]}",
            where=where,
            fix="Write them as 2024-04-03.",
        )
    return first or not second


def _moment(value: Any, day_first: bool, column: str, where: str) -> float:
    try:
        if isinstance(value, datetime):
            return _seconds(value)
        if isinstance(value, date):
            return _seconds(datetime(value.year, value.month, value.day))
        text = str(value).strip()
        if parted := _PARTED.fullmatch(text):
            one, _, two, year, clock = parted.groups()
            day, month = (one, two) if day_first else (two, one)
            text = f"{year}-{int(month):02}-{int(day):02}" + (f"T{clock:0>5}" if clock else "")
        elif led := _YEAR_FIRST.fullmatch(text):
            text = f"{led[1]}-{int(led[2]):02}-{int(led[3]):02}{led[4].rstrip()}"
        return _seconds(datetime.fromisoformat(text.removesuffix(" UTC")))
    except (ValueError, OverflowError):
        raise DataError(
            f"'{column}' has what is no date: {value!r:.60}",
            where=where,
            fix="Write dates as 2024-04-03 or 2024-04-03T10:00:00, or name another column.",
        ) from None


def _seconds(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
