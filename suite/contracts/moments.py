"""Moments: kept in UTC with their zone, shown in the reader's time with its zone.

Machines in several zones work on one study. Studies from before kept the time of creation without
a zone: whose it was is not known, so it is shown as it stands.
"""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """This moment, as it is kept: `2026-11-26T13:04:01+00:00`."""
    return kept(datetime.now(UTC))


def kept(moment: datetime | None) -> str:
    """A moment as it is kept, one without a zone being of this machine's; "" where there is none.

    >>> kept(datetime(2026, 11, 26, 13, 4, 1, tzinfo=UTC))
    '2026-11-26T13:04:01+00:00'
    """
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else ""


def shown(text: str) -> str:
    """A kept moment in local time with its zone; as it stands where it has none, or is none.

    >>> shown("2026-11-26T13:04:01"), shown("yesterday"), shown("")
    ('2026-11-26 13:04:01', 'yesterday', '')
    """
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            moment = moment.astimezone()
    except (ValueError, OverflowError):
        return text
    return moment.isoformat(sep=" ", timespec="seconds")
