"""The combinations of a study's finals: made of the models that were trained, and scored like them.

Members, weights and threshold are chosen on what the arms' models answered to rows that they had
not seen: on those that were set aside for calibration where there are any, else on what the best
trials answered. Where the recipe asks when arms answer alone, the rows set aside certify that, of
combinations, too, and so they choose none.

What a combination answers to test is what its members answered: the first trainings of all
together, then the second ones, as many as the member has that has fewest; of a member whose
training repeats itself the one stands for all.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import optuna

from suite import strategies
from suite.contracts.combination import ARMS, Combination, Kind, Member
from suite.contracts.model import Model
from suite.contracts.strategy import Probabilities
from suite.contracts.temperature import tempered
from suite.data import answered, snapshot
from suite.errors import DataError
from suite.strategies.combined.cascade import CascadeSettings
from suite.strategies.combined.ensemble import EnsembleSettings
from suite.strategies.combined.members import CombinedSettings
from suite.strategies.combined.members import write as write_members
from suite.study import deciding, kept_record
from suite.study.artifacts import part, written
from suite.study.finals_plan import Way
from suite.study.finals_training import Contestant
from suite.study.kept_record import Shipped
from suite.study.ledger import Ledger
from suite.study.record import COMBINED
from suite.study.trainings_record import Training
from suite.study.work import Work
from suite.verdict import scored
from suite.verdict.combining import (
    Candidate,
    Cascade,
    Chooser,
    Ensemble,
    averaged,
    cascaded,
    unsure,
)
from suite.verdict.metrics import Metric, merit_of

ChosenOn = Literal["train+validation", "validation", "calibration"]


@dataclass(frozen=True)
class _Entrant:
    """An arm that may be a member.

    Args:
        place: the folder of its model that is shipped.
        unseen: what its best trial answered to the rows that all share, [rows, classes].
        test: what its trainings answered to test, each [rows, classes].
    """

    contestant: Contestant
    place: Path
    unseen: Probabilities
    test: Sequence[Probabilities]

    @property
    def name(self) -> str:
        return self.contestant.name

    @property
    def served(self) -> bool:
        return self.contestant.arm.model.endpoint is not None


@dataclass(frozen=True)
class Combined:
    """A combination in the finals; beside `Contestant` as far as ranks are concerned.

    Args:
        name: of its arm.
        members: in the order of `combination`.
        places: the folders of their models that are shipped.
    """

    name: str
    way: Way
    trainings: list[Training]
    combination: Combination
    members: Sequence[Contestant]
    places: Sequence[Path]
    short: str | None = None

    @property
    def number(self) -> int:
        """The trial of the member that answers last, or weighs most."""
        return self._leading.trial.number

    @property
    def refit(self) -> bool:
        """Whether a member was trained on validation, too."""
        return any(one.refit for one in self.members)

    @property
    def about_arm(self) -> bool:
        """Whether its score says something of the arm, and not of these trained models alone."""
        return self.way.deterministic or len(self.trainings) > 1

    @property
    def models(self) -> list[Model]:
        """Its members' models."""
        return [one.arm.model for one in self.members]

    @property
    def _leading(self) -> Contestant:
        last = self.combination.kind == "cascade"
        return self.members[-1 if last else 0]

    def write(self, folder: Path, classes: int) -> None:
        """Writes it as a predictor.

        Raises:
            OSError: it can't be written.
        """
        made, arms = self.combination, [one.name for one in self.members]
        settings: CombinedSettings
        if made.threshold is not None:
            settings = CascadeSettings(
                format="cascade", classes=classes, members=arms, threshold=made.threshold
            )
        else:
            weights = [member.weight or 0.0 for member in made.members]
            settings = EnsembleSettings(
                format="ensemble", classes=classes, members=arms, weights=weights
            )
        write_members(folder, settings, self.places)
        strategies.mark_predictor(folder, made.kind)

    def shipped(self, host: str) -> Shipped:
        """How it stands among the study's kept models."""
        return Shipped(
            trial=self.number,
            host=host,
            mark=secrets.token_hex(4),
            seed=self.trainings[0].seed,
            refit=self.refit,
            train_seconds=self.trainings[0].train_seconds or 0.0,
            serving_shape=self.combination.kind,
        )


def looked_for(study: optuna.Study) -> bool:
    """Whether a study's finals have combinations, or said why there are none."""
    return bool(study.user_attrs.get(COMBINED))


def store(work: Work, found: Mapping[Kind, Combined | str]) -> None:
    """Keeps each combination as a predictor of its own, in the place of those before.

    Args:
        found: kind -> what was chosen, or why there is none; nothing where nobody asked.

    Raises:
        StorageError: the disk refuses.
    """
    keeping, ledger = work.keeping, work.ledger
    for kind, name in ARMS.items():
        one = found.get(kind)
        if not isinstance(one, Combined):
            keeping.unship(name)
            continue
        folder = keeping.scratch / "finals" / part(name)
        with written(folder):
            one.write(folder, len(ledger.definition.task.labels))
        keeping.ship(name, folder, one.shipped(ledger.host))


def note(study: optuna.Study, found: Mapping[Kind, Combined | str]) -> None:
    """Notes of which kinds there are combinations, and why there is none of a kind; when finals
    that rank them are stored."""
    told = {kind: one if isinstance(one, str) else None for kind, one in found.items()}
    study.set_user_attr(COMBINED, told)


def choose(
    ledger: Ledger,
    contestants: Sequence[Contestant],
    places: Mapping[str, Path],
    labels: Sequence[int],
    say: Callable[[str], None],
) -> dict[Kind, Combined | str]:
    """Each combination of the arms of finals, or why there is none.

    Args:
        contestants: the arms, with their trainings.
        places: arm -> the folder of its model that is shipped.
        labels: the class of each test row.
        say: told which arms take no part, and what was chosen.
    """
    return _Choosing(ledger, contestants, places, labels, say).all()


class _Choosing:
    """One choice of combinations; arguments as of `choose`."""

    def __init__(
        self,
        ledger: Ledger,
        contestants: Sequence[Contestant],
        places: Mapping[str, Path],
        labels: Sequence[int],
        say: Callable[[str], None],
    ) -> None:
        self._ledger = ledger
        self._labels = labels
        self._objective: Metric = deciding.objective_of(ledger.definition)
        self._say = say
        self._certifies = ledger.definition.recipe.decides
        self._which: ChosenOn = "validation"
        self._unseen_labels: Sequence[int] = ()
        self._entrants = {one.name: one for one in self._entering(contestants, places)}

    def all(self) -> dict[Kind, Combined | str]:
        """Everything, in order."""
        found = self._found()
        for kind, one in found.items():
            told = _told(one.combination) if isinstance(one, Combined) else f"none: {one}"
            self._say(f"{ARMS[kind]}: {told}")
        return found

    def _found(self) -> dict[Kind, Combined | str]:
        if len(self._entrants) < 2:
            why = "it needs two arms whose answers to unseen rows and to test are kept"
            return dict.fromkeys(ARMS, why)
        chooser = Chooser(
            [
                Candidate(one.name, one.unseen, _seconds(one.contestant), one.served)
                for one in self._entrants.values()
            ],
            self._unseen_labels,
            self._objective,
            seed=self._ledger.definition.seed,
        )
        found: dict[Kind, Combined | str] = {}
        fastest = chooser.cascade(self._ledger.definition.recipe.margin)
        if isinstance(fastest, Cascade):
            found["cascade"] = self._cascade(fastest, chooser.rows)
        else:
            found["cascade"] = fastest
        best = chooser.ensemble()
        found["ensemble"] = (
            self._ensemble(best, chooser.rows) if isinstance(best, Ensemble) else best
        )
        return found

    def _entering(
        self, contestants: Sequence[Contestant], places: Mapping[str, Path]
    ) -> list[_Entrant]:
        """The arms that may be members: trained on the same rows, their answers kept."""
        best = max(contestants, key=_merit)
        lies = self._ledger.artifacts
        found: list[tuple[Contestant, answered.Answered, Path, list[Probabilities]]] = []
        for one in contestants:
            file, known = self._kept(one)
            tests = [
                self._read(lies.tested(one.name, t.index), t.answered, t.temperature)
                for t in one.trainings
            ]
            there = [test for test in tests if test is not None]
            if one.refit != best.refit and one.way.learns:
                self._say(f"{one.name} was not trained on the rows that {best.name} was: no member")
            elif known is None or len(there) < len(tests):
                self._say(f"what {one.name} answered to rows that it had not seen is not kept")
            else:
                found.append((one, known, file, there))
        which = {known.which for _, known, _, _ in found}
        if which == {"train+validation"}:
            self._which = "train+validation"
        elif which == {"calibration"}:
            self._which = "calibration"
        self._unseen_labels = self._labels_of_unseen()
        count = len(self._unseen_labels)
        entrants = []
        for one, known, file, answers in found:
            unseen = self._read(file, known, one.trainings[0].temperature)
            if unseen is None or len(unseen) < count:
                self._say(f"what {one.name} answered to rows that it had not seen is not kept")
            else:
                # Of a trial over folds, the rows before validation are train's.
                entrants.append(_Entrant(one, places[one.name], unseen[-count:], answers))
        return entrants

    def _read(
        self, file: Path, known: answered.Answered | None, temperature: float | None
    ) -> Probabilities | None:
        """Kept probabilities as a user is answered, at the arm's temperature; None where they are
        not there as they were kept."""
        if known is None:
            return None
        try:
            return tempered(answered.read(file, known), temperature)
        except DataError:
            return None

    def _kept(self, one: Contestant) -> tuple[Path, answered.Answered | None]:
        """The file of what an arm's models answered to rows that they had not seen, and what is
        known of it: of those set aside for calibration where there are any, of the model that is
        shipped; else of its best trial."""
        lies, first = self._ledger.artifacts, one.trainings[0]
        if self._ledger.definition.data.rows.calibration and not self._certifies:
            return lies.calibrated(one.name, first.index), first.calibrated
        kept = kept_record.of_arm(self._ledger.study.user_attrs, one.name)
        known = kept.answered if kept is not None and kept.trial == one.trial.number else None
        return lies.validated(one.trial.number), known

    def _labels_of_unseen(self) -> Sequence[int]:
        data = self._ledger.artifacts.data
        if self._which != "train+validation":
            return snapshot.read_split(data, self._which).labels
        train, validation = snapshot.read_train_validation(data)
        return (*train.labels, *validation.labels)

    def _cascade(self, made: Cascade, rows: int) -> Combined:
        members = [self._entrants[made.first], self._entrants[made.second]]
        trainings = _trainings_of(members)
        first = members[0]
        sure = [
            1 - float(unsure(_nth(first, index), made.threshold).mean())
            for index in range(trainings)
        ]
        return self._combined(
            members,
            Combination(
                kind="cascade",
                members=[Member(one.name, one.contestant.trial.number) for one in members],
                chosen_on=self._which,
                rows=rows,
                held_out=made.held_out,
                best_alone=made.alone,
                threshold=made.threshold,
                answered_first=float(np.mean(sure)),
            ),
            lambda one, other: cascaded(one, other, made.threshold),
        )

    def _ensemble(self, made: Ensemble, rows: int) -> Combined:
        members = [self._entrants[arm] for arm in made.weights]
        weights = list(made.weights.values())
        return self._combined(
            members,
            Combination(
                kind="ensemble",
                members=[
                    Member(one.name, one.contestant.trial.number, weight)
                    for one, weight in zip(members, weights, strict=True)
                ],
                chosen_on=self._which,
                rows=rows,
                held_out=made.held_out,
                best_alone=made.alone,
            ),
            lambda *parts: averaged(parts, weights),
        )

    def _combined(
        self,
        members: Sequence[_Entrant],
        combination: Combination,
        together: Callable[..., Probabilities],
    ) -> Combined:
        """A combination with its answers to test.

        Args:
            together: the members' probabilities, in their order, to the combination's.
        """
        contestants = [one.contestant for one in members]
        ways = [one.way for one in contestants]
        count = _trainings_of(members)
        way = Way(
            trainings=count,
            refit=any(way.refit for way in ways),
            deterministic=all(way.deterministic for way in ways),
            learns=any(way.learns for way in ways),
        )
        trainings = [
            self._training(members, index, together(*(_nth(one, index) for one in members)))
            for index in range(count)
        ]
        short = None
        if count == 1 and not way.deterministic:
            once = next(o for o in contestants if not o.way.deterministic and len(o.trainings) == 1)
            short = f"{once.name} in it was trained once"
        return Combined(
            name=ARMS[combination.kind],
            way=way,
            trainings=trainings,
            combination=combination,
            members=contestants,
            places=[one.place for one in members],
            short=short,
        )

    def _training(
        self, members: Sequence[_Entrant], index: int, probabilities: Probabilities
    ) -> Training:
        """What one training of each member answers together."""
        own = [_training_of(one.contestant, index) for one in members]
        seconds = [training.train_seconds for training in own]
        known = [one for one in seconds if one is not None]
        of_rows = self._objective.of_rows
        labels = np.asarray(self._labels)
        return Training(
            trial=own[-1].trial,
            index=index,
            seed=own[-1].seed,
            refit=any(training.refit for training in own),
            train_seconds=sum(known) if len(known) == len(own) else None,
            seconds=0.0,
            scores=scored.of_probabilities(
                self._labels,
                probabilities,
                self._objective.key,
                deciding.worth_of(self._ledger.definition),
            ),
            predictions=scored.decide(probabilities).tolist(),
            confidences=probabilities.max(axis=1).tolist(),
            losses=None if of_rows is None else of_rows(labels, probabilities).tolist(),
        )


def _merit(one: Contestant) -> float:
    return merit_of(one.validation) if one.validation else -np.inf


def _training_of(one: Contestant, index: int) -> Training:
    """An arm's training of that index; of one that repeats itself the one that there is."""
    return one.trainings[0 if one.way.deterministic else index]


def _nth(one: _Entrant, index: int) -> Probabilities:
    """What that training answered to test."""
    return one.test[0 if one.contestant.way.deterministic else index]


def _trainings_of(members: Sequence[_Entrant]) -> int:
    """How many trainings of all members there are together."""
    counts = [len(one.test) for one in members if not one.contestant.way.deterministic]
    return min(counts, default=1)


def _seconds(one: Contestant) -> float | None:
    """What an arm takes for a text, as the search measured it; of a server, whose speed may cost
    money to measure, what scoring validation took. None where that is not known."""
    rps, trial = one.trial.rps, one.trial
    if rps is not None and rps.offline_per_second:
        return 1 / rps.offline_per_second
    rows = sum(map(sum, one.validation.confusion)) if one.validation else 0
    if one.arm.model.endpoint is not None and trial.evaluation_seconds and rows:
        return trial.evaluation_seconds / rows
    return None


def _told(made: Combination) -> str:
    """A combination in a line."""
    names = [member.arm for member in made.members]
    if made.threshold is not None:
        return (
            f"{names[0]} answers where it is at least {made.threshold:.3f} sure "
            f"({made.answered_first or 0:.0%} of the test texts), {names[1]} the rest"
        )
    return " + ".join(f"{member.weight or 0:.2f} {member.arm}" for member in made.members)
