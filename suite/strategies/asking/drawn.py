"""Training rows that are shown as examples, the same for all texts."""

from __future__ import annotations

import random

from suite.contracts.strategy import Rows


def draw_examples(rows: Rows, classes: int, shots: int, seed: int) -> list[tuple[str, int]]:
    """`shots` rows of each class (fewer where there are fewer), drawn and mixed by the seed."""
    if shots == 0:
        return []
    generator = random.Random(seed)
    by_class: list[list[int]] = [[] for _ in range(classes)]
    for position, label in enumerate(rows.labels):
        by_class[label].append(position)
    drawn = [
        (rows.texts[position], label)
        for label, positions in enumerate(by_class)
        for position in generator.sample(positions, min(shots, len(positions)))
    ]
    generator.shuffle(drawn)
    return drawn
