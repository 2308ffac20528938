"""The loop of a worker: claim a trial, train it in a child, measure it, record it.

A worker is a thread that calls `study.optimize` one trial at a time and waits on its child's
messages; `--workers N` is N of them. Whatever ends a worker, its trial is not lost: Ctrl-C
queues it again at once, SIGKILL when the next worker looks (its owner on this host is dead) or
when the heartbeat goes silent (another host). A parameter set is tried at most three times.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import optuna
import psutil
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from suite import paths, strategies
from suite.child.messages import KEPT, LOG, Failed, Finished, Job
from suite.child.runner import Interrupted, Runner
from suite.contracts.results import Checkpoint, Rps, StudyResults, Trial
from suite.data import snapshot
from suite.errors import StorageError, StudyError
from suite.machine import cache, facts
from suite.study import attributes, record, search, storage
from suite.study.definition import StoredArm
from suite.study.record import CHECKPOINTS, ESTIMATES, KEPT_AT, OUT, OWNER, RETRY, TARGET, TRIAL
from suite.verdict import standing

MAX_RETRIES = 2
FAILURES_TO_RETIRE = 3
#: Validation rows of an arm's early checkpoints.
EVALUATION = "suite:evaluation:"
RPS = "suite:rps:"


class TrialFailed(Exception):
    """The trial is a failed one; its reason is recorded."""


class Observer(Protocol):
    """Who watches a study run: the live table, plain lines, or nobody."""

    def started(self, number: int, arm: str, params: Mapping[str, Any]) -> None:
        """A trial started."""

    def progressed(self, number: int, fraction: float) -> None:
        """How far a trial's budget is spent."""

    def scored(self, number: int, checkpoint: Checkpoint) -> None:
        """A checkpoint was scored."""

    def ended(self, trial: Trial) -> None:
        """A trial ended."""

    def said(self, text: str) -> None:
        """Something a person should know."""


@dataclass(frozen=True)
class Limits:
    """What this command may use."""

    workers: int = 1
    timeout: float | None = None
    max_disk: int | None = None


class Work:
    """One command's share of a study.

    Args:
        url: the storage's URL, None for the default.
        name: the study's name.
        observer: who watches.
        limits: workers, timeout, disk.
        stop: set from outside to end early.
    """

    def __init__(
        self,
        url: str | None,
        name: str,
        observer: Observer,
        limits: Limits,
        stop: threading.Event | None = None,
    ) -> None:
        cache.bound()  # A bound that can't be read is told before anything starts.
        self.stop = stop or threading.Event()
        self.observer = observer
        self.limits = limits
        self.storage: RDBStorage = storage.open_storage(url, on_stale=self._on_stale)
        self.study, self.definition = storage.load(self.storage, name)
        self.runner = Runner(self.stop, preload=self._preload())
        self.lock = storage.StudyLock(self.storage, name)
        self.folder = paths.artifacts(name)
        self._running: set[int] = set()
        self._overlapped: set[int] = set()
        self._count_lock = threading.Lock()
        self._deadline = time.monotonic() + limits.timeout if limits.timeout else None
        self._errors: list[BaseException] = []
        self._me = _owner()
        self._here: dict[str, Any] | None = None

    def _preload(self) -> list[str]:
        """What the study's strategies import at great cost, once for all of its children."""
        names = {arm.strategy for arm in self.definition.runnable} & set(strategies.names())
        return [
            module
            for name in sorted(names)
            for module in getattr(strategies.get(name), "preload", ())
        ]

    @property
    def host(self) -> str:
        """This machine's name, as trials and kept checkpoints bear it."""
        return str(self._me["host"])

    @property
    def target(self) -> int:
        """How many finished trials the study is to have."""
        return int(self.study.user_attrs.get(TARGET, self.definition.recipe.trials))

    def run(self) -> None:
        """Works until the study has its trials, time is up, or every arm is retired.

        Raises:
            Interrupted: `stop` was set; running trials are queued again.
            StudyError: no arm is left, or the disk limit is reached.
        """
        with self.lock.held():
            self._requeue_the_dead()
            self._sweep_folders()
        # Waiting is by events, not by `Thread.join`: interrupted in it, Python 3.11 takes a
        # running thread for ended (python/cpython#90882).
        ended = [threading.Event() for _ in range(self.limits.workers)]
        for index, event in enumerate(ended):
            threading.Thread(target=self._loop, args=(index, event), name=f"worker-{index}").start()
        interrupted = False
        for event in ended:
            while not event.is_set():
                try:
                    event.wait(0.2)
                except KeyboardInterrupt:
                    interrupted = True
                    self.stop.set()
        if self._errors:
            raise self._errors[0]
        if interrupted or self.stop.is_set():
            raise Interrupted

    def results(self) -> StudyResults:
        """Everything the study found so far."""
        return record.results(self.study, self.definition)

    def missing(self) -> int:
        """Finished trials the study still lacks."""
        finished = self.study.get_trials(
            deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)
        )
        return max(0, self.target - len(finished))

    # ------------------------------------------------------------------ the loop

    def _loop(self, index: int, ended: threading.Event) -> None:
        try:
            # One cache of trials for all workers: filling it with 10,000 takes seconds.
            study = optuna.load_study(study_name=self.definition.name, storage=self.study._storage)
            study.pruner = search.pruner(self.definition.recipe.pruner)
            while not self.stop.is_set() and not self._late():
                self._check_disk()
                if not self._claim(study, index):
                    if self._others_run(study):
                        # They may fail; then their trial is missing again.
                        self.stop.wait(0.5)
                        continue
                    return
                try:
                    study.optimize(self._objective, n_trials=1, catch=(TrialFailed,))
                finally:
                    self.lock.release()
        except Interrupted:
            pass
        except BaseException as error:  # noqa: BLE001 - carried to the main thread
            self._errors.append(error)
            self.stop.set()
        finally:
            ended.set()

    def _late(self) -> bool:
        return self._deadline is not None and time.monotonic() > self._deadline

    def _claim(self, study: optuna.Study, index: int) -> bool:
        """Takes the lock and makes sure that one trial waits; keeps the lock if so.

        The lock is given back by the objective once the trial bears its owner, so no two
        workers can start more than are missing.
        """
        self.lock.acquire()
        try:
            self._requeue_the_dead()
            trials = study.get_trials(deepcopy=False)
            live = [t for t in trials if t.state in search.COUNTED]
            out = self.study.user_attrs.get(OUT, {})
            waiting = []
            for trial in (t for t in live if t.state == TrialState.WAITING):
                if search.arm_of(trial) in out:
                    self._drop(trial)
                else:
                    waiting.append(trial)
            if all(arm.name in out for arm in self.definition.runnable):
                raise StudyError(self._all_out(out))
            busy = sum(t.state != TrialState.WAITING for t in live)
            if busy >= self.target:
                self.lock.release()
                return False
            if not waiting:
                point = search.next_point(self.definition, trials, out)
                if point is not None:
                    fixed, attributes = point
                    study.enqueue_trial(fixed, user_attrs=attributes)
            study.sampler = search.sampler(
                self.definition.recipe.sampler, self.definition.seed, len(trials) + 1000 * index
            )
            return True
        except BaseException:
            self.lock.release()
            raise

    def _drop(self, trial: FrozenTrial) -> None:
        """Fails a waiting trial whose arm was taken out meanwhile: nobody is to start it."""
        reason = "its arm was taken out before it started"
        facts = replace(record.trial_of(trial), state="FAIL", error=reason)
        self._record(trial._trial_id, facts)
        self.storage.set_trial_state_values(trial._trial_id, state=TrialState.FAIL)

    def _record(self, trial_id: int, facts: Trial) -> None:
        """Stores what a trial found, whole for the suite and in short for Optuna's own tools."""
        values = {TRIAL: record.pack(facts)} | attributes.of_trial(facts)
        attributes.set_on_trial(self.storage, trial_id, values)

    def _others_run(self, study: optuna.Study) -> bool:
        return bool(study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)))

    def _all_out(self, out: Mapping[str, Mapping[str, str]]) -> str:
        reasons = "\n  ".join(
            f"{arm}: {next(iter(reason.values()))}" for arm, reason in out.items()
        )
        return f"no arm is left in the study '{self.definition.name}':\n  {reasons}"

    def _check_disk(self) -> None:
        if self.limits.max_disk is None or not self.folder.exists():
            return
        used = sum(f.stat().st_size for f in self.folder.rglob("*") if f.is_file())
        if used > self.limits.max_disk:
            raise StudyError(
                f"{self.folder} holds {used / 1e9:.1f} GB, above --max-disk "
                f"{self.limits.max_disk / 1e9:.1f} GB",
                fix="Give more with --max-disk and `suite study run "
                f"{self.definition.name}`; everything so far is kept.",
            )

    # ------------------------------------------------------------------ one trial

    def _objective(self, trial: optuna.Trial) -> float:
        try:
            arm, params = search.suggest(trial, self.definition)
            trial.set_user_attr(OWNER, self._me)
        finally:
            self.lock.release()
        number = trial.number
        with self._count_lock:
            self._running.add(number)
        self._look_around(number)
        self.observer.started(number, arm.name, params)
        folder = self.folder / f"trial-{number}"
        facts = Trial(
            number=number,
            state="FAIL",
            arm=arm.name,
            params=params,
            seed=self.definition.seed,
            worker=f"{self._me['host']}:{self._me['pid']}",
        )
        try:
            return self._trial(trial, arm, folder, facts)
        except Interrupted:
            facts = replace(facts, error="interrupted; the trial was queued again")
            self._record(trial._trial_id, facts)
            self._queue_again(self._frozen(trial), "interrupted", count=False)
            raise
        finally:
            with self._count_lock:
                self._running.discard(number)
            shutil.rmtree(folder, ignore_errors=True)
            if (self.kept(arm.name) or {}).get("trial") != number:
                shutil.rmtree(self._attached(number), ignore_errors=True)

    def _trial(self, trial: optuna.Trial, arm: StoredArm, folder: Path, facts: Trial) -> float:
        recipe = self.definition.recipe
        scored: list[tuple[float, float, float, int | None]] = []

        def on_checkpoint(checkpoint: Checkpoint) -> bool:
            scored.append(
                (
                    checkpoint.fraction,
                    checkpoint.macro_f1,
                    checkpoint.train_seconds,
                    checkpoint.rows,
                )
            )
            trial.set_user_attr(CHECKPOINTS, scored)
            trial.report(checkpoint.macro_f1, round(checkpoint.fraction * 100))
            self.observer.scored(trial.number, checkpoint)
            # The last checkpoint ends the trial anyway: there is nothing left to save.
            return checkpoint.fraction >= 1 or not trial.should_prune()

        outcome = self.runner.train(
            self.job(arm, facts.params, folder, attached=self._attached(trial.number)),
            on_checkpoint=on_checkpoint,
            on_progress=lambda fraction: self.observer.progressed(trial.number, fraction),
            on_size=lambda rows: self._evaluation_size(arm.name, rows),
            max_seconds=recipe.max_trial_seconds,
        )
        if isinstance(outcome, Failed):
            self._record_failure(trial, arm, replace(facts, error=outcome.reason), folder, outcome)
            raise TrialFailed(outcome.reason)
        facts = replace(
            facts,
            state="PRUNED" if outcome.pruned else "COMPLETE",
            checkpoints=outcome.checkpoints,
            validation=outcome.scores,
            train_seconds=outcome.train_seconds,
            load_seconds=outcome.load_seconds,
            evaluation_seconds=outcome.evaluation_seconds,
            peak_memory_bytes=outcome.peak_memory_bytes,
            circumstances=outcome.circumstances | self._circumstances(),
        )
        self._note_truncation(arm, outcome)
        if not outcome.pruned:
            facts = replace(facts, rps=self._serving_speed(trial.number, arm, outcome, folder))
        facts = self._judge(trial, facts)
        self._look_around(trial.number)
        with self._count_lock:
            facts = replace(facts, contended=trial.number in self._overlapped)
        if outcome.kept and not outcome.pruned:
            self._keep(arm.name, trial.number, facts, outcome, folder / KEPT)
        self._record(trial._trial_id, facts)
        now = time.strftime("%Y-%m-%dT%H:%M:%S")
        self.observer.ended(replace(facts, ended=now))
        if outcome.pruned:
            raise optuna.TrialPruned
        assert facts.macro_f1 is not None
        return facts.macro_f1

    def job(self, arm: StoredArm, params: Mapping[str, Any], folder: Path, **changes: Any) -> Job:
        """A job of this study."""
        recipe = self.definition.recipe
        values: dict[str, Any] = {
            "arm": arm.name,
            "strategy": arm.strategy,
            "model": arm.model,
            "task": self.definition.task,
            "params": dict(params),
            "seed": self.definition.seed,
            "snapshot": self.folder / "data",
            "fingerprint": self.definition.data.fingerprint,
            "folder": folder,
            "epochs": recipe.epochs_for(arm.name),
            "checkpoints": recipe.budget.checkpoints,
            "shrink_batch": recipe.shrink_batch,
            "threads": self.threads,
            "evaluation": self._evaluation(arm.name),
        }
        return Job(**(values | changes))

    def _evaluation(self, arm: str) -> int | str:
        """Validation rows of the arm's early checkpoints, where they are decided."""
        if self.definition.recipe.budget.evaluation == "full":
            return "full"
        known: int | None = self.study.user_attrs.get(f"{EVALUATION}{arm}")
        return "auto" if known is None else known

    def _evaluation_size(self, arm: str, rows: int) -> int:
        """The same for every trial of an arm, in every worker: the first one found stays."""
        with self.lock.held():
            known = self._evaluation(arm)
            if isinstance(known, int):
                return known
            self.study.set_user_attr(f"{EVALUATION}{arm}", rows)
            return rows

    @property
    def threads(self) -> int:
        """Threads of one child: this machine's cores, shared by the workers."""
        return max(1, facts.threads() // self.limits.workers)

    # ------------------------------------------------------------------ what a trial leaves

    def _serving_speed(
        self, number: int, arm: StoredArm, outcome: Finished, folder: Path
    ) -> Rps | None:
        """Measured once per serving shape and host; predictors of one shape serve equally fast."""
        key = f"{RPS}{self._me['host']}:{arm.name}:{outcome.serving_shape}"
        known = record.read_rps(self.study.user_attrs.get(key))
        if known is not None:
            return known
        predictor = folder / KEPT
        if not outcome.kept:
            return None  # only a predictor that was kept can be loaded and timed
        rps = self.measure(arm, predictor, folder)
        if rps is None:
            return None
        shared = f"measured in trial {number} for every trial of this serving shape"
        rps = replace(rps, note="; ".join(filter(None, (rps.note, shared))))
        self.study.set_user_attr(key, record.dump_rps(rps))
        return rps

    def measure(self, arm: StoredArm, predictor: Path, logs: Path) -> Rps | None:
        """LoadGen's figures for a kept predictor, alone on the machine as far as locks reach."""
        from suite.serving.load.measure import machine_lock

        measure = self.definition.recipe.measure
        if measure.seconds <= 0 or (arm.model.endpoint is not None and not measure.endpoints):
            return None
        texts = snapshot.read_split(self.folder / "data", "validation").texts[: measure.texts]
        others_before = self._neighbours()
        try:
            with machine_lock(timeout=600):
                outcome = self.runner.measure(
                    predictor, texts, measure.seconds, self.threads, logs / "loadgen"
                )
        except StorageError as error:
            # A neighbour that trains for long under the lock must not end this study.
            outcome = Failed(str(error))
        if isinstance(outcome, Failed):
            self.observer.said(f"serving speed could not be measured: {outcome.reason}")
            return None
        return replace(outcome, contended=bool(others_before | self._neighbours()))

    def running_here(self) -> set[int]:
        """Trials of this study that run on this machine now, in any process."""
        with self._count_lock:
            mine = set(self._running)
        there = {
            trial.number
            for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
            if (trial.user_attrs.get(OWNER) or {}).get("host") == self.host
        }
        return there | mine

    def _neighbours(self) -> set[int]:
        """The same, where they are more than the one that asks."""
        there = self.running_here()
        return there if len(there) > 1 else set()

    def _look_around(self, number: int) -> None:
        """Marks the trial, and its neighbours, as timed while others ran."""
        neighbours = self._neighbours()
        if neighbours:
            with self._count_lock:
                self._overlapped |= neighbours | {number}

    def _circumstances(self) -> dict[str, Any]:
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

    def _judge(self, trial: optuna.Trial, facts: Trial) -> Trial:
        """Records the recipe's bounds as constraints (feasible at 0 and below)."""
        bounds = self.definition.recipe.bounds.model_dump()
        over = standing.excess(bounds, facts.train_seconds, facts.rps)
        for name, by in over.items():
            trial.set_constraint(name, by)
        return replace(facts, feasible=all(by <= 0 for by in over.values()))

    def kept(self, arm: str) -> dict[str, Any] | None:
        """The arm's kept checkpoint: trial, host, path, macro_f1, feasible; or None."""
        found: dict[str, Any] | None = self.study.user_attrs.get(f"{KEPT_AT}{arm}")
        return found

    def _keep(self, arm: str, number: int, facts: Trial, outcome: Finished, source: Path) -> None:
        """Moves a checkpoint into the arm's place if it is the arm's best; only one is kept."""
        place = self.folder / KEPT / arm.replace("/", "--")
        with self.lock.held():
            before = self.kept(arm)
            feasible, f1 = standing.merit(facts)
            if before is not None and (before["feasible"], before["macro_f1"]) >= (feasible, f1):
                return
            place.parent.mkdir(parents=True, exist_ok=True)
            old = place.with_name(f"{place.name}.old")
            shutil.rmtree(old, ignore_errors=True)
            try:
                if place.exists():
                    place.rename(old)
                source.rename(place)
            except OSError as error:
                raise StorageError(
                    f"the checkpoint cannot be kept: {error.strerror}", where=str(place)
                ) from None
            shutil.rmtree(old, ignore_errors=True)
            if before is not None:
                shutil.rmtree(self._attached(int(before["trial"])), ignore_errors=True)
            self.study.set_user_attr(
                f"{KEPT_AT}{arm}",
                {
                    "trial": number,
                    "host": self._me["host"],
                    "path": str(place.resolve()),
                    "macro_f1": f1,
                    "feasible": feasible,
                    "serving_shape": outcome.serving_shape,
                },
            )

    def _attached(self, number: int) -> Path:
        """What a strategy attached to a trial: kept as long as the trial's checkpoint is."""
        return self.folder / "attached" / f"trial-{number}"

    def _note_truncation(self, arm: StoredArm, outcome: Finished) -> None:
        facts = outcome.circumstances
        share = facts.get("truncated", facts.get("texts_cut_rate"))
        if isinstance(share, int | float):
            known = dict(self.study.user_attrs.get(record.TRUNCATED, {}))
            if known.get(arm.name) != share:
                known[arm.name] = share
                self.study.set_user_attr(record.TRUNCATED, known)

    # ------------------------------------------------------------------ failing, retiring

    def _record_failure(
        self, trial: optuna.Trial, arm: StoredArm, facts: Trial, folder: Path, outcome: Failed
    ) -> None:
        logs = self.folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        if (folder / LOG).exists():
            kept_log = logs / f"trial-{trial.number}.txt"
            shutil.copyfile(folder / LOG, kept_log)
            reason = (facts.error or "").replace(str(folder / LOG), str(kept_log))
            facts = replace(facts, error=reason)
        self._record(trial._trial_id, facts)
        trial.set_user_attr(search.FELL, True)
        self.observer.ended(facts)
        with self.lock.held():
            streak = self._failures_in_a_row(arm.name) + 1
            if outcome.refused and not self._may_go_on(arm):
                self._take_out(arm.name, "refused", outcome.reason)
            elif streak >= FAILURES_TO_RETIRE:
                self._take_out(
                    arm.name, "retired", f"{streak} failures in a row, the last: {facts.error}"
                )

    def _may_go_on(self, arm: StoredArm) -> bool:
        """Whether a refusal is one point's and not the arm's: others have worked, or are left."""
        trials = self.study.get_trials(deepcopy=False)
        done = (TrialState.COMPLETE, TrialState.PRUNED)
        worked = any(t.state in done and search.arm_of(t) == arm.name for t in trials)
        return worked or bool(search.untried(arm, trials))

    def _failures_in_a_row(self, arm: str) -> int:
        count = 0
        for trial in reversed(self.study.get_trials(deepcopy=False)):
            if search.arm_of(trial) != arm or trial.state not in (
                TrialState.COMPLETE,
                TrialState.PRUNED,
                TrialState.FAIL,
            ):
                continue
            if trial.state != TrialState.FAIL:
                break
            # Interrupted trials say nothing about their arm.
            count += search.FELL in trial.user_attrs
        return count

    def _take_out(self, arm: str, how: str, reason: str) -> None:
        out = dict(self.study.user_attrs.get(OUT, {}))
        out[arm] = {how: reason}
        self.study.set_user_attr(OUT, out)
        self.observer.said(f"{arm} is {how}: {reason}")

    def refuse_arm(self, arm: str, reason: str) -> None:
        """Takes an arm out before it is tried."""
        with self.lock.held():
            self._take_out(arm, "refused", reason)

    def set_estimates(self, estimates: Mapping[str, float]) -> None:
        """Stores the preflight's seconds per trial."""
        known = dict(self.study.user_attrs.get(ESTIMATES, {}))
        self.study.set_user_attr(ESTIMATES, known | dict(estimates))

    # ------------------------------------------------------------------ retrying

    def _frozen(self, trial: optuna.Trial) -> FrozenTrial:
        return self.storage.get_trial(trial._trial_id)

    def _on_stale(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Optuna's callback for a trial whose heartbeat went silent on another host."""
        self._queue_again(trial, "its heartbeat went silent")

    def _queue_again(self, trial: FrozenTrial, why: str, *, count: bool = True) -> None:
        """Queues a trial's parameters again. Only they are copied: constraints could not be set
        a second time, and what was recorded belongs to the trial that ended."""
        retries = int(trial.user_attrs.get(RETRY, 0)) + (1 if count else 0)
        if retries > MAX_RETRIES:
            self.observer.said(
                f"trial {trial.number} is not queued again: {why}, for the {retries}rd time"
            )
            return
        fixed = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
        if not fixed:
            return  # nothing was decided yet
        attributes: dict[str, Any] = {RETRY: retries, "suite:retry_of": trial.number}
        if search.KNOWN_GOOD in trial.user_attrs:
            attributes[search.KNOWN_GOOD] = trial.user_attrs[search.KNOWN_GOOD]
        self.study.enqueue_trial(fixed, user_attrs=attributes)

    def _requeue_the_dead(self) -> None:
        """Fails and queues again the trials whose owner is gone. Needs the lock.

        Of an owner on another host its silence tells, also where its trial is the last that is
        missing: then none is started, at which Optuna would look. A running trial without an
        owner was claimed under the lock by a worker that died before it could sign: the lock is
        ours now, so it is dead too.
        """
        storage.fail_silent(self.study)
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            owner = trial.user_attrs.get(OWNER)
            if owner is not None and not _is_dead(owner, self._me["host"]):
                continue
            try:
                self.storage.set_trial_state_values(trial._trial_id, state=TrialState.FAIL)
            except UpdateFinishedTrialError:
                continue
            arm = search.arm_of(trial)
            if arm is not None:
                kept = self.kept(arm)
                if kept is not None and kept["trial"] == trial.number:
                    # It died between keeping and finishing: the retry makes it again.
                    shutil.rmtree(kept["path"], ignore_errors=True)
                    self.study.set_user_attr(f"{KEPT_AT}{arm}", None)
            self._queue_again(trial, "its worker died")
            self.observer.said(
                f"trial {trial.number} ({arm}) had lost its worker; it is queued again"
            )

    def _sweep_folders(self) -> None:
        """Removes what dead trials left on disk."""
        if not self.folder.exists():
            return
        running = {
            t.number for t in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        }
        kept = {(self.kept(arm.name) or {}).get("trial", -1) for arm in self.definition.runnable}
        for folder in self.folder.glob("trial-*"):
            number = folder.name.removeprefix("trial-")
            if number.isdigit() and int(number) not in running:
                shutil.rmtree(folder, ignore_errors=True)
        for folder in self.folder.glob("attached/trial-*"):
            number = folder.name.removeprefix("trial-")
            if number.isdigit() and int(number) not in running | kept:
                shutil.rmtree(folder, ignore_errors=True)


def _owner() -> dict[str, Any]:
    me = psutil.Process()
    return {"host": socket.gethostname(), "pid": me.pid, "started": me.create_time()}


def _is_dead(owner: Mapping[str, Any], host: str) -> bool:
    """Whether a trial's owner on this host is gone; of other hosts the heartbeat tells."""
    if owner["host"] != host:
        return False
    try:
        process = psutil.Process(int(owner["pid"]))
        # A pid is given out again: the start time tells whether it is the same process.
        return (
            abs(process.create_time() - float(owner["started"])) > 1.0
            or process.status() == psutil.STATUS_ZOMBIE
        )
    except psutil.NoSuchProcess:
        return True
