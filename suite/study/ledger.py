"""A study as one process holds it: where it is stored, who works on it, what is written down."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import optuna
import psutil
import sqlalchemy
from optuna.trial import FrozenTrial, TrialState

from suite.contracts.results import Ended, StudyResults, Trial
from suite.contracts.space import Params
from suite.errors import StorageError, StudyError
from suite.machine import facts, memory, scratch
from suite.study import (
    artifacts,
    attributes,
    efforts,
    ending,
    estimates,
    internals,
    record,
    search,
    storage,
)
from suite.study.database import Database, is_sqlite
from suite.study.lock import StudyLock
from suite.study.readable import check_trials, readable
from suite.study.record import ESTIMATES, OWNER, RETRY, TARGET, TRIAL, TRUNCATED
from suite.study.search import FINISHED as FINISHED

#: What a study's database can say instead of an answer.
_TROUBLES = (sqlalchemy.exc.SQLAlchemyError, StorageError)


class Gone(BaseException):
    """The study that is worked on is not there any more.

    Not an `Exception`: Optuna would take one for a failed trial, and write that into a row which
    may be another study's by now.
    """

    def __init__(self, why: StudyError) -> None:
        self.why = why
        super().__init__(why.what)


class Ledger:
    """An opened study: read, and written to by whoever works on it.

    Args:
        url: the storage's URL, None for the default.
        name: the study's name.

    Raises:
        StorageError: the storage can't be opened.
        StudyError: no such study.
    """

    def __init__(self, url: str | None, name: str) -> None:
        self.storage = storage.open_storage(url)
        self.study, self.definition = storage.load(self.storage, name)
        self._check()
        #: Whoever decides what others rely on holds it: what is next, what is kept, who is out.
        self.lock = StudyLock(self.storage, name)
        #: Where its files lie, and what it may do with them.
        self.artifacts = artifacts.find(self.study, self.definition.data.fingerprint)
        #: Whether it was found deleted by somebody.
        self.deleted = False
        self._file = _file(self.storage)
        self._inode = self._file and _inode(self._file)
        #: This process as running trials bear it, so that others can see when it is dead.
        self.owner = _owner()
        self._here: dict[str, Any] | None = None

    def _check(self) -> None:
        """Sees that what the study is gone on with can be read; afterwards it is relied on.

        Raises:
            StudyError: it can't, with the reason.
        """
        record.results(self.study, self.definition)
        with readable(self.definition.name):
            check_trials(self.study, OWNER, RETRY)
            for arm in self.definition.arms:
                search.distributions(arm)

    def claim(self, say: Callable[[str], None]) -> None:
        """Sees that the study's folder may be written to; it is made where there is none.

        Raises:
            StudyError: another storage owns it.
        """
        fingerprint = self.definition.data.fingerprint
        self.artifacts = artifacts.claim(self.study, fingerprint, say=say)

    def check_stands(self) -> None:
        """Sees that the study is still there.

        Raises:
            Gone: it was deleted, or its database file was removed or replaced.
        """
        name = self.definition.name
        if self._file is not None and _inode(self._file) != self._inode:
            raise Gone(
                StudyError(
                    f"the database of '{name}' was removed or replaced while the study ran",
                    where=str(self._file),
                    fix=f"Put it back, then go on with `suite study run {name}`.",
                )
            )
        if self.artifacts.id is None:
            return
        with suppress(*_TROUBLES):  # whoever writes next tells them
            found = internals.attribute(self.study, artifacts.ID)
            if found is None or json.loads(found) != self.artifacts.id:
                self.deleted = True
                raise Gone(
                    StudyError(
                        f"the study '{name}' was deleted by somebody while it ran",
                        fix="What it had found is gone; nothing was written since. "
                        "`suite study create` makes a new one.",
                    )
                )

    def why(self, error: BaseException) -> BaseException:
        """An error, or what stands behind it: a study that is not there any more."""
        try:
            if isinstance(error, Gone):
                raise error
            self.check_stands()
        except Gone as gone:
            return gone.why
        return error

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Within: an error that comes of the study being gone says so.

        Raises:
            StudyError: it is gone.
        """
        try:
            yield
        except (Gone, Exception) as error:
            meant = self.why(error)
            if meant is error:
                raise
            raise meant from None

    @property
    def host(self) -> str:
        """This machine's name, as trials and kept checkpoints bear it."""
        return str(self.owner["host"])

    @property
    def target(self) -> int:
        """How many finished trials the study is to have."""
        return int(self.study.user_attrs.get(TARGET, self.definition.recipe.trials))

    def missing(self) -> int:
        """Finished trials the study still lacks; none where its search has ended without them."""
        trials = self.study.get_trials(deepcopy=False)
        lacks = max(0, self.target - sum(trial.state in FINISHED for trial in trials))
        return lacks if lacks and self.met(trials) is None else 0

    def met(self, trials: Sequence[FrozenTrial]) -> Ended | None:
        """Why the search ends now though trials are missing; None where it goes on."""
        return ending.met(self.definition, self.study.user_attrs, trials)

    def tell_end(self, say: Callable[[str], None], *, timed: bool) -> None:
        """Stores why the search ended, and says it where that was early.

        Args:
            timed: whether the command had an end.
        """
        ending.tell(self.study, self.definition, self.target, timed=timed, say=say)

    def running(self) -> list[FrozenTrial]:
        """Trials that run now, in any process on any machine."""
        return self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))

    def attribute(self, number: int, name: str, default: Any) -> Any:
        """What stands with a trial, by its number."""
        trials = self.study.get_trials(deepcopy=False)
        found = next((trial for trial in trials if trial.number == number), None)
        return default if found is None else found.user_attrs.get(name, default)

    def results(self) -> StudyResults:
        """Everything the study found so far."""
        return record.results(self.study, self.definition)

    def another(self) -> optuna.Study:
        """The study once more, for a thread to give a sampler and a pruner of its own."""
        return internals.another(self.study)

    def record(
        self,
        trial: optuna.Trial | FrozenTrial,
        found: Trial,
        marks: Mapping[str, Any] | None = None,
    ) -> None:
        """Stores what a trial found, whole for the suite and in short for Optuna's own tools.

        Args:
            marks: attributes that stand with it or not at all.
        """
        values = {TRIAL: record.pack(found)} | attributes.of_trial(found) | dict(marks or {})
        internals.set_attributes(self.storage, trial, values)

    def finish(self, trial: FrozenTrial, found: Trial) -> None:
        """Ends a running trial as the finished one that it recorded to be.

        Raises:
            UpdateFinishedTrialError: it has ended meanwhile.
        """
        if found.state == "COMPLETE":
            internals.finish(self.storage, trial, TrialState.COMPLETE, found.score)
        else:
            reported = trial.intermediate_values
            last = reported[max(reported)] if reported else None  # as Optuna's own `tell`
            internals.finish(self.storage, trial, TrialState.PRUNED, last)

    def fail(self, trial: FrozenTrial) -> None:
        """Ends a trial that waits or runs as a failed one.

        Raises:
            UpdateFinishedTrialError: it has ended meanwhile.
        """
        internals.fail(self.storage, trial)

    def set_estimates(self, found: Mapping[str, float]) -> None:
        """Stores the preflight's seconds per trial. Takes the lock."""
        with self.lock.held():
            known = dict(self.study.user_attrs.get(ESTIMATES, {}))
            self.study.set_user_attr(ESTIMATES, known | dict(found))

    def known_seconds(self, points: Mapping[str, Params] | None = None) -> dict[str, float]:
        """Seconds of a trial by arm, of those that were run or timed: at these points, or of the
        trial that comes next."""
        trials = self.study.get_trials(deepcopy=False)
        arms = {arm.name: arm for arm in self.definition.arms}
        found = estimates.each(trials, self.study.user_attrs, self.host, arms)
        points = points or {}
        for name in found.keys() & arms.keys():
            arm, point = arms[name], points.get(name)
            ahead = efforts.ahead(arm, trials) if point is None else efforts.at(arm, point)
            found[name] *= ahead
        return found

    def note_truncation(self, arm: str, circumstances: Mapping[str, Any]) -> None:
        """Stores the share of texts that an arm cuts, where a trial of it says so."""
        share = circumstances.get("truncated", circumstances.get("texts_cut_rate"))
        if isinstance(share, int | float):
            known = dict(self.study.user_attrs.get(TRUNCATED, {}))
            if known.get(arm) != share:
                known[arm] = share
                self.study.set_user_attr(TRUNCATED, known)

    def circumstances(self) -> dict[str, Any]:
        """What of this machine belongs with a trial: others may join the study from elsewhere."""
        if self._here is None:
            self._here = facts.environment()
        here, there = self._here, self.definition.environment
        told: dict[str, Any] = {
            "cpu": here["cpu"]["model"],
            "gpus": [gpu["name"] for gpu in here["gpus"]],
            "load_average": round(os.getloadavg()[0], 2),
        }
        other = {
            name: version
            for name, version in here["versions"].items()
            if version != there.get("versions", {}).get(name)
        }
        return told | ({"versions": other} if other else {})


def is_dead(owner: Mapping[str, Any], host: str) -> bool:
    """Whether a trial's owner on this host is gone; of other hosts the heartbeat tells."""
    return owner["host"] == host and not scratch.alive(int(owner["pid"]), float(owner["started"]))


def _file(storage: Database) -> Path | None:
    """The file of a database that is one."""
    place = storage.place
    if not is_sqlite(place) or not place.database:
        return None
    return Path(place.database).absolute()


def _inode(file: Path) -> tuple[int, int] | None:
    try:
        facts = file.stat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino


def _owner() -> dict[str, Any]:
    me = psutil.Process()
    return {
        "host": socket.gethostname(),
        "pid": me.pid,
        "started": me.create_time(),
        "memory_kills": memory.kills(),
        "memory_group": memory.group(),
    }
