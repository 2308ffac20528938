"""A run of a trial with other training rows than the study's: all else is the run's own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from suite.contracts.bookmark import bookmarks_of
from suite.contracts.strategy import Pool, Predictor, Rows, Run


class OtherRows:
    """`Run` with other rows.

    Args:
        run: the trial's.
        train: what is learned from in place of its rows.
        word: tells these rows from others in what is cached.
        epochs: passes over them; those of the run where None.
        settled: hyperparameters that have another value from here on.
    """

    def __init__(
        self,
        run: Run,
        train: Rows,
        word: str,
        *,
        epochs: float | None = None,
        settled: Mapping[str, Any] | None = None,
    ) -> None:
        from suite.data.snapshot import digest

        self._run = run
        self.task = run.task
        self.model = run.model
        self.params = {**run.params, **(settled or {})}
        self.train = train
        self.seed = run.seed
        self.folder = run.folder
        self.attached = run.attached
        self.epochs = run.epochs if epochs is None else epochs
        self.checkpoints = run.checkpoints
        self.shrink_batch = run.shrink_batch
        self.halvings = run.halvings
        self.fingerprint = f"{run.fingerprint}-{word}-{digest(train)}"
        self.pool: Pool | None = None
        self.teacher = run.teacher
        self.companions = run.companions
        #: A training that is broken off is gone on with as the run's own.
        self.bookmarks = bookmarks_of(run)

    def checkpoint(self, predictor: Predictor, fraction: float) -> None:
        """See `Run.checkpoint`."""
        self._run.checkpoint(predictor, fraction)

    def loading(self) -> AbstractContextManager[None]:
        """See `Run.loading`."""
        return self._run.loading()

    def saved(self, seconds: float) -> None:
        """See `Run.saved`."""
        self._run.saved(seconds)

    def progress(self, fraction: float) -> None:
        """See `Run.progress`."""
        self._run.progress(fraction)

    def note(self, **facts: Any) -> None:
        """See `Run.note`."""
        self._run.note(**facts)
