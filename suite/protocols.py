"""The strategy contract under the name that strategies outside this package import.

It stands in `suite.contracts.strategy`; this address stays, so that a strategy written for an
earlier version goes on working.
"""

from suite.contracts.strategy import (
    NO_ANSWER,
    Predictor,
    Probabilities,
    Pruned,
    Refused,
    Rows,
    Run,
    Strategy,
)

__all__ = [
    "NO_ANSWER",
    "Predictor",
    "Probabilities",
    "Pruned",
    "Refused",
    "Rows",
    "Run",
    "Strategy",
]
