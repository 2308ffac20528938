"""The best trial of each arm on the test split: opened once, and which differences are chance."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean

from suite import shell
from suite.child.messages import KEPT, Failed
from suite.child.runner import Predicted
from suite.contracts.results import Comparison, Final, Objective, Rps, Scores, TestScores, Trial
from suite.data import snapshot
from suite.errors import StudyError
from suite.study import estimates, finals_record
from suite.study.artifacts import part
from suite.study.ledger import Ledger
from suite.study.opening import Opening, claimed
from suite.study.work import Work
from suite.verdict import statistics
from suite.verdict.metrics import MACRO_F1, METRICS, Metric
from suite.verdict.standing import best_first

#: Steps done, of how many, what is next, and the seconds to the end.
Watch = Callable[[int, int, str, float], None]


@dataclass(frozen=True)
class _Candidate:
    """An arm's best trial and the predictors that stand for it, one per seed."""

    arm: str
    trial: Trial
    predictors: tuple[Path, ...]
    train_seconds: float | None
    rps: Rps | None


def score(
    work: Work,
    *,
    seeds: int = 1,
    if_due: bool = False,
    early: bool = False,
    say: Callable[[str], None] = lambda text: None,
    watch: Watch = lambda done, total, what, left: None,
) -> list[Final]:
    """Scores each arm's best on test, ranks them, and stores the outcome with the study.

    With one seed the kept checkpoints are scored as they are. With more, each arm's best trial
    is trained again over seeds; the mean counts, and seeds are resampled with the rows.

    The opening is claimed first. Another command that scores is waited for, and its outcome
    returned: the test split is not opened a second time for the same question.

    Args:
        work: the study, opened.
        seeds: how many.
        if_due: only where finals are missing or stale, which another may have changed meanwhile.
        early: also where trials are missing.
        say: told what a person should know.
        watch: told how many arms (arms × seeds where they are trained again) are done, of how
            many, what is next, and how many seconds are left.

    Raises:
        StudyError: no arm has a finished trial whose checkpoint is on this machine.
        Interrupted: asked to stop; nothing is stored.
    """
    with claimed(work.ledger, work.stop, say) as opening:
        if opening is None or (if_due and not due(work.ledger, early=early)):
            return work.ledger.results().finals
        return _score(work, opening, seeds, say, watch)


def _score(
    work: Work,
    opening: Opening,
    seeds: int,
    say: Callable[[str], None],
    watch: Watch,
) -> list[Final]:
    found = work.ledger.results()
    candidates: list[_Candidate] = []
    outcomes: dict[str, list[Predicted]] = {}
    troubles: list[StudyError] = []
    arms = [a.arm for a in found.arms if work.keeping.kept(a.arm) is not None]
    costs = _costs(work, found.trials, arms, seeds)
    for index, arm in enumerate(arms):
        step = partial(_step, watch, costs[index:], index, len(arms), seeds)
        step(0, arm)
        kept = work.keeping.kept(arm)
        if kept is None:
            continue
        trial = next((one for one in found.trials if one.number == kept.trial), None)
        if trial is None:
            say(f"{arm}: its kept checkpoint is of trial {kept.trial}, which is not in the study")
            continue
        here = work.keeping.here(arm, kept)
        if here is None:
            say(f"{arm}: its kept checkpoint is on {kept.host}; run finals there to score it")
            continue
        try:
            candidate = _prepare(work, arm, trial, here, seeds, say, step)
            opening.count()
            outcomes[arm] = [_predict(work, arm, path) for path in candidate.predictors]
        except StudyError as error:
            # One arm's trouble (a server that is gone) must not cost the others their scores.
            troubles.append(error)
            say(f"{error.what}; it has no test score, the others have")
            continue
        candidates.append(candidate)
    if troubles and not candidates:
        raise troubles[0]
    if not candidates:
        name = work.ledger.definition.name
        raise StudyError(
            f"no arm of '{name}' has a finished trial with its checkpoint here",
            fix=f"Go on with `{shell.command('study', 'run', name)}`.",
        )
    finals, comparisons = _rank(work.ledger, candidates, outcomes, seeds)
    finals_record.store(
        work.ledger.study,
        finals,
        comparisons,
        snapshot.read_split(work.ledger.artifacts.data, "test").labels,
        {arm: [p.predictions for p in predicted] for arm, predicted in outcomes.items()},
        {arm: predicted[0].confidences for arm, predicted in outcomes.items()},
        found.finished,
    )
    shutil.rmtree(work.keeping.scratch / "finals", ignore_errors=True)
    return finals


def due(ledger: Ledger, *, early: bool = False) -> bool:
    """Whether finals are missing or stale, and the study has its trials.

    Args:
        early: or is to be scored without them.
    """
    if ledger.missing() > 0 and not early:
        return False
    return finals_record.missing_or_stale(ledger.study)


def _costs(work: Work, trials: Sequence[Trial], arms: Sequence[str], seeds: int) -> list[float]:
    """Seconds that the finals of each arm will take, as its trials tell."""
    definition, known = work.ledger.definition, work.ledger.known_seconds()
    rows = definition.data.rows
    numbered = {trial.number: trial for trial in trials}
    found = []
    for arm in arms:
        kept = work.keeping.kept(arm)
        if kept is None or kept.trial not in numbered:  # told when it is to be scored
            found.append(0.0)
            continue
        measure = estimates.measuring(definition.recipe, definition.arm(arm).model)
        trial = known.get(arm, 0.0)
        one = estimates.finals_of(numbered[kept.trial], trial, measure, rows.validation)
        found.append(one.seconds(seeds, rows.test))
    return found


def _step(
    watch: Watch, costs: Sequence[float], arm: int, arms: int, seeds: int, seed: int, what: str
) -> None:
    """Tells what is done: arms, and of the next one the seeds; `costs` are those of what is not."""
    watch(arm * seeds + seed, arms * seeds, what, sum(costs) - costs[0] * seed / seeds)


def _prepare(
    work: Work,
    arm: str,
    trial: Trial,
    kept: Path,
    seeds: int,
    say: Callable[[str], None],
    step: Callable[[int, str], None],
) -> _Candidate:
    """An arm's predictors; what was measured while others ran is measured again, alone."""
    predictors: tuple[Path, ...] = (kept,)
    train_seconds, rps = trial.train_seconds, trial.rps
    if seeds > 1:
        paths: list[Path] = []
        spent: list[float] = []
        for seed in range(seeds):
            say(f"{arm}: training trial {trial.number} again, seed {seed}")
            step(seed, f"{arm}, seed {seed}")
            path, seconds = _retrain(work, arm, trial, seed)
            paths.append(path)
            spent.append(seconds)
        predictors, train_seconds = tuple(paths), sum(spent) / len(spent)
    elif trial.contended:
        say(f"{arm}: timed while other workers ran; trained again alone")
        _, train_seconds = _retrain(work, arm, trial, trial.seed)
    if rps is None or rps.contended:
        stored = work.ledger.definition.arm(arm)
        rps = work.speeds.measure(stored, kept, work.keeping.scratch / "finals" / "measure") or rps
    return _Candidate(arm, trial, predictors, train_seconds, rps)


def _retrain(work: Work, arm: str, trial: Trial, seed: int) -> tuple[Path, float]:
    from suite.serving.load.measure import machine_lock

    folder = work.keeping.scratch / "finals" / f"{part(arm)}-{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    job = work.jobs.job(work.ledger.definition.arm(arm), trial.params, folder, seed=seed)
    with machine_lock(timeout=3600, say=work.observer.said):
        outcome = work.runner.train(job)
    if isinstance(outcome, Failed):
        raise StudyError(f"{arm} could not be trained again with seed {seed}: {outcome.reason}")
    return folder / KEPT, outcome.train_seconds


def _predict(work: Work, arm: str, predictor: Path) -> Predicted:
    outcome = work.runner.predict(
        predictor,
        work.ledger.artifacts.data,
        "test",
        len(work.ledger.definition.task.labels),
        work.jobs.threads,
        work.keeping.scratch / "finals" / "predict",
        objective=work.ledger.definition.recipe.objective,
    )
    if isinstance(outcome, Failed):
        raise StudyError(f"{arm} could not predict the test split: {outcome.reason}")
    return outcome


def _rank(
    ledger: Ledger,
    candidates: Sequence[_Candidate],
    outcomes: dict[str, list[Predicted]],
    seeds: int,
) -> tuple[list[Final], list[Comparison]]:
    labels = snapshot.read_split(ledger.artifacts.data, "test").labels
    answers = {arm: [p.predictions for p in predicted] for arm, predicted in outcomes.items()}
    classes, seed = len(ledger.definition.task.labels), ledger.definition.seed
    objective = METRICS[ledger.definition.recipe.objective]
    assert objective.of_confusion is not None  # a recipe names no other
    intervals, differences = statistics.compare(
        labels, answers, classes, score=objective.of_confusion, seed=seed
    )
    macro = intervals
    if objective is not MACRO_F1:
        macro, _ = statistics.compare(labels, answers, classes, seed=seed)
    ranks = statistics.ranks({arm: i.value for arm, i in intervals.items()}, differences)
    finals = []
    for candidate in candidates:
        arm = candidate.arm
        ties = [
            d.b if d.a == arm else d.a
            for d in differences
            if arm in (d.a, d.b) and d.p >= statistics.LEVEL
        ]
        finals.append(
            Final(
                arm=arm,
                trial=candidate.trial.number,
                seeds=seeds,
                stale=False,
                rank=ranks[arm],
                test=_scores(
                    [p.scores for p in outcomes[arm]], objective, intervals[arm], macro[arm]
                ),
                train_seconds=candidate.train_seconds,
                rps=candidate.rps,
                ties=sorted(ties),
            )
        )
    finals.sort(key=best_first)
    return finals, [Comparison(d.a, d.b, d.value, (d.low, d.high), d.p) for d in differences]


def _scores(
    scores: Sequence[Scores],
    objective: Metric,
    interval: statistics.Interval,
    macro: statistics.Interval,
) -> TestScores:
    """Mean scores over seeds; the confusion matrix is their sum.

    Args:
        interval: of the objective.
        macro: of macro-F1.
    """
    means = {key: fmean(metric.of(s) or 0.0 for s in scores) for key, metric in METRICS.items()}
    first = scores[0]
    classes = range(len(first.per_class_f1))
    summed: list[list[int]] = [
        [sum(s.confusion[i][j] for s in scores) for j in classes] for i in classes
    ]
    return TestScores(
        macro_f1=macro.value,
        accuracy=means["accuracy"],
        macro_f1_interval=(macro.low, macro.high),
        precision=means["precision"],
        recall=means["recall"],
        per_class_f1=[sum(s.per_class_f1[i] for s in scores) / len(scores) for i in classes],
        confusion=summed,
        others={key: means[key] for key in first.others},
        unanswered=[sum(s.unanswered[i] for s in scores) for i in classes],
        objective=Objective(objective.key, interval.value),
        objective_interval=(interval.low, interval.high),
    )
