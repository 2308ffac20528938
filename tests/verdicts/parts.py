"""How often a part of test is called worse where none is, and splits different that are alike:
`python -m tests.verdicts.parts`, some minutes on one core.

A study's parts are drawn from its rows, so none of them is worse. Its classes are hard alike, wrong
answers fall on classes as their rows do, and a rare class has the F1 of the others. Its splits are
drawn from one source of texts whose classes are unequal and have words of their own; where they are
drawn from two, what a classifier comes to on average is what an interval should hold.
"""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np

from suite.study import drifting
from suite.verdict.slicing import Group, holm, judged, within_classes, worst

#: Rows of parts, in a test of 1,000 rows.
SIZES = {
    "20 of 10": [10] * 20,
    "18 of 12 to 80": [12, 15, 20, 30, 50, 80] * 3,
    "3 thirds": [333] * 3,
}
#: Rows of the two splits.
SPLITS = [(10, 10), (12, 30), (30, 30), (400, 40), (200, 200), (2000, 250)]


def parts(accuracy: float, sizes: list[int], classes: int, trainings: int, studies: int) -> float:
    """The share of studies in which a part is called worse."""
    generator = np.random.default_rng([round(1000 * accuracy), len(sizes), classes, trainings])
    told = 0
    for _ in range(studies):
        truth = generator.integers(0, classes, 1000)
        # Rows differ, and trainings answer a row alike more often than not.
        hard = np.clip(accuracy + generator.normal(0, 0.1, 1000), 0, 1)
        right = (generator.random((trainings, 1000)) < hard).mean(axis=0)
        order, chances, worse = generator.permutation(1000), [], []
        for begin, end in pairwise(np.cumsum([0, *sizes])):
            inside = np.zeros(1000, bool)
            inside[order[begin:end]] = True
            expected, p = within_classes(right, truth, inside)
            chances.append(p)
            worse.append(expected is not None and right[inside].mean() < expected)
        told += any(
            p is not None and p < 0.05 and below
            for p, below in zip(holm(chances), worse, strict=True)
        )
    return told / studies


def confused(rows_of: list[int], accuracy: float) -> np.ndarray:
    """How often a row of a class is answered with each [classes, classes]: as many rows of a class
    are taken for another as of that for it, so that all have the same F1."""
    rows = np.array(rows_of, dtype=float)
    taken = np.outer(rows, rows)
    np.fill_diagonal(taken, 0)
    for _ in range(500):
        more = np.sqrt((1 - accuracy) * rows / taken.sum(axis=1))
        taken *= np.outer(more, more)
    return np.asarray(taken / rows[:, None] + accuracy * np.eye(len(rows)))


def sizes_of_classes(accuracy: float, rare: list[int], trainings: int, studies: int) -> float:
    """The share of studies in which classes of few rows are called weak."""
    rows_of = [300, 250, 200, *rare]
    generator = np.random.default_rng([round(1000 * accuracy), *rare, trainings])
    labels = np.repeat(np.arange(len(rows_of)), rows_of)
    ends = np.cumsum(confused(rows_of, accuracy), axis=1)
    own = tuple(range(3, len(rows_of)))
    group = Group("class_size", "10–99", np.flatnonzero(labels >= 3).tolist(), own)
    told = 0
    for _ in range(studies):
        draws = generator.random((trainings, len(labels), 1))
        answers = (draws > ends[labels]).sum(axis=2).clip(max=len(rows_of) - 1).tolist()
        found = judged(labels.tolist(), {"a": answers}, [group], len(rows_of))
        told += worst(found, "a", 0.05) is not None
    return told / studies


def text(generator: random.Random, newer: float) -> str:
    """Words of a class, the first classes the most frequent; some of them new."""
    own = min(int(generator.expovariate(0.5)), 8)
    words = (
        f"new{generator.randrange(12)}"
        if generator.random() < newer
        else f"c{own}w{generator.randrange(12)}"
        for _ in range(8)
    )
    return " ".join(words)


def drift(rows: tuple[int, int], newer: float, studies: int) -> dict[str, float]:
    """Of studies whose second split has this share of new words: how many are called different, the
    mean area, and how many intervals hold it."""
    generator = random.Random(f"{rows} {newer}")
    found = []
    for _ in range(studies):
        splits = {
            "train": [text(generator, 0) for _ in range(rows[0])],
            "test": [text(generator, newer) for _ in range(rows[1])],
        }
        found += drifting.between(splits, "en")
    mean = float(np.mean([one.auroc for one in found]))
    holds = [one.interval[0] <= mean <= one.interval[1] for one in found]
    told = [one.interval[0] > 0.5 for one in found]
    return {"told": float(np.mean(told)), "auroc": mean, "holds": float(np.mean(holds))}


def main() -> None:
    """Prints a line for each cell."""
    for name, sizes in SIZES.items():
        for accuracy in (0.99, 0.97, 0.9, 0.7):
            for classes, trainings in ((3, 1), (15, 1), (15, 3)):
                told = parts(accuracy, sizes, classes, trainings, 300)
                print(
                    f"parts {name}, {accuracy}, {classes} classes × {trainings}: {told:.3f}",
                    flush=True,
                )
    for rare in ([12], [10, 30, 60], [3] * 8):
        for accuracy in (0.97, 0.8, 0.5):
            for trainings in (1, 3):
                told = sizes_of_classes(accuracy, rare, trainings, 300)
                print(f"classes {rare}, {accuracy}, × {trainings}: {told:.3f}", flush=True)
    for rows in SPLITS:
        for newer in (0.0, 0.05, 0.2):
            cell = drift(rows, newer, 300 if sum(rows) < 500 else 60)
            print(f"splits {rows}, {newer} new: {cell}", flush=True)


if __name__ == "__main__":
    main()
