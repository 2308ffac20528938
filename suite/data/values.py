"""Values of a source as texts: numbers, dates, truth values, as the source itself spells them."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from typing import Any


def spelled(value: Any) -> str | None:
    """A plain value as text; None where it is missing (null, NaN) or none (a list, an object).

    >>> spelled(3.0), spelled(datetime.date(2024, 1, 31)), spelled(True), spelled(float("nan"))
    ('3', '2024-01-31', 'true', None)
    """
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            if math.isnan(value):
                return None
            return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
        case Decimal():
            return str(value)
        case datetime.datetime():
            at_midnight = value.time() == datetime.time() and value.tzinfo is None
            return value.date().isoformat() if at_midnight else value.isoformat()
        case datetime.date() | datetime.time():
            return value.isoformat()
        case datetime.timedelta():
            return str(value)
    return None


def is_missing(value: Any) -> bool:
    """Whether a value is none: null, or a number that is not one."""
    return value is None or (isinstance(value, float) and math.isnan(value))
