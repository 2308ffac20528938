"""How people write a time -> seconds."""

from __future__ import annotations

import re

from suite.errors import StudyError


def parse_duration(text: str) -> float:
    """Seconds from `90`, `90s`, `30m`, `2h` or `1d`.

    Raises:
        StudyError: it is none of these.
    """
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([smhd]?)", text.strip().lower())
    if not match or float(match[1]) <= 0:
        raise StudyError(f"'{text:.60}' is no duration", fix="For example 90s, 30m, 2h or 1d.")
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]
