"""The bounds of whole numbers that a person may name, wherever they come in."""

from __future__ import annotations

#: Seeds are what NumPy's and Optuna's generators take: 32 bits.
MOST_SEED = 2**32 - 1

#: Trials of a study: far beyond what a search profits from; each is reckoned with wherever the
#: time left is told.
MOST_TRIALS = 100_000


def told(number: object) -> str:
    """A number for a message; Python does not write thousands of digits down."""
    if isinstance(number, int) and number.bit_length() > 64:
        return "a whole number of more than 64 bits"
    return f"{number!r:.60}"
