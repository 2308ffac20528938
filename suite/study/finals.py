"""Each arm's best trained again and scored on test: opened once, and which differences are chance.

Before test is opened, the first training of each arm is named as the model that is shipped. How the
time is spent says `finals_plan`; what a training is, `finals_training`; what all of them come to,
`finals_outcome`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import inf
from pathlib import Path

from suite import shell
from suite.contracts.results import Final, Trial
from suite.data import answered
from suite.errors import StudyError, counted
from suite.study import (
    combining,
    deciding,
    estimates,
    finals_plan,
    finals_record,
    trainings_record,
)
from suite.study.definition import Definition, StoredArm
from suite.study.finals_outcome import Outcome
from suite.study.finals_plan import Wanted
from suite.study.finals_training import Contestant, Trainer, Unable
from suite.study.ledger import Ledger
from suite.study.opening import Opening, claimed
from suite.study.trainings_record import Training
from suite.study.work import Work
from suite.verdict.metrics import merit_of

#: Trainings of each arm where several are asked for and nobody says how many.
DEFAULT_SEEDS = 3

#: Steps done, of how many, what is next, and the seconds to the end.
Watch = Callable[[int, int, str, float], None]


def score(
    work: Work,
    wanted: Wanted | None = None,
    *,
    if_due: bool = False,
    early: bool = False,
    say: Callable[[str], None] = lambda text: None,
    watch: Watch = lambda done, total, what, left: None,
) -> list[Final]:
    """Trains each arm's best again, scores it on test, ranks the arms, and stores the outcome.

    Trainings that are there are kept, and only missing ones made. The opening is claimed first.
    Another command that scores is waited for, and its outcome returned: the test split is not
    opened a second time for the same question.

    Args:
        work: the study, opened.
        wanted: what the finals are to be; as the recipe has it where None.
        if_due: only where finals are missing or stale, which another may have changed meanwhile.
        early: also where trials are missing.
        say: told what a person should know.
        watch: told how many trainings are done, of how many, what is next, and how many seconds
            are left.

    Raises:
        StudyError: no arm has a finished trial whose checkpoint is on this machine.
        Interrupted: asked to stop; trainings that ended are stored.
    """
    with claimed(work.ledger, work.stop, say) as opening:
        if opening is None or (if_due and not due(work.ledger, early=early)):
            return work.ledger.results().finals
        made = wanted or Wanted.of(work.ledger.definition.recipe.finals)
        found = _Scoring(work, opening, made, say, watch).finals()
        deciding.of_finals(work.ledger, [final.arm for final in found], say)
        return found


def asked(
    definition: Definition, seeds: int | None, refit: bool | None, combine: bool | None = None
) -> Wanted:
    """What finals are to be that somebody asks for, however long they take.

    Args:
        seeds: trainings of each arm; where None as many as the recipe has, if these are several.
        refit: where None as the recipe's file says, else yes: a study from before finals did that
            has it so once it is asked.
        combine: where None as the recipe has it, or as the finals have it that there are.

    Raises:
        StudyError: refitting is asked for, and the study is of a part of its rows.
    """
    finals = definition.recipe.finals
    part = finals_plan.of_a_part(definition)
    if part is not None:
        if refit:
            raise StudyError(
                f"'{definition.name}' {part}: its finals learn from no row of validation",
                where="--refit",
                fix="Leave --refit out: they are trained on the same part. Or create a study of "
                "all rows.",
            )
        refit = False
    said = definition.recipe_said.get("finals") or {}
    if refit is None:
        refit = finals.refit if "refit" in said else True
    if combine is None:
        combine = finals.combine or None
    seeds = seeds or (finals.seeds if finals.seeds > 1 else DEFAULT_SEEDS)
    return Wanted(seeds, None, refit, combine)


def due(ledger: Ledger, *, early: bool = False) -> bool:
    """Whether finals are missing or stale, and the study has its trials.

    Args:
        early: or is to be scored without them.
    """
    if ledger.missing() > 0 and not early:
        return False
    return finals_record.missing_or_stale(ledger.study)


class _Scoring:
    """Finals of a study, from its kept checkpoints to what is stored."""

    def __init__(
        self,
        work: Work,
        opening: Opening,
        wanted: Wanted,
        say: Callable[[str], None],
        watch: Watch,
    ) -> None:
        self._work = work
        self._ledger = work.ledger
        self._opening = opening
        before = combining.looked_for(work.ledger.study)
        self._combine = before if wanted.combine is None else wanted.combine
        #: Whether the finals that there are have combinations, or not, as they are to be.
        self._same = before == self._combine
        self._wanted = wanted
        self._say = say
        self._watch = watch
        self._found = work.ledger.results()
        self._rows = work.ledger.definition.data.rows.answered
        self._objective = deciding.objective_of(work.ledger.definition)
        self._trainer = Trainer(work, opening, say)
        self._troubles: list[Unable] = []
        self._made = 0

    def finals(self) -> list[Final]:
        """Everything, in order."""
        if self._wanted.refit and not finals_plan.may_refit(self._ledger.definition):
            self._say(
                "validation is not trained on: its rows may be newer than test, which is the newest"
            )
            self._wanted = replace(self._wanted, refit=False)
        alone = finals_plan.speaking_alone(self._ledger.definition)
        if self._wanted.refit and alone is not None:
            self._say(
                f"validation is not trained on: of {alone} nothing else tells how sure it may be"
            )
            self._wanted = replace(self._wanted, refit=False)
        contestants = self._contestants()
        for one in _in_order(contestants):
            self._unseen(one)
            self._first(one, contestants)
        scored = [one for one in contestants if one.trainings]
        self._check(scored)
        while (
            arm := finals_plan.next_training(self._entrants(scored), self._left(scored))
        ) is not None:
            self._more(next(one for one in scored if one.name == arm), scored)
        self._tell_short(scored)
        if not self._made and self._told(scored):
            self._say("Nothing is missing: every arm has its trainings, and test was not opened.")
            return self._found.finals
        finals = Outcome(
            self._work,
            self._opening,
            self._trainer,
            self._found,
            refit=self._wanted.refit,
            combine=self._combine,
            say=self._say,
        ).stored(scored)
        shutil.rmtree(self._work.keeping.scratch / "finals", ignore_errors=True)
        return finals

    def _told(self, scored: Sequence[Contestant]) -> bool:
        """Whether the finals that are stored are of these trainings: whoever was cut short after
        the last of them has not ranked it."""
        told = {final.arm: (final.trial, final.seeds, final.refit) for final in self._found.finals}
        now = {
            one.name: (
                one.number,
                len(one.trainings),
                one.refit or (self._wanted.refit and not one.way.learns),
            )
            for one in scored
        }
        return (
            self._same
            and not finals_record.missing_or_stale(self._ledger.study)
            and all(told.get(arm) == own for arm, own in now.items())
        )

    def _contestants(self) -> list[Contestant]:
        """The arms whose best checkpoint is here, with the trainings that there are of each."""
        definition, kept = self._ledger.definition, list(self._kept())
        known = self._ledger.known_seconds({arm.name: trial.params for arm, trial, _ in kept})
        contestants = []
        for arm, trial, here in kept:
            name = arm.name
            way = finals_plan.way_of(definition, arm, trial, self._wanted)
            cost = finals_plan.reckoned(definition, arm, trial, known.get(name, 0.0), self._wanted)
            one = Contestant(arm, trial, here, trial.validation, way, cost)
            if way.trainings:
                there = trainings_record.stored(
                    self._ledger.study, name, trial=trial.number, refit=way.refit
                )
                shipped = self._work.keeping.shipped(name)
                # Without the model that is shipped they are nobody's.
                if shipped is not None and self._work.keeping.here(name, shipped) is not None:
                    one.trainings = [t for t in there if self._stands(name, t)]
            else:
                scored = trainings_record.stored_kept(self._ledger.study, name, trial=trial.number)
                stands = scored is not None and self._stands(name, scored)
                one.trainings = [scored] if scored is not None and stands else []
            contestants.append(one)
        if len({one.trial.folds > 0 for one in contestants}) > 1:
            for one in contestants:  # Over folds and not: compared on the first alone.
                one.validation = one.trial.first_fold or one.validation
        return contestants

    def _stands(self, arm: str, training: Training) -> bool:
        """Whether what a training answered is there as it was kept; else it is made anew. What is
        to be combined must have been kept."""
        if self._combine and training.answered is None:
            return False
        lies = self._ledger.artifacts
        return all(
            known is None or answered.stands(file, known)
            for file, known in (
                (lies.tested(arm, training.index), training.answered),
                (lies.calibrated(arm, training.index), training.calibrated),
            )
        )

    def _kept(self) -> Iterator[tuple[StoredArm, Trial, Path]]:
        """Each arm with its best trial and the folder of its checkpoint; of others is told why they
        take no part."""
        numbered = {trial.number: trial for trial in self._found.trials}
        for arm in self._ledger.definition.runnable:
            kept = self._work.keeping.kept(arm.name)
            if kept is None:
                continue
            trial = numbered.get(kept.trial)
            here = self._work.keeping.here(arm.name, kept)
            if trial is None:
                told = f"its kept checkpoint is of trial {kept.trial}, which is not in the study"
            elif here is None:
                told = f"its kept checkpoint is on {kept.host}; run finals there to score it"
            else:
                yield arm, trial, here
                continue
            self._say(f"{arm.name}: {told}")

    def _unseen(self, one: Contestant) -> None:
        """Sees to it that what an arm answered to rows that it had not seen is kept."""
        try:
            self._trainer.ask_unseen(one)
        except Unable as error:
            self._say(f"{error.what}; it can't be calibrated or combined with others")

    def _first(self, one: Contestant, contestants: Sequence[Contestant]) -> None:
        """An arm's first training, or where it gets none the checkpoint of the search, scored."""
        if one.trainings and one.trainings[0].index <= 0:
            return
        self._step(one, contestants)
        try:
            if not one.way.trainings:
                self._trainer.keep(one)
            else:
                self._trained_or_kept(one, contestants)
        except Unable as error:
            # One arm's trouble (a server that is gone) must not cost the others their scores.
            self._troubles.append(error)
            one.ended = True
            self._say(f"{error.what}; it has no test score, the others have")
            return
        self._made += 1

    def _trained_or_kept(self, one: Contestant, contestants: Sequence[Contestant]) -> None:
        """The first training where the command has the time, else its checkpoint as it is."""
        needed = one.cost.training
        others = sum(
            other.cost.scoring(self._rows) + other.cost.measure
            for other in contestants
            if not other.trainings and not other.ended
        )
        left = self._work.turns.allowance.left - others
        if needed <= left:
            self._trainer.train(one)
            return
        one.ended = True
        before = trainings_record.stored_kept(self._ledger.study, one.name, trial=one.trial.number)
        if before is not None:
            one.trainings = [before]
        else:
            self._trainer.keep(one)
        one.short = finals_plan.not_trained(needed, left)

    def _check(self, scored: Sequence[Contestant]) -> None:
        if self._troubles and not scored:
            raise self._troubles[0]
        if not scored:
            name = self._ledger.definition.name
            raise StudyError(
                f"no arm of '{name}' has a finished trial with its checkpoint here",
                fix=f"Go on with `{shell.command('study', 'run', name)}`.",
            )

    def _more(self, one: Contestant, scored: Sequence[Contestant]) -> None:
        """One more training of an arm; where it fails, those that it has are what it has."""
        self._step(one, scored)
        try:
            self._trainer.train(one)
            self._made += 1
        except Unable as error:
            one.ended = True
            trainings = counted(len(one.trainings), "training")
            self._say(f"{error.what}; its finals rest on {trainings}")

    def _entrants(self, contestants: Sequence[Contestant]) -> list[finals_plan.Entrant]:
        return [one.entrant(self._rows, self._objective) for one in contestants]

    def _left(self, scored: Sequence[Contestant]) -> float:
        """Seconds for more trainings: of the share of the search's time, and of the command's."""
        left = self._work.turns.allowance.left - sum(one.cost.measure for one in scored)
        if self._wanted.share is not None:
            trials = self._ledger.study.get_trials(deepcopy=False)
            spent = sum(t.seconds for one in scored for t in one.trainings if one.trained)
            searched = estimates.searched(trials)
            left = min(left, finals_plan.granted(self._wanted.share, searched) - spent)
        return left

    def _step(self, one: Contestant, contestants: Sequence[Contestant]) -> None:
        """Tells how far it is, and what comes next."""
        there = [other for other in contestants if not other.ended]
        total = sum(max(1, other.way.trainings) for other in there)
        done = sum(min(len(other.trainings), max(1, other.way.trainings)) for other in there)
        seconds = {e.arm: e.seconds for e in self._entrants(there)}
        first = sum(seconds[o.name] for o in there if not o.trainings)
        more = sum(
            seconds[o.name] * max(0, o.way.trainings - max(1, len(o.trainings))) for o in there
        )
        left = first + max(0.0, min(more, self._left(there) - first))
        left += sum(other.cost.measure for other in there)
        name = f"{one.name}, training {len(one.trainings) + 1}" if one.way.trainings else one.name
        self._watch(done, total, name, left)

    def _tell_short(self, scored: Sequence[Contestant]) -> None:
        """Says, and notes, which arms have one training though their training is random."""
        left = self._left(scored)
        out = finals_plan.ruled_out(self._entrants(scored))
        for one in scored:
            if one.short is None and one.way.trainings > 1 and len(one.trainings) == 1:
                entrant = one.entrant(self._rows, self._objective)
                one.short = finals_plan.short(entrant, left, out.get(one.name))
            if one.short is not None:
                self._say(f"{one.name}: {one.short}")


def _in_order(contestants: Sequence[Contestant]) -> list[Contestant]:
    """The best on validation first."""
    return sorted(
        contestants, key=lambda one: -(merit_of(one.validation) if one.validation else -inf)
    )
