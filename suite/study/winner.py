"""The model that a study's user takes away: the recommended arm's, or a named one's.

It is the one that the finals name before test is opened; before finals, the search's checkpoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from suite import shell
from suite.contracts.combination import ARMS, Combination
from suite.contracts.deciding import Decision
from suite.contracts.model import Model
from suite.contracts.results import Final, StudyResults, Trial
from suite.data.joining import Joining
from suite.errors import StudyError, nearest
from suite.study import artifacts, kept_record, record
from suite.study import storage as storages
from suite.study.artifacts import Artifacts
from suite.study.definition import Definition
from suite.study.kept_record import Shipped
from suite.study.made_of import beside_of, models_of, not_combined


@dataclass(frozen=True)
class Winner:
    """An arm's model, and the study it comes from.

    Args:
        folder: the kept predictor, on this machine.
        trial: the number of the trial that made it.
        host: this machine, as the study's rows name it.
        shipped: how the finals trained it; None where it is the search's checkpoint.
        artifacts: where the study's files lie.
    """

    folder: Path
    arm: str
    trial: int
    host: str
    artifacts: Artifacts
    definition: Definition
    results: StudyResults
    shipped: Shipped | None = None

    @property
    def refit(self) -> bool:
        """Whether it was trained on validation, too: then that says nothing of it."""
        return self.shipped is not None and self.shipped.refit

    @property
    def labels(self) -> list[str]:
        """The classes' names, by class index."""
        return self.definition.task.label_names

    @property
    def joining(self) -> Joining:
        """What its texts are made of."""
        return Joining.of(self.definition.task)

    @property
    def snapshot(self) -> Path:
        """The folder of the study's rows."""
        return self.artifacts.data

    @property
    def final(self) -> Final | None:
        """What its arm's models scored on test."""
        return next((final for final in self.results.finals if final.arm == self.arm), None)

    @property
    def models(self) -> list[Model]:
        """Those that answer: one, or a combination's in its members' order."""
        return models_of(self.definition, self.results.finals, self.arm)

    @property
    def beside(self) -> list[Model]:
        """Those that its arm, or a combination's members, have beside them: also in its folder."""
        members = [(self.arm, self.trial)]
        if self.combined is not None:
            members = [(one.arm, one.trial) for one in self.combined.members]
        trials = {trial.number: trial for trial in self.results.trials}
        found = [
            beside_of(self.definition, arm, trials[number].params)
            for arm, number in members
            if number in trials
        ]
        return list({model.name: model for models in found for model in models}.values())

    @property
    def combined(self) -> Combination | None:
        """What it is made of, where it is a combination of other arms."""
        return self.final.combined if self.final is not None else None

    @property
    def decision(self) -> Decision | None:
        """When it answers alone; None where that was not asked."""
        return next((one for one in self.results.decisions if one.arm == self.arm), None)

    @property
    def made_by(self) -> Trial | None:
        """The trial whose hyperparameters it has; None of a combination, which has several's."""
        if self.combined is not None:
            return None
        return next((t for t in self.results.trials if t.number == self.trial), None)


def winner(name: str, arm: str | None = None, storage: str | None = None) -> Winner:
    """The checkpoint that a study keeps of an arm.

    Args:
        arm: the one that the study recommends where none is named.
        storage: the database's URL.

    Raises:
        StudyError: no such study or arm, or its checkpoint is not on this machine.
        StorageError: the storage can't be opened.
    """
    study, definition = storages.load(storages.open_storage(storage), name)
    found = record.results(study, definition)
    attributes = study.user_attrs
    kept = {
        arm: kept_record.shipped(attributes, arm) or of
        for arm, of in kept_record.of_arms(attributes).items()
    }
    # One that was kept by finals that were cut short is ranked by none.
    ranked = {final.arm for final in found.finals if final.combined is not None}
    made = kept_record.combinations(attributes)
    kept |= {arm: of for arm, of in made.items() if arm in ranked}
    if not kept or found.verdict is None:
        again = shell.command("study", "run", name, storage=storage)
        raise StudyError(f"'{name}' has no kept checkpoint yet", fix=f"Go on with `{again}`.")
    if arm is not None and arm in ARMS.values() and arm not in kept:
        why = next((one.refused for one in found.arms if one.arm == arm), None)
        raise not_combined(name, arm, why, storage)
    if arm is not None and arm not in kept:
        raise StudyError(f"'{name}' keeps no checkpoint of '{arm}'", fix=nearest(arm, kept))
    arm = arm or found.verdict.recommended
    lies = artifacts.find(study, definition.data.fingerprint)
    places = {other: lies.kept_here(other, of) for other, of in kept.items()}
    here = {other: place for other, place in places.items() if place is not None}
    if arm not in here:
        where = f"is on {kept[arm].host}" if arm in kept else "is kept nowhere"
        raise StudyError(
            f"the checkpoint of {arm} {where}, not in {lies.folder}",
            fix=f"Kept on this machine: {', '.join(f'--arm {other}' for other in here) or 'none'}.",
        )
    of = kept[arm]
    shipped = of if isinstance(of, Shipped) else None
    return Winner(here[arm], arm, of.trial, of.host, lies, definition, found, shipped)
