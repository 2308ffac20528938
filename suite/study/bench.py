"""A study's kept checkpoints behind every engine, under MLPerf's scenarios: which serves fastest?

Engines are opened one at a time, each in a child process of its own, under the machine's lock for
measurements. Where several are compared they are measured in rounds (`study/rounds`), each opened
anew in each; agreement and Server, a search, are of the first. What is measured is stored at once,
so whatever ends the command, it goes on where it was. Only validation and training texts are used:
the test split stays closed, but for a combination whose members have learnt from validation: of
what it has seen a cascade is sure too often, so that it is asked texts of test, without labels.
"""

from __future__ import annotations

import fnmatch
import math
import shutil
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from suite import shell
from suite.child.messages import LOG, Failed
from suite.contracts import moments
from suite.contracts.combination import ARMS
from suite.contracts.speeds import BenchRow, Rps, SingleStream
from suite.errors import StudyError, counted, nearest
from suite.serving.engines import candidates, versions
from suite.serving.load.engine_job import EngineJob, Opener
from suite.study import bench_record
from suite.study.artifacts import part
from suite.study.definition import Definition
from suite.study.kept_record import Shipped
from suite.study.made_of import asks, models_of, not_combined
from suite.study.measurable import window_seconds
from suite.study.rounds import combined, over_rounds
from suite.study.work import Work
from suite.verdict.speeds import ROUNDS

#: A served model is its own engine.
ENDPOINT = "endpoint"

LOCK_TIMEOUT = 3600


@dataclass(frozen=True)
class Wanted:
    """What to measure, and how long.

    Args:
        arms: globs; every arm with a kept checkpoint where none is given.
        engines: names; every engine where none is given.
        seconds: a scenario's length; in rounds a third of it, in each; Server is a search that
            takes up to six times as long.
        again: whether to measure what is recorded with the same settings.
        endpoints: whether to load servers, though the recipe does not allow it.
        rounds: whether engines are measured in rounds, where there are several: servers that are
            asked are not, since every request may cost money.
    """

    arms: Sequence[str] = ()
    engines: Sequence[str] = ()
    seconds: float = 10.0
    again: bool = False
    endpoints: bool = False
    rounds: bool = True


@dataclass(frozen=True)
class Engines:
    """Where engines come from: the real ones, or a test's."""

    #: The kept predictor's folder -> what could serve it: `engine`, `precision`, `refused`.
    candidates: Callable[[Path], Sequence[Any]]
    opener: Opener | None = None


@dataclass(frozen=True)
class _Planned:
    """One engine at one precision, to be measured or with the reason why not."""

    arm: str
    trial: int
    refit: bool
    folder: Path
    engine: str
    precision: str
    refused: str | None
    #: Of a combination the digest of what it is made of; empty of an arm.
    made_of: str = ""

    @property
    def name(self) -> str:
        """What it is called, in words."""
        engine = f"{self.engine} {self.precision}".strip()
        return f"{self.arm} · {engine}"


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
    comparable = [plan for plan in planned if _in_rounds(plan)]
    rounds = wanted.rounds and len(comparable) > 1
    todo: list[_Planned] = []
    recorded = 0
    for plan in planned:
        before = known.get((plan.arm, plan.engine, plan.precision))
        if plan.refused is not None:
            # An engine that was measured, and can't be opened any more, keeps its figures.
            same = before is not None and _of_same_model(before, plan)
            if before is None or not same or before.state != "measured":
                bench_record.store(
                    work.ledger.study, _unmeasured(work.ledger.host, plan, wanted, "refused")
                )
            say(f"{plan.name}: refused: {plan.refused}")
        elif (
            before is not None
            and not wanted.again
            and _same(work.ledger.definition, plan, wanted, before, rounds and _in_rounds(plan))
        ):
            recorded += 1
        else:
            todo.append(plan)
    if recorded:
        say(f"recorded with these settings: {counted(recorded, 'engine')}; --again measures anew")
    _Measuring(work, wanted, source, todo, rounds, say, watch).all()
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
    if row.joules_per_text is not None:
        parts.append(f"{row.joules_per_text:,.3g} J a text by {row.energy_by}")
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
    finals = work.ledger.results().finals
    made = {one.arm: one.combined.digest for one in finals if one.combined is not None}
    for arm in _chosen(definition, list(made), wanted.arms):
        kept = work.keeping.taken(arm)
        if kept is None:
            continue
        folder = work.keeping.here(arm, kept)
        if folder is None:
            elsewhere.append(f"{arm}'s is on {kept.host}")
            continue
        here += 1
        refit = isinstance(kept, Shipped) and kept.refit
        plan = _Planned(arm, kept.trial, refit, folder, ENDPOINT, "", None, made.get(arm, ""))
        if asks(models_of(definition, finals, arm)):
            planned.append(replace(plan, refused=_costs(definition, wanted)))
            continue
        planned += [
            replace(plan, engine=one.engine, precision=one.precision, refused=one.refused)
            for one in engines.candidates(folder)
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


def _chosen(definition: Definition, made: Sequence[str], globs: Sequence[str]) -> list[str]:
    """The arms that are asked for.

    Args:
        made: combinations that the finals rank.
    """
    arms = [*(arm.name for arm in definition.runnable), *made]
    for glob in globs:
        if not any(fnmatch.fnmatchcase(arm, glob) for arm in arms):
            if fnmatch.filter(ARMS.values(), glob):
                raise not_combined(definition.name, glob)
            raise StudyError(
                f"'{definition.name}' has no arm '{glob}'",
                fix=nearest(glob, arms),
            )
    return [arm for arm in arms if not globs or any(fnmatch.fnmatchcase(arm, g) for g in globs)]


def _costs(definition: Definition, wanted: Wanted) -> str | None:
    if wanted.endpoints or definition.recipe.measure.endpoints:
        return None
    return (
        "a server is not put under load unasked, every request may cost money; --endpoints "
        "allows it here, measure.endpoints in the recipe"
    )


def _of_same_model(before: BenchRow, plan: _Planned) -> bool:
    """Whether a recorded row is of the model that is kept now."""
    return (before.trial, before.refit, before.made_of) == (plan.trial, plan.refit, plan.made_of)


def _in_rounds(plan: _Planned) -> bool:
    """Whether an engine may be measured more than once."""
    return plan.refused is None and plan.engine != ENDPOINT


def _same(
    definition: Definition, plan: _Planned, wanted: Wanted, before: BenchRow, rounds: bool
) -> bool:
    """Whether a recorded row is what measuring now would repeat.

    Args:
        rounds: whether that would be in rounds.
    """
    bound = definition.task.latency_bound_ms
    if rounds and before.state == "measured" and len(before.windows) < ROUNDS:
        return False
    return (
        before.state in ("measured", "disagrees")
        and not before.contended
        and _of_same_model(before, plan)
        and before.seconds == wanted.seconds
        and before.versions == versions(plan.engine)
        and (before.server is None or before.server.bound_ms == bound)
    )


class _Measuring:
    """One command's engines, measured in turn, once or in rounds."""

    def __init__(
        self,
        work: Work,
        wanted: Wanted,
        source: Engines,
        todo: Sequence[_Planned],
        rounds: bool,
        say: Callable[[str], None],
        watch: Callable[[int, int, str], None],
    ) -> None:
        self._work = work
        self._wanted = wanted
        self._source = source
        self._plans = {plan.name: plan for plan in todo}
        self._rounds = rounds
        self._say = say
        self._watch = watch
        #: What was measured first of each, by its name.
        self._rows: dict[str, BenchRow] = {}
        #: Those beside which trials of the study ran.
        self._beside: set[str] = set()
        #: Joules of a text, window by window.
        self._joules: dict[str, list[float]] = defaultdict(list)
        self._said = 0

    def all(self) -> None:
        """Measures everything, and stores each row as it is there."""
        again = [name for name, plan in self._plans.items() if self._rounds and _in_rounds(plan)]
        for name in self._plans:
            if name not in again:
                self._first(name)
        courses = over_rounds(again, self._window, left=lambda: math.inf, said=self._say)
        named = f"{self._work.ledger.host} {moments.now()}"
        for name, course in courses.items():
            found = combined(course.windows, course.repeated, named, None)
            if found is None:
                continue  # it was not measured, and its row says why
            first = replace(self._rows[name], contended=name in self._beside)
            row = _with_rounds(first, found, self._joules[name])
            bench_record.store(self._work.ledger.study, row)
            self._say(f"{name}: {outcome(row)}")

    def _first(self, name: str) -> BenchRow:
        """An engine compared and measured for the first time."""
        plan, place = self._plans[name], f"[{len(self._rows) + 1}/{len(self._plans)}] {name}"
        self._watch(len(self._rows), len(self._plans), name)
        row = self._measured(plan, 0, lambda what: self._say(f"{place}: {what} …"))
        self._rows[name] = row
        bench_record.store(self._work.ledger.study, row)
        self._say(f"{place}: {outcome(row)}")
        return row

    def _window(self, name: str, number: int) -> Rps | None:
        """A round's figures of an engine; None where it was not measured."""
        if number > self._said:
            self._said = number
            self._say(f"round {number + 1} of {ROUNDS}, each engine opened anew …")
        known = name in self._rows
        row = self._measured(self._plans[name], number) if known else self._first(name)
        if row.contended:
            self._beside.add(name)
        if row.state != "measured":
            if known:
                self._say(f"{name}: {outcome(row)}")
            return None
        return Rps(
            single_stream=row.single_stream or SingleStream(None, None, None, False),
            offline_per_second=row.offline_per_second,
            valid=row.offline_valid,
            contended=row.contended or row.disturbed > 0,
        )

    def _measured(
        self, plan: _Planned, number: int, doing: Callable[[str], None] = lambda what: None
    ) -> BenchRow:
        """An engine's row of a round; without agreement and Server where these are known.

        Args:
            doing: told what is done now.
        """
        from suite.serving.load.measure import machine_lock

        work, wanted = self._work, self._wanted
        artifacts, definition = work.ledger.artifacts, work.ledger.definition
        folder = artifacts.checked(artifacts.bench / part(plan.arm))
        scratch = work.keeping.scratch / "-".join(filter(None, (plan.engine, plan.precision)))
        in_rounds = self._rounds and _in_rounds(plan)
        job = EngineJob(
            arm=plan.arm,
            trial=plan.trial,
            host=work.ledger.host,
            folder=plan.folder,
            engine=plan.engine,
            precision=plan.precision,
            snapshot=artifacts.data,
            classes=len(definition.task.labels),
            seconds=wanted.seconds,
            texts=definition.recipe.measure.texts,
            bound_ms=definition.task.latency_bound_ms,
            threads=work.jobs.threads,
            scratch=scratch,
            reference=folder / f"{plan.folder.name}.npy",
            as_kept=plan.engine == ENDPOINT,
            opener=self._source.opener,
            window_seconds=window_seconds(wanted.seconds) if in_rounds else None,
            seed=number,
            known=plan.name in self._rows,
            asked="test" if plan.made_of and plan.refit else "validation",
            # What a server takes is not read here.
            energy=work.jobs.energy and plan.engine != ENDPOINT,
        )
        others = work.neighbours.running()
        try:
            with machine_lock(timeout=LOCK_TIMEOUT, say=self._say):
                found = work.runner.bench(job, on_doing=doing)
            if isinstance(found, Failed):
                reason = _with_log(scratch, folder, found.reason)
                return replace(_unmeasured(work.ledger.host, plan, wanted, "failed"), reason=reason)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        found = replace(found, refit=plan.refit, made_of=plan.made_of)
        if plan.refit:
            found = replace(found, macro_f1=None, macro_f1_difference=None)
        contended = bool(others | work.neighbours.running())
        if contended:
            told = "timed while trials of this study ran on the machine: no rank"
            note = "; ".join(filter(None, (found.note, told)))
            found = replace(found, note=note, joules_per_text=None)
        if found.joules_per_text is not None:
            self._joules[plan.name].append(found.joules_per_text)
        return replace(found, contended=contended)


def _with_rounds(first: BenchRow, found: Rps, joules: Sequence[float]) -> BenchRow:
    """An engine's row with the figures of all rounds; what was found once is the first's.

    Args:
        found: its speed over the rounds.
        joules: of a text, of the rounds that have them.
    """
    return replace(
        first,
        single_stream=found.single_stream,
        offline_per_second=found.offline_per_second,
        offline_valid=found.valid,
        note="; ".join(filter(None, (found.note, first.note))),
        windows=found.windows,
        offline_interval=found.offline_interval,
        rounds=found.rounds,
        disturbed=found.disturbed,
        repeated=found.repeated,
        joules_per_text=median(joules) if joules else None,
    )


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
        arm=plan.arm,
        trial=plan.trial,
        refit=plan.refit,
        made_of=plan.made_of,
        engine=plan.engine,
        precision=plan.precision,
        host=host,
        state=state,
        reason=plan.refused,
        seconds=wanted.seconds,
        versions=versions(plan.engine),
        measured=datetime.now(UTC).isoformat(timespec="seconds"),
    )
