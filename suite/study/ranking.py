"""Where the arms stand while a study runs: told after its first minute, and after each round.

It is of validation: the test split stays closed until the end.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from suite.errors import counted
from suite.study import search
from suite.study.ledger import FINISHED, Ledger
from suite.study.record import OUT
from suite.study.turns import Turns
from suite.study.watching import Observer
from suite.verdict.metrics import METRICS
from suite.verdict.standing import standing

FIRST_SECONDS = 60.0
#: Arms that are named.
SHOWN = 10


class Ranking:
    """Tells where the arms stand, each time once.

    Args:
        clock: seconds from anywhere.
    """

    def __init__(
        self,
        ledger: Ledger,
        turns: Turns,
        observer: Observer,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._turns = turns
        self._observer = observer
        self._clock = clock
        self._began = clock()
        self._one = threading.Lock()
        self._first = False
        self._rounds = self._round()

    def look(self) -> None:
        """Tells the first time, once a minute is over; to be called now and then."""
        if self._first or self._clock() - self._began < FIRST_SECONDS:
            return
        self._first = True
        self._tell("After the first minute")

    def ended(self) -> None:
        """Tells, where a trial that ended was the last of a round."""
        with self._one:
            rounds = self._round()
            if rounds <= self._rounds:
                return
            self._rounds = rounds
        self._tell(f"After {counted(rounds, 'round')}")

    def _round(self) -> int:
        """Finished trials that each arm has which still gets any; 0 where none does."""
        trials = self._ledger.study.get_trials(deepcopy=False)
        counts = Counter(search.arm_of(t) for t in trials if t.state in FINISHED)
        out = self._ledger.study.user_attrs.get(OUT, {})
        arms = search.contending(self._ledger.definition, trials, out)
        return min((counts[a.name] for a in arms if a.name not in self._turns.unfit), default=0)

    def _tell(self, when: str) -> None:
        found = self._ledger.results()
        places = standing(replace(found, finals=[], comparisons=[])).places
        if len(places) < 2:
            return
        told = [f"{place.rank}. {place.arm} {place.score:.4f}" for place in places[:SHOWN]]
        more = len(places) - SHOWN
        told += [f"and {counted(more, 'arm')} more"] if more > 0 else []
        metric = METRICS[found.objective].label("en")
        self._observer.said(f"{when}, {metric} on validation: {', '.join(told)}")
