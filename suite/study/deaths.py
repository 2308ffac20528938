"""How often in a row the children of one point were killed from outside.

Each time the point is queued again; but something outside may kill every child of a point for
ever (a watcher that minds memory, say), and a study must come to an end.
"""

from __future__ import annotations

import threading

import optuna

from suite.study.record import RETRY_OF

#: Deaths in a row, in one run of one command, that are taken for a failure.
IN_A_ROW = 10


class Deaths:
    """One command's count."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: Trial -> how many in a row its death made.
        self._rows: dict[int, int] = {}

    def another(self, trial: optuna.Trial) -> int:
        """Counts the death of a trial's child; how many it makes in a row for the trial's point."""
        with self._lock:
            row = self._rows.pop(trial.user_attrs.get(RETRY_OF, -1), 0) + 1
            self._rows[trial.number] = row
            return row
