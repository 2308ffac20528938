"""Optuna's trials -> results: the contract's view of a study."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal, TypeVar

import optuna
import pydantic_core
from optuna.trial import FrozenTrial, TrialState
from pydantic import Field, TypeAdapter, ValidationError

from suite import redaction
from suite.contracts import moments
from suite.contracts.combination import ARMS, FAMILY, Kind
from suite.contracts.records import UNREADABLE, why
from suite.contracts.results import (
    Arm,
    Comparison,
    Ended,
    Final,
    Published,
    State,
    StudyResults,
    Trial,
    trial_adapter,
)
from suite.contracts.speeds import Rps
from suite.contracts.task import Reference
from suite.errors import counted
from suite.study import (
    alike_record,
    bench_record,
    decisions_record,
    internals,
    kept_record,
    openings,
    predictions_record,
    pricing,
    reading,
    sampling,
    search,
    slices_record,
    sparse,
    stress_record,
)
from suite.study.definition import Definition
from suite.study.openings import OPENINGS
from suite.study.pruning import checkpoints
from suite.study.readable import attributes as attributes_of
from suite.study.readable import check_numbers, checked, readable
from suite.study.search import ARM, arm_of
from suite.verdict.standing import standing

TRIAL = "suite:trial"
OWNER = "suite:owner"
#: How often memory ran out over a trial's point so that its worker died.
RETRY = "suite:retry"
#: The trial whose point a trial makes good.
RETRY_OF = "suite:retry_of"
#: How often the batch of a trial's point is halved from the start, because memory ran out.
HALVED = "suite:halved"
#: The first trial of a point that was queued again and again: its bookmark is that of all of them.
BOOKMARK = "suite:bookmark"
#: Of a trial that went on from a bookmark, the seconds of the processes before.
BEFORE = "suite:before"
#: The checkpoint that a trial has placed, to become its arm's kept one.
PLACED = "suite:placed"
#: Seconds of a trial in which the speed of its predictor was measured.
MEASURED = "suite:measured"
OUT = "suite:out"
#: Arms that stay short of trials because a command's time was up, each with why.
SHORT = "suite:short"
ESTIMATES = "suite:estimates"
TARGET = "suite:target"
#: What commands said of when the search ends, and from which trial on they meant it.
STOP = "suite:stop"
#: Why the search ended, the last time that it did.
ENDED = "suite:ended"
FINALS = "suite:finals"
COMPARISONS = "suite:comparisons"
OPENED_AT = "suite:opened_at"
TRUNCATED = "suite:truncated"
#: Each combination that finals looked for, and why there is none.
COMBINED = "suite:combined"

#: How the error of a trial begins whose record can't be read.
UNREAD = "its record cannot be read: "

T = TypeVar("T")

FINALS_ADAPTER = TypeAdapter(list[Final])
COMPARISONS_ADAPTER = TypeAdapter(list[Comparison])

_ARM = TypeAdapter(Arm)
#: What anything is counted to.
_BOUNDS = Field(ge=0, le=10**9)
_COUNT: TypeAdapter[int] = TypeAdapter(Annotated[int, _BOUNDS])
#: What stands under `STOP`; 0 takes back what the recipe says.
SAID: TypeAdapter[Any] = TypeAdapter(
    dict[
        Literal["target_f1", "patience", "since"],
        Annotated[int, _BOUNDS] | Annotated[float, _BOUNDS],
    ]
)

#: What a study's attributes are, and what they are where there are none. Records in a list are
#: looked at one by one, so that one that can't be read hides no other.
_SHAPES: dict[str, tuple[TypeAdapter[Any], Any]] = {
    OUT: (TypeAdapter(dict[str, dict[str, Any]]), {}),
    ESTIMATES: (TypeAdapter(dict[str, float | None]), {}),
    SHORT: (TypeAdapter(dict[str, str]), {}),
    TRUNCATED: (TypeAdapter(dict[str, float]), {}),
    TARGET: (TypeAdapter(Annotated[int, _BOUNDS] | None), None),
    STOP: (SAID, {}),
    ENDED: (TypeAdapter(Ended | None), None),
    OPENINGS: (_COUNT, 0),
    OPENED_AT: (TypeAdapter(Annotated[int, _BOUNDS] | None), None),
    COMBINED: (TypeAdapter(dict[Kind, str | None]), {}),
    FINALS: (TypeAdapter(list[Any]), []),
    COMPARISONS: (TypeAdapter(list[Any]), []),
    alike_record.ALIKE: (TypeAdapter(list[Any]), []),
}

#: Optuna's states by their names, as the contract has them.
STATES: dict[TrialState, State] = {
    TrialState.COMPLETE: "COMPLETE",
    TrialState.PRUNED: "PRUNED",
    TrialState.FAIL: "FAIL",
    TrialState.RUNNING: "RUNNING",
    TrialState.WAITING: "WAITING",
}


def pack(trial: Trial) -> str:
    """A trial as stored with Optuna's: JSON, its confusion matrix sparse."""
    dumped = trial_adapter().dump_python(trial, mode="json")
    if dumped["validation"] is not None:
        dumped["validation"] = sparse.packed(dumped["validation"])
    return json.dumps(dumped, separators=(",", ":"))


def unpack(text: str, **changes: Any) -> Trial:
    """Reads back what `pack` wrote, with some fields changed.

    Raises:
        UNREADABLE: another version wrote it, and left out what can't be done without.
    """
    loaded = pydantic_core.from_json(text)
    if loaded.get("validation") is not None:
        loaded["validation"] = sparse.unpacked(loaded["validation"])
    found: Trial = trial_adapter().validate_python(loaded | changes)
    return found


def trial_of(frozen: FrozenTrial) -> Trial:
    """One of Optuna's trials as a result; running and dead ones have what is known."""
    state = STATES[frozen.state]
    started, ended = moments.kept(frozen.datetime_start), moments.kept(frozen.datetime_complete)
    packed = frozen.user_attrs.get(TRIAL)
    error = "the worker died; the trial was queued again" if state == "FAIL" else None
    if packed:
        try:
            return unpack(packed, number=frozen.number, state=state, started=started, ended=ended)
        except UNREADABLE as unreadable:
            error = f"{UNREAD}{why(unreadable)}"
    arm = arm_of(frozen) or ""
    owner = frozen.user_attrs.get(OWNER) or {}
    prefix = f"{arm}:"
    known = {
        "number": frozen.number,
        "state": state,
        "arm": arm,
        "params": {k.removeprefix(prefix): v for k, v in frozen.params.items() if k != ARM},
        "checkpoints": checkpoints(frozen),
        "worker": f"{owner.get('host', '')}:{owner.get('pid', '')}" if owner else "",
        "started": started,
        "ended": ended,
        "error": error,
    }
    found: Trial = checked(trial_adapter(), known, f"trial {frozen.number}")
    return found


def trials_of(study: optuna.Study) -> list[Trial]:
    """Every trial of a study by number."""
    # Nothing of what is built becomes garbage; looking for it takes a quarter of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return list(_read_trials(study))
    finally:
        if collecting:
            gc.enable()


def _read_trials(study: optuna.Study) -> Iterator[Trial]:
    for row in reading.rows(study, TRIAL):
        if row.attribute is not None:
            try:
                yield unpack(
                    json.loads(row.attribute),
                    number=row.number,
                    state=STATES[TrialState[row.state]],
                    started=moments.kept(row.started),
                    ended=moments.kept(row.ended),
                )
                continue
            except UNREADABLE:
                pass
        yield trial_of(internals.database(study).get_trial(row.trial_id))


def results(
    study: optuna.Study,
    definition: Definition,
    *,
    importance: bool = False,
    predictions: bool = False,
) -> StudyResults:
    """Everything the study found so far.

    Args:
        importance: also computes hyperparameter importance, which takes seconds.
        predictions: also reads what each arm answered on test, row by row.

    Raises:
        StudyError: what stands in the storage can't be read.
    """
    with readable(definition.name):
        return _results(study, definition, importance, predictions)


def _results(
    study: optuna.Study, definition: Definition, importance: bool, predictions: bool
) -> StudyResults:
    attributes = attributes_of(study)
    for key, (adapter, default) in _SHAPES.items():
        attributes[key] = checked(adapter, attributes.get(key, default), key)
    trials = trials_of(study)
    check_numbers([trial.number for trial in trials])
    out: dict[str, dict[str, Any]] = attributes[OUT]
    estimates: dict[str, float | None] = attributes[ESTIMATES]
    finished = {"COMPLETE", "PRUNED"}
    arms = [
        checked(
            _ARM,
            {
                "arm": arm.name,
                "refused": arm.refused or out.get(arm.name, {}).get("refused"),
                "retired": out.get(arm.name, {}).get("retired"),
                "short": attributes[SHORT].get(arm.name),
                "trials": sum(t.arm == arm.name and t.state in finished for t in trials),
                "family": arm.model.family,
                "model_revision": arm.model.told,
                "estimate_seconds": estimates.get(arm.name),
                "folds": arm.folds,
            },
            f"{OUT}: {arm.name}",
        )
        for arm in definition.arms
    ]
    done = sum(t.state in finished for t in trials)
    unread = [f"trial {t.number}: {t.error}" for t in trials if (t.error or "").startswith(UNREAD)]
    finals = _each(FINALS_ADAPTER, "finals", attributes[FINALS], unread)
    opened_at = attributes[OPENED_AT]
    stale = opened_at is not None and done > opened_at
    finals = [replace(final, stale=stale or final.stale) for final in finals]
    # Whoever was cut short between storing the two has ranked what it did not note.
    ranked = {final.combined.kind: None for final in finals if final.combined}
    combined = attributes[COMBINED] | ranked
    arms += [Arm(ARMS[kind], refused=why, family=FAMILY) for kind, why in combined.items()]
    recipe = definition.recipe
    data = definition.data
    truncated = attributes[TRUNCATED]
    kept_record.of_arms(attributes, unread)
    if data.audit is not None and truncated:
        data = replace(data, audit=replace(data.audit, truncated=truncated))
    opened = openings.of_split(study)
    found = StudyResults(
        study=definition.name,
        task=definition.task.name,
        data=data,
        environment=definition.environment,
        arms=arms,
        trials=trials,
        test_openings=attributes[OPENINGS],
        test_openings_of_split=sum(opened.values()),
        test_opened_in=sorted(name for name in opened if name != definition.name),
        finals=finals,
        title=definition.task.title,
        language=definition.task.language,
        labels=definition.task.label_names,
        recipe=recipe.name,
        command=definition.command,
        created=definition.created,
        target_trials=attributes[TARGET] or recipe.trials,
        allocation=recipe.allocation,
        stop=recipe.stop.after(attributes[STOP]).model_dump(exclude_none=True),
        ended=_ended(attributes[ENDED], done),
        sampler=sampling.told(definition),
        pruner=f"{recipe.pruner.name}, within the {recipe.pruner.scope}",
        budget=recipe.budget.model_dump(),
        bounds=recipe.bounds.model_dump(),
        margin=recipe.margin,
        objective=recipe.objective,
        latency_bound_ms=definition.task.latency_bound_ms,
        references=[_published(r, definition) for r in definition.task.references],
        comparisons=_each(COMPARISONS_ADAPTER, "comparisons", attributes[COMPARISONS], unread),
        importance=_importance(study, definition, trials) if importance else {},
        predictions=predictions_record.stored(study, unread) if predictions else None,
        bench=bench_record.stored(
            attributes,
            {arm.arm: kept_record.version(attributes, arm.arm) for arm in arms},
            unread,
            {final.arm: final.combined.digest for final in finals if final.combined},
        ),
        decisions=_each(
            decisions_record.ADAPTER,
            "decisions",
            decisions_record.standing(attributes),
            unread,
        ),
        alike=_each(alike_record.ADAPTER, "alike", attributes[alike_record.ALIKE], unread),
        stress=_each(stress_record.ADAPTER, "stress", stress_record.standing(attributes), unread),
        slices=next(
            iter(
                _each(
                    slices_record.ADAPTER,
                    "parts of test",
                    slices_record.standing(attributes),
                    unread,
                )
            ),
            None,
        ),
        unread=unread,
    )
    stood = standing(found)
    beyond = {place.arm: place.holds for place in stood.places if not place.within}
    costs = pricing.priced(found, stood, definition)
    return _without_secrets(
        replace(found, verdict=stood.verdict, beyond_bounds=beyond, money=costs)
    )


def _ended(found: Ended | None, done: int) -> Ended | None:
    """Why the search ended, unless it was gone on with since."""
    return found if found is not None and found.finished == done else None


def _without_secrets(found: StudyResults) -> StudyResults:
    """The results as they may be shown; what only holds numbers, and what holds the user's own
    words, is as it was."""
    names = ("environment", "data", "arms", "references", "unread", "bench", "finals")
    words = redaction.cleaned({name: getattr(found, name) for name in names})
    told = redaction.cleaned([(trial.error, trial.circumstances) for trial in found.trials])
    trials = [
        trial
        if error is trial.error and circumstances is trial.circumstances
        else replace(trial, error=error, circumstances=circumstances)
        for trial, (error, circumstances) in zip(found.trials, told, strict=True)
    ]
    return replace(found, trials=trials, **words)


def _each(adapter: TypeAdapter[list[T]], what: str, stored: Any, unread: list[str]) -> list[T]:
    """Those values of a stored list that can be read; the others are told in `unread`."""
    found: list[T] = []
    for value in stored:
        try:
            found += adapter.validate_python([value])
        except ValidationError as error:
            unread.append(f"{what}: {why(error)}")
    return found


def _published(reference: Reference, definition: Definition) -> Published:
    """A published number, with what keeps it from being drawn beside ours, if anything."""
    rows = definition.data.rows
    reasons: list[str] = []
    if definition.data.sample:
        reasons.append("ours is the bundled sample")
    if reference.metric != definition.recipe.objective:
        reasons.append(f"its metric is {reference.metric}")
    if reference.test_rows is None:
        reasons.append("its test rows are not stated")
    elif reference.test_rows != rows.test:
        reasons.append(f"tested on {counted(reference.test_rows, 'row')}, ours on {rows.test:,}")
    searched = rows.train + rows.validation
    if reference.train_rows is None:
        reasons.append("its training rows are not stated")
    elif reference.train_rows not in (searched, rows.train):
        reasons.append(f"trained on {counted(reference.train_rows, 'row')}, ours on {rows.train:,}")
    return Published(
        model=reference.model,
        metric=reference.metric,
        value=reference.value,
        source=reference.source,
        differs="; ".join(reasons) or None,
    )


def _importance(
    study: optuna.Study, definition: Definition, trials: Sequence[Trial]
) -> dict[str, dict[str, float]]:
    """PED-ANOVA importance of each arm's hyperparameters, where it has enough finished trials.

    Source: Watanabe, Bansal, Hutter, "PED-ANOVA: Efficiently Quantifying Hyperparameter
    Importance in Arbitrary Subspaces", IJCAI 2023.
    """
    found: dict[str, dict[str, float]] = {}
    for arm in definition.runnable:
        complete = [
            (trial, trial.score)
            for trial in trials
            if trial.arm == arm.name and trial.state == "COMPLETE" and trial.score is not None
        ]
        if len(complete) < 8:
            continue
        distributions = search.distributions(arm)
        try:
            frozen = [
                FrozenTrial(
                    number=number,
                    trial_id=number,  # The evaluator tells trials apart by it.
                    state=TrialState.COMPLETE,
                    value=score,
                    params={key: trial.params[key] for key in distributions},
                    distributions=distributions,
                    datetime_start=None,
                    datetime_complete=None,
                    user_attrs={},
                    system_attrs={},
                    intermediate_values={},
                )
                for number, (trial, score) in enumerate(complete)
            ]
            # A study of this arm alone: importance is asked within it.
            alone: Any = internals.View(study, partial(list, frozen))
            values = optuna.importance.get_param_importances(
                alone, evaluator=optuna.importance.PedAnovaImportanceEvaluator()
            )
        except (KeyError, ValueError, RuntimeError):
            continue  # all values equal, or nothing searched: there is no importance
        found[arm.name] = {key: float(value) for key, value in values.items()}
    return found


_RPS = TypeAdapter(Rps)


def dump_rps(rps: Rps) -> dict[str, Any]:
    """Serving figures as plain JSON types."""
    dumped: dict[str, Any] = _RPS.dump_python(rps, mode="json")
    return dumped


def read_rps(value: dict[str, Any] | None) -> Rps | None:
    """Reads back what `dump_rps` wrote; None where nothing was, or it can't be read."""
    try:
        return None if value is None else _RPS.validate_python(value)
    except ValidationError:
        return None
