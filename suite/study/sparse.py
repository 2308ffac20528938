"""Confusion matrices as they are stored: the cells that are not 0.

A matrix of 150 classes has 22,500 cells, of which a few hundred are not 0.
"""

from __future__ import annotations

from typing import Any


def packed(scores: dict[str, Any]) -> dict[str, Any]:
    """Dumped `Scores`, the matrix as its size and its cells."""
    matrix = scores["confusion"]
    cells = [[i, j, n] for i, row in enumerate(matrix) for j, n in enumerate(row) if n]
    return scores | {"confusion": {"size": len(matrix), "cells": cells}}


def unpacked(scores: dict[str, Any]) -> dict[str, Any]:
    """What `packed` was given.

    Raises:
        UNREADABLE: it is something else.
    """
    sparse = scores["confusion"]
    # Looked at before it is made: a size is a number that anybody may have written.
    if sparse["size"] != len(scores["per_class_f1"]):
        raise ValueError("confusion: not as many classes as per_class_f1")
    matrix = [[0] * sparse["size"] for _ in range(sparse["size"])]
    for i, j, n in sparse["cells"]:
        matrix[i][j] = n
    return scores | {"confusion": matrix}
