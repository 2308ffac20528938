"""Answers on disk: what was paid for once is not asked again, by any process of this user."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from suite.contracts.records import UNREADABLE, revive
from suite.endpoint.answer import Answer
from suite.errors import StorageError
from suite.files import NotJson, parse_json

_SECONDS = 30.0
_WEEK = 7 * 24 * 3600.0


class Kept:
    """Answers by key in an SQLite file that several threads and processes may share.

    Raises:
        StorageError: the file can't be opened, read or written.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "answers.sqlite"
        self._lock = threading.Lock()
        with self._told():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # SQLite does not wait its turn where two processes change the journal's mode.
            with FileLock(folder / "answers.lock", timeout=_SECONDS):
                self._db = sqlite3.connect(
                    self._file, timeout=_SECONDS, isolation_level=None, check_same_thread=False
                )
                # Readers and a writer don't block each other; a power cut may cost the last
                # answers.
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute("PRAGMA synchronous=NORMAL")
                self._db.execute(
                    "CREATE TABLE IF NOT EXISTS answers "
                    "(key TEXT PRIMARY KEY, answer TEXT NOT NULL, made REAL NOT NULL)"
                )
                self._db.execute(
                    "CREATE TABLE IF NOT EXISTS servers "
                    "(key TEXT PRIMARY KEY, learnt TEXT NOT NULL, made REAL NOT NULL)"
                )

    def read(self, keys: Sequence[str]) -> dict[str, Answer]:
        """Those answers that are there."""
        found: dict[str, Answer] = {}
        with self._told():
            for start in range(0, len(keys), 500):
                some = keys[start : start + 500]
                marks = ",".join("?" * len(some))
                rows = self._db.execute(
                    f"SELECT key, answer FROM answers WHERE key IN ({marks})", some
                )
                for key, text in rows:
                    answer = _revive(text)
                    if answer is not None:
                        found[key] = answer
        return found

    def write(self, key: str, answer: Answer) -> None:
        """Keeps an answer at once: it was paid for."""
        with self._told():
            self._db.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?)",
                (key, json.dumps(asdict(answer)), time.time()),
            )

    def learnt(self, key: str) -> dict[str, Any]:
        """What was found out about a server; empty where nothing was, or more than a week ago:
        servers get newer versions."""
        with self._told():
            row = self._db.execute(
                "SELECT learnt FROM servers WHERE key = ? AND made > ?", (key, time.time() - _WEEK)
            ).fetchone()
        try:
            found = parse_json(row[0]) if row else {}
        except NotJson:
            return {}
        return found if isinstance(found, dict) else {}

    def learn(self, key: str, found: dict[str, Any]) -> None:
        """Keeps what was found out about a server."""
        with self._told():
            self._db.execute(
                "INSERT OR REPLACE INTO servers VALUES (?, ?, ?)",
                (key, json.dumps(found), time.time()),
            )

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except (sqlite3.Error, OSError, Timeout) as error:
            raise StorageError(
                f"the answers of endpoints can't be kept: {error}",
                where=str(self._file),
                fix="Free some space, remove the file if it is damaged, or name another folder "
                "in SUITE_CACHE.",
            ) from None


def _revive(text: str) -> Answer | None:
    """A kept answer; None where it can't be read."""
    try:
        found = parse_json(text)
        for name in ("tokens", "top_logprobs"):
            if found.get(name) is not None:
                found[name] = tuple(found[name])
        return revive(Answer, found | {"from_cache": True})
    except UNREADABLE:
        return None
