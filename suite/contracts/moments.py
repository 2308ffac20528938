"""Moments and durations. Moments are kept in UTC, and shown in the reader's time with its zone.

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
    text = moment.isoformat(sep=" ", timespec="seconds")
    if moment.tzinfo is None:
        return text
    return f"{text[:19]} UTC{'' if text.endswith('+00:00') else text[19:]}"


def span(started: str, ended: str) -> tuple[datetime, datetime] | None:
    """Two kept moments; what has not ended ends as it begins. None where they are none, or only
    one has a zone.

    >>> span("2026-11-26T13:04:01", "")[1].second
    1
    """
    try:
        start = datetime.fromisoformat(started)
        end = datetime.fromisoformat(ended) if ended else start
    except ValueError:
        return None
    return (start, end) if (start.tzinfo is None) == (end.tzinfo is None) else None


def duration(seconds: float) -> str:
    """Seconds as a person reads them.

    >>> duration(4.25), duration(75), duration(1800), duration(9000)
    ('4.2 s', '75 s', '30 min', '2.5 h')
    """
    if seconds < 10:
        return f"{seconds:,.1f} s"
    if seconds < 100:
        return f"{seconds:,.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:,.0f} min"
    return f"{seconds / 3600:,.1f} h"
