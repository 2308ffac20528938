"""Whose turn it is in a study whose command has an end: what is known of its arms, put together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence

from optuna.trial import FrozenTrial

from suite import strategies
from suite.config.recipe import Recipe
from suite.contracts import cutting
from suite.contracts.moments import duration
from suite.contracts.space import every_point
from suite.contracts.task import Task
from suite.errors import counted
from suite.study import efforts, estimates, finals_plan, search, thumb
from suite.study.allotting import Allowance, Contender, Turn, next_turn
from suite.study.arms import PlannedArm
from suite.study.definition import Definition, StoredArm
from suite.study.ledger import FINISHED, Ledger
from suite.study.pace import passes_of
from suite.study.record import OUT, SHORT
from suite.verdict.metrics import METRICS


class Turns:
    """Deals a command's time among a study's arms.

    Args:
        ledger: the study.
        allowance: what the command may take.
        force: also start trials that do not fit, as long as there is any time.
    """

    def __init__(self, ledger: Ledger, allowance: Allowance, *, force: bool = False) -> None:
        self._ledger = ledger
        self._force = force
        self.allowance = allowance
        #: Arms that are timed now, by another thread of this command.
        self.timing: set[str] = set()
        #: Arms whose timing was tried in this command, with or without a figure.
        self.timed: set[str] = set()
        #: What did not fit when it was asked last: arm -> seconds of a trial.
        self.unfit: dict[str, float] = {}
        definition = ledger.definition
        self._thumbs = thumbs(definition) if allowance.seconds is not None else {}

    def next(self, trials: Sequence[FrozenTrial], out: Container[str]) -> Turn:
        """What is done next, among arms that are not out.

        Where there is an end, an arm gets its rounds and no more: what another one had no time
        for is not its own.
        """
        arms = search.contending(self._ledger.definition, trials, out)
        if self.allowance.seconds is None:
            return Turn("start", order=tuple(arm.name for arm in arms))
        left = self.allowance.left
        if self._force and left > 0:
            left = float("inf")
        turn = next_turn(
            [c for c in self.contenders(arms, trials) if c.arm not in self.timing],
            left,
            self.allowance.timing_left,
            rounds=self._rounds(trials, out),
            whole=self.allowance.seconds,
        )
        self.unfit = turn.unfit
        return Turn("wait") if turn.do == "stop" and self.timing and left > 0 else turn

    def _rounds(self, trials: Sequence[FrozenTrial], out: Container[str]) -> int:
        """Trials of each arm that is not out with which the study has all of its; one whose space
        is finite can have no more than it has points."""
        arms = self._ledger.definition.runnable
        counts = Counter(search.arm_of(t) for t in trials if t.state in search.COUNTED)
        alive = [arm for arm in arms if arm.name not in out]
        target = self._ledger.target - sum(counts[a.name] for a in arms if a.name in out)
        points = [every_point(arm.space) for arm in alive]
        most = [target if found is None else len(found) for found in points]
        return next(
            (n for n in range(1, target) if sum(min(n, m) for m in most) >= target), max(1, target)
        )

    def tell(self, say: Callable[[str], None]) -> None:
        """Says, and stores with the study, which arms stay short of trials for lack of time."""
        study = self._ledger.study
        trials = study.get_trials(deepcopy=False)
        counts = Counter(search.arm_of(t) for t in trials if t.state in FINISHED)
        wanted = self._rounds(trials, study.user_attrs.get(OUT, {}))
        known = self._ledger.known_seconds()
        short = {
            arm: f"{counts[arm]} of {counted(wanted, 'round')}: {_why(seconds, arm in known)}"
            for arm, seconds in self.unfit.items()
            if counts[arm] < wanted
        }
        for arm, why in short.items():
            say(f"{arm}: {why}")
        if short != study.user_attrs.get(SHORT, {}):
            study.set_user_attr(SHORT, short)

    def contenders(
        self, arms: Sequence[StoredArm], trials: Sequence[FrozenTrial]
    ) -> list[Contender]:
        """Arms with what is known of their cost here."""
        definition, host = self._ledger.definition, self._ledger.host
        recipe, rows = definition.recipe, definition.data.rows
        counts = Counter(search.arm_of(t) for t in trials if t.state in search.COUNTED)
        named = {arm.name: arm for arm in arms}
        took = estimates.taken(trials, host, named)
        best = estimates.best_trials(trials, METRICS[recipe.objective])
        timed = estimates.timed(self._ledger.study.user_attrs, named)
        found = []
        for arm in arms:
            name, rule, measure = arm.name, self._thumbs.get(arm.name), 0.0
            if name not in took:
                measure = estimates.measuring(recipe, arm.model)
            known = took[name].longest if name in took else timed.get(name)
            seconds = None if known is None else known * efforts.ahead(arm, trials) + measure
            trial = seconds or (rule.trial if rule else 0.0)
            if name in best:
                if known is not None:  # Finals train the best point again, not the next one.
                    trial = known * efforts.at(arm, best[name].params) + measure
                finals = finals_plan.reckoned(definition, arm, best[name], trial)
            else:
                finals = estimates.Finals(trial, rule.per_text if rule else 0.0, 0.0)
            way = finals_plan.way_of(definition, arm, best.get(name))
            trainings = way.kept_back(recipe.finals.share, counts[name])
            found.append(
                Contender(
                    arm=name,
                    trials=counts[name],
                    seconds=seconds,
                    thumb=None if rule is None else rule.trial + measure,
                    measuring=measure,
                    finals=finals.seconds(trainings, rows.answered),
                    least=finals.seconds(way.least, rows.answered),
                    timed=name in self.timed or not recipe.preflight,
                )
            )
        return found


def _why(seconds: float, measured: bool) -> str:
    """Why an arm got no more trials.

    Args:
        seconds: of one more; infinite where nothing is known of them.
        measured: whether trials or a timing tell; else it is the rule of thumb.
    """
    if not math.isfinite(seconds):
        return "there was no time for one more"
    by = "" if measured else " by rule of thumb"
    return f"one more would take about {duration(seconds)}{by}, longer than there was time"


def thumbs(definition: Definition) -> Mapping[str, thumb.Thumb | None]:
    """What each arm's trials take on this machine, by rule of thumb."""
    task = definition.task
    texts = thumb.Texts.of(definition.data, task.language, len(task.labels))
    here = thumb.Machine.here()
    return {
        arm.name: reckoned(arm, definition.recipe, task, texts, here, arm.folds)
        for arm in definition.runnable
    }


def reckoned(
    arm: StoredArm | PlannedArm,
    recipe: Recipe,
    task: Task,
    texts: thumb.Texts,
    machine: thumb.Machine,
    folds: int,
) -> thumb.Thumb | None:
    """What a trial of an arm takes by rule of thumb, as a recipe has it, over so many folds."""
    model = arm.model
    once = strategies.scored_once(arm.strategy, model)
    return thumb.reckon(
        arm.strategy,
        model,
        texts,
        machine,
        epochs=passes_of(recipe, arm.name, arm.strategy, texts.train),
        checkpoints=1 if once else recipe.budget.checkpoints,
        max_tokens=cutting.limit(task, model),
        folds=folds,
        dimensions=arm.space.dimensions,
    )
