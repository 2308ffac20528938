"""What makes up for rare classes in training: decided once, for every strategy that learns.

Where the largest class has `RARE` times the rows of the smallest, how a training makes up for that
is searched. It is one hyperparameter, since the ways are alternatives: a class that is weighted
and oversampled is made up for twice. Moving classes after training is another matter
(`suite/verdict/offsets`): it needs no training, and stands beside each of these.

Sources: class weights as scikit-learn's `balanced`; rows repeated by the square root of how rare
their class is, as Gupta, Dollár and Girshick, "LVIS: A dataset for large vocabulary instance
segmentation", 2019 (arXiv:1908.03195) do it with images; focal loss, Lin et al., "Focal loss for
dense object detection", 2017 (arXiv:1708.02002); logit adjustment, Menon et al., "Long-tail
learning via logit adjustment", 2021 (arXiv:2007.07314).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from suite.contracts.hyperparameters import Declared, declared
from suite.contracts.space import Choice, Params, Space
from suite.contracts.task import Task

#: What the hyperparameter is called.
NAME = "balance"
AS_TASK, NONE, WEIGHTS = "task", "none", "weights"
OVERSAMPLED, FOCAL, ADJUSTED = "oversampled", "focal", "logit_adjusted"

#: From here on, the ratio of the largest class to the smallest is worth a word, and a dimension.
RARE = 5.0

_TOLD = {
    WEIGHTS: "weights (as class_weights: balanced)",
    OVERSAMPLED: "oversampled (rows of rare classes stand several times, in as many steps)",
    FOCAL: "focal (a loss that looks past rows that are sure)",
    ADJUSTED: "logit_adjusted (the classes' shares taken out of the scores)",
}


def _way(*ways: str) -> Any:
    """The field that says what makes up for rare classes.

    Args:
        ways: of those that the strategy has.
    """
    listed = ", ".join(_TOLD[way] for way in ways)
    return declared(
        AS_TASK,
        f"what makes up for rare classes: task (its class_weights), none, {listed}",
        options=(AS_TASK, NONE, *ways),
    )


@dataclass(frozen=True)
class Balancing(Declared):
    """Of what learns by gradient."""

    balance: str = _way(WEIGHTS, OVERSAMPLED, FOCAL, ADJUSTED)


@dataclass(frozen=True)
class Weighing(Declared):
    """Of what takes weights and no loss of others."""

    balance: str = _way(WEIGHTS)


@dataclass(frozen=True)
class Shifting(Declared):
    """Of a regression, whose shares can be taken out of its intercepts."""

    balance: str = _way(WEIGHTS, ADJUSTED)


def are_rare(rows: Sequence[int]) -> bool:
    """Whether some classes are rare beside others.

    Args:
        rows: of each class; classes without any are not counted.

    >>> are_rare([50, 10, 0]), are_rare([50, 11])
    (True, False)
    """
    present = [count for count in rows if count]
    return bool(present) and max(present) / min(present) >= RARE


def way_of(params: Params, task: Task) -> str:
    """What makes up for rare classes in a trial: one of the ways, or none."""
    said = params.get(NAME, AS_TASK)
    if said != AS_TASK:
        return str(said)
    return WEIGHTS if task.class_weights == "balanced" else NONE


def searched(space: Space, declared_in: type[Declared], task: Task) -> Space:
    """A space in which it is a dimension too. The first known-good point is tried as the task has
    it, and with the strategy's last way; then come the others."""
    _, *ways = declared_in.hyperparameters()[NAME].options
    own = way_of({}, task)
    own = own if own in ways else NONE
    first, *others = [dict(point) for point in space.known_good] or [{}]
    points: list[Params] = [{**first, NAME: way} for way in dict.fromkeys((own, str(ways[-1])))]
    points += [{**point, NAME: own} for point in others]
    dimensions = declared_in.dimensions(**{NAME: Choice(tuple(ways))})
    return Space({**space.dimensions, **dimensions}, tuple(points))
