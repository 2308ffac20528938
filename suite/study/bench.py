"""A study's kept checkpoints behind every engine, under MLPerf's scenarios: which serves fastest?

Engines are opened one at a time, each in a child process of its own, under the machine's lock for
measurements. What is measured is stored at once, so whatever ends the command, it goes on where it
was. Only validation and training texts are used: the test split stays closed.
"""

from __future__ import annotations

import fnmatch
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from suite import shell
from suite.child.messages import LOG, Failed
from suite.contracts.speeds import BenchRow
from suite.errors import StudyError, counted, nearest
from suite.serving.engines import candidates, versions
from suite.serving.load.engine_job import EngineJob, Opener
from suite.study import bench_record
from suite.study.artifacts import part
from suite.study.definition import Definition, StoredArm
from suite.study.kept_record import Shipped
from suite.study.work import Work

#: A served model is its own engine.
ENDPOINT = "endpoint"

LOCK_TIMEOUT = 3600


@dataclass(frozen=True)
class Wanted:
    """What to measure, and how long.

    Args:
        arms: globs; every arm with a kept checkpoint where none is given.
        engines: names; every engine where none is given.
        seconds: a scenario's length; Server is a search that takes up to six times as long.
        again: whether to measure what is recorded with the same settings.
        endpoints: whether to load servers, though the recipe does not allow it.
    """

    arms: Sequence[str] = ()
    engines: Sequence[str] = ()
    seconds: float = 10.0
    again: bool = False
    endpoints: bool = False


@dataclass(frozen=True)
class Engines:
    """Where engines come from: the real ones, or a test's."""

    #: The kept predictor's folder -> what could serve it: `engine`, `precision`, `refused`.
    candidates: Callable[[Path], Sequence[Any]]
    opener: Opener | None = None


@dataclass(frozen=True)
class _Planned:
    """One engine at one precision, to be measured or with the reason why not."""

    arm: StoredArm
    trial: int
    refit: bool
    folder: Path
    engine: str
    precision: str
    refused: str | None


def bench(
    work: Work,
    wanted: Wanted,
    *,
    say: Callable[[str], None] = lambda text: None,
    watch: Callable[[int, int, str], None] = lambda done, total, what: None,
    engines: Engines | None = None,
) -> list[BenchRow]:
    """Measures what is wanted and not recorded yet; stores each row as it is there.

    Args:
        work: the study, opened, its data on this machine.
        say: told what is done, and each outcome.
        watch: told how many engines are done, of how many, and which is next.

    Returns:
        The study's rows, all of them, the fastest marked.

    Raises:
        StudyError: no arm or engine of that name, or no kept checkpoint on this machine.
        Interrupted, KeyboardInterrupt: asked to stop; what was measured is stored.
    """
    source = engines or _real()
    planned = _plan(work, wanted, source, say)
    known = {
        (row.arm, row.engine, row.precision): row
        for row in work.ledger.results().bench
        if row.host == work.ledger.host
    }
    todo: list[_Planned] = []
    recorded = 0
    for plan in planned:
        before = known.get((plan.arm.name, plan.engine, plan.precision))
        if plan.refused is not None:
            # An engine that was measured, and can't be opened any more, keeps its figures.
            same = before is not None and (before.trial, before.refit) == (plan.trial, plan.refit)
            if before is None or not same or before.state != "measured":
                bench_record.store(
                    work.ledger.study, _unmeasured(work.ledger.host, plan, wanted, "refused")
                )
            say(f"{_name(plan)}: refused: {plan.refused}")
        elif (
            before is not None
            and not wanted.again
            and _same(work.ledger.definition, plan, wanted, before)
        ):
            recorded += 1
        else:
            todo.append(plan)
    if recorded:
        say(f"recorded with these settings: {counted(recorded, 'engine')}; --again measures anew")
    for number, plan in enumerate(todo, start=1):
        name = f"[{number}/{len(todo)}] {_name(plan)}"
        watch(number - 1, len(todo), _name(plan))
        row = _measure(work, plan, wanted, name, say, source)
        bench_record.store(work.ledger.study, row)
        say(f"{name}: {outcome(row)}")
    return work.ledger.results().bench


def outcome(row: BenchRow) -> str:
    """A row in a line."""
    if row.state != "measured":
        return f"{row.state}: {row.reason}" if row.reason else row.state
    parts = []
    single, server = row.single_stream, row.server
    if single is not None and single.p50_ms is not None:
        parts.append(f"p50 {single.p50_ms:,.2f} ms")
    if row.offline_per_second is not None:
        parts.append(f"Offline {row.offline_per_second:,.0f} texts/s")
    if server is not None:
        rate = "no rate" if server.per_second is None else f"{server.per_second:,.0f} texts/s"
        parts.append(f"Server {rate} within {server.bound_ms:g} ms")
    return ", ".join(parts) or "nothing could be established"


def _real() -> Engines:
    return Engines(candidates)


def _plan(
    work: Work, wanted: Wanted, engines: Engines, say: Callable[[str], None]
) -> list[_Planned]:
    """Every engine of every arm that is asked for and kept here."""
    definition = work.ledger.definition
    planned: list[_Planned] = []
    elsewhere: list[str] = []
    here = 0
    for arm in _chosen(definition, wanted.arms):
        kept = work.keeping.taken(arm.name)
        if kept is None:
            continue
        folder = work.keeping.here(arm.name, kept)
        if folder is None:
            elsewhere.append(f"{arm.name}'s is on {kept.host}")
            continue
        here += 1
        refit = isinstance(kept, Shipped) and kept.refit
        if arm.model.endpoint is not None:
            refused = _costs(definition, wanted)
            planned.append(_Planned(arm, kept.trial, refit, folder, ENDPOINT, "", refused))
            continue
        planned += [
            _Planned(arm, kept.trial, refit, folder, found.engine, found.precision, found.refused)
            for found in engines.candidates(folder)
        ]
    if not here:
        name = definition.name
        whose = "these arms" if wanted.arms else "any arm"
        raise StudyError(
            f"'{name}' keeps no checkpoint of {whose} on this machine",
            fix="; ".join(elsewhere)
            or f"Go on with `{shell.command('study', 'run', name)}`: a finished trial leaves one.",
        )
    for told in elsewhere:
        say(f"a kept checkpoint is not here and can't be measured: {told}")
    names = {plan.engine for plan in planned}
    for name in wanted.engines:
        if name not in names:
            raise StudyError(f"no engine '{name}' serves these arms", fix=nearest(name, names))
    return [plan for plan in planned if not wanted.engines or plan.engine in wanted.engines]


def _chosen(definition: Definition, globs: Sequence[str]) -> list[StoredArm]:
    arms = definition.runnable
    for glob in globs:
        if not any(fnmatch.fnmatchcase(arm.name, glob) for arm in arms):
            raise StudyError(
                f"'{definition.name}' has no arm '{glob}'",
                fix=nearest(glob, [arm.name for arm in arms]),
            )
    return [
        arm
        for arm in arms
        if not globs or any(fnmatch.fnmatchcase(arm.name, glob) for glob in globs)
    ]


def _costs(definition: Definition, wanted: Wanted) -> str | None:
    if wanted.endpoints or definition.recipe.measure.endpoints:
        return None
    return (
        "a server is not put under load unasked, every request may cost money; --endpoints "
        "allows it here, measure.endpoints in the recipe"
    )


def _same(definition: Definition, plan: _Planned, wanted: Wanted, before: BenchRow) -> bool:
    """Whether a recorded row is what measuring now would repeat."""
    bound = definition.task.latency_bound_ms
    return (
        before.state in ("measured", "disagrees")
        and not before.contended
        and (before.trial, before.refit) == (plan.trial, plan.refit)
        and before.seconds == wanted.seconds
        and before.versions == versions(plan.engine)
        and (before.server is None or before.server.bound_ms == bound)
    )


def _measure(
    work: Work,
    plan: _Planned,
    wanted: Wanted,
    name: str,
    say: Callable[[str], None],
    source: Engines,
) -> BenchRow:
    from suite.serving.load.measure import machine_lock

    definition = work.ledger.definition
    folder = work.ledger.artifacts.checked(work.ledger.artifacts.bench / part(plan.arm.name))
    scratch = work.keeping.scratch / "-".join(filter(None, (plan.engine, plan.precision)))
    job = EngineJob(
        arm=plan.arm.name,
        trial=plan.trial,
        host=work.ledger.host,
        folder=plan.folder,
        engine=plan.engine,
        precision=plan.precision,
        snapshot=work.ledger.artifacts.data,
        classes=len(definition.task.labels),
        seconds=wanted.seconds,
        texts=definition.recipe.measure.texts,
        bound_ms=definition.task.latency_bound_ms,
        threads=work.jobs.threads,
        scratch=scratch,
        reference=folder / f"{plan.folder.name}.npy",
        as_kept=plan.engine == ENDPOINT,
        opener=source.opener,
    )
    others = work.neighbours.running()
    try:
        with machine_lock(timeout=LOCK_TIMEOUT, say=say):
            found = work.runner.bench(job, on_doing=lambda what: say(f"{name}: {what} …"))
        if isinstance(found, Failed):
            reason = _with_log(scratch, folder, found.reason)
            return replace(_unmeasured(work.ledger.host, plan, wanted, "failed"), reason=reason)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    found = replace(found, refit=plan.refit)
    if plan.refit:
        found = replace(found, macro_f1=None, macro_f1_difference=None)
    contended = bool(others | work.neighbours.running())
    if contended:
        told = "timed while trials of this study ran on the machine: no rank"
        found = replace(found, note="; ".join(filter(None, (found.note, told))))
    return replace(found, contended=contended)


def _with_log(scratch: Path, folder: Path, reason: str) -> str:
    """The reason of a failure, its log kept; the rest of the scratch folder may be gigabytes."""
    log, kept = scratch / LOG, folder / f"{scratch.name}-{LOG}"
    if not log.is_file():
        return reason
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(log, kept)
    return reason.replace(str(log), str(kept))


def _unmeasured(host: str, plan: _Planned, wanted: Wanted, state: Any) -> BenchRow:
    return BenchRow(
        arm=plan.arm.name,
        trial=plan.trial,
        refit=plan.refit,
        engine=plan.engine,
        precision=plan.precision,
        host=host,
        state=state,
        reason=plan.refused,
        seconds=wanted.seconds,
        versions=versions(plan.engine),
        measured=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _name(plan: _Planned) -> str:
    return " · ".join(filter(None, (plan.arm.name, f"{plan.engine} {plan.precision}".strip())))
