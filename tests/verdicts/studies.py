"""Studies drawn at random: what arms of known worth answer on one test split.

Each answer is right by a coin. Some coins are the row's own, which all arms share (a row that is
hard for all), some the arm's, some the training's: so answers agree across arms and trainings as
real ones do. A coin falls right as often as the training is good; trainings of an arm scatter
around its worth. Classes are equal and mistakes go anywhere, so macro-F1 is worth that.
"""

from dataclasses import dataclass

import numpy as np

from suite.verdict import confusions

CLASSES = 4
#: Shares of coins that are the rows' own, and the arm's.
SHARED, OWN = 0.6, 0.2


@dataclass(frozen=True)
class Arm:
    """Its worth, the standard deviation of its trainings around it, how many; `repeats` where
    its training repeats itself."""

    worth: float
    spread: float = 0.0
    trainings: int = 3
    own: float = OWN

    @property
    def repeats(self):
        return self.trainings == 1


def drawn(generator, rows, arms):
    """Arm -> `Trained`, and the names of those that repeat themselves."""
    labels = generator.integers(0, CLASSES, rows, dtype=np.int8)
    wrong = (labels + generator.integers(1, CLASSES, rows, dtype=np.int8)) % CLASSES
    shared = generator.integers(0, 2**16, rows, dtype=np.uint16)
    found = {}
    for index, arm in enumerate(arms):
        shape = arm.trainings, rows
        mine = generator.integers(0, 2**16, rows, dtype=np.uint16)
        coins = generator.integers(0, 2**16, shape, dtype=np.uint16)
        whose = generator.integers(0, 2**8, shape, dtype=np.uint8)
        coins = np.where(whose < SHARED * 256, shared, coins)
        coins = np.where(whose >= (1 - arm.own) * 256, mine, coins)
        worth = arm.worth + arm.spread * generator.standard_normal(arm.trainings)
        right = coins < (np.clip(worth, 0.01, 1) * 2**16)[:, None]
        answers = np.where(right, labels, wrong)
        found[f"arm {index}"] = confusions.trained(labels, answers, CLASSES)
    return found, {f"arm {i}" for i, arm in enumerate(arms) if arm.repeats}
