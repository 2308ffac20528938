"""Who may open the test split: claimed in the storage first, so that two commands never both do.

A claim names its owner. One whose process died, or on another host fell silent, is taken over; an
opening that it had made stays counted.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from suite.child.runner import Interrupted
from suite.data import snapshot
from suite.errors import StudyError, counted
from suite.study import finals_record, openings
from suite.study.database import GRACE_SECONDS, HEARTBEAT_SECONDS
from suite.study.ledger import Ledger, is_dead

CLAIM = "suite:opening"
POLL_SECONDS = 0.5


class Opening:
    """A claim of this command: it alone may open the test split."""

    def __init__(self, ledger: Ledger, token: str, say: Callable[[str], None]) -> None:
        self._ledger = ledger
        self._token = token
        self._say = say
        self._counted = False

    def count(self) -> None:
        """Counts the opening, once, and says who else has opened the same test split. To be called
        before labels meet predictions.

        Raises:
            DataError: the study's data is not there, or was changed.
            StudyError: the claim was taken over meanwhile.
        """
        if self._counted:
            return
        ledger = self._ledger
        opened = ledger.definition.data.test_digest or snapshot.digest(
            snapshot.read_split(ledger.artifacts.data, "test")
        )
        with self._ledger.lock.held():
            there = _claim(self._ledger)
            if there is None or there.get("token") != self._token:
                raise StudyError(
                    "another command took over the opening of the test split: this one had been "
                    "silent for too long",
                    fix=f"`suite study show {self._ledger.definition.name}` shows its outcome.",
                )
            openings.count(ledger.study, opened)
        self._counted = True
        found = openings.of_split(ledger.study)
        others = {name: n for name, n in found.items() if name != ledger.study.study_name}
        if others:
            self._say(
                f"this test split was opened {counted(sum(others.values()), 'time')} by other "
                f"studies of the storage: {', '.join(sorted(others))}"
            )


@contextmanager
def claimed(
    ledger: Ledger, stop: threading.Event, say: Callable[[str], None]
) -> Iterator[Opening | None]:
    """Within: this command alone may open the test split.

    Another's claim is waited for. What it gives is None where the other has stored an outcome
    meanwhile that is not stale: there is nothing left to open.

    Args:
        say: told who is waited for, and who else has opened the split.

    Raises:
        Interrupted: `stop` was set while another was waited for.
    """
    token = secrets.token_hex(8)
    if not _take(ledger, token, stop, say):
        yield None
        return
    ended = threading.Event()
    beating = threading.Thread(target=_beat, args=(ledger, token, ended), daemon=True)
    beating.start()
    try:
        yield Opening(ledger, token, say)
    finally:
        ended.set()
        beating.join()
        with suppress(KeyError), ledger.lock.held():  # KeyError: the study was deleted
            there = _claim(ledger)
            if there is not None and there.get("token") == token:
                ledger.study.set_user_attr(CLAIM, None)


def _take(ledger: Ledger, token: str, stop: threading.Event, say: Callable[[str], None]) -> bool:
    """Claims the opening; False where another has stored an outcome while it was waited for."""
    waited = False
    beat, since = None, time.monotonic()
    while True:
        with ledger.lock.held():
            there = _claim(ledger)
            if there is not None and there.get("beat") != beat:
                beat, since = there.get("beat"), time.monotonic()
            if there is None or _is_over(there, ledger.host, time.monotonic() - since):
                if waited and not finals_record.missing_or_stale(ledger.study):
                    return False
                claim = ledger.owner | {"token": token, "beat": 0}
                ledger.study.set_user_attr(CLAIM, claim)
                return True
        if not waited:
            waited = True
            say(
                f"process {there.get('pid')} on {there.get('host')} is scoring on the test split; "
                f"its outcome is waited for"
            )
        if stop.wait(POLL_SECONDS):
            raise Interrupted


def _claim(ledger: Ledger) -> Mapping[str, Any] | None:
    there = ledger.study.user_attrs.get(CLAIM)
    return there if isinstance(there, dict) else None


def _is_over(claim: Mapping[str, Any], host: str, silent: float) -> bool:
    """Whether who claimed is gone: dead on this host, silent for seconds on another."""
    if silent > GRACE_SECONDS:
        return True
    try:
        return is_dead(claim, host)
    except (KeyError, TypeError, ValueError):
        return True  # nobody's: no claim of ours looks so


def _beat(ledger: Ledger, token: str, ended: threading.Event) -> None:
    """Tells other hosts that the claim's owner lives."""
    count = 0
    while not ended.wait(HEARTBEAT_SECONDS):
        count += 1
        # A beat that can't be written is with the next one.
        with suppress(Exception), ledger.lock.held():
            there = _claim(ledger)
            if there is not None and there.get("token") == token:
                ledger.study.set_user_attr(CLAIM, dict(there) | {"beat": count})
