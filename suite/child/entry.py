"""The child's entry: one job, spoken of in messages, and an end.

The child reads training and validation rows alone; the test file beside them is not opened.
"""

from __future__ import annotations

import os
import sys
import traceback
from multiprocessing.connection import Connection

from suite.child import folds
from suite.child.causes import cause_of
from suite.child.messages import LOG, Failed, Finished, Job
from suite.child.process import describe, live_only_with_parent, log_to, set_threads
from suite.child.worker import ChildRun
from suite.contracts.strategy import Pool, Pruned, Refused
from suite.data.folds import together
from suite.errors import SuiteError, WeightsError
from suite.machine import energy, memory


def main(channel: Connection, job: Job) -> None:
    """The child's entry: runs the job, sends `Finished` or `Failed`, and returns."""
    live_only_with_parent()
    job.folder.mkdir(parents=True, exist_ok=True)
    log_to(job.folder / LOG)
    message: Finished | Failed
    try:
        message = run(channel, job)
    except WeightsError as error:
        message = Failed(str(error), refused=True, cause=cause_of(error))
    except SuiteError as error:
        message = Failed(str(error), cause=cause_of(error))
    except Refused as error:
        message = Failed(str(error), refused=True, cause=cause_of(error))
    except MemoryError as error:
        told = memory.figures(memory.peak(os.getpid()))
        message = Failed(
            f"memory ran out: {told}; a smaller batch, fewer tokens or LoRA needs less",
            cause=cause_of(error),
        )
    except Exception as error:  # noqa: BLE001 - the child's last resort: every failure is a message
        traceback.print_exc()
        message = Failed(describe(error), cause=cause_of(error))
    sys.stdout.flush()
    sys.stderr.flush()
    channel.send(message)
    channel.close()


def run(channel: Connection, job: Job) -> Finished:
    """Trains and scores one job."""
    from suite import strategies
    from suite.data import snapshot

    set_threads(job.threads)
    train, validation = snapshot.read_train_validation(job.snapshot)
    fingerprint = job.fingerprint
    if job.preflight_rows is not None:
        train = train.take(range(min(job.preflight_rows, len(train))))
        fingerprint = f"{fingerprint}-first{len(train)}"
    pool = None
    if job.folds:
        beside = validation
        if job.preflight_rows is not None:
            beside = validation.take(range(min(len(validation), 1 + len(train) // job.folds)))
        rows = together(train, beside)
        pool = Pool(rows, tuple(range(len(train))), f"{fingerprint}-pool", {})
    if job.refit is not None:
        train = together(train, validation)
        # What a trial over folds computed for all rows is there already.
        pool = Pool(train, tuple(range(len(train))), f"{fingerprint}-pool", {})
        fingerprint = f"{fingerprint}-refit"
    run = ChildRun(job, train, validation, fingerprint, channel, pool)
    run.folder.mkdir(parents=True, exist_ok=True)
    pruned = False
    with energy.metered(job.energy) as reading:
        run.clock.start()
        try:
            strategies.get(job.strategy).fit(run)
        except Pruned:
            pruned = job.refit is None
        finally:
            run.clock.stop()
    if not run.continued:  # Of the processes before, nobody has read what they took.
        run.note(**reading.told)
    run.close(pruned)
    pooled = seconds = None
    again = 0.0
    if job.folds and job.preflight_rows is not None:
        again = folds.again(strategies.get(job.strategy), run, job.folder)
    elif job.folds and not pruned:
        pooled = run.pooled(snapshot.read_folds(job.snapshot))
        seconds = run.elapsed
    if pool is not None:
        pool.shared.clear()  # The one that is kept is loaded next: two may not fit.
    if not pruned:
        run.check_kept()
    if run.bookmark_seconds:
        run.note(bookmark_seconds=round(run.bookmark_seconds, 3))
    if run.continued:
        run.note(elapsed_seconds=round(run.elapsed, 3))
    run.note(saved_seconds=round(run.train_seconds - run.clock.seconds, 4))
    return Finished(
        pruned=pruned,
        checkpoints=run.scored,
        scores=run.best,
        train_seconds=run.train_seconds,
        load_seconds=run.load_seconds,
        evaluation_seconds=run.evaluation_seconds,
        peak_memory_bytes=run.peak_memory,
        kept=run.kept,
        serving_shape=run.serving_shape,
        evaluated=run.evaluated,
        evaluated_seconds=run.evaluated_seconds,
        pooled=pooled,
        search_seconds=seconds,
        again_seconds=again,
        answered=None if pruned else run.answered(),
        circumstances=run.facts,
    )
