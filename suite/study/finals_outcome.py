"""What finals come to, once their trainings are scored: combinations, speeds, verdicts, all of it
into the storage.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from suite.contracts.combination import Kind
from suite.contracts.results import Final, KindSpread, StudyResults
from suite.contracts.scope import ScopeScore
from suite.data import snapshot
from suite.errors import StudyError
from suite.study import (
    alike_record,
    by_length,
    calibrating,
    combining,
    deciding,
    far_rows,
    finals_rank,
    finals_record,
    finals_spread,
    row_losses,
    scope,
    slicing,
)
from suite.study.combining import Combined
from suite.study.finals_speed import Served, measure_all
from suite.study.finals_training import Contestant, Trainer
from suite.study.opening import Opening
from suite.study.probabilities import Reader
from suite.study.work import Work


class Outcome:
    """The outcome of finals.

    Args:
        opening: of test, by this command.
        trainer: who trained.
        found: the study as it was before.
        refit: whether validation is trained on, where an arm learns.
        combine: whether there are to be combinations.
        say: told what a person should know.
    """

    def __init__(
        self,
        work: Work,
        opening: Opening,
        trainer: Trainer,
        found: StudyResults,
        *,
        refit: bool,
        combine: bool,
        say: Callable[[str], None],
    ) -> None:
        self._work, self._ledger = work, work.ledger
        self._opening, self._trainer, self._found = opening, trainer, found
        self._refit, self._combine = refit, combine
        self._objective = deciding.objective_of(work.ledger.definition)
        self._say = say

    def stored(self, scored: Sequence[Contestant]) -> list[Final]:
        """Everything, in order, of the arms that have trainings."""
        self._opening.count()
        served = {one.name: self._served(one) for one in scored}
        study, definition = self._ledger.study, self._ledger.definition
        test = snapshot.read_split(self._ledger.artifacts.data, "test")
        labels = test.labels
        made = self._combined(scored, served, labels)
        combined = [one for one in made.values() if isinstance(one, Combined)]
        entries: list[finals_rank.Entry] = [*scored, *combined]
        finals, comparisons = finals_rank.ranked(
            entries,
            labels,
            len(definition.task.labels),
            objective=self._objective,
            wanted_refit=self._refit,
            seed=definition.seed,
            looks=finals_record.looks(self._found.finals) + 1,
            speeds=measure_all(
                self._work,
                served | {one.name: self._served_together(one) for one in combined},
                "test" if combined else "validation",
            ),
            spreads=self._spreads(scored),
        )
        complete = Counter(t.arm for t in self._found.trials if t.state == "COMPLETE")
        finals = [replace(final, chosen_among=complete.get(final.arm)) for final in finals]
        answers = {one.name: [t.predictions for t in one.trainings] for one in entries}
        finals = far_rows.with_far_rows(
            finals,
            labels,
            answers,
            far_rows.near_rows(self._ledger.artifacts.data, definition.data, refit=self._refit),
            len(definition.task.labels),
            self._objective,
            {one.name: [t.losses or [] for t in one.trainings] for one in entries},
        )
        finals = by_length.with_lengths(
            finals,
            labels,
            answers,
            {one.name: one.trainings[0].lengths for one in entries},
            by_length.of_words(test.texts, definition.task.language),
            len(definition.task.labels),
            {one.name for one in entries if one.way.deterministic},
        )
        trainings = {one.name: one.trainings for one in scored}
        fits = {one.name: self._trainer.fitted(one, refit=one.refit) for one in scored}
        finals = calibrating.with_calibration(
            finals, labels, trainings, fits, self._ledger.artifacts
        )
        slicing.of_finals(
            study,
            definition,
            test,
            answers,
            {one.name for one in entries if one.way.deterministic},
        )
        reader = Reader(study, definition, self._ledger.artifacts)
        named = {one.name: one for one in scored}
        finals = scope.with_scope(
            finals, definition, reader, lambda arm: self._belonging(named.get(arm))
        )
        alike_record.store(study, row_losses.of_arms([final.arm for final in finals], reader))
        finals_record.store(
            study,
            finals,
            comparisons,
            labels,
            answers,
            {one.name: one.trainings[0].confidences for one in entries},
            self._found.finished,
        )
        combining.note(study, made)
        return finals

    def _belonging(self, one: Contestant | None) -> Mapping[ScopeScore, list[float]]:
        """How much validation's texts seem to belong to any class, beside an arm's probabilities;
        nothing of a combination, whose members differ in that."""
        try:
            return {} if one is None else self._trainer.belonging(one)
        except StudyError as error:
            self._say(f"{error.what}; it is judged by its probabilities")
            return {}

    def _combined(
        self, scored: Sequence[Contestant], served: Mapping[str, Served], labels: Sequence[int]
    ) -> dict[Kind, Combined | str]:
        """The combinations that are worth having, kept, or why there is none of a kind; nothing
        where none are asked for.

        Args:
            labels: the class of each test row.
        """
        found: dict[Kind, Combined | str] = {}
        if self._combine:
            places = {arm: one.folder for arm, one in served.items()}
            found = combining.choose(self._ledger, scored, places, labels, self._say)
        combining.store(self._work, found)
        return found

    def _served_together(self, one: Combined) -> Served:
        """A combination that is kept, to be measured."""
        keeping = self._work.keeping
        shipped = keeping.shipped(one.name)
        place = keeping.here(one.name, shipped) if shipped is not None else None
        assert place is not None  # it was put there a moment ago
        return Served(one.models, place, None)

    def _served(self, one: Contestant) -> Served:
        """The model of an arm that is shipped, to be measured."""
        keeping = self._work.keeping
        shipped = keeping.shipped(one.name) if one.trained else None
        place = keeping.here(one.name, shipped) if shipped is not None else None
        known = one.trial.rps if place is None else None
        return Served([one.arm.model], place or one.kept, known)

    def _spreads(self, scored: Sequence[Contestant]) -> dict[str, KindSpread]:
        scores = {
            one.name: [t.scores.score for t in one.trainings]
            for one in scored
            if not one.way.deterministic
        }
        once = [arm for arm, found in scores.items() if len(found) == 1]
        name = self._ledger.definition.name
        return finals_spread.of_kinds(scores, self._ledger.storage, name, once, self._objective.key)
