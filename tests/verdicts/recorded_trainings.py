"""Real trainings of one arm, recorded: are three of them called different from three others?"""

from itertools import combinations
from pathlib import Path

import numpy as np

from suite.verdict import comparison, confusions

RECORDED = Path(__file__).parent / "recorded"
GROUP = 3


def called_different(arm, shuffles, seed):
    """Groups of three without overlap out of the thirty, all pairs of the ten groups, for several
    shuffles: how often two are called different."""
    with np.load(RECORDED / f"{arm}.npz") as kept:
        labels, answers = kept["labels"], kept["answers"]
    draws, found, asked = np.random.default_rng(seed), 0, 0
    for shuffle in range(shuffles):
        order = draws.permutation(len(answers))
        groups = [
            confusions.trained(labels, answers[order[first : first + GROUP]], 4)
            for first in range(0, len(answers), GROUP)
        ]
        for one, other in combinations(range(len(groups)), 2):
            pair = {"a": groups[one], "b": groups[other]}
            [difference] = comparison.verdicts(pair, [("a", "b")], (), seed=shuffle, draws=1000)
            found += difference.winner is not None
            asked += 1
    return found, asked


def scores(arm):
    """Macro-F1 of the thirty."""
    with np.load(RECORDED / f"{arm}.npz") as kept:
        return confusions.trained(kept["labels"], kept["answers"], 4).scores
