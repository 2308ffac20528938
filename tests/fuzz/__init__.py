"""Inputs that nobody wrote by hand, against whatever reads what others made.

In `make test` each property is tried on a few dozen inputs, always the same. `make fuzz MINUTES=10`
(`SUITE_FUZZ`) draws new ones, again and again for so long; one that breaks a property is shown, and
kept in `.hypothesis/` for the next run.
"""

import os

from hypothesis import HealthCheck, settings

_LONG = "SUITE_FUZZ" in os.environ


def _inputs(few, many):
    return settings(
        max_examples=many if _LONG else few,
        derandomize=not _LONG,
        database=settings.default.database if _LONG else None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


#: How many inputs a property is tried on: small ones, and those of many megabytes.
INPUTS, BOMBS = _inputs(40, 1000), _inputs(4, 20)
#: And where each input takes a second, since it goes through whole commands.
STORED = _inputs(12, 300)
