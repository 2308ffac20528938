"""How finals spend their time: which arm is trained next, and which get no further training.

Every arm gets a first training. Then each arm that validation does not rule out gets a second, the
best first; only then any gets a third, and so on; arms that validation rules out come last. What
is left for all that is a share of the search's time, which counts as a minute where it was shorter,
and never more than the command has. An arm of which one more does not fit gets none, and the others
go on without it.

Validation rules an arm out that lies below the best one by more than three standard errors of the
difference, each score taken for a share of its rows (of what has no most, of the most that one
row can lose, which varies less), the two for independent. On the same rows they hang together, so
this errs towards keeping an arm.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from suite import strategies
from suite.config import recipe
from suite.contracts.limits import MOST_SEED
from suite.contracts.moments import duration
from suite.contracts.results import Trial
from suite.study import estimates
from suite.study.calibrating import alike
from suite.study.definition import Definition, StoredArm
from suite.verdict.metrics import merit_of

#: Standard errors below the best from which validation rules an arm out.
RULED_OUT = 3.0
#: The fewest trainings that say anything of an arm.
FEWEST = 2
#: Seconds that a search counts as at least: a share of two seconds is no second training, and
#: whoever gave the command half an hour would miss a verdict for want of one more second.
SHORTEST = 60.0


@dataclass(frozen=True)
class Wanted:
    """What finals are to be.

    Args:
        seeds: trainings of an arm whose training is random.
        share: what they may take, as a share of the search's time; None where there is no bound.
        refit: whether validation is trained on, too.
        combine: whether the models are combined, too; as they were where None.
    """

    seeds: int
    share: float | None
    refit: bool
    combine: bool | None = None

    @classmethod
    def of(cls, finals: recipe.Finals) -> Wanted:
        """As a recipe has it."""
        return cls(finals.seeds, finals.share, finals.refit, finals.combine or None)


@dataclass(frozen=True)
class Way:
    """How an arm comes through the finals.

    Args:
        trainings: at most; with 0 the search's checkpoint is scored as it is.
        refit: whether they are made on train and validation together.
        deterministic: whether training again gives the same.
        learns: whether anything of it comes from rows.
    """

    trainings: int
    refit: bool
    deterministic: bool
    learns: bool

    @classmethod
    def of(cls, wanted: Wanted, *, deterministic: bool, learns: bool) -> Way:
        """Of an arm in such finals. To train what is deterministic again would show nothing, so
        it is done for more rows alone; and a single training on the same rows is the search's."""
        refit = wanted.refit and learns
        once = deterministic or wanted.seeds == 1
        return cls(int(refit) if once else wanted.seeds, refit, deterministic, learns)

    def kept_back(self, share: float | None, trials: int) -> int:
        """Trainings whose time is kept back while an arm has so many trials: two, and more where
        the share of the search's time will be enough for them.

        >>> Way(3, True, False, True).kept_back(1.0, 1), Way(3, True, False, True).kept_back(1.0, 9)
        (2, 3)
        """
        if share is None:
            return self.trainings
        return min(self.trainings, max(FEWEST, math.floor(share * trials)))

    @property
    def least(self) -> int:
        """Trainings whose time is kept back while some arm has had no trial yet: one, so that
        every arm stands in the answer before any is trained again."""
        return min(1, self.trainings)


def may_refit(definition: Definition) -> bool:
    """Whether validation may be trained on: not where test is the newest rows by time and
    validation was given, whose rows may be newer still. (Carved, it is older than test.)"""
    carving = definition.task.data.carving
    by_time = carving is not None and carving.time is not None
    return not by_time or definition.data.validation_given is False


def of_a_part(definition: Definition) -> str | None:
    """What part of its rows a study is to tell of, so that none else may be trained on; None where
    it is of all of them. What recipes of such studies say of it is `parting`'s."""
    wanted = definition.recipe.train_subset
    if wanted is not None:
        return f"tells of the part of its rows that is {wanted.part} by {wanted.by}"
    if definition.curve or definition.subset is not None:
        return "tells of a number of training rows, as a size of a learning curve"
    return None


def speaking_alone(definition: Definition) -> str | None:
    """An arm for whose sake none is trained on validation; None where each may be.

    The recipe asks when arms answer alone, so something rests on their probabilities. What is known
    of these is what the arm's model answered on validation, as its trials were too dear for folds;
    and with validation it would be a model of many more rows, whose probabilities nobody knows. All
    arms keep to the rows of the one: else they could not be compared.
    """
    if not definition.recipe.decides or alike(definition.data.rows, "validation"):
        return None
    dear = (one for one in definition.runnable if not one.folds)
    return next((one.name for one in dear if strategies.learns(one.strategy, one.model, {})), None)


def way_of(
    definition: Definition, arm: StoredArm, best: Trial | None, wanted: Wanted | None = None
) -> Way:
    """How an arm comes through finals.

    Args:
        best: its best trial, where it has one: the same arm may learn or not, and draw or not.
        wanted: what they are to be; as the recipe has it where None.
    """
    params = best.params if best else {}
    wanted = wanted or Wanted.of(definition.recipe.finals)
    return Way.of(
        replace(
            wanted,
            refit=wanted.refit and may_refit(definition) and speaking_alone(definition) is None,
        ),
        deterministic=strategies.deterministic(arm.strategy, arm.model, params),
        learns=strategies.learns(arm.strategy, arm.model, params),
    )


def reckoned(
    definition: Definition,
    arm: StoredArm,
    best: Trial,
    seconds: float,
    wanted: Wanted | None = None,
) -> estimates.Finals:
    """What an arm's finals will take.

    Args:
        seconds: of a trial of the arm at that point.
    """
    way, rows = way_of(definition, arm, best, wanted), definition.data.rows
    measure = estimates.measuring_rounds(definition.recipe, arm.model)
    refit = chosen_fraction(best, rows.validation) if way.refit else None
    return estimates.finals_of(best, seconds, measure, rows, refit=refit)


@dataclass(frozen=True)
class Entrant:
    """An arm in the finals, as far as its turn depends on it.

    Args:
        arm: its name.
        score: on validation, as a share of the way from the worst that there can be to the best.
        rows: of validation that this is of.
        trainings: at most.
        done: that it has.
        seconds: of one more, with its scoring on test.
        way: how far it is from the worst to the best.
    """

    arm: str
    score: float
    rows: int
    trainings: int
    done: int
    seconds: float
    way: float = 1.0


def best_first(entrants: Sequence[Entrant]) -> list[Entrant]:
    """The order of equals: by validation."""
    return sorted(entrants, key=lambda entrant: -entrant.score)


def ruled_out(entrants: Sequence[Entrant]) -> dict[str, float]:
    """Arms that validation rules out: by how much each lies below the best.

    >>> one, other = Entrant("a", 0.9, 400, 3, 1, 1.0), Entrant("b", 0.8, 400, 3, 1, 1.0)
    >>> {arm: round(gap, 3) for arm, gap in ruled_out([one, other]).items()}
    {'b': 0.1}
    >>> ruled_out([one, Entrant("b", 0.85, 400, 3, 1, 1.0)])
    {}
    """
    if not entrants:
        return {}
    best = best_first(entrants)[0]
    gaps = {one.arm: (best.score - one.score, math.hypot(_error(best), _error(one)))
            for one in entrants if one is not best}  # fmt: skip
    return {arm: gap for arm, (gap, error) in gaps.items() if gap > RULED_OUT * error}


def _error(entrant: Entrant) -> float:
    """The standard error of a share of so many rows; of none seen wrong, as if one were."""
    rows = max(1, entrant.rows)
    share = min(max(entrant.score, 1 / (rows + 1)), rows / (rows + 1))
    return math.sqrt(share * (1 - share) / rows)


def granted(share: float, searched: float) -> float:
    """Seconds that trainings may take, of a search that took so many.

    >>> granted(0.5, 600.0), granted(0.5, 4.0)
    (300.0, 30.0)
    """
    return share * max(searched, SHORTEST)


def next_training(entrants: Sequence[Entrant], left: float) -> str | None:
    """The arm that gets one more training, of those that have had their first; None where none
    wants or fits any more.

    Args:
        left: seconds for trainings.

    >>> three = [Entrant(arm, score, 400, 3, 1, 10.0) for arm, score in (("a", .9), ("b", .89))]
    >>> next_training(three, 60.0), next_training(three, 9.0)
    ('a', None)
    """
    out = ruled_out(entrants)
    open_ = [one for one in best_first(entrants) if 1 <= one.done < one.trainings]
    fits = [one for one in open_ if one.seconds <= left]
    # The sort is stable: of those with equally many the best comes first.
    fits.sort(key=lambda one: (one.arm in out, one.done))
    return fits[0].arm if fits else None


def short(entrant: Entrant, left: float, gap: float | None) -> str:
    """Why an arm has one training, in words.

    Args:
        left: seconds that were left for trainings.
        gap: how far validation has it below the best, as a share, where that rules it out.

    >>> short(Entrant("a", 0.9, 400, 3, 1, 50.0), 20.0, None)
    'one training: a second would take about 50 s, 30 s more than was left'
    """
    missing = duration(max(1.0, entrant.seconds - max(0.0, left)))
    second = f"a second would take about {duration(entrant.seconds)}, {missing} more than was left"
    if gap is None:
        return f"one training: {second}"
    return (
        f"one training: validation has it {gap * entrant.way:.3f} below the best, so others came "
        f"first; {second}"
    )


def not_trained(seconds: float, left: float) -> str:
    """Why the search's own checkpoint is scored.

    >>> not_trained(50.0, -5.0)
    "the search's checkpoint: to train it again would take about 50 s, 50 s more than was left"
    """
    missing = duration(max(1.0, seconds - max(0.0, left)))
    return (
        f"the search's checkpoint: to train it again would take about {duration(seconds)}, "
        f"{missing} more than was left"
    )


def seed_of(study: str, seed: int, arm: str, index: int) -> int:
    """The seed of an arm's training: another for each arm and index, and never the search's.

    Args:
        study: its name.
        seed: the study's, which its trials are trained with.
        index: of the training, from 0 on.
    """
    for attempt in range(2):
        name = f"{study}\0{seed}\0{arm}\0{index}\0{attempt}"
        found = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) & MOST_SEED
        if found != seed:
            break
    return found


def chosen_fraction(trial: Trial, rows: int) -> float:
    """The fraction of the budget at which the checkpoint stood that the trial kept.

    The worker keeps the first of the best where all are scored on all rows; where early ones were
    scored on a part, an early one only if it is better than the last.

    Args:
        rows: of validation.
    """
    whole = [c for c in trial.checkpoints if c.rows in (None, rows)]
    if not whole:
        return 1.0
    best = max(map(merit_of, whole))
    fractions = [c.fraction for c in whole if merit_of(c) == best]
    in_part = len(whole) < len(trial.checkpoints)
    return max(fractions) if in_part else min(fractions)
