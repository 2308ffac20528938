"""How often a combination is claimed to differ from a member that it is worth as much as.

`python -m tests.verdicts.combined`. A cascade shares trainings with its members, which the
verdict takes for independent. Here both members are worth the same, and which texts the first one
answers is the row's own, so that the cascade is worth what they are: every claim is a false one.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from suite.verdict import comparison, confusions
from tests.verdicts.cells import generator
from tests.verdicts.studies import CLASSES, OWN, SHARED

WORTH, TRAININGS = 0.9, 3


def answers(draws, labels, wrong, shared, spread, own=OWN):
    """[trainings, rows] of an arm of that worth, as `studies.drawn` makes them."""
    shape = TRAININGS, len(labels)
    mine = draws.integers(0, 2**16, len(labels), dtype=np.uint16)
    coins = draws.integers(0, 2**16, shape, dtype=np.uint16)
    whose = draws.integers(0, 2**8, shape, dtype=np.uint8)
    coins = np.where(whose < SHARED * 256, shared, coins)
    coins = np.where(whose >= (1 - own) * 256, mine, coins)
    worth = WORTH + spread * draws.standard_normal(TRAININGS)
    right = coins < (np.clip(worth, 0.01, 1) * 2**16)[:, None]
    return np.where(right, labels, wrong)


def claims(rows, spread, share, studies, seed=0, repeats=False, draws=1000):
    """Of so many studies: those that claim a difference of the cascade from a member, and those
    that claim any.

    Args:
        spread: standard deviation of trainings around their arm's worth.
        share: of the rows that the first member answers.
        repeats: whether the first member's training repeats itself.
        draws: behind each verdict.
    """
    chance = generator(seed)
    of_members = of_any = 0
    for study in range(studies):
        labels = chance.integers(0, CLASSES, rows, dtype=np.int8)
        wrong = (labels + chance.integers(1, CLASSES, rows, dtype=np.int8)) % CLASSES
        shared = chance.integers(0, 2**16, rows, dtype=np.uint16)
        first = answers(chance, labels, wrong, shared, 0.0 if repeats else spread)
        if repeats:
            first = first[:1]
        second = answers(chance, labels, wrong, shared, spread)
        sure = chance.random(rows) < share
        arms = {"first": first, "second": second, "cascade": np.where(sure, first, second)}
        trained = {arm: confusions.trained(labels, own, CLASSES) for arm, own in arms.items()}
        found = comparison.findings(trained, {"first"} if repeats else (), seed=study, draws=draws)
        won = [{d.a, d.b} for d in found.differences if d.winner]
        of_members += any("cascade" in pair for pair in won)
        of_any += bool(won)
    return of_members, of_any


def main(rows=500, studies=1000):
    """Prints a line for each case."""
    for spread, share, repeats in product((0.005, 0.02), (0.3, 0.7), (False, True)):
        of_members, of_any = claims(rows, spread, share, studies, repeats=repeats)
        print(
            f"{rows} rows, trainings ±{spread:g}, {share:.0%} by the first"
            f"{', which repeats itself' if repeats else ''}: a member "
            f"{of_members / studies:.3f}, any pair {of_any / studies:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
