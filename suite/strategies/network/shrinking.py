"""What a strategy does where memory runs out: the same work again, with half as much at once.

One rule for all of them. A training begins again from its first weights, the effective batch the
same; scoring goes on where it was. Where the system killed the process, which could do nothing
about it, `run.halvings` says how often that was, and the training begins with so much less. This
knows neither torch nor what is halved: texts, tokens, rows.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from suite.contracts.strategy import Predictor, Run
from suite.machine import memory

Size = TypeVar("Size")
Result = TypeVar("Result")

#: What is said to have happened where nobody was left to say it.
KILLED = "the system killed its process"


class OutOfMemory(RuntimeError):
    """Memory ran out, and no smaller batch may be tried."""


class Attempts:
    """A training that begins again with less at once as often as memory runs out.

    Args:
        run: the training; told what was reduced.
        batch: texts behind one step, for the message.
        advice: what would help where not even one text fits.
    """

    def __init__(self, run: Run, batch: int, advice: str) -> None:
        self.run = run
        self.batch = batch
        self.advice = advice
        #: The largest fraction that was scored; a second attempt scores only what comes after.
        self.scored = 0.0
        #: How often less went at once than was asked, in this process or those that were killed.
        self.halved = 0

    def checkpoint(self, predictor: Predictor, fraction: float) -> None:
        """`run.checkpoint`, once for each fraction.

        Raises:
            Pruned: the trial should end.
        """
        if fraction > self.scored:
            self.run.checkpoint(predictor, fraction)
            self.scored = fraction

    def begun(self, size: Size, smaller: Callable[[Size], Size | None]) -> Size:
        """What to begin with: halved once for each process that the system has killed.

        Raises:
            OutOfMemory: nothing smaller is left.
        """
        for _ in range(self.run.halvings):
            size = self._lesser(size, smaller, KILLED)
        return size

    def fit(
        self,
        size: Size,
        work: Callable[[Size], Result],
        *,
        smaller: Callable[[Size], Size | None],
        notes: Callable[[Size], Mapping[str, Any]],
    ) -> Result:
        """`work(size)`, from its beginning with less at once as often as memory runs out.

        Args:
            size: what goes at once; see `begun`.
            smaller: the next smaller size; None where one text goes at once, or no less may.
            notes: a size as circumstances of the trial.

        Raises:
            OutOfMemory: nothing smaller is left, or the recipe allows none.
        """
        while True:
            try:
                return work(size)
            except Exception as error:
                if not memory.ran_out(error):
                    raise
                trouble = said(error)
            # Out here the failed attempt's frames, and with them its tensors, are gone.
            release()
            size = self._lesser(size, smaller, trouble)
            self.run.note(**notes(size), memory_ran_out=trouble)

    def _lesser(self, size: Size, smaller: Callable[[Size], Size | None], trouble: str) -> Size:
        found = smaller(size)
        if found is not None:
            self.halved += 1
            return found
        if self.run.shrink_batch or self.batch == 1:
            raise OutOfMemory(f"out of memory at a single text ({trouble}): {self.advice}")
        raise OutOfMemory(
            f"out of memory at a batch of {self.batch} ({trouble}): a smaller batch, or "
            "shrink_batch: true in the recipe, would help"
        )


def half(size: int) -> int | None:
    """Half as many; None of one."""
    return size // 2 or None


def scored(
    size: int, work: Callable[[int], Result], smaller: Callable[[int], int | None] = half
) -> tuple[int, Result]:
    """`work(size)` of what trains nothing, with less at once as often as memory runs out.

    Returns:
        What fitted, and its result.
    """
    while True:
        try:
            return size, work(size)
        except Exception as error:
            lesser = smaller(size)
            if lesser is None or not memory.ran_out(error):
                raise
            size = lesser
        release()


def lesser_divisor(batch: int, whole: int) -> int:
    """The next smaller device batch: the largest divisor of the whole batch up to half of `batch`.

    >>> lesser_divisor(32, 32), lesser_divisor(12, 12), lesser_divisor(5, 5)
    (16, 6, 1)
    """
    return next(size for size in range(max(1, batch // 2), 0, -1) if whole % size == 0)


def half_the_tokens(lengths: Sequence[int], tokens: int, batch: int) -> int | None:
    """Half as many tokens at once: at most what a whole batch can hold, else halving might change
    nothing yet; at least the longest text; None where it is that already.

    >>> half_the_tokens([10, 20, 30, 40], 8192, 4), half_the_tokens([10, 20, 30, 40], 40, 4)
    (50, None)
    """
    longest = sorted(lengths)[-batch:]
    if tokens <= longest[-1]:
        return None
    return max(longest[-1], min(tokens, sum(longest)) // 2)


def release() -> None:
    """Gives back what a failed attempt held, a GPU's memory included."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def said(error: BaseException) -> str:
    """The first line of an error's text, or its name where it has none."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__
