"""A run's bookmarks: what is kept with a training's own, when, and what is taken back from it.

With where the training is goes what the run has so far: its clock, its scored checkpoints, the
predictor it keeps. So a trial that goes on has all its checkpoints, and its training time is the
sum of what was trained: what was done after the bookmark, and is done again, does not count twice.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from suite import files
from suite.child.clock import Clock
from suite.child.messages import Continued, Job
from suite.child.process import describe
from suite.contracts.bookmark import Bookmark
from suite.contracts.records import FINITE
from suite.contracts.results import Checkpoint, Scores
from suite.errors import StorageError
from suite.machine import bookmarkstore
from suite.machine.bookmarkstore import Unfit
from suite.version import __version__

#: Of the time in which a training goes on, what its bookmarks may take; where a checkpoint was
#: scored, one comes after this part of the wait, and all take less than 2 % even so.
SHARE = 0.01
EARLY = 0.6
#: Bytes that are written and read again in a second, before the first was written.
_BYTES_PER_SECOND = 3e8
#: Bytes that a bookmark leaves free on its disk.
_LEFT = 1_000_000_000

#: Versions that decide what a step computes.
_DISTRIBUTIONS = ("torch", "transformers", "accelerate", "peft", "llamafactory", "tokenizers")


@dataclass(frozen=True)
class SoFar:
    """What a run has so far, beside predictors and arrays.

    Args:
        candidate: the place of the best early checkpoint among `scored`, while it is set aside.
        seconds, saved: of its clock, and of what caches saved.
        elapsed: seconds of all its processes.
        early: rows of early checkpoints, once that is known.
        asked: texts that the kept predictor has to answer again.
        peak: of memory, in bytes.
        continued: the steps at which it went on.
    """

    __pydantic_config__ = FINITE

    scored: list[Checkpoint]
    best: Scores | None
    candidate: int | None
    kept: bool
    serving_shape: str
    seconds: float
    saved: float
    load_seconds: float
    evaluation_seconds: float
    elapsed: float
    early: int | None
    asked: list[str] | None
    peak: int
    facts: dict[str, Any]
    continued: list[int]


_SO_FAR: TypeAdapter[SoFar] = TypeAdapter(SoFar)


class Whole(Protocol):
    """A run, as its bookmarks see it."""

    #: Identifies its training rows.
    fingerprint: str
    clock: Clock
    #: Predictors that it may have on disk, in its job's folder.
    places: tuple[str, ...]
    #: Seconds that its bookmarks took.
    bookmark_seconds: float

    def so_far(self) -> tuple[SoFar, dict[str, NDArray[np.float32]]]:
        """What it has so far, and arrays by name."""
        ...

    def go_on(self, before: SoFar, arrays: Mapping[str, NDArray[np.float32]], step: int) -> None:
        """Takes what a bookmark has of it."""
        ...

    def note(self, **facts: Any) -> None:
        """See `protocols.Run.note`."""
        ...


class RunBookmarks:
    """`contracts.bookmark.Bookmarks` of a run in a child.

    Args:
        run: the run that they are of.
        place: where they lie.
    """

    def __init__(self, run: Whole, job: Job, channel: Connection, place: Path) -> None:
        self._run = run
        self._job = job
        self._channel = channel
        self._place = place
        self._interval = job.bookmark_seconds
        self._last = monotonic()
        self._fingerprint = ""
        self._steps = 0
        #: Whether one was written, so that it is known what it takes.
        self._known = job.bookmark_seconds <= 0
        self._off = False

    def begin(self, facts: Sequence[Any], steps: int) -> Bookmark | None:
        """See `contracts.bookmark.Bookmarks`."""
        again = bool(self._fingerprint)
        self._fingerprint = fingerprint(self._job, self._run.fingerprint, [*facts, steps])
        self._steps = steps
        with self._run.clock.paused():
            try:
                found = bookmarkstore.read(self._place, self._fingerprint)
                if found is None:
                    return None
                before = _SO_FAR.validate_json(json.dumps(found.values["run"]), strict=True)
                for name in self._run.places:
                    bookmarkstore.put(found, name, self._job.folder / name)
            except Unfit as error:
                if not again:  # else it is this process' own, from before memory ran out
                    self._channel.send(Continued(why=str(error)))
                return None
            except OSError as error:
                self._channel.send(Continued(why=f"it can't be read: {files.why(error)}"))
                return None
            except (ValueError, KeyError):  # Another version wrote it, under the same number.
                self._channel.send(Continued(why="it is damaged"))
                return None
            finally:
                self._last = monotonic()
            own = {name.removeprefix("run:"): t.numpy() for name, t in found.tensors.items()
                   if name.startswith("run:")}  # fmt: skip
            self._channel.send(Continued(found.step, steps, before.elapsed))
            self._run.go_on(before, own, found.step)
        return Bookmark(
            found.step,
            {n.removeprefix("own:"): t for n, t in found.tensors.items() if n.startswith("own:")},
            found.values["training"],
        )

    def at(self, step: int, whole: Callable[[], Bookmark], *, scored: bool) -> None:
        """See `contracts.bookmark.Bookmarks`. Their cost is not training time."""
        share = EARLY if scored else 1.0
        waited = (monotonic() - self._last) / share
        if self._off or step >= self._steps or waited < self._interval:
            return
        with self._run.clock.paused() as spent:
            written = self._written(whole(), waited)
        self._run.bookmark_seconds += spent[0]
        if written:
            self._last = monotonic()
            if self._job.bookmark_seconds > 0:
                self._interval = max(self._job.bookmark_seconds, spent[0] / SHARE)

    def _written(self, training: Bookmark, waited: float) -> bool:
        import torch

        values, arrays = self._run.so_far()
        tensors = {f"own:{name}": tensor for name, tensor in training.tensors.items()} | {
            f"run:{name}": torch.from_numpy(array) for name, array in arrays.items()
        }
        size = sum(tensor.nbytes for tensor in tensors.values())
        if not self._known:
            self._known = True
            self._interval = max(self._interval, size / _BYTES_PER_SECOND / SHARE)
            if waited < self._interval:
                return False
        most = self._job.bookmark_bytes
        try:
            if most is not None and size > most:
                raise StorageError(f"it has {size:,} bytes, and --max-disk leaves {most:,} for it")
            self._place.mkdir(parents=True, exist_ok=True)
            free = files.free_bytes(self._place)
            # The one before is there until the next one is.
            if free is not None and free < size + _LEFT:
                raise StorageError(f"it has {size:,} bytes, and {free:,} are free")
            bookmarkstore.write(
                self._place,
                self._fingerprint,
                training.step,
                tensors,
                {"run": _SO_FAR.dump_python(values, mode="json"), "training": training.values},
                {
                    name: self._job.folder / name
                    for name in self._run.places
                    if (self._job.folder / name).is_dir()
                },
            )
        except (StorageError, OSError, TypeError, ValueError) as error:
            # The training is worth more than its bookmark.
            self._off = True
            why = error.what if isinstance(error, StorageError) else describe(error)
            self._run.note(no_bookmark=why)
            return False
        return True


def fingerprint(job: Job, rows: str, facts: Sequence[Any]) -> str:
    """What a training is: sha256 of all that decides it, in hexadecimal digits.

    Args:
        rows: of the training rows.
        facts: of the strategy, as JSON values.
    """
    decided: dict[str, Any] = {
        "format": bookmarkstore.FORMAT,
        "suite": __version__,
        "versions": {name: _version(name) for name in _DISTRIBUTIONS},
        "arm": job.arm,
        "strategy": job.strategy,
        "model": job.model.identity,
        "task": job.task.model_dump(mode="json"),
        "params": job.params,
        "seed": job.seed,
        "rows": rows,
        "epochs": job.epochs,
        "checkpoints": job.checkpoints,
        "shrink_batch": job.shrink_batch,
        "folds": job.folds,
        "objective": job.objective,
        "value": None if job.value is None else job.value.model_dump(mode="json"),
        "refit": job.refit,
        "teacher": job.teacher,
        "companions": {n: c.model_dump(mode="json") for n, c in job.companions.items()},
        "facts": list(facts),
    }
    return hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
