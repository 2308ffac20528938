"""Ranks as what verdicts leave of them: a range for each arm, and the arms that may be best.

Where the verdicts of all pairs hold together at a level, so do the ranges: Mogstad, Romano,
Shaikh, Wilhelm, "Inference for Ranks with Applications to Mobility across Neighbourhoods and
Academic Achievement across Countries", 2020.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def ranges(arms: Sequence[str], wins: Iterable[tuple[str, str]]) -> dict[str, tuple[int, int]]:
    """Each arm's best and worst possible rank: 1 + arms that beat it, arms − those it beats.

    Args:
        arms: all that were compared with each other.
        wins: (winner, loser), once for each pair that differs.

    >>> ranges(["a", "b", "c"], [("a", "c")])
    {'a': (1, 2), 'b': (1, 3), 'c': (2, 3)}
    """
    lows, highs = dict.fromkeys(arms, 1), dict.fromkeys(arms, len(arms))
    for winner, loser in wins:
        lows[loser] += 1
        highs[winner] -= 1
    return {arm: (lows[arm], highs[arm]) for arm in arms}
