"""A bookmark: everything that a training needs to go on from a step, in another process.

It is no checkpoint: nothing is scored by it, nothing is served from it, and it is gone when the
training has ended. A training that goes on from one makes the same model as one that was never
broken off: the same steps over the same rows, with the same chance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from suite.contracts.strategy import Run


@dataclass(frozen=True)
class Bookmark:
    """Where a training is.

    Args:
        step: how many of its steps are done.
        tensors: what steps change, as torch's tensors by name: weights, the optimiser's moments,
            the states of random generators.
        values: the rest, as JSON has it.
    """

    step: int
    tensors: Mapping[str, Any]
    values: Mapping[str, Any]


class Bookmarks(Protocol):
    """The bookmarks of one training: the latest one is kept."""

    def begin(self, facts: Sequence[Any], steps: int) -> Bookmark | None:
        """What the training is to go on from; None where it begins. To be asked when all is ready
        for the first step; what was prepared until then is not counted a second time.

        Args:
            facts: what decides the training, beside what stands in its run, as JSON values: a
                bookmark of a training with others is none of it.
            steps: of the whole training.
        """
        ...

    def at(self, step: int, whole: Callable[[], Bookmark], *, scored: bool) -> None:
        """To be told after each step, once it has been scored where it is to be; where it is time
        for it, keeps what `whole` gives.

        Args:
            scored: whether it was.
        """
        ...


def bookmarks_of(run: Run) -> Bookmarks | None:
    """Those of a run; None where its training can't be gone on with."""
    found: Bookmarks | None = getattr(run, "bookmarks", None)
    return found
